"""A picture that a person is not content with: made again with their words, or another attempt of it picked."""

import json
from datetime import UTC, datetime

import pytest

from function.deadline import Deadline
from function.delivery.catalogue import process_catalogue
from function.delivery.cloud_event import Upload
from function.service import Service
from function.settings import Settings
from function.tools import command_line
from function.tools.cli.terminal import limits_here
from function.tools.cli.upload_plan import make_plan
from function.tools.review.ask_again import asked_again
from function.tools.review.decisions import Decision
from tests.product_samples import put_products
from tests.support import picture, product_png, scene_png

FAULTS = [{"kind": "no_shadow"}, {"kind": "wrong_colour"}]


@pytest.fixture(autouse=True)
def emulator(monkeypatch, place):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", place.gcs.url)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", place.client.project)


@pytest.fixture(scope="module")
def function(place):
    """The function over this file's buckets; a pair may cost two pictures."""
    with place.server(MAX_ATTEMPTS="2") as process:
        yield process


def decide(place, *arguments: object) -> int:
    return command_line.main(["decide", f"gs://{place.output}", "--by", "jo", *map(str, arguments)])


def manifest(place, name: str):
    return place.client.bucket(place.input).get_blob(name)


def deliver(place, function, name: str) -> None:
    assert place.deliver(function, dict(manifest(place, name)._properties)).status == 200


def upload_of(resource) -> Upload:
    return Upload("event", resource["bucket"], resource["name"], int(resource["generation"]), datetime.now(UTC))


class TestRedo:
    def test_the_model_is_told_why_and_asked_for_another_picture(self, place, function, gemini, capsys):
        gemini.control(faults=FAULTS)
        place.deliver(function, place.put_pair("r/one.json", seed=5, labels={"sku": "A"}))
        before, calls = place.sidecar("r/one.json"), place.calls()
        assert before["status"] == "review"
        told = ["--reason", "  Keep the label's words.", "--placement", "left of the lemons", "--attempts", 1]
        assert decide(place, "--redo", "r/one", *told) == 2
        assert "add --yes" in capsys.readouterr().err  # stdin is no terminal, and nothing is written
        assert manifest(place, "r/one.json").generation == before["manifest"]["generation"]
        assert decide(place, "--redo", "r/one", *told, "--yes") == 0
        assert "at most $0.039 (1 picture of gemini-2.5-flash-image)" in capsys.readouterr().out
        body = json.loads(manifest(place, "r/one.json").download_as_bytes())
        assert (body["feedback"], body["placement"], body["attempts"], body["labels"]) == (
            "Keep the label's words.", "left of the lemons", 1, {"sku": "A"},
        )  # fmt: skip
        assert body["seed"] != 5
        assert decide(place, "--redo", "r/one", "--yes") == 1
        assert "being made again already" in capsys.readouterr().err
        deliver(place, function, "r/one.json")
        after = place.sidecar("r/one.json")
        assert place.calls() == calls + 1 and "Keep the label's words." in gemini.requests[-1]["text"]
        assert after["status"] == "accepted" and after["feedback"] == "Keep the label's words."
        assert (after["person"]["asked"], after["person"]["by"], after["person"]["redone"]) == ("redo", "jo", 1)

    def test_a_box_takes_the_place_of_what_said_where_and_how_large(self, place, function, gemini, capsys):
        before = {"words": "left", "height_cm": 9, "scene_cm_per_px": 0.1, "facing": "front", "tolerance": 0.2}
        place.deliver(function, place.put_pair("r/box.json", seed=5, placement=before))
        assert decide(place, "--redo", "r/box", "--box", "0.3, 0.3, 0.2, 0.5", "--placement", "right", "--yes") == 0
        body = json.loads(manifest(place, "r/box.json").download_as_bytes())
        box = [0.3, 0.3, 0.2, 0.5]
        assert body["placement"] == {"words": "right", "facing": "front", "tolerance": 0.2, "box": box}
        deliver(place, function, "r/box.json")
        assert place.sidecar("r/box.json")["asked_place"]["box"] == [192, 108, 128, 180]
        for wrong, said in (("0.3 0.3 0.2", "is not four numbers"), ("0.9 0.3 0.2 0.5", "a box is not x, y, width")):
            assert decide(place, "--redo", "r/box", "--box", wrong, "--yes") == 2
            assert said in capsys.readouterr().err
        assert decide(place, "--redo", "r/box", "--box", f"mill={wrong.replace('9', '1')}", "--yes") == 1
        assert "no product of this name" in capsys.readouterr().err

    def test_a_failed_pair_can_be_made_again_too_from_the_pages_own_file(self, place, function, gemini, tmp_path):
        gemini.control(faults=[{"kind": "block_reason", "value": "PROHIBITED_CONTENT"}])
        place.deliver(function, place.put_pair("r/failed.json"))
        assert place.sidecar("r/failed.json")["status"] == "failed"
        row = {"decision": "redo", "sidecar": "r/failed.json", "result": None, "feedback": "Oil.", "by": "kim"}
        (tmp_path / "decisions.json").write_text(json.dumps({"decisions": [row]}))
        assert command_line.main(["decide", str(tmp_path / "decisions.json"), f"gs://{place.output}", "--yes"]) == 0
        deliver(place, function, "r/failed.json")
        after = place.sidecar("r/failed.json")
        assert (after["status"], after["feedback"], after["person"]["by"]) == ("accepted", "Oil.", "kim")

    def test_a_catalogue_uploaded_again_leaves_the_row_alone_unless_that_row_changed(
        self, place, function, gemini, monkeypatch
    ):
        services = Service(Settings.from_environment(place.environment())).services()
        place.put("c/p.png", product_png())
        place.put("c/s.png", scene_png())
        rows = "product,scene,seed\np.png,s.png,81\n"
        process_catalogue(upload_of(place.put("c/spring.csv", rows)), services, Deadline(60))
        name = "c/spring/000001.json"
        deliver(place, function, name)
        for reason in ("Smaller.", "Smaller still."):
            assert decide(place, "--redo", "c/spring/000001", "--reason", reason, "--yes") == 0
            deliver(place, function, name)
        redone = manifest(place, name)
        process_catalogue(upload_of(place.put("c/spring.csv", rows + "p.png,s.png,82\n")), services, Deadline(60))
        assert manifest(place, name).generation == redone.generation
        assert place.sidecar(name)["person"]["redone"] == 2
        process_catalogue(upload_of(place.put("c/spring.csv", rows.replace("81", "83"))), services, Deadline(60))
        changed = manifest(place, name)
        assert json.loads(changed.download_as_bytes())["seed"] == 83
        assert set(changed.metadata) == {"catalogue", "catalogue-generation"}

    def test_submitting_the_same_folder_again_leaves_it_alone_too(self, place, function, gemini, tmp_path, storage):
        place.deliver(function, place.put_pair("s/pair.json", seed=9))
        (tmp_path / "pair.json").write_bytes(place.get("s/pair.json", place.input))
        assert decide(place, "--redo", "s/pair", "--yes") == 0

        def new(seed: int) -> list[str]:
            (tmp_path / "pair.json").write_text(
                json.dumps(json.loads((tmp_path / "pair.json").read_text()) | {"seed": seed})
            )
            plan = make_plan(tmp_path, place.input, "s", limits_here(), storage)
            return [document.file.name for document in plan.new_documents]

        assert (new(9), new(10)) == ([], ["s/pair.json"])

    @pytest.mark.exhaustive
    def test_it_stays_within_the_caps_of_the_function(self, own_cloud, gemini, monkeypatch):
        with own_cloud.server(MAX_USD_PER_DAY="0.07") as server:
            own_cloud.deliver(server, own_cloud.put_pair())
            assert decide(own_cloud, "--redo", "pair", "--yes") == 0
            calls = own_cloud.calls()
            resource = dict(manifest(own_cloud, "pair.json")._properties)
            assert own_cloud.deliver(server, resource).status == 503
        assert own_cloud.calls() == calls == 1
        assert own_cloud.sidecar()["status"] == "accepted"  # the picture that stands is kept meanwhile


class TestPick:
    @pytest.fixture
    def two(self, place, function, gemini, request):
        """A pair of whose two attempts neither is good; its sidecar, and the number of the one that is not shown."""
        gemini.control(faults=FAULTS)
        name = f"p/{request.node.name}.json"
        place.deliver(function, place.put_pair(name))
        sidecar = place.sidecar(name)
        assert [one["verdict"] for one in sidecar["attempts"]] == ["review", "review"]
        return name, sidecar

    def test_another_attempt_becomes_the_result_and_nothing_is_paid(self, place, function, gemini, two):
        name, before = two
        sidecar = place.client.bucket(place.output).get_blob(name)
        sidecar.metadata = dict(sidecar.metadata)  # else the upload drops it
        sidecar.upload_from_string(json.dumps(before | {"prompt_version": "2"}))
        image, calls = picture(place.get(name.replace(".json", ".png"))), len(gemini.requests)
        shown = next(one["number"] for one in before["attempts"] if one["checks"] == before["checks"])
        other = 3 - shown
        assert decide(place, "--pick", name.removesuffix(".json"), "--attempt", other) == 0
        for _ in range(2):
            deliver(place, function, name)
        after = place.sidecar(name)
        assert len(gemini.requests) == calls
        assert (after["attempts"], after["cost"]) == (before["attempts"], before["cost"])
        assert after["checks"] == before["attempts"][other - 1]["checks"] != before["checks"]
        assert after["person"]["asked"] == "pick" and after["person"]["attempt"] == other
        assert after["prompt_version"] == "2" != before["prompt_version"]  # nobody has asked again
        assert (picture(place.get(name.replace(".json", ".png"))) != image).any()
        assert decide(place, "--pick", name.removesuffix(".json"), "--attempt", shown) == 0  # and back again
        deliver(place, function, name)
        assert (picture(place.get(name.replace(".json", ".png"))) == image).all()

    def test_a_picture_from_before_a_redo_becomes_the_result_again(self, place, function, gemini, two):
        name, before = two
        stem, picture_name = name.removesuffix(".json"), name.replace(".json", ".png")
        image = place.get(picture_name)
        shown = next(one["number"] for one in before["attempts"] if one["checks"] == before["checks"])
        for run in (1, 2):
            assert decide(place, "--redo", stem, "--reason", f"Smaller, {run}.", "--yes") == 0
            deliver(place, function, name)
        after, calls = place.sidecar(name), len(gemini.requests)
        assert after["status"] == "accepted" and place.get(picture_name) != image
        assert [one["number"] for one in after["earlier"]] == [101, 102, 201]
        assert [one["answer"] for one in after["earlier"][:2]] == [one["answer"] for one in before["attempts"]]
        assert decide(place, "--pick", stem, "--attempt", 100 + shown) == 0
        deliver(place, function, name)
        picked = place.sidecar(name)
        assert len(gemini.requests) == calls and picked["person"]["attempt"] == 100 + shown
        assert (picture(place.get(picture_name)) == picture(image)).all() and picked["checks"] == before["checks"]
        assert picked["earlier"] == after["earlier"] and picked["attempts"] == after["attempts"]
        assert decide(place, "--pick", stem, "--attempt", 1) == 0  # and that of the last run
        deliver(place, function, name)
        assert place.sidecar(name)["status"] == "accepted"

    @pytest.mark.exhaustive
    def test_a_picture_of_several_products_becomes_the_result_again(self, place, function, gemini):
        place.deliver(function, put_products(place, {"bottle": "on the left", "can": "on the right"}, attempts=1))
        before = place.sidecar()
        assert decide(place, "--redo", "pair", "--yes") == 0
        deliver(place, function, "pair.json")
        after, calls = place.sidecar(), len(gemini.requests)
        assert after["status"] != "failed" and [one["number"] for one in after["earlier"]] == [101]
        assert decide(place, "--pick", "pair", "--attempt", 101) == 0
        deliver(place, function, "pair.json")
        picked = place.sidecar()
        assert len(gemini.requests) == calls and picked["products"] == before["products"]

    def test_a_picture_of_another_scene_cannot_be_picked_after_a_redo(self, place, function, gemini, two):
        name, _ = two
        place.put(f"{name.rpartition('/')[0]}/scene.png", product_png())  # the scene is another picture now
        try:
            assert decide(place, "--redo", name.removesuffix(".json"), "--yes") == 0
            deliver(place, function, name)
            assert "earlier" not in place.sidecar(name)
        finally:
            place.put(f"{name.rpartition('/')[0]}/scene.png", scene_png())

    def test_an_attempt_that_is_not_kept_any_more_costs_neither_money_nor_the_picture_that_stands(
        self, place, function, gemini, two, capsys
    ):
        name, before = two
        stem, calls = name.removesuffix(".json"), len(gemini.requests)
        stored = place.client.bucket(place.output).blob(before["attempts"][0]["answer"]["uri"].split("/", 3)[3])
        kept = stored.download_as_bytes()
        assert decide(place, "--pick", stem, "--attempt", 1) == 0
        stored.delete()  # between the request and the event: the bucket's lifecycle does
        deliver(place, function, name)
        after = place.sidecar(name)
        assert (after["status"], after["error"]["code"], after["error"]["retryable"]) == (
            "failed", "source_missing", True,
        )  # fmt: skip
        assert after["cost"] == before["cost"] and len(gemini.requests) == calls
        assert f"{stem}.png" in place.names()
        assert decide(place, "--pick", stem, "--attempt", 1) == 1
        assert decide(place, "--pick", stem, "--attempt", 3) == 1
        assert capsys.readouterr().err.count("not stored any more") == 2
        stored.upload_from_string(kept)
        assert decide(place, "--pick", stem, "--attempt", 2) == 0
        deliver(place, function, name)
        assert place.sidecar(name)["status"] == "review"


def test_what_cannot_be_found_or_is_not_said_is_an_error_in_words(place, function, capsys):
    for arguments in (["--redo", "no/such"], ["--pick", "no/such"], [], ["--accept", "no/such"]):
        assert decide(place, *arguments, "--yes") == 2
        assert capsys.readouterr().err.startswith("error: ")


def test_of_several_products_the_named_one_gets_the_box():
    pair = {"scene": "s.png", "products": [{"name": name, "product": name} for name in ("mill", "cup")]}
    pair["products"][1]["placement"] = {"words": "behind", "mask": "m.png"}
    boxes = {"cup": [0.1, 0.2, 0.3, 0.4]}
    again = json.loads(asked_again(json.dumps(pair).encode(), Decision("", "", "redo", boxes=boxes)))
    assert "placement" not in again["products"][0] and "placement" not in again
    assert again["products"][1]["placement"] == {"words": "behind", "box": boxes["cup"]}
