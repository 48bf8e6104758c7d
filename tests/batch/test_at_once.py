"""Two at work on the same request or job at once, and old deliveries late: money is given back once, and none is lost.

Most of these were found by `python -m tests.delivery.explore --batch`, the others by reading what it had found.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from function.batch import gather as gather_module
from function.batch.close import close
from function.batch.collect import Range, collect_range
from function.batch.create import create, find_created
from function.batch.follow import follow
from function.batch.gather import gather
from function.batch.names import waiting_name
from function.batch.pair_queue import PairQueue
from function.batch.touch import touch, touched_for
from function.batch.waiting import mark_waiting
from function.budget.budget import Budget, PairBudget
from function.budget.caps import Caps
from function.budget.ledger import Ledger, day_name, read_ledger
from function.delivery.cloud_event import Upload
from function.delivery.lease import acquire_lease
from function.delivery.lease_record import MAX_EARLIER_CALLS, MAX_LEASE_BYTES, Lease
from function.errors import AwaitsBatchError, BudgetExhaustedError, LeaseHeldError, SupersededError
from function.generation.answer_store import AnswerStore, request_digest
from function.generation.batch_service import ServiceJob
from function.generation.call_ledger import BegunCall, InMemoryLedger
from function.generation.paid_calls import PaidCalls
from function.generation.pricing import Usage
from function.generation.provider import Answer, Request
from tests.batch.memory import (
    BATCHES,
    INPUT,
    MAX_USD,
    OUTPUT,
    deadline,
    job_of,
    memory_context,
    put_job,
    put_request,
    put_results,
    request_of,
    waiter,
)

DAY = date(2026, 11, 27)
DIGEST = "a" * 64
REQUEST = Request("gemini-2.5-flash-image", "place it", ((b"scene", "image/png"),), "1:1", None, 1)


@pytest.fixture
def context():
    return memory_context()


def whole(results):
    """A results file as one range."""
    return Range(results.name, results.generation, 0, results.size)


def test_two_deliveries_that_collect_the_same_results_at_once_give_money_back_once(context):
    put_request(context, DIGEST, state="in_job", job="0" * 32)
    part = whole(put_results(context, put_job(context, DIGEST), DIGEST))

    def other():
        collect_range(context, "0" * 32, part, deadline())

    context.storage.before_write_of(f"requests/{DIGEST}.json", other)
    collect_range(context, "0" * 32, part, deadline())
    assert request_of(context, DIGEST).state == "answered"
    assert len(context.budget.refunds) == 1


def test_results_that_are_delivered_again_are_no_answer_to_a_request_that_waits_again(context):
    put_request(context, DIGEST, state="in_job", job="0" * 32)
    part = whole(put_results(context, put_job(context, DIGEST), DIGEST))
    collect_range(context, "0" * 32, part, deadline())
    answered = request_of(context, DIGEST)
    again = answered.model_copy(update={"state": "waiting", "job": None})
    context.requests.change(DIGEST, lambda _: again, deadline())
    collect_range(context, "0" * 32, part, deadline())
    assert request_of(context, DIGEST).state == "waiting" and len(context.budget.refunds) == 1


def queue_of(context, generation):
    return PairQueue(context.storage, OUTPUT, BATCHES, waiter("a.json", generation), None, time.time() + 9000.0)


def test_a_late_delivery_of_an_older_upload_does_not_take_the_place_of_the_newer_one(context):
    with pytest.raises(AwaitsBatchError):
        queue_of(context, 2).put(REQUEST, 1, MAX_USD, deadline())
    with pytest.raises(SupersededError):
        queue_of(context, 1).put(REQUEST, 1, MAX_USD, deadline())
    assert [one.generation for one in request_of(context, request_digest(REQUEST)).waiters] == [2]


def test_calls_that_were_begun_before_a_batch_touched_their_manifest_count_and_those_of_older_uploads_do_not(context):
    def take(generation):
        upload = Upload("", INPUT, "a.json", generation, datetime.now(UTC))
        return acquire_lease(context.storage, OUTPUT, upload, deadline())

    for generation in (1, 2, 3):
        lease = take(generation)
        lease.reserve(BegunCall(number=1, seed=generation), deadline())
        lease.release(deadline())
        lease.close()
    lease = take(4)
    assert lease.begun() == ()
    lease.count_since(2)
    assert [call.seed for call in lease.begun()] == [2, 3] == [call.seed for call in lease.all_calls(deadline())]
    lease.close()


def test_a_job_whose_record_was_written_late_is_left_to_the_sweep_that_is_at_work_on_it(context, monkeypatch):
    """The write was tried again after its first try had arrived, and another sweep has brought the job further."""
    mark_waiting(context.storage, OUTPUT, put_request(context, DIGEST), deadline())
    monkeypatch.setattr(gather_module, "_is_complete", lambda *_: True)
    monkeypatch.setattr(gather_module, "uuid", SimpleNamespace(uuid4=lambda: SimpleNamespace(hex="0" * 32)))
    context.storage.before_write_of(f"{'0' * 32}.json", lambda: put_job(context, DIGEST))
    assert gather(context, deadline()) == []
    assert job_of(context).state == "running"


def test_a_mark_that_was_left_behind_is_no_reason_to_ask_at_once_while_a_job_has_the_request(context):
    """A creation that was cut off leaves the marks of its requests."""
    request = put_request(context, DIGEST, state="in_job", job="0" * 32, finish_by=time.time() - 1.0)
    mark_waiting(context.storage, OUTPUT, request, deadline())
    assert gather(context, deadline()) == []
    assert request_of(context, DIGEST).state == "in_job"
    assert context.storage.stat(OUTPUT, waiting_name(DIGEST), deadline()) is None


def test_a_sweep_that_stood_still_asks_for_no_job_that_another_one_has_made(context):
    put_request(context, DIGEST)
    planned = put_job(context, DIGEST, state="planned", asked_times=0, service_names=(), keys={})

    def other():
        create(context, planned, deadline())

    context.storage.before_write_of("requests.jsonl", other)
    with pytest.raises(LeaseHeldError):
        create(context, planned, deadline())
    assert len(context.service.made) == 1 and job_of(context).state == "running"


def test_two_sweeps_that_close_the_same_job_at_once_give_money_back_once(context):
    put_request(context, DIGEST, state="in_job", job="0" * 32)
    ended = put_job(context, DIGEST, state="ended", service_state="FAILED", ended_at=1.0)

    def other():
        close(context, ended, deadline())

    context.storage.before_write_of(f"requests/{DIGEST}.json", other)
    with pytest.raises(LeaseHeldError):
        close(context, ended, deadline())
    assert context.budget.refunds == [MAX_USD] and job_of(context).state == "closed"


@pytest.mark.parametrize(("tier", "lost"), [("batch", 1), ("standard", 0)])
def test_a_call_that_was_lost_before_a_batch_answered_the_same_stays_lost(context, tier, lost):
    ledger, call = InMemoryLedger(), BegunCall(number=1, seed=REQUEST.seed)
    ledger.reserve(call, deadline())
    store = AnswerStore(context.storage, OUTPUT)
    store.keep(REQUEST, answer(tier=tier), "somebody", deadline())
    calls = PaidCalls(None, store, "me", deadline(), ledger, PairBudget(None, None, None))
    assert calls.ask(REQUEST, 1, 3).reused
    assert calls.interrupted() == [call] * lost


def answer(outcome="image", tier="batch", image=b"picture"):
    """An answer of a model; without an image where the outcome says so."""
    return Answer(
        outcome, "STOP", "", image if outcome == "image" else b"", "image/png", Usage(), None, 0, price_tier=tier
    )


def test_an_answer_without_an_image_stays_its_owners_beside_the_picture_of_another(context):
    """Both asked for the same in batches: each paid for its own."""
    store, digest = AnswerStore(context.storage, OUTPUT), request_digest(REQUEST)
    store.keep_by_digest(digest, answer("refused"), "me", deadline(), in_batch=True)
    assert store.find(REQUEST, "another", deadline(), in_batch=True) is None
    store.keep_by_digest(digest, answer(), "another", deadline(), in_batch=True)
    mine = store.find(REQUEST, "me", deadline(), in_batch=True)
    assert (mine.answer.outcome, mine.owner) == ("refused", "me")
    found = store.find(REQUEST, "a third", deadline(), in_batch=True)
    assert (found.answer.outcome, found.owner) == ("image", "another")


@pytest.mark.parametrize("tier", ["standard", "batch"])
def test_a_picture_stays_and_anothers_is_stored_beside_it_for_its_owner(context, tier):
    store = AnswerStore(context.storage, OUTPUT)
    store.keep(REQUEST, answer(tier=tier, image=b"first"), "me", deadline(), in_batch=True)
    beside = store.keep(REQUEST, answer(image=b"second"), "another", deadline(), in_batch=True)
    for owner, image in (("me", b"first"), ("a third", b"first"), ("another", b"second")):
        found = store.find(REQUEST, owner, deadline(), in_batch=True)
        assert found.answer.image == image == store.read_picture(found.uri, deadline())
    assert store.read_picture(beside, deadline()) == b"second"


def test_a_cancel_that_was_refused_is_repeated_and_one_that_was_taken_is_not(context):
    job = put_job(context, DIGEST, finish_by=time.time() - 1.0)
    context.service.jobs = [ServiceJob("job-1", job.display_name, "RUNNING", 1.0)]
    context.service.refusals = 2
    for _ in range(4):
        job = follow(context, job, deadline())
    assert context.service.cancelled == ["job-1"] and job.state == "cancelling"


@pytest.mark.parametrize("state", ["CANCELLED", "EXPIRED"])
def test_what_a_job_answered_before_it_was_ended_is_waited_for(context, state):
    put_request(context, DIGEST, state="in_job", job="0" * 32)
    job = put_job(context, DIGEST, state="ended", service_state=state, ended_at=time.time())
    assert close(context, job, deadline()).state == "ended" and request_of(context, DIGEST).state == "in_job"
    collect_range(context, job.id, whole(put_results(context, job, DIGEST)), deadline())
    assert close(context, job, deadline()).state == "closed" and request_of(context, DIGEST).state == "answered"


def test_a_job_that_was_cancelled_without_results_is_closed_after_a_while(context):
    put_request(context, DIGEST, state="in_job", job="0" * 32)
    ended_at = time.time() - 2 * context.gather_s - 1.0
    job = put_job(context, DIGEST, state="ended", service_state="CANCELLED", ended_at=ended_at)
    assert close(context, job, deadline()).state == "closed" and request_of(context, DIGEST).state == "waiting"


def test_a_pair_whose_own_budget_is_used_up_lists_what_batches_have_lost_of_its_next_call(context):
    put_request(context, request_digest(REQUEST), state="ask_now", lost=1)
    store, budget = AnswerStore(context.storage, OUTPUT), PairBudget(None, None, MAX_USD / 2)
    calls = PaidCalls(None, store, "me", deadline(), InMemoryLedger(), budget, batch=queue_of(context, 1))
    with pytest.raises(BudgetExhaustedError):
        calls.ask(REQUEST, 1, 3)
    assert calls.lost_in_batches() == [BegunCall(number=1, seed=REQUEST.seed)]


def test_a_pair_that_needs_fewer_pictures_than_it_had_asked_for_lists_the_others(context):
    """Another version may judge the first picture otherwise, once the second one is there."""
    used, unused = request_digest(REQUEST), "b" * 64
    context.storage.write(INPUT, "a.json", b"{}", "application/json", deadline(), if_generation=0, metadata={})
    for number, digest in enumerate((used, unused, used), 1):
        stored = context.storage.stat(INPUT, "a.json", deadline())
        assert touch(context.storage, waiter("a.json", stored.generation), digest, deadline()), number
    put_request(context, used, state="answered")
    put_request(context, unused, state="answered", number=2, seed=45, lost=1)
    touched = touched_for(context.storage.stat(INPUT, "a.json", deadline()).metadata)
    queue = PairQueue(context.storage, OUTPUT, BATCHES, waiter("a.json", 1), None, time.time() + 9000.0, touched)
    store = AnswerStore(context.storage, OUTPUT)
    store.keep(REQUEST, answer(), "me", deadline(), in_batch=True)
    calls = PaidCalls(None, store, "me", deadline(), InMemoryLedger(), PairBudget(None, None, None), batch=queue)
    assert calls.ask(REQUEST, 1, 3).paid
    assert calls.lost_in_batches() == [BegunCall(number=2, seed=45)] * 2


def test_two_who_give_the_same_money_back_at_once_both_count(context):
    spender = Budget(context.storage, OUTPUT, Caps(day_usd=1.0), lambda: DAY)
    accounts = spender.spend(5 * MAX_USD, None, deadline())
    spender.return_unspent()

    def other():
        spender.refund(accounts, MAX_USD, deadline())

    context.storage.before_write_of(day_name(DAY), other)
    spender.refund(accounts, MAX_USD, deadline())
    ledger, _, _ = read_ledger(context.storage, OUTPUT, day_name(DAY), "", deadline())
    assert ledger.committed_usd == pytest.approx(3 * MAX_USD)


def test_money_is_given_back_once_where_the_first_try_arrived_unseen():
    ledger = Ledger(account="day", closed_usd=5 * MAX_USD).corrected("one", -MAX_USD)
    others = ledger.corrected("two", -MAX_USD)
    assert others.corrected("one", -MAX_USD) is others
    assert others.committed_usd == pytest.approx(3 * MAX_USD)


def test_what_an_unanswered_creation_has_made_besides_is_found_later_and_counted(context):
    """The list shows one of two at first."""
    put_request(context, DIGEST, state="in_job", job="0" * 32)
    creating = put_job(context, DIGEST, state="creating", service_names=(), asked_at=time.time())
    first, second = (
        ServiceJob(name, creating.display_name, "RUNNING", created) for name, created in (("1", 1.0), ("2", 2.0))
    )
    context.service.jobs = [first]
    followed = find_created(context, creating, deadline())
    context.service.jobs = [first, second]
    followed = follow(context, followed, deadline())
    follow(context, followed, deadline())
    assert context.service.cancelled == ["2"] and request_of(context, DIGEST).twins == ("2",)
    assert context.budget.more == [MAX_USD]


def test_a_lease_with_as_many_calls_as_it_may_hold_can_be_read(context):
    calls = [BegunCall(number=number, seed=2**31 - 1) for number in range(10, 10 + MAX_EARLIER_CALLS)]
    lease = Lease(
        manifest_generation=2**63, state="free", expires=2e9, machine="m" * 64, run="r" * 32, calls=tuple(calls[:12]),
        earlier=tuple((2**63, call) for call in calls),
    )  # fmt: skip
    assert len(lease.model_dump_json()) < MAX_LEASE_BYTES
