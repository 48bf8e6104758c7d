"""`export`: approved pictures under names that people know, and a table of everything."""

import csv
import io
from pathlib import Path

import pytest

from function.tools import command_line
from tests.tools.review.samples import RESULT_COLOUR, png

HOSTILE = "../../etc/pass wd"


def run(*arguments: object) -> int:
    return command_line.main(["export", *map(str, arguments)])


def rows_of(content: bytes) -> dict[str, dict[str, str]]:
    return {row["name"]: row for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig")))}


@pytest.fixture
def decide(own_cloud):
    def put(name: str, decision: str, **metadata: str) -> None:
        blob = own_cloud.client.bucket(own_cloud.output).get_blob(name)
        named = {f"review-{key}".replace("_", "-"): value for key, value in metadata.items()}
        blob.metadata = {**blob.metadata, "review-decision": decision, **named}
        blob.patch()

    return put


@pytest.fixture
def five(own_cloud, settle, decide, monkeypatch):
    """Accepted by checks, by a person, rejected by one, not decided, failed; two have the same SKU."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", own_cloud.gcs.url)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", own_cloud.client.project)
    settle("a/one.json", labels={"sku": "Mug"})
    settle("a/two.json", status="review", failed=("label_legible",), labels={"sku": "mug"})
    settle("a/three.json", labels={"sku": HOSTILE}, checks={})
    settle("a/four.json", status="review", failed=("scene_kept",), labels={"sku": "=1+1"})
    settle("a/five.json", status="failed", labels={"sku": "x"})
    decide("a/two.png", "accept", decided_by="jo@example.com")
    decide("a/three.png", "reject", decided_by="jo@example.com", comment="wrong shelf")
    return f"gs://{own_cloud.output}/a"


def test_approved_ones_are_copied_by_sku_and_the_table_has_all_of_them(own_cloud, five, decide, tmp_path, capsys):
    assert run(five, tmp_path / "x", "--name-by", "sku") == 0
    assert "2 approved pictures" in capsys.readouterr().out
    files = sorted(path.name for path in (tmp_path / "x").iterdir())
    assert files == ["Mug.png", "export.csv", "mug-2.png"]
    assert (tmp_path / "x" / "Mug.png").read_bytes() == png(RESULT_COLOUR)
    rows = rows_of((tmp_path / "x" / "export.csv").read_bytes())
    assert [rows[f"a/{name}"]["approved"] for name in ("one", "two", "three", "four", "five")] == [
        "yes", "yes", "no", "no", "no",
    ]  # fmt: skip
    three, four, five_row = rows["a/three"], rows["a/four"], rows["a/five"]
    assert (three["decision"], three["decided_by"], three["comment"]) == ("reject", "jo@example.com", "wrong shelf")
    assert "scene_kept" in four["reasons"] and four["labels.sku"] == "'=1+1"
    assert "IMAGE_SAFETY" in five_row["reasons"]
    decide("a/one.png", "reject")
    decide("a/three.png", "accept")
    (tmp_path / "x" / "own.txt").write_text("a person's")
    assert run(five, tmp_path / "x", "--name-by", "sku") == 0
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*") if path.is_file())
    assert left == ["x/etc/pass wd.png", "x/export.csv", "x/mug.png", "x/own.txt"]  # nothing has left the folder


def test_into_a_bucket_only_what_people_have_accepted(own_cloud, five, capsys):
    own_cloud.client.create_bucket(shop := f"{own_cloud.output}-shop")
    assert run(five, f"gs://{shop}/spring", "--by-people") == 0
    names = [blob.name for blob in own_cloud.client.list_blobs(shop)]
    assert names == ["spring/a/two.png", "spring/export.csv"]
    assert (
        rows_of(own_cloud.client.bucket(shop).blob("spring/export.csv").download_as_bytes())["a/one"]["approved"]
        == "no"
    )


def test_links_to_the_pictures_of_a_local_folder(own_cloud, five, tmp_path, capsys):
    results = tmp_path / "results"
    (results / "a").mkdir(parents=True)
    (results / "a/one.png").write_bytes(b"here")
    assert run(five, tmp_path / "x", "--link", results) == 1  # the other one has not been fetched yet
    assert "a/two.json: the picture is not there" in capsys.readouterr().err
    assert (tmp_path / "x/a/one.png").is_symlink() and (tmp_path / "x/a/one.png").read_bytes() == b"here"


def test_what_cannot_be_done_is_said(own_cloud, five, tmp_path: Path, capsys):
    for arguments in ([five, tmp_path / "x", "--name-by", "colour"], [f"gs://{own_cloud.output}/none", tmp_path / "x"]):
        assert run(*arguments) in (1, 2)
        assert capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "x").exists()


def test_each_of_several_pictures_is_copied_under_its_name(own_cloud, settle, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", own_cloud.gcs.url)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", own_cloud.client.project)
    contents = {"banner.jpg": b"a banner", "story.webp": b"a story"}
    results = []
    for name, content in contents.items():
        blob = own_cloud.client.bucket(own_cloud.output).blob(f"b/one/{name}")
        blob.upload_from_string(content)
        results.append({"name": name.partition(".")[0], "uri": f"gs://{own_cloud.output}/b/one/{name}"})
    settle("b/one.json", labels={"sku": "CUP"}, results=results, usd=0.04)
    assert run(f"gs://{own_cloud.output}/b", tmp_path / "x", "--name-by", "sku") == 0
    assert "2 approved pictures in " in (said := capsys.readouterr().out) and "of 1 pair" in said
    assert {path.name: path.read_bytes() for path in (tmp_path / "x").glob("CUP*")} == {
        f"CUP-{name}": content for name, content in contents.items()
    }
    table = list(csv.DictReader(io.StringIO((tmp_path / "x/export.csv").read_text("utf-8-sig"))))
    assert [(row["picture"], row["file"], row["usd"]) for row in table] == [
        ("banner", "CUP-banner.jpg", "0.04"), ("story", "CUP-story.webp", ""),
    ]  # fmt: skip
