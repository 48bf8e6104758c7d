"""`review` and `decide`: from a bucket to the page, and from the page's decisions back to the bucket."""

import json
from datetime import UTC, datetime

import pytest

from function.tools import command_line
from function.tools.review.cloud import CloudStore
from function.tools.review.pair import load_pairs


def run(*arguments: str) -> int:
    return command_line.main(arguments)


def metadata(own_cloud, name: str) -> dict:
    return own_cloud.client.bucket(own_cloud.output).get_blob(name).metadata


@pytest.fixture(autouse=True)
def emulator(monkeypatch, own_cloud):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", own_cloud.gcs.url)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", own_cloud.client.project)


def test_writes_the_page_and_says_where(own_cloud, settle, tmp_path, capsys):
    settle()
    assert run("review", f"gs://{own_cloud.output}/a", "--to", str(tmp_path / "r")) == 0
    assert capsys.readouterr().out == f"review: {tmp_path / 'r' / 'index.html'}\n"
    assert len(list((tmp_path / "r" / "pictures").iterdir())) == 7  # two originals, three previews, a thumbnail, a mask


def test_nothing_settled_writes_nothing(own_cloud, tmp_path, capsys):
    assert run("review", f"gs://{own_cloud.output}/a", "--to", str(tmp_path / "r")) == 1
    assert "no settled pair" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def test_a_wrong_address_or_bucket_is_said(tmp_path, capsys):
    assert run("review", "output/a", "--to", str(tmp_path / "r")) == 2
    assert "gs://" in capsys.readouterr().err
    assert run("review", "gs://there-is-no-such-bucket", "--to", str(tmp_path / "r")) == 2
    assert "there-is-no-such-bucket" in capsys.readouterr().err


def test_decisions_go_to_the_results_metadata_and_come_back(own_cloud, settle, storage, tmp_path, capsys):
    uri = settle()["result"]["uri"]
    settle("a/two.json")
    path = tmp_path / "decisions.json"
    decided = {"decision": "reject", "decided": "2026-11-20T10:00:00.123+01:00"}
    row = {"result": uri, "manifest_generation": "17", **decided}
    path.write_text(json.dumps({"decisions": [row]}))
    assert run("decide", str(path), f"gs://{own_cloud.output}", "--by", "jo@example.com") == 0
    assert "1 of 1" in capsys.readouterr().out
    kept = {"manifest-generation": "17", "status": "accepted", "review-decision": "reject"}
    kept |= {"review-decided-by": "jo@example.com", "review-decided-at": "2026-11-20T09:00:00+00:00"}
    assert metadata(own_cloud, "a/one.png") == kept
    assert run("decide", str(path), f"gs://{own_cloud.output}", "--by", "al@example.com") == 0
    assert metadata(own_cloud, "a/one.png") == kept  # it was decided already
    assert "review-decision" not in metadata(own_cloud, "a/two.png")
    first, second = load_pairs(CloudStore(storage), f"gs://{own_cloud.output}")
    assert (first.decision, second.decision) == ("reject", None)
    path.write_text(json.dumps({"decisions": [row | {"decision": None}]}))
    assert run("decide", str(path), f"gs://{own_cloud.output}") == 0
    left = metadata(own_cloud, "a/one.png")
    assert not any(value for key, value in left.items() if key.startswith("review-"))  # the emulator keeps empty ones


def test_without_a_name_it_is_whoever_is_signed_in_and_now(own_cloud, settle, tmp_path, monkeypatch):
    uri = settle()["result"]["uri"]
    gcloud = tmp_path / "gcloud"
    gcloud.write_text('#!/bin/sh\n[ "$*" = "config get-value account --quiet" ] && echo kim@example.com\n')
    gcloud.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))  # without credentials of its own
    (tmp_path / "d.json").write_text(json.dumps([{"result": uri, "decision": "accept"}]))
    before = datetime.now(UTC).replace(microsecond=0)
    assert run("decide", str(tmp_path / "d.json"), f"gs://{own_cloud.output}") == 0
    stated = metadata(own_cloud, "a/one.png")
    assert stated["review-decided-by"] == "kim@example.com"
    assert before <= datetime.fromisoformat(stated["review-decided-at"]) <= datetime.now(UTC)


def test_what_could_not_be_written_is_named(own_cloud, settle, tmp_path, capsys):
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
    assert "made again since" in said.err and "not there any more" in said.err and "gs://another" in said.err
    assert "review-decision" not in metadata(own_cloud, "a/one.png")
