"""Results → answers: in ranges of bounded size, with and without events, and within the caps."""

from __future__ import annotations

import json
import random
import uuid

import pytest

from function.batch import collect, lines, pieces
from function.batch.lines import key_of, lines_of, read_result
from function.budget.ledger import catalogue_name
from function.deadline import Deadline
from function.delivery.batch_files import batch_context
from function.delivery.switch import write_switch
from function.errors import BudgetExhaustedError
from function.generation.answer_store import request_digest

WINDOW_BYTES = 7
BODIES = (
    b"",
    b"one\n",
    b"one\ntwo",
    b"\n\none\n\ntwo\n",
    b"a\nbb\nccc\ndddd\neeeee\n" * 5,
    b"x" * 40 + b"\n" + b"y" * 3,
)


@pytest.mark.parametrize("step", [1, 2, 5, 13, 200])
@pytest.mark.parametrize("body", BODIES)
def test_ranges_of_any_size_hold_every_line_once(body, step, monkeypatch):
    monkeypatch.setattr(lines, "WINDOW_BYTES", WINDOW_BYTES)
    read = []

    def part(start, length):
        read.append(length)
        return body[start : start + length]

    found = [
        line
        for start in range(0, max(1, len(body)), step)
        for line in lines_of(part, start, start + step, len(body))
    ]  # fmt: skip
    assert found == [line for line in body.split(b"\n") if line]
    assert all(length <= WINDOW_BYTES for length in read)


def test_a_line_that_is_too_long_is_passed_over_without_being_held(monkeypatch):
    monkeypatch.setattr(lines, "WINDOW_BYTES", WINDOW_BYTES)
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 20)
    body = b"a\n" + b"x" * 500 + b"\nb\n"
    assert list(lines_of(lambda start, length: body[start : start + length], 0, len(body), len(body))) == [b"a", b"b"]


IMAGE = {"fileData": {"fileUri": "gs://b/1", "mimeType": "image/png"}}
REQUEST = {
    "contents": [{"role": "user", "parts": [{"text": "[1]"}, IMAGE]}],
    "generationConfig": {"seed": 5, "imageConfig": {"aspectRatio": "3:2"}},
}


def test_a_request_is_recognised_in_another_spelling_and_order():
    other = {
        "generation_config": {"image_config": {"aspect_ratio": "3:2"}, "seed": 5.0, "candidate_count": 1},
        "contents": [{"parts": [{"text": "[1]"}, {"file_data": {"mime_type": "image/png", "file_uri": "gs://b/1"}}]}],
    }
    assert key_of(other) == key_of(REQUEST)
    assert key_of({**REQUEST, "generationConfig": {"seed": 6, "imageConfig": {"aspectRatio": "3:2"}}}) != key_of(
        REQUEST
    )
    assert key_of({"contents": []}) is None and key_of("?") is None


@pytest.mark.parametrize(
    ("line", "final"),
    [
        ({"key": "k", "error": {"code": 503, "status": "UNAVAILABLE"}}, False),
        ({"key": "k", "error": {"code": 400, "status": "INVALID_ARGUMENT"}}, True),
        ({"request": REQUEST, "status": "Bad Request: {\"error\": {\"code\": 400}}", "response": {}}, True),
        ({"request": REQUEST, "status": "RESOURCE_EXHAUSTED: try later"}, False),
        ({"key": "k"}, False),
    ],
)  # fmt: skip
def test_what_a_line_says_instead_of_an_answer_is_for_good_or_not(line, final):
    result = read_result(json.dumps(line).encode())
    assert result.answer is None and result.error_is_final == final and result.key and result.error


@pytest.mark.parametrize("line", [b"", b"[]", b"{", b"null", b"\xff", b"7", b'{"response": {"candidates": 3}}'])
def test_no_line_is_a_crash(line):
    result = read_result(line)
    assert result is None or result.key is None


def states(story):
    found = [story.place.records.read(request_digest(one), Deadline(60))[0] for one, _ in story.requests.values()]
    return [one.state for one in found]


def test_a_large_file_is_cut_and_each_part_collected_by_an_event_of_its_own(story, monkeypatch):
    monkeypatch.setattr(collect, "RANGE_BYTES", 300_000)
    story.begin()
    story.life(story.wait)
    story.wait_for_results()
    story.collect(story.services)
    assert states(story) == ["in_job", "in_job"], "a large file is only cut"
    place = story.place
    (results,) = [b for b in place.cloud.client.list_blobs(place.batch) if b.name.endswith("predictions.jsonl")]
    parts = [b for b in place.cloud.client.list_blobs(place.batch) if "/ranges/" in b.name]
    assert len(parts) == -(-results.size // 300_000) > 2
    story.collect(story.services)
    assert states(story) == ["answered", "answered"]
    story.finish()
    story.check()


def test_results_whose_event_never_comes_are_collected_by_the_sweep(story, monkeypatch):
    story.begin()
    story.life(story.wait)
    monkeypatch.setattr(story, "collect", lambda services: None)
    story.finish()
    story.check()


def test_a_catalogue_s_budget_covers_its_jobs_at_their_own_price(story):
    """Two pictures for half a cent less than two cost: one is made, and its ledger says what it cost in the end."""
    story.catalogue = f"gs://{story.place.cloud.input}/spring.csv"
    story.services.budget.open_catalogue(story.catalogue, 2 * story.MAX_USD - 0.005, Deadline(60))
    story.begin()
    story.life(story.wait)
    story.finish(lambda: sorted(states(story)) == ["answered", "ask_now"])
    with pytest.raises(BudgetExhaustedError):
        story.services.budget.reserve(story.MAX_USD, story.catalogue, Deadline(60))
    story.services.budget.return_unspent()
    output = story.place.cloud.client.bucket(story.place.cloud.output)
    ledger = json.loads(output.blob(catalogue_name(story.catalogue)).download_as_bytes())
    assert ledger["closed_usd"] == pytest.approx(0.5 * 0.039, abs=0.0005)


def test_while_its_bucket_is_paused_no_job_is_made(story):
    story.begin()
    story.life(story.wait)
    write_switch(story.place.storage, story.place.cloud.input, paused=True, deadline=Deadline(60))
    for _ in range(3):
        story.sweep(story.services)
    assert not story.place.jobs(everybodys=True) and states(story) == ["waiting", "waiting"]


def test_a_file_gives_the_same_pieces_of_whole_lines_however_it_arrives(story, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 60)
    body = b"".join(b"%d" % (number % 10) * random.randrange(1, 50) + b"\n" for number in range(20)) + b"end"
    context, found = batch_context(story.services), []
    for arrives in (1, 7, 64, 1000):
        job = uuid.uuid4().hex
        writer = pieces.PieceWriter(context, job, 0, Deadline(60))
        for start in range(0, len(body), arrives):
            writer.write(body[start : start + arrives])
        writer.close()
        blobs = story.place.cloud.client.list_blobs(story.place.batch, prefix=f"jobs/{job}/")
        found.append([blob.download_as_bytes() for blob in blobs])
    assert found[0] == found[1] == found[2] == found[3] and b"".join(found[0]) == body and len(found[0]) > 3
    assert all(piece.endswith(b"\n") for piece in found[0][:-1])
