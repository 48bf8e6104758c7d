"""Storage that fails: retried inside the deadline, then by redelivery, and never half a result."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from function.deadline import Deadline
from function.errors import DeadlineExceeded, StorageUnavailable
from function.local.gcs import PROJECT
from function.storage import Changed, NotFound, Storage
from tests.fault_proxy import STATUSES, FaultProxy

KINDS = [*STATUSES, "reset", "lost", "broken", "truncated", "garbage"]
CONTENT = bytes(range(256)) * 40
MARGIN_S = 3.0  # what a loaded machine may add to a deadline


@pytest.fixture(scope="module")
def proxy(gcs):
    """The proxy before the storage emulator that this file's clients and server go through."""
    with FaultProxy(gcs.url) as proxy:
        yield proxy


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
    there = storage.stat(bucket, "there", Deadline(30)).generation

    def write(deadline):
        return storage.write(bucket, "new", CONTENT, "text/plain", deadline, if_generation=0, metadata={"a": "b"}) > 0

    return {
        "stat": (lambda deadline: storage.stat(bucket, "there", deadline).size, len(CONTENT)),
        "get": (lambda deadline: storage.read(bucket, "there", deadline, generation=there, limit=10**6), CONTENT),
        "list": (lambda deadline: [found.name for found in storage.list(bucket, "th", deadline)], ["there"]),
        "insert": (write, True),
        "patch": (lambda deadline: storage.update_metadata(bucket, "there", {"x": "y"}, deadline), None),
        "delete": (lambda deadline: storage.delete(bucket, "doomed", deadline, generation=1), None),
    }


@pytest.fixture
def bucket(own_cloud):
    """A bucket with something in it."""
    for name in ("there", "doomed"):
        own_cloud.client.bucket(own_cloud.input).blob(name).upload_from_string(CONTENT)
    return own_cloud.input


@pytest.mark.parametrize("kind", [*KINDS, "stall"])
def test_a_call_that_fails_once_is_made_again(storage, proxy, bucket, kind):
    calls = calls_of(storage, bucket)
    faults = {operation: proxy.add(kind, operation, f"{bucket}/*") for operation in calls}
    proxy.requests.clear()
    for operation, (call, expected) in calls.items():
        assert call(Deadline(3 if kind == "stall" else 20)) == expected, operation
        assert faults[operation].fired == 1, operation
        assert [made for made, _ in proxy.requests].count(operation) == 2, operation


@pytest.mark.parametrize("kind", [*KINDS, "stall"])
def test_a_call_that_keeps_failing_is_given_up_at_the_deadline(storage, proxy, bucket, kind):
    calls = calls_of(storage, bucket)
    if kind == "truncated":
        del calls["delete"]  # the first one went through, and the second is told so by its status
    fault = proxy.add(kind, name=f"{bucket}/*", times=None)

    def outcome(call):
        start = time.monotonic()
        with pytest.raises((StorageUnavailable, DeadlineExceeded)):
            call(Deadline(1.0))
        return time.monotonic() - start

    with ThreadPoolExecutor(len(calls)) as pool:
        spent = list(pool.map(outcome, [call for call, _ in calls.values()]))
    assert max(spent) < 1.0 + MARGIN_S
    assert fault.fired > len(calls) if kind != "stall" else fault.fired >= len(calls)


def test_a_connection_that_trickles_ends_at_the_deadline(storage, proxy, own_cloud):
    own_cloud.client.bucket(own_cloud.input).blob("big").upload_from_string(CONTENT * 100)
    fault = proxy.add("trickle", "get", times=None)
    start = time.monotonic()
    with pytest.raises((StorageUnavailable, DeadlineExceeded)):
        storage.read(own_cloud.input, "big", Deadline(1.0), limit=10**7)
    assert time.monotonic() - start < 1.0 + MARGIN_S
    assert fault.fired


def test_what_will_not_pass_is_not_repeated(storage, proxy, bucket):
    assert storage.stat(bucket, "absent", Deadline(10)) is None
    with pytest.raises(NotFound):
        storage.read(bucket, "absent", Deadline(10), limit=10)
    with pytest.raises(Changed):
        storage.write(bucket, "there", b"other", "text/plain", Deadline(10), if_generation=0, metadata={})
    assert proxy.requests == [
        ("stat", f"{bucket}/absent"), ("get", f"{bucket}/absent"),
        ("insert", f"{bucket}/there"), ("stat", f"{bucket}/there"),
    ]  # fmt: skip


def test_a_lost_acknowledgement_is_a_success_only_for_ones_own_write(storage, proxy, bucket):
    fault = proxy.add("lost", "insert", f"{bucket}/mine")
    options = {"if_generation": 0, "metadata": {"run": "1"}}
    generation = storage.write(bucket, "mine", b"mine", "text/plain", Deadline(10), **options)
    assert fault.fired == 1
    assert storage.stat(bucket, "mine", Deadline(10)).generation == generation
    with pytest.raises(Changed):
        storage.write(bucket, "mine", b"mine", "text/plain", Deadline(10), if_generation=0, metadata={"run": "2"})
    with pytest.raises(Changed):
        storage.write(bucket, "mine", b"hers", "text/plain", Deadline(10), **options)


def test_a_long_listing_is_read_page_by_page(storage, proxy, own_cloud, monkeypatch):
    for number in range(5):
        own_cloud.put(f"many/{number}", b"")
    real = storage.client.list_blobs
    monkeypatch.setattr(storage.client, "list_blobs", lambda *args, **options: real(*args, max_results=2, **options))
    fault = proxy.add("503", "list")
    names = [found.name for found in storage.list(own_cloud.input, "many/", Deadline(20))]
    assert names == [f"many/{number}" for number in range(5)]
    assert fault.fired == 1
