"""The switch that stops an input bucket: an object in it, written by `python -m function pause` and `resume`.

It is rewritten and not deleted, so that the time of its last change is known: what had to wait is not failed for that.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from function.deadline import Deadline
from function.errors import TransientError
from function.storage.client import AccessDeniedError, Storage, StoredObject
from function.storage.compare_and_swap import compare_and_swap
from function.storage.names import gs_uri

logger = logging.getLogger(__name__)

SWITCH_OBJECT = "_paused"
STATE_KEY = "state"  # custom metadata, so that one look at the object tells
PAUSED, RUNNING = "paused", "running"
LOOK_EVERY_S = 5.0  # a pause holds this soon, for at most 720 small requests an hour and instance
LOOK_FOR_S = 5.0  # a delivery waits no longer for a storage that does not answer


@dataclass(frozen=True)
class SwitchState:
    """What the switch says. `changed`: when it was last written, seconds since 1970; 0 when it never was."""

    paused: bool = False
    changed: float = 0.0

    @classmethod
    def of(cls, stored: StoredObject | None) -> SwitchState:
        """From the object. One that does not say that it runs is paused: it may have been put there by hand."""
        if stored is None:
            return cls()
        changed = stored.updated.timestamp() if stored.updated else 0.0
        return cls(stored.metadata.get(STATE_KEY) != RUNNING, changed)


def read_switch(storage: Storage, bucket: str, deadline: Deadline) -> SwitchState:
    """The switch of an input bucket. Raises StorageUnavailableError, AccessDeniedError."""
    return SwitchState.of(storage.stat(bucket, SWITCH_OBJECT, deadline))


def write_switch(storage: Storage, bucket: str, *, paused: bool, deadline: Deadline) -> bool:
    """Pause or resume an input bucket → whether that changed anything. Raises as `compare_and_swap` does."""
    existing = storage.stat(bucket, SWITCH_OBJECT, deadline)
    if SwitchState.of(existing).paused == paused:
        return False
    state = PAUSED if paused else RUNNING
    return compare_and_swap(
        storage, bucket, SWITCH_OBJECT, f"{state}\n".encode(), "text/plain", deadline,
        metadata={STATE_KEY: state},
        may_replace=lambda stored: SwitchState.of(stored).paused != paused,
        existing=existing,
    )  # fmt: skip


class Switches:
    """The switches of the input buckets as this process sees them. Thread-safe."""

    def __init__(self, storage: Storage):
        self._storage = storage
        self._watched: dict[str, _WatchedSwitch] = {}

    def look(self, bucket: str) -> SwitchState:
        """What the bucket's switch says, at most LOOK_EVERY_S old. While it cannot be read, what was last known."""
        return self._of(bucket).look()

    def last_change(self, bucket: str) -> float:
        """When it was last written as far as the last look told, seconds since 1970; 0 when it never was."""
        return self._of(bucket).state.changed

    def _of(self, bucket: str) -> _WatchedSwitch:
        return self._watched.setdefault(bucket, _WatchedSwitch(self._storage, bucket))


class _WatchedSwitch:
    """One switch. A single thread looks; others that come meanwhile wait for what it finds."""

    def __init__(self, storage: Storage, bucket: str):
        self._storage, self._bucket = storage, bucket
        self._lock = threading.Lock()
        self._look_again = 0.0  # on the monotonic clock
        self._readable = True
        self.state = SwitchState()

    def look(self) -> SwitchState:
        with self._lock:
            if time.monotonic() >= self._look_again:
                # What is read is as old as the question. Where there is no answer, the next one is not waited for soon.
                asked = time.monotonic()
                self._look_again = (asked if self._read() else time.monotonic()) + LOOK_EVERY_S
            return self.state

    def _read(self) -> bool:
        """Whether it could be read."""
        try:
            self.state = read_switch(self._storage, self._bucket, Deadline(LOOK_FOR_S))
            self._readable = True
        except (TransientError, AccessDeniedError) as error:
            if self._readable:  # once, and not with every look
                known = PAUSED if self.state.paused else RUNNING
                switch = gs_uri(self._bucket, SWITCH_OBJECT)
                logger.warning(
                    "the switch %s cannot be read, taken as %s: %s", switch, known, error, extra={"stage": "event"}
                )
            self._readable = False
        return self._readable
