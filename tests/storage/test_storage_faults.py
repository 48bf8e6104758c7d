"""Storage that fails: retried inside the deadline, then by redelivery, and never half a result."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from function.deadline import GRACE_PERIOD_S, Deadline
from function.delivery.cloud_event import parse_event
from function.delivery.lease_record import lease_name
from function.errors import DeadlineExceededError, StorageUnavailableError
from function.storage.client import ObjectNotFoundError, PreconditionFailedError, Storage
from function.tools.local.storage_emulator import PROJECT
from tests.support import PATIENCE_S, log_lines, picture, product_png, scene_png
from tests.tiers import exhaustive

PASSING = ["408", "429", "500", "502", "503", "504"]
KINDS = [*PASSING, "reset", "lost", "broken", "truncated", "garbage"]
# One of each sort: a status, an answer that is lost, one that looks like an answer.
TELLING_KINDS = ["503", "lost", "garbage"]
KINDS_BY_TIER = [*TELLING_KINDS, *exhaustive(*(kind for kind in KINDS if kind not in TELLING_KINDS))]
CONTENT = bytes(range(256)) * 40
SHORT_S = 1.5  # a deadline for one call, which takes milliseconds
STALLED_S = 6.0  # a deadline of which a stall takes half, so that the other half is enough anywhere
# What a slow and busy machine may add to a deadline. Without the deadline a call is retried for a minute, and what
# stalls does so for ten.
MARGIN_S = 30.0


@pytest.fixture(autouse=True)
def no_fault(proxy):
    """No test leaves a fault to the next."""
    proxy.requests.clear()
    yield
    proxy.clear()


# --- the storage calls by themselves


@pytest.fixture
def storage(proxy, monkeypatch):
    """The function's own storage calls in this process."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
    return Storage(PROJECT)


def calls_of(storage, bucket):
    """Every kind of call, by the operation of the proxy → a function of the deadline, and what it has to return."""
    generation = storage.stat(bucket, "there", Deadline(30)).generation

    def write(deadline):
        return storage.write(bucket, "new", CONTENT, "text/plain", deadline, if_generation=0, metadata={"a": "b"}) > 0

    return {
        "stat": (lambda deadline: storage.stat(bucket, "there", deadline).size, len(CONTENT)),
        "get": (lambda deadline: storage.read(bucket, "there", deadline, generation=generation, limit=10**6), CONTENT),
        "list": (lambda deadline: [found.name for found in storage.list(bucket, "th", deadline)], ["there"]),
        "insert": (write, True),
        "patch": (lambda deadline: storage.update_metadata(bucket, "there", {"x": "y"}, deadline), None),
        "delete": (lambda deadline: storage.delete(bucket, "doomed", deadline, generation=1), None),
    }


# What an error says that ended a call, by kind of fault; all others break the connection.
WHY = {"503": "503", "504": "504", "stall": "timed out|Timeout", "truncated": None, "garbage": None}


@pytest.fixture
def bucket(own_cloud):
    """A bucket with something in it."""
    for name in ("there", "doomed"):
        own_cloud.client.bucket(own_cloud.input).blob(name).upload_from_string(CONTENT)
    return own_cloud.input


@pytest.mark.parametrize("kind", KINDS_BY_TIER)
def test_a_call_that_fails_once_is_made_again(storage, proxy, bucket, kind):
    calls = calls_of(storage, bucket)
    faults = {operation: proxy.add(kind, operation, f"{bucket}/*") for operation in calls}
    proxy.requests.clear()
    for operation, (call, expected) in calls.items():
        assert call(Deadline(PATIENCE_S)) == expected, operation
        assert faults[operation].fired == 1, operation
        assert [made for made, _ in proxy.requests].count(operation) == 2, operation


def test_a_call_that_stalls_is_made_again_inside_the_deadline(storage, proxy, bucket):
    """All at once, because what takes the time is waiting."""
    calls = calls_of(storage, bucket)
    faults = {operation: proxy.add("stall", operation, f"{bucket}/*") for operation in calls}
    with ThreadPoolExecutor(len(calls)) as pool:
        results = pool.map(lambda operation: calls[operation][0](Deadline(STALLED_S)), calls)
        assert list(results) == [expected for _, expected in calls.values()]
    assert {operation: fault.fired for operation, fault in faults.items()} == dict.fromkeys(calls, 1)


@pytest.mark.parametrize(
    "kind", ["503", "lost", "stall", *exhaustive("504", "reset", "broken", "truncated", "garbage")]
)
def test_a_call_that_keeps_failing_is_given_up_at_the_deadline_and_says_why(storage, proxy, bucket, kind):
    calls = calls_of(storage, bucket)
    if kind == "truncated":
        del calls["delete"]  # the first one went through, and the second is told so by its status
    fault = proxy.add(kind, name=f"{bucket}/*", times=None)

    def outcome(call):
        start = time.monotonic()
        with pytest.raises(StorageUnavailableError, match=WHY.get(kind, "Connection|Protocol")):
            call(Deadline(SHORT_S))
        return time.monotonic() - start

    with ThreadPoolExecutor(len(calls)) as pool:
        spent = list(pool.map(outcome, [call for call, _ in calls.values()]))
    assert max(spent) < SHORT_S + MARGIN_S
    assert fault.fired > len(calls) if kind != "stall" else fault.fired >= len(calls)


def test_a_connection_that_trickles_ends_at_the_deadline(storage, proxy, own_cloud):
    own_cloud.client.bucket(own_cloud.input).blob("big").upload_from_string(CONTENT * 100)
    fault = proxy.add("trickle", "get", times=None)
    start = time.monotonic()
    with pytest.raises((StorageUnavailableError, DeadlineExceededError)):
        storage.read(own_cloud.input, "big", Deadline(SHORT_S), limit=10**7)
    assert time.monotonic() - start < SHORT_S + MARGIN_S
    assert fault.fired


@pytest.mark.parametrize("operation", ["get", "insert", *exhaustive("stat", "list", "patch")])
def test_an_answer_that_comes_byte_by_byte_ends_at_the_deadline(storage, proxy, bucket, operation):
    """It is never silent, so that the client's own timeout never strikes."""
    call, _ = calls_of(storage, bucket)[operation]
    fault = proxy.add("trickle", operation, times=None)
    start = time.monotonic()
    with pytest.raises((StorageUnavailableError, DeadlineExceededError)):
        call(Deadline(SHORT_S))
    assert time.monotonic() - start < SHORT_S + MARGIN_S
    assert fault.fired


def test_what_will_not_pass_is_not_repeated(storage, proxy, bucket):
    assert storage.stat(bucket, "absent", Deadline(PATIENCE_S)) is None
    with pytest.raises(ObjectNotFoundError):
        storage.read(bucket, "absent", Deadline(PATIENCE_S), limit=10)
    with pytest.raises(PreconditionFailedError):
        storage.write(bucket, "there", b"other", "text/plain", Deadline(PATIENCE_S), if_generation=0, metadata={})
    assert proxy.requests == [
        ("stat", f"{bucket}/absent"), ("get", f"{bucket}/absent"),
        ("insert", f"{bucket}/there"), ("stat", f"{bucket}/there"),
    ]  # fmt: skip


def test_a_lost_acknowledgement_is_a_success_only_for_ones_own_write(storage, proxy, bucket):
    fault = proxy.add("lost", "insert", f"{bucket}/mine")
    options = {"if_generation": 0, "metadata": {"run": "1"}}
    generation = storage.write(bucket, "mine", b"mine", "text/plain", Deadline(PATIENCE_S), **options)
    assert fault.fired == 1
    assert storage.stat(bucket, "mine", Deadline(PATIENCE_S)).generation == generation
    other = {**options, "metadata": {"run": "2"}}
    with pytest.raises(PreconditionFailedError):
        storage.write(bucket, "mine", b"mine", "text/plain", Deadline(PATIENCE_S), **other)
    with pytest.raises(PreconditionFailedError):
        storage.write(bucket, "mine", b"hers", "text/plain", Deadline(PATIENCE_S), **options)


def test_a_long_listing_is_read_page_by_page(storage, proxy, own_cloud, monkeypatch):
    for number in range(5):
        own_cloud.put(f"many/{number}", b"")
    real = storage.client.list_blobs
    monkeypatch.setattr(storage.client, "list_blobs", lambda *args, **options: real(*args, max_results=2, **options))
    fault = proxy.add("503", "list")
    names = [found.name for found in storage.list(own_cloud.input, "many/", Deadline(PATIENCE_S))]
    assert names == [f"many/{number}" for number in range(5)]
    assert fault.fired == 1


# --- whole deliveries

# Every request that one pair makes, in its order: operation and object. The manifest and the images lie in the input
# bucket, the rest in the output bucket.
REQUESTS = {
    "is it settled": ("stat", "out-*/{stem}.json"),
    "claim": ("insert", "out-*/_work/claims/*"),
    "manifest": ("get", "in-*/{stem}.json"),
    "scene's head": ("stat", "in-*/{stem}-scene.png"),
    "scene": ("get", "in-*/{stem}-scene.png"),
    "product's head": ("stat", "in-*/{stem}-product.png"),
    "product": ("get", "in-*/{stem}-product.png"),
    "answer's head": ("stat", "out-*/_work/answers/*"),
    "answer": ("insert", "out-*/_work/answers/*"),
    "result": ("insert", "out-*/{stem}.png"),
    "sidecar": ("insert", "out-*/{stem}.json"),
}
# A short deadline is several times what a pair takes: two of those that are delivered at once come as far as pixels.
MIN_DEADLINE_S, PAIRS_IN_A_DEADLINE = 4.0, 5
MAX_TRIES = 10


@pytest.fixture(scope="module")
def faulty(place, proxy):
    """A server whose storage is behind the proxy."""
    with place.server(STORAGE_EMULATOR_HOST=proxy.url, EVENT_DEADLINE_S="30") as server:
        yield server


@pytest.fixture(scope="module")
def deadline_s(place, faulty, gemini_session):
    """As little time for an event as this machine can do with now: a storage fault has to be met within it."""
    place.deliver_until_settled(faulty, put_pair(place, "cold"))  # the first event loads the image libraries
    start = time.monotonic()
    place.deliver_until_settled(faulty, put_pair(place, "measured"))
    return max(MIN_DEADLINE_S, PAIRS_IN_A_DEADLINE * (time.monotonic() - start))


@pytest.fixture(scope="module")
def hasty(place, proxy, deadline_s):
    """The same with little time for an event."""
    hasty = {"EVENT_DEADLINE_S": f"{deadline_s:.1f}", "THREADS": str(len(REQUESTS))}
    with place.server(STORAGE_EMULATOR_HOST=proxy.url, **hasty) as server:
        place.deliver_until_settled(server, put_pair(place, "warm"))
        yield server


def put_pair(place, stem, **more):
    """A pair with images and an answer of its own."""
    place.put(f"{stem}-scene.png", scene_png())
    place.put(f"{stem}-product.png", product_png())
    fields = {"scene": f"{stem}-scene.png", "product": f"{stem}-product.png", "attempts": 1, "restore": "off"}
    return place.put(f"{stem}.json", {**fields, "placement": f"in the middle ({stem})", **more})


def is_whole(place, stem):
    """The settled pair's sidecar, after its result was compared with it."""
    sidecar, result = place.sidecar(f"{stem}.json"), place.get(f"{stem}.png")
    assert sidecar["status"] in {"accepted", "review"}, sidecar["error"]
    assert hashlib.sha256(result).hexdigest() == sidecar["result"]["sha256"]
    assert picture(result).shape == picture(scene_png()).shape
    return sidecar


def calls_for(place, stem):
    """Answers that the model has given for a pair."""
    return sum(f"({stem})" in seen["text"] and seen["code"] == 200 for seen in place.gemini.requests)


def deliver_until_met(place, server, resource, fault):
    """Deliver until the fault has met a request → (status, seconds): a very slow machine may need all the time of a
    delivery for what comes before."""
    for _ in range(MAX_TRIES):
        start = time.monotonic()
        status = place.deliver(server, resource).status
        if fault.fired:
            break
        assert status == 503
    return status, time.monotonic() - start


@pytest.mark.parametrize("kind", [*KINDS_BY_TIER, *exhaustive("stall")])
def test_every_request_of_a_delivery_may_fail_once(place, faulty, proxy, gemini, kind):
    stem = f"once-{kind}"
    resource = put_pair(place, stem)
    faults = {what: proxy.add(kind, op, name.format(stem=stem)) for what, (op, name) in REQUESTS.items()}
    if kind == "stall":  # each costs up to half of the time that is left
        proxy.clear([fault for what, fault in faults.items() if what != "result"])
        faults = {"result": faults["result"]}
    assert place.deliver(faulty, resource).status == 200
    assert {what: fault.fired for what, fault in faults.items()} == dict.fromkeys(faults, 1)
    sidecar = is_whole(place, stem)
    assert calls_for(place, stem) == len(sidecar["attempts"]) == 1


@pytest.mark.parametrize("kind", exhaustive("503", "lost", "stall"))
def test_every_request_of_a_delivery_may_fail_until_the_event_comes_again(
    place, faulty, hasty, deadline_s, proxy, gemini, kind
):
    """One pair for each request, several at once, because what takes the time is waiting."""
    pairs = {what: f"{what.replace(' ', '-')}-{kind}" for what in REQUESTS if "answer" not in what}
    resources = {what: put_pair(place, stem) for what, stem in pairs.items()}
    faults = {}
    for what, stem in pairs.items():
        operation, name = REQUESTS[what]
        if what == "claim":
            name = f"*/{lease_name(parse_event(*reversed(place.event(resources[what]))))}"
        faults[what] = proxy.add(kind, operation, name.format(stem=stem), times=None)

    def deliver(what):
        return deliver_until_met(place, hasty, resources[what], faults[what])

    with ThreadPoolExecutor(len(pairs)) as pool:
        outcomes = dict(zip(pairs, pool.map(deliver, pairs), strict=True))
    for what, (status, spent) in outcomes.items():
        assert faults[what].fired, what
        assert status == 503, what
        assert spent < deadline_s + MARGIN_S + GRACE_PERIOD_S, what
        sidecar_stands = what == "sidecar" and kind == "lost"  # it was written all the same
        assert (f"{pairs[what]}.json" in place.names()) == sidecar_stands, what
    proxy.clear()
    for what, stem in pairs.items():
        assert place.deliver(faulty, resources[what]).status == 200, what  # at once: no claim is waited for
        sidecar = is_whole(place, stem)
        assert calls_for(place, stem) == len(sidecar["attempts"]) == 1, what


@pytest.mark.parametrize(
    ("what", "kind", "calls"),
    # What could not be stored in all the time there is cannot be found again.
    exhaustive(("answer", "503", 2), ("answer's head", "503", 1), ("answer", "lost", 1)),
)
def test_answers_may_fail_until_the_event_comes_again(
    place, faulty, hasty, deadline_s, proxy, gemini, what, kind, calls
):
    stem = f"{what.replace(' ', '-')}-{kind}-alone"
    resource = put_pair(place, stem)
    fault = proxy.add(kind, *REQUESTS[what], times=None)
    status, spent = deliver_until_met(place, hasty, resource, fault)
    assert fault.fired
    assert status == 503
    assert spent < deadline_s + MARGIN_S + GRACE_PERIOD_S
    assert not [name for name in place.names() if name.startswith(stem)]
    proxy.clear()
    place.deliver_until_settled(faulty, resource)
    is_whole(place, stem)
    assert calls_for(place, stem) == calls


@pytest.mark.exhaustive
def test_a_release_that_fails_does_not_hold_up_the_next_delivery(place, faulty, hasty, proxy, gemini):
    """The run is over although its claim says otherwise: the same machine knows."""
    resource = put_pair(place, "unreleased")
    lasting = [
        proxy.add("503", "get", "in-*/unreleased-scene.png", times=None),
        proxy.add("503", "insert", "out-*/_work/claims/*", times=None),
    ]
    lasting[1].times = 0
    thread = ThreadPoolExecutor(1).submit(place.deliver, hasty, resource)
    assert lasting[0].reached.wait(PATIENCE_S)
    lasting[1].times = None
    assert thread.result().status == 503
    assert lasting[1].fired, "the claim was freed after all"
    proxy.clear()
    assert place.deliver(faulty, resource).status == 200
    is_whole(place, "unreleased")


@pytest.mark.exhaustive
def test_a_dead_bucket_is_told_and_recorded_in_the_end(place, hasty, proxy, gemini):
    resource = put_pair(place, "old")
    fault = proxy.add("503", "get", "in-*/old-scene.png", times=None)
    assert deliver_until_met(place, hasty, resource, fault)[0] == 503
    place.backdate_first_delivery(resource, 3601)
    assert place.deliver(hasty, resource).status == 200
    sidecar = place.sidecar("old.json")
    assert sidecar["status"] == "failed" and sidecar["error"]["retryable"] is True
    # The bucket is the reason, and not that it took all the time there was.
    assert sidecar["error"]["code"] == "internal"
    assert "old-scene.png failed" in sidecar["error"]["message"] and "503" in sidecar["error"]["message"]


@pytest.mark.exhaustive
def test_an_output_bucket_that_may_not_be_used_comes_again_and_says_so(place, proxy, gemini):
    with place.server(STORAGE_EMULATOR_HOST=proxy.url) as server:
        resource = put_pair(place, "forbidden")
        fault = proxy.add("403", "stat", "out-*/forbidden.json")
        assert place.deliver(server, resource).status == 503
        assert fault.fired
        assert [line["severity"] for line in log_lines(server)][-1] in {"WARNING", "ERROR"}
        assert place.deliver(server, resource).status == 200
