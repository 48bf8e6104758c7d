"""Optimistic writes against the storage emulator: no update is lost, and no loop is without an end."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from function.deadline import Deadline
from function.storage.client import Storage
from function.storage.compare_and_swap import MAX_WRITES, WriteContentionError, compare_and_swap
from function.tools.local.storage_emulator import PROJECT


@pytest.fixture
def storage(gcs, monkeypatch):
    """The function's own client."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs.url)
    return Storage(PROJECT)


@pytest.fixture
def bucket(gcs_client_session):
    """A bucket of this test's own."""
    name = f"cas-{uuid.uuid4().hex[:12]}"
    gcs_client_session.create_bucket(name)
    return name


def swap(storage, bucket, content, may_replace=lambda _: True, existing=None):
    return compare_and_swap(
        storage, bucket, "object", content, "text/plain", Deadline(30),
        metadata={}, may_replace=may_replace, existing=existing,
    )  # fmt: skip


def stored(storage, bucket):
    return storage.read(bucket, "object", Deadline(30), limit=1000)


def test_an_existing_object_is_replaced_or_left_alone_as_decided(storage, bucket):
    assert swap(storage, bucket, b"one")
    assert swap(storage, bucket, b"two")
    assert stored(storage, bucket) == b"two"
    assert not swap(storage, bucket, b"three", may_replace=lambda _: False)
    assert stored(storage, bucket) == b"two"


def test_what_the_decision_raises_is_raised_and_nothing_is_written(storage, bucket):
    swap(storage, bucket, b"one")

    def refuse(_):
        raise LookupError

    with pytest.raises(LookupError):
        swap(storage, bucket, b"two", may_replace=refuse)
    assert stored(storage, bucket) == b"one"


def test_a_stale_view_of_what_exists_is_asked_about_again(storage, bucket):
    swap(storage, bucket, b"one")
    stale = storage.stat(bucket, "object", Deadline(30))
    swap(storage, bucket, b"two")
    seen = []
    assert swap(storage, bucket, b"three", may_replace=lambda one: seen.append(one.size) or True, existing=stale)
    assert stored(storage, bucket) == b"three" and len(seen) == 2


def test_of_writers_at_once_only_the_highest_stays(storage, bucket):
    """As with generations: nobody overwrites a higher number, whatever the order."""

    def write(number):
        metadata = {"number": str(number)}
        return compare_and_swap(
            storage, bucket, "object", json.dumps(number).encode(), "text/plain", Deadline(60),
            metadata=metadata, may_replace=lambda one: int(one.metadata["number"]) < number,
        )  # fmt: skip

    numbers = [3, 1, 4, 2]
    with ThreadPoolExecutor(len(numbers)) as pool:
        list(pool.map(write, numbers))
    assert stored(storage, bucket) == b"4"


def test_an_object_that_changes_all_the_time_ends_the_loop(storage, bucket):
    decisions = []

    def meanwhile_another_writes(existing):
        decisions.append(existing.generation)
        storage.write(
            bucket, "object", f"other {len(decisions)}".encode(), "text/plain", Deadline(30),
            if_generation=existing.generation, metadata={},
        )  # fmt: skip
        return True

    swap(storage, bucket, b"first")
    with pytest.raises(WriteContentionError, match=f"changed {MAX_WRITES} times"):
        swap(storage, bucket, b"mine", may_replace=meanwhile_another_writes)
    assert len(decisions) == MAX_WRITES - 1
    assert stored(storage, bucket).startswith(b"other")
