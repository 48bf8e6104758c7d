"""From a bucket to the page, and from the page's decisions back to the bucket."""

import base64
import json

import pytest

from function.deadline import Deadline
from function.storage.client import Storage
from function.tools.command_line import command_line
from function.tools.review.cloud import CloudStore
from function.tools.review.decide import DecisionsInvalid, read_decisions, write_decisions
from function.tools.review.pair import load_pairs
from tests.tools.review.samples import PRODUCT_COLOUR, RESULT_COLOUR, SCENE_COLOUR, make_pair, png


@pytest.fixture
def storage(own_cloud) -> Storage:
    return Storage(make_client=lambda **_: own_cloud.client)


@pytest.fixture
def settle(own_cloud):
    """Puts a pair's sidecar, result and sources where the function would have."""

    def put(name: str = "a/one.json", **options: object) -> dict:
        pair, stem = make_pair(name, **options), name.removesuffix(".json")
        source, output = own_cloud.client.bucket(own_cloud.input), own_cloud.client.bucket(own_cloud.output)
        sidecar = pair.sidecar | {"manifest": {"bucket": own_cloud.input, "name": name, "generation": 17}}
        for field, data in (("scene", pair.scene), ("product", pair.product)):
            blob = source.blob(f"{stem}-{field}.png")
            blob.upload_from_string(data, "image/png")
            uri = f"gs://{own_cloud.input}/{blob.name}"
            sidecar["inputs"][field] |= {"uri": uri, "generation": blob.generation}
        if pair.result:
            blob = output.blob(f"{stem}.png")
            blob.metadata = {"manifest-generation": "17", "status": sidecar["status"]}
            blob.upload_from_string(pair.result, "image/png")
            sidecar["result"]["uri"] = f"gs://{own_cloud.output}/{blob.name}"
        output.blob(name).upload_from_string(json.dumps(sidecar), "application/json")
        return sidecar

    return put


def run(*arguments: str) -> int:
    options = command_line().parse_args(arguments)
    return options.run(options)


def metadata(own_cloud, name: str) -> dict:
    return own_cloud.client.bucket(own_cloud.output).get_blob(name).metadata


class TestLoading:
    def test_settled_pairs_with_their_pictures_in_the_order_of_names(self, own_cloud, storage, settle):
        settle("a/two.json", status="failed")
        settle("a/one.json")
        settle("b/elsewhere.json")
        first, second = load_pairs(CloudStore(storage), f"gs://{own_cloud.output}/a/")
        assert (first.name, second.name) == ("a/one.json", "a/two.json")
        assert first.scene() == png(SCENE_COLOUR) and first.result() == png(RESULT_COLOUR)
        assert first.product() == png((*PRODUCT_COLOUR, 200), (200, 300))
        assert second.result is None
        assert first.link is None  # an emulator's address is of no use in a page that is kept

    def test_what_is_no_pairs_sidecar_is_passed_over(self, own_cloud, storage, settle):
        settle()
        output = own_cloud.client.bucket(own_cloud.output)
        catalogue = {"catalogue": {"bucket": "in", "name": "s.csv"}, "rows_written": 3}
        for name, body in {
            "a/s.csv.json": json.dumps(catalogue),
            "a/broken.json": '{"status": "accepted", "manifest"',
            "a/list.json": "[]",
            "a/deep.json": "[" * 100_000,
            "_work/claims/x.json": json.dumps({"status": "accepted", "manifest": {}}),
        }.items():
            output.blob(name).upload_from_string(body)
        assert [pair.name for pair in load_pairs(CloudStore(storage), f"gs://{own_cloud.output}")] == ["a/one.json"]

    def test_a_source_that_was_replaced_since_is_not_shown_as_the_one_that_was_used(self, own_cloud, storage, settle):
        settle()
        own_cloud.client.bucket(own_cloud.input).blob("a/one-scene.png").upload_from_string(png((1, 2, 3)))
        (pair,) = load_pairs(CloudStore(storage), f"gs://{own_cloud.output}")
        assert pair.scene() is None

    def test_a_picture_that_came_inside_the_manifest_is_read_from_it(self, own_cloud, storage, settle):
        inside = "data:image/png;base64," + base64.b64encode(png((9, 9, 9))).decode()
        manifest = own_cloud.client.bucket(own_cloud.input).blob("a/one.json")
        manifest.upload_from_string(json.dumps({"scene": inside, "product": "p.png"}))
        sidecar = settle()
        sidecar["manifest"]["generation"] = manifest.generation
        sidecar["inputs"]["scene"] |= {"uri": "data:", "generation": None}
        sidecar["inputs"]["product"] |= {"uri": "data:", "generation": None}
        own_cloud.client.bucket(own_cloud.output).blob("a/one.json").upload_from_string(json.dumps(sidecar))
        (pair,) = load_pairs(CloudStore(storage), f"gs://{own_cloud.output}")
        assert pair.scene() == png((9, 9, 9))
        assert pair.product() is None  # the manifest names a file there


class TestReviewCommand:
    @pytest.fixture(autouse=True)
    def emulator(self, monkeypatch, own_cloud):
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", own_cloud.gcs.url)
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", own_cloud.client.project)

    def test_writes_the_page_and_says_where(self, own_cloud, settle, tmp_path, capsys):
        settle()
        assert run("review", f"gs://{own_cloud.output}/a", "--to", str(tmp_path / "r")) == 0
        assert capsys.readouterr().out == f"review: {tmp_path / 'r' / 'index.html'}\n"
        assert (
            len(list((tmp_path / "r" / "pictures").iterdir())) == 7
        )  # two originals, three previews, a thumbnail, a mask

    def test_nothing_settled_writes_nothing(self, own_cloud, tmp_path, capsys):
        assert run("review", f"gs://{own_cloud.output}/a", "--to", str(tmp_path / "r")) == 1
        assert "no settled pair" in capsys.readouterr().err
        assert not (tmp_path / "r").exists()

    def test_a_wrong_address_or_bucket_is_said(self, tmp_path, capsys):
        assert run("review", "output/a", "--to", str(tmp_path / "r")) == 2
        assert "gs://" in capsys.readouterr().err
        assert run("review", "gs://there-is-no-such-bucket", "--to", str(tmp_path / "r")) == 2
        assert "there-is-no-such-bucket" in capsys.readouterr().err

    def test_decisions_go_to_the_results_metadata_and_come_back(self, own_cloud, settle, storage, tmp_path, capsys):
        uri = settle()["result"]["uri"]
        settle("a/two.json")
        path = tmp_path / "decisions.json"
        row = {"result": uri, "manifest_generation": "17", "decision": "reject"}
        path.write_text(json.dumps({"decisions": [row]}))
        assert run("decide", str(path), f"gs://{own_cloud.output}") == 0
        assert "1 of 1" in capsys.readouterr().out
        kept = {"manifest-generation": "17", "status": "accepted", "review-decision": "reject"}
        assert metadata(own_cloud, "a/one.png") == kept
        assert "review-decision" not in metadata(own_cloud, "a/two.png")
        first, second = load_pairs(CloudStore(storage), f"gs://{own_cloud.output}")
        assert (first.decision, second.decision) == ("reject", None)
        path.write_text(json.dumps({"decisions": [row | {"decision": None}]}))
        assert run("decide", str(path), f"gs://{own_cloud.output}") == 0
        assert not metadata(own_cloud, "a/one.png").get("review-decision")  # the emulator keeps an empty one

    def test_what_could_not_be_written_is_named(self, own_cloud, settle, tmp_path, capsys):
        uri = settle()["result"]["uri"]
        rows = [
            {"result": uri, "manifest_generation": "16", "decision": "accept"},
            {"result": f"gs://{own_cloud.output}/gone.png", "decision": "accept"},
            {"result": "gs://another/a/one.png", "decision": "accept"},
        ]
        (tmp_path / "d.json").write_text(json.dumps(rows))
        assert run("decide", str(tmp_path / "d.json"), f"gs://{own_cloud.output}/") == 1
        said = capsys.readouterr()
        assert "0 of 3" in said.out
        assert "made anew" in said.err and "not there any more" in said.err and "gs://another" in said.err
        assert "review-decision" not in metadata(own_cloud, "a/one.png")


class TestDecisionsFile:
    @pytest.mark.parametrize(
        "text",
        ["", "{", "5", "{}", '[{"result": "gs://b/n", "decision": "maybe"}]', '[{"decision": "accept"}]', '["accept"]'],
    )
    def test_what_is_no_export_is_refused_before_anything_is_written(self, tmp_path, text):
        path = tmp_path / "d.json"
        path.write_text(text)
        with pytest.raises(DecisionsInvalid):
            read_decisions(path)

    def test_a_prefix_bounds_what_is_written(self, own_cloud, settle, storage, tmp_path):
        uri = settle()["result"]["uri"]
        (tmp_path / "d.json").write_text(json.dumps([{"result": uri, "decision": "accept"}]))
        decisions = read_decisions(tmp_path / "d.json")
        ((_, outcome),) = write_decisions(decisions, f"gs://{own_cloud.output}/b/", storage)
        assert outcome == "elsewhere"
        there = storage.stat(own_cloud.output, "a/one.png", Deadline(10))
        assert "review-decision" not in there.metadata
