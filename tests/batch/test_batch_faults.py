"""What goes wrong with jobs: every pair is settled, and no picture is paid for twice without being listed."""

from __future__ import annotations

import random

import pytest

from function.batch.follow import CANCEL_WAIT_S
from tests.support import wait_until
from tests.tiers import exhaustive

ROWS: list[dict] = [{}, {}]
PAIRS = ["spring/000001.json", "spring/000002.json"]
# One of each mode by default; the other with --full.
VERTEX = ["vertex", *exhaustive("key")]
KEY = ["key", *exhaustive("vertex")]


@pytest.fixture
def begun(place):
    """Rows that wait for a job, with what is to go wrong."""

    def begin(*faults: str, rows=ROWS, **settings):
        place.cloud.gemini.control(batch_faults=[{"kind": kind} for kind in faults], **settings)
        place.put_rows(rows)
        place.deliver()
        return place

    return begin


def outcomes(sidecar):
    """(outcome, price tier) of every attempt."""
    return [(attempt["outcome"], attempt.get("price_tier", "standard")) for attempt in sidecar["attempts"]]


def paid_and_listed(place, sidecars):
    """Answers that the model gave, and attempts that some sidecar lists."""
    listed = sum(len(sidecar["attempts"]) for sidecar in sidecars.values())
    return len(place.asked()), listed


GENERATED, INTERRUPTED, LIVE = ("generated", "batch"), ("interrupted", "batch"), ("generated", "standard")


@pytest.mark.exhaustive
@pytest.mark.parametrize("place", VERTEX, indirect=True)
def test_a_creation_that_is_not_answered_is_found_by_its_name_and_not_made_again(place, begun):
    begun("unanswered")
    sidecars = place.run(PAIRS)
    assert [outcomes(one) for one in sidecars.values()] == [[GENERATED], [GENERATED]]
    (job,) = place.close()
    assert job.asked_times == 1 and len(job.service_names) == 1
    assert paid_and_listed(place, sidecars) == (2, 2)


@pytest.mark.exhaustive
@pytest.mark.parametrize("place", VERTEX, indirect=True)
def test_of_a_job_that_was_made_twice_the_later_one_is_cancelled(place, begun):
    begun("twice", batch_s=3600)
    place.sweep_until("running")
    first, second = place.jobs()[0].service_names
    jobs = {job["name"]: job for job in place.cloud.gemini.report()["batch_jobs"]}
    wait_until(lambda: place.cloud.gemini.batch_jobs.find(second).state == "CANCELLED")
    assert place.cloud.gemini.batch_jobs.find(first).state == "RUNNING" and jobs.keys() >= {first, second}


@pytest.mark.parametrize("place", VERTEX, indirect=True)
def test_what_a_job_that_was_made_twice_may_have_answered_twice_is_listed(place, begun):
    """How far the later one comes before it is cancelled is a race; the pair may be settled by then."""
    begun("twice", batch_s=0.0)
    sidecars = place.run(PAIRS)
    assert [sorted(outcomes(one)) for one in sidecars.values()] == [[GENERATED, INTERRUPTED]] * 2
    paid, listed = paid_and_listed(place, sidecars)
    assert 2 <= paid <= listed == 4


def wait_for_results(place, count=1):
    """Until so many results files of this test's jobs are there; nothing is delivered."""
    jobs = [job.id for job in place.jobs()]

    def found():
        names = [blob.name for blob in place.cloud.client.list_blobs(place.batch)]
        results = [name for name in names if name.endswith("predictions.jsonl")]
        return sum(any(job in name for job in jobs) for name in results) >= count

    wait_until(found)


@pytest.mark.parametrize("place", ["vertex"], indirect=True)
def test_a_creation_that_shows_itself_late_is_listed_once_by_every_pair(place, begun):
    """The job was asked for twice, and the first creation had reached the service after all: both have answered."""
    begun(batch_s=1.0)
    (name,) = place.sweep_until("running").service_names
    emulated = place.cloud.gemini.batch_jobs
    first = emulated.find(name)
    emulated.start(f"{name.rpartition('/')[0]}/", first.display_name, first.model, first.lines, first.write)
    wait_for_results(place, 2)
    place.change_jobs(asked_times=2)
    place.sweep()
    assert [one.lost_calls for one in place.requests()] == [1, 1], "before an answer can settle a pair"
    sidecars = place.run(PAIRS)
    assert [sorted(outcomes(one)) for one in sidecars.values()] == [[GENERATED, INTERRUPTED]] * 2
    assert paid_and_listed(place, sidecars) == (4, 4)


@pytest.mark.parametrize("place", ["vertex"], indirect=True)
def test_results_of_a_job_whose_creation_is_in_doubt_wait_for_the_sweep_that_finds_it(place, begun):
    begun(batch_s=1.0)
    place.sweep_until("running")
    place.change_jobs(state="creating", service_names=())
    wait_for_results(place)
    place.deliver()
    assert [one.state for one in place.requests()] == ["in_job", "in_job"]
    sidecars = place.run(PAIRS)
    assert [outcomes(one) for one in sidecars.values()] == [[GENERATED], [GENERATED]]


@pytest.mark.parametrize("place", ["vertex"], indirect=True)
def test_an_answer_to_what_is_asked_for_at_once_by_now_is_listed(place, begun):
    begun(batch_s=1.0)
    place.sweep_until("running")
    for one in place.requests():
        given_up = one.model_copy(update={"state": "ask_now"})
        place.records.change(one.digest, lambda _, given_up=given_up: given_up, place.deadline)
    wait_for_results(place)
    sidecars = place.run(PAIRS)
    assert [sorted(outcomes(one)) for one in sidecars.values()] == [[LIVE, INTERRUPTED]] * 2
    assert paid_and_listed(place, sidecars) == (4, 4)


@pytest.mark.exhaustive
@pytest.mark.parametrize("place", VERTEX, indirect=True)
def test_a_quota_that_is_used_up_puts_the_creation_off(place, begun):
    begun("429")
    wait_until(lambda: place.sweep() and place.jobs() and place.jobs()[0].note)
    assert place.jobs()[0].state == "planned" and "429" in place.jobs()[0].note
    sidecars = place.run(PAIRS)
    assert len(place.jobs()) == 1 and paid_and_listed(place, sidecars) == (2, 2)


@pytest.mark.parametrize(
    ("fault", "place", "answered"),
    exhaustive(
        ("partial", "vertex", 1),
        ("failed", "vertex", 0),
        ("line_errors", "key", 1),
        ("expired", "key", 1),
        ("failed", "key", 0),
        ("expired", "vertex", 1),
        ("line_errors", "vertex", 1),
    ),
    indirect=["place"],
)
def test_what_a_job_did_not_answer_goes_into_the_next(fault, place, answered, begun):
    begun(fault)
    sidecars = place.run(PAIRS)
    first, second = place.close()
    assert (first.answered, first.waiting_again, first.lost) == (answered, 2 - answered, 0)
    assert second.answered == 2 - answered
    assert [outcomes(one) for one in sidecars.values()] == [[GENERATED], [GENERATED]]
    assert paid_and_listed(place, sidecars) == (2, 2)


@pytest.mark.parametrize(
    ("fault", "place", "lost"),
    exhaustive(
        ("lines_missing", "key", 1),
        ("results_lost", "vertex", 2),
        ("results_lost", "key", 2),
        ("lines_missing", "vertex", 1),
    ),
    indirect=["place"],
)
def test_answers_that_were_lost_are_listed_for_they_may_be_billed(fault, place, lost, begun):
    begun(fault)
    sidecars = place.run(PAIRS)
    said = sorted(outcomes(one) for one in sidecars.values())
    assert said == sorted([[GENERATED]] * (2 - lost) + [[INTERRUPTED, GENERATED]] * lost)
    assert place.close()[0].lost == lost
    paid, listed = paid_and_listed(place, sidecars)
    assert paid <= listed


@pytest.mark.exhaustive
@pytest.mark.parametrize("place", VERTEX, indirect=True)
def test_a_line_that_is_refused_for_good_is_asked_for_at_once(place, begun):
    begun("lines_refused")
    sidecars = place.run(PAIRS)
    assert sorted(outcomes(one) for one in sidecars.values()) == sorted([[GENERATED], [LIVE]])
    assert len(place.close()) == 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("place", ["vertex"], indirect=True)
def test_a_call_that_was_lost_before_a_job_has_the_next_attempt_is_listed(place, begun):
    """The job's answer touches the manifest: another generation of it, and still the same upload."""
    seed = random.randrange(2**30)
    faults = [{"kind": kind, "match": {"seed": seed}} for kind in ("reset", "product_missing")]
    begun("lines_refused", rows=[{"seed": seed}], faults=faults)
    sidecars = place.run(PAIRS[:1])
    assert outcomes(sidecars[PAIRS[0]]) == [("interrupted", "standard"), ("reused", "standard"), GENERATED]


def time_is_up(place):
    """The deadline of every request and job of this test has passed."""
    for request in place.requests():
        place.records.change(
            request.digest, lambda stored: stored.model_copy(update={"finish_by": 1.0}), place.deadline
        )
    place.change_jobs(finish_by=1.0)


@pytest.mark.parametrize("place", VERTEX, indirect=True)
def test_a_job_that_is_stuck_is_cancelled_at_the_deadline_and_its_pairs_are_asked_for_at_full_price(place, begun):
    begun("stuck")
    place.sweep_until("running")
    time_is_up(place)
    sidecars = place.run(PAIRS)
    assert place.close()[0].service_state == "CANCELLED"
    assert [outcomes(one) for one in sidecars.values()] == [[LIVE], [LIVE]], "what a cancelled job did not do is free"
    assert all("price_tier" not in attempt for one in sidecars.values() for attempt in one["attempts"])


@pytest.mark.exhaustive
@pytest.mark.parametrize("place", VERTEX, indirect=True)
def test_a_job_that_comes_to_no_end_is_given_up_and_listed(place, begun):
    begun("stuck_for_good")
    place.sweep_until("running")
    time_is_up(place)
    place.sweep_until("cancelling")
    place.deliver()
    assert not place.asked(), "its end is waited for first"
    place.change_jobs(cancelled_at=place.jobs()[0].cancelled_at - CANCEL_WAIT_S)
    sidecars = place.run(PAIRS)
    assert [outcomes(one) for one in sidecars.values()] == [[INTERRUPTED, LIVE], [INTERRUPTED, LIVE]]


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", ["404", "403"])
@pytest.mark.parametrize("place", KEY, indirect=True)
def test_a_model_without_batches_costs_its_full_price_only_after_the_deadline(place, begun, fault):
    begun(*[fault] * 5)
    wait_until(lambda: place.sweep() and place.jobs() and place.jobs()[0].note)
    assert fault in place.jobs()[0].note
    place.deliver()
    assert not place.asked()
    time_is_up(place)
    sidecars = place.run(PAIRS)
    assert [outcomes(one) for one in sidecars.values()] == [[LIVE], [LIVE]]


@pytest.mark.exhaustive
def test_a_pair_that_no_job_has_at_its_deadline_is_asked_for_at_once(vertex_place):
    place = vertex_place
    place.put_rows(ROWS[:1])
    place.deliver()
    (mark,) = place.cloud.client.list_blobs(place.cloud.output, prefix="_work/batch/waiting/")
    mark.metadata = {**mark.metadata, "finish-by": "1"}
    mark.patch()
    sidecars = place.run(PAIRS[:1])
    assert outcomes(sidecars[PAIRS[0]]) == [LIVE] and not place.jobs()


def test_pictures_that_fail_are_asked_for_again_in_a_second_round_with_their_lessons(vertex_place):
    place = vertex_place
    seed = random.randrange(2**30)
    place.cloud.gemini.control(faults=[{"kind": "product_missing", "match": {"seed": seed}}])
    place.put_rows([{"seed": seed}])
    sidecars = place.run(PAIRS[:1])
    assert outcomes(sidecars[PAIRS[0]]) == [GENERATED, GENERATED]
    assert [len(job.digests) for job in place.close()] == [1, 1]
    first, second = place.asked()
    assert (first["seed"], second["seed"]) == (seed, seed + 1) and len(second["text"]) > len(first["text"])
    cost = sidecars[PAIRS[0]]["cost"]["usd"]
    assert cost == pytest.approx(sum(attempt["usd"] for attempt in sidecars[PAIRS[0]]["attempts"]))


@pytest.mark.exhaustive
def test_events_that_come_again_and_a_manifest_that_is_uploaded_again_make_no_second_request(vertex_place):
    place = vertex_place
    catalogue = place.put_rows(ROWS[:1])
    place.deliver()
    row = dict(place.cloud.client.bucket(place.cloud.input).get_blob(place.cloud.prefix + PAIRS[0])._properties)
    for resource in (catalogue, row, row):
        assert place.cloud.deliver(place.server, resource).status == 200
    place.sweep_until("running")
    body = place.cloud.get(PAIRS[0], place.cloud.input)
    place.cloud.client.bucket(place.cloud.input).blob(place.cloud.prefix + PAIRS[0]).upload_from_string(body)
    sidecars = place.run(PAIRS[:1])
    assert len(place.asked()) == 1 == len(place.close())
    assert sidecars[PAIRS[0]]["status"] in ("accepted", "review")


def test_without_a_bucket_for_batches_nothing_is_asked_for(cloud, server):
    cloud.deliver_until_settled(server, cloud.put_pair(batch=True))
    assert (
        cloud.sidecar()["error"]["code"] == "manifest_invalid" and "BATCH_BUCKET" in cloud.sidecar()["error"]["message"]
    )
