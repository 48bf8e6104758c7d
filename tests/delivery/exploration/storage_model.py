"""Cloud Storage in memory, below the function's own storage layer: generations, preconditions, and a wire that loses
and delays what is sent. It has the few calls of google-cloud-storage that `function.storage.client` makes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from types import SimpleNamespace
from typing import Any

import requests
from google.api_core import exceptions as api

from function.storage.client import crc32c
from function.storage.names import BUDGET_PREFIX
from tests.delivery.exploration.virtual_time import Process, Scheduler

WRITE_EVERY_S = 1.0  # that Cloud Storage takes to one object
SILENCE_S = 1  # the second of the client's timeouts
SHORT_S = 0.02  # one way of a request
FAULTS = ("busy", "lost", "unacknowledged", "late")


@dataclass(frozen=True)
class Stored:
    """An object's live generation."""

    generation: int
    content: bytes
    content_type: str | None
    metadata: dict[str, str]
    updated: datetime


@dataclass
class Wire:
    """How requests travel. `fault_share`: of requests that one of FAULTS happens to, but for names in `reliable`.

    busy            503
    lost            never arrives; the sender waits in vain
    unacknowledged  arrives, and its answer does not
    late            arrives after the sender has given it up
    """

    random: Random
    fault_share: float = 0.0
    longest_s: float = 0.1
    reliable: tuple[str, ...] = ()

    def travel(self, name: str) -> tuple[str | None, float, float]:
        """What happens to the next request, and how many seconds it takes there and back."""
        if name in self.reliable:
            return None, SHORT_S, SHORT_S
        happens = self.random.random() < self.fault_share
        return self.random.choice(FAULTS) if happens else None, self._way_s(), self._way_s()

    def _way_s(self) -> float:
        """Mostly short, now and then as long as a stall."""
        kind = self.random.random()
        if kind < 0.85:
            return self.random.uniform(SHORT_S, 5 * SHORT_S)
        return self.random.uniform(SHORT_S, min(3.0, self.longest_s) if kind < 0.96 else self.longest_s)


@dataclass
class StorageModel:
    """All buckets. `watch` is told of every change: (bucket, name, what was there, what is there)."""

    scheduler: Scheduler
    wire: Wire
    date: Callable[[], datetime]
    watch: Callable[[str, str, Stored | None, Stored | None], None]
    objects: dict[tuple[str, str], Stored] = field(default_factory=dict)
    platform: Process = field(default_factory=lambda: Process("wire"))
    _generation: int = 1000

    def client(self) -> SimpleNamespace:
        """What `Storage` takes for google-cloud-storage's client."""
        return SimpleNamespace(
            _http=SimpleNamespace(mount=lambda *_: None),
            bucket=lambda name: _Bucket(self, name),
            list_blobs=self._list_blobs,
        )

    def _list_blobs(self, bucket: str, *, prefix: str, timeout: tuple[float, float], **_: Any) -> SimpleNamespace:
        """All in one page, as they are at one moment."""
        found = self.request(
            prefix, timeout, False, lambda: [(name, one) for (where, name), one in sorted(self.objects.items())
                                             if where == bucket and name.startswith(prefix)],
        )  # fmt: skip
        blobs = []
        for name, stored in found:
            blobs.append(_Blob(_Bucket(self, bucket), name, stored.generation))
            blobs[-1].know(stored)
        return SimpleNamespace(pages=iter([blobs]), next_page_token=None)

    def put(self, bucket: str, name: str, content: bytes, metadata: dict[str, str], expected: int | None = None) -> int:
        """Write at once → the new generation. Raises PreconditionFailed."""
        before = self.objects.get((bucket, name))
        self._check(before, expected)
        since_s = (self.date() - before.updated).total_seconds() if before else WRITE_EVERY_S
        if name.startswith(BUDGET_PREFIX) and since_s < WRITE_EVERY_S:
            raise api.TooManyRequests(name)
        self._generation += 1
        after = Stored(self._generation, content, None, dict(metadata), self.date())
        self.objects[bucket, name] = after
        self.watch(bucket, name, before, after)
        return self._generation

    def remove(self, bucket: str, name: str, expected: int | None) -> None:
        """Delete at once. Raises NotFound, PreconditionFailed."""
        before = self.objects.get((bucket, name))
        if before is None:
            raise api.NotFound(name)
        self._check(before, expected)
        del self.objects[bucket, name]
        self.watch(bucket, name, before, None)

    def find(self, bucket: str, name: str, generation: int | None) -> Stored:
        """The object. Raises NotFound."""
        stored = self.objects.get((bucket, name))
        if stored is None or generation not in (None, stored.generation):
            raise api.NotFound(name)
        return stored

    def request(self, name: str, timeout: tuple[float, float], changes: bool, act: Callable[[], Any]) -> Any:
        """Let `act` happen in the storage, in the time and with the faults of the wire."""
        actor = self.scheduler.current
        if actor is None:
            raise RuntimeError("only actors send requests")
        fault, there_s, back_s = self.wire.travel(name)
        if there_s + back_s > timeout[SILENCE_S]:
            fault = "late"
        if fault == "late" and changes:
            self.arrive_late(act)
        if fault in ("lost", "late"):
            self.scheduler.wait(timeout[SILENCE_S])
            raise requests.ReadTimeout(name)
        actor.in_flight = act if changes else None
        self.scheduler.wait(there_s)  # killed here, what is in flight stays for whoever looks
        actor.in_flight = None
        if fault == "busy":
            raise api.ServiceUnavailable(name)
        result = act()
        self.scheduler.wait(back_s)
        if fault == "unacknowledged":
            raise requests.ConnectionError(name)
        return result

    def arrive_late(self, act: Callable[[], Any]) -> None:
        """A request whose sender has given up, or is dead, arrives in the end."""

        def arrive() -> None:
            try:
                act()
            except api.GoogleAPICallError:
                return

        self.scheduler.spawn("late request", self.platform, arrive, self.wire.random.expovariate(1 / 20.0))

    @staticmethod
    def _check(stored: Stored | None, expected: int | None) -> None:
        if expected is not None and expected != (stored.generation if stored else 0):
            raise api.PreconditionFailed("generation")


class _Bucket:
    def __init__(self, storage: StorageModel, name: str):
        self.storage, self.name = storage, name

    def blob(self, name: str, generation: int | None = None) -> _Blob:
        return _Blob(self, name, generation)


class _Blob:
    """google.cloud.storage.Blob, as far as the function uses it."""

    content_encoding = None

    def __init__(self, bucket: _Bucket, name: str, generation: int | None):
        self.bucket, self.name, self.generation = bucket, name, generation
        self.metadata: dict[str, Any] | None = None
        self.content_type = self.crc32c = self.updated = self.cache_control = None
        self.size = 0

    def reload(self, *, retry: None, timeout: tuple[float, float]) -> None:
        self.know(self._request(timeout, False, self._find))

    def download_to_file(
        self, sink: Any, *, timeout: tuple[float, float], start: int = 0, end: int | None = None, **_: Any
    ) -> None:
        stored = self._request(timeout, False, self._find)
        self.know(stored)
        sink.write(stored.content[start:] if end is None else stored.content[start : end + 1])

    def upload_from_string(
        self, content: bytes, *, if_generation_match: int, timeout: tuple[float, float], **_: Any
    ) -> None:
        metadata = dict(self.metadata or {})
        self.generation = self._request(
            timeout, True,
            lambda: self.bucket.storage.put(self.bucket.name, self.name, content, metadata, if_generation_match),
        )  # fmt: skip

    def delete(self, *, if_generation_match: int, retry: None, timeout: tuple[float, float]) -> None:
        self._request(
            timeout, True, lambda: self.bucket.storage.remove(self.bucket.name, self.name, if_generation_match)
        )

    def _find(self) -> Stored:
        return self.bucket.storage.find(self.bucket.name, self.name, self.generation)

    def know(self, stored: Stored) -> None:
        self.generation, self.size, self.updated = stored.generation, len(stored.content), stored.updated
        self.content_type, self.metadata, self.crc32c = stored.content_type, stored.metadata, crc32c(stored.content)

    def _request(self, timeout: tuple[float, float], changes: bool, act: Callable[[], Any]) -> Any:
        return self.bucket.storage.request(self.name, timeout, changes, act)
