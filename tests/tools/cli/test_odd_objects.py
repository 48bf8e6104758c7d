"""What else may lie in the buckets: the commands name each odd object, and do the rest."""

from __future__ import annotations

import json
import unicodedata

import pytest

from tests.tools.review.samples import make_pair, png

NFD = unicodedata.normalize("NFD", "a/ünïcode.json")
LONG = "a/" + "x" * 900 + ".json"
UNREADABLE = {"usd": None}  # without a price in its metadata a sidecar is read

# What is stored as a sidecar, with what its metadata says otherwise than a sidecar's, and what is said of it.
ODD_TO_COUNT = {
    "a/empty.json": (b"", UNREADABLE, "EOF"),
    "a/text.json": (b"\xff\xfenope", UNREADABLE, "Invalid JSON"),
    "a/list.json": (b"[1]", UNREADABLE, "an object"),
    "a/deep.json": (b"[" * 200_000, UNREADABLE, "recursion limit"),
    "a/types.json": (b'{"status": ["x"], "manifest": [], "cost": [1], "result": 5}', UNREADABLE, "at cost"),
    "a/huge.json": (b'{"x": "' + b"x" * (17 * 2**20) + b'"}', UNREADABLE, "larger than"),
    "a/packed.json": (b"\x1f\x8bnope", UNREADABLE, "cannot be unpacked"),
    "a/rows.csv.json": (b'{"rows_written": "x"}', {}, "at rows_written"),
    "a/generation.json": (b"{}", {"manifest-generation": "abc"}, "'abc', which is no number"),
    "a/endless.json": (b"{}", {"manifest-generation": "9" * 5000}, "which is no number"),
    "a/nowhere.json": (b"{}", {"manifest": "nope"}, "'nope', which is not gs://bucket/name"),
    "a/bucket.json": (b"{}", {"manifest": "gs://"}, "'gs://', which is not gs://bucket/name"),
    "a/elsewhere.json": (b"{}", {"manifest": "gs://no-such-bucket-anywhere/x.json"}, "cannot be listed"),
    "a/status.json": (b"{}", {"status": "weird\x1b[31m"}, "it counts as settled"),
}
# Odd, and nothing to be said about them: they are settled, or no sidecars.
QUIET = {
    "a/folder/": (b"", {}),
    "a/folder.json/": (b"", {}),
    "a/price.json": (b'{"cost": {"usd": 0.04}}', {"usd": "much"}),
    "a/not-a-number.json": (b'{"cost": {"usd": 0.04}}', {"usd": "nan"}),
    "a/unknown-label.json": (b"{}", {"colour-of-the-day": "\u2028", "review-decision": "maybe"}),
    "a/../b.json": (b"{}", {}),
    NFD: (b"{}", {}),
    LONG: (b"{}", {}),
}


@pytest.fixture
def put(own_cloud):
    """Store a sidecar as the function would have, but for what is odd about it."""

    def put(name: str, body: bytes, **changes: str | None) -> None:
        manifest = f"gs://{own_cloud.input}/{name.removesuffix('.json') if name.endswith('.csv.json') else name}"
        stated = {"status": "accepted", "manifest": manifest, "manifest-generation": "17", "usd": "0.04", **changes}
        blob = own_cloud.client.bucket(own_cloud.output).blob(name)
        blob.metadata = {key: value for key, value in stated.items() if value is not None}
        blob.content_encoding = "gzip" if body.startswith(b"\x1f\x8b") else None
        blob.upload_from_string(body, "application/json")

    return put


@pytest.fixture
def odd_outputs(own_cloud, put) -> str:
    """An output bucket full of them, with one good pair whose result is missing → its address."""
    for name, (body, changes, _) in ODD_TO_COUNT.items():
        put(name, body, **changes)
    for name, (body, changes) in QUIET.items():
        put(name, body, **changes)
    good = make_pair("a/good.json").sidecar
    good["result"]["uri"] = f"gs://{own_cloud.output}/a/gone.png"
    put("a/good.json", json.dumps(good).encode())
    return f"gs://{own_cloud.output}/a"


def test_status_names_what_is_odd_and_counts_the_rest(own_cloud, command, odd_outputs):
    done = command("status", odd_outputs, "--json")
    assert done.status == 0, done.err
    for name, (_, _, said) in ODD_TO_COUNT.items():
        where = "gs://no-such-bucket-anywhere/" if "elsewhere" in name else f"gs://{own_cloud.output}/{name}:"
        assert any(where in line and said in line for line in done.err.splitlines()), name
    assert not [name for name in QUIET if f"{own_cloud.output}/{name}:" in done.err]
    assert done.err.count("note: ") == len(ODD_TO_COUNT) and "\x1b" not in done.err
    status = json.loads(done.out)
    settled = {*ODD_TO_COUNT, *QUIET, "a/good.json"} - {
        *("a/folder/", "a/folder.json/", "a/rows.csv.json", "a/generation.json", "a/endless.json"),
        *("a/nowhere.json", "a/bucket.json"),
    }
    assert status["settled"] == len(settled) and len(status["catalogues"]) == 1
    assert status["without_price"] == sum(name in ODD_TO_COUNT and "usd" in ODD_TO_COUNT[name][1] for name in settled)


def test_review_names_what_it_does_without_and_shows_the_rest(own_cloud, command, odd_outputs, tmp_path):
    done = command("review", odd_outputs, "--to", tmp_path / "review")
    assert done.status == 0, done.err
    for name in ("empty", "text", "list", "deep", "types", "huge", "packed"):
        assert f"note: gs://{own_cloud.output}/a/{name}.json: " in done.err
    assert "a/good.json" in (tmp_path / "review/index.html").read_text()


def test_a_sidecar_without_most_of_its_fields_is_shown(command, put, own_cloud, tmp_path):
    put("a/bare.json", b'{"status": "accepted", "manifest": {}}')
    odd = {"bucket": 5, "name": [], "generation": {}}
    fields = {"inputs": {"scene": {"uri": "gs://"}, "product": []}, "change": {"mask": 5}, "checks": [1], "labels": 5}
    put("a/odd.json", json.dumps({"status": "review", "manifest": odd, "result": {"uri": 5}, **fields}).encode())
    put("a/named.json", b'{"status": "review", "manifest": {"bucket": "", "name": ""}, "result": {"uri": "gs://b/"}}')
    assert command("review", f"gs://{own_cloud.output}", "--to", tmp_path / "review").status == 0
    page = (tmp_path / "review/index.html").read_text()
    assert all(f'"a/{name}.json"' in page for name in ("bare", "odd", "named"))


def test_redrive_names_what_it_cannot_write_again_and_writes_the_rest(own_cloud, command, odd_outputs):
    bucket = own_cloud.client.bucket(own_cloud.input)
    for name, body in {
        "a/folder.json/": b"",
        "a/huge.json": b"x" * (33 * 2**20),
        "a/new.json": b"{}",
        "a/two\nlines.json": b"{}",
        NFD: b"{}",
        LONG: b"{}",
    }.items():
        bucket.blob(name).upload_from_string(body)
    packed = bucket.blob("a/packed.json")
    packed.content_encoding = "gzip"
    packed.upload_from_string(b"\x1f\x8bnope")
    before = {blob.name: blob.generation for blob in own_cloud.client.list_blobs(own_cloud.input)}
    done = command("redrive", f"gs://{own_cloud.input}/a", "--output", f"gs://{own_cloud.output}")
    assert done.status == 1
    assert "a/huge.json: its sidecar is that of an earlier upload; left as it is: it is larger" in done.out
    assert "a/packed.json: its sidecar is that of an earlier upload; left as it is: it is stored as gzip" in done.out
    assert "a/two\\nlines.json: it has no sidecar; written again" in done.out
    assert "4 of 6 manifests seen to" in done.out
    after = {blob.name: blob.generation for blob in own_cloud.client.list_blobs(own_cloud.input)}
    assert {name for name in after if after[name] > before[name]} == {"a/new.json", "a/two\nlines.json", NFD, LONG}


def test_decide_names_what_it_cannot_write_to_and_writes_the_rest(own_cloud, command, put, tmp_path):
    put("a/good.png", png((1, 2, 3)))
    put("a/good.json", b"{}")
    own_cloud.client.bucket(own_cloud.output).blob("a/mine.png").upload_from_string(png((1, 2, 3)))
    names = ["", "a/", "a/" + "x" * 2000 + ".png", "a/two\nlines.png", "\ud800.png", "a/good.json", "a/mine.png"]
    rows = [{"result": f"gs://{own_cloud.output}/{name}", "decision": "accept"} for name in (*names, "a/good.png")]
    (tmp_path / "d.json").write_text(json.dumps(rows))
    done = command("decide", tmp_path / "d.json", f"gs://{own_cloud.output}", "--by", "jo@example.com")
    assert (done.status, done.out) == (1, "1 of 8 decisions written\n")
    assert len(done.err.splitlines()) == len(names)
    assert done.err.count("not there any more") == 5 and done.err.count("not a result that the function has") == 2
    metadata = own_cloud.client.bucket(own_cloud.output).get_blob("a/good.png").metadata
    assert (metadata["review-decision"], metadata["review-decided-by"]) == ("accept", "jo@example.com")
