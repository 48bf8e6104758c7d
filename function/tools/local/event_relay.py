"""Delivers the finalize events of a bucket to a function, as the platform does: at least once, with back-off."""

from __future__ import annotations

import heapq
import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from google.cloud import storage

from function.delivery.cloud_event import FINALIZED, is_manifest
from function.tools.timeouts import DELIVERY_S

POLL_S = 0.2
# Cloud Run functions retry with 10 s to 600 s between deliveries.
FIRST_BACKOFF_S = 10.0
MAX_BACKOFF_S = 600.0
CONCURRENCY = 8


@dataclass(order=True)
class Delivery:
    """One event and when it is due (monotonic seconds)."""

    due: float
    event: dict[str, Any] = field(compare=False)
    event_id: str = field(compare=False)
    number: int = field(default=1, compare=False)


Report = Callable[[Delivery, int, float], None]


class Relay:
    """Watches `bucket` and posts an event for every new (name, generation) until it is answered with 2xx.

    `settled` are those that an earlier relay has seen to.
    """

    def __init__(
        self,
        client: storage.Client,
        bucket: str,
        url: str,
        report: Report = lambda delivery, status, seconds: None,
        first_backoff_s: float = FIRST_BACKOFF_S,
        settled: Iterable[tuple[str, int]] = (),
    ):
        self._client, self._bucket, self.url, self._report = client, bucket, url, report
        self._first_backoff_s = first_backoff_s
        self._queue: list[Delivery] = []
        self._seen: set[tuple[str, int]] = set(settled)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=CONCURRENCY)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._open = 0
        self._in_flight: dict[str, tuple[str, float]] = {}

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.begin_nothing_more()

    def begin_nothing_more(self) -> None:
        """Deliver no further event; those in flight go on."""
        self._stop.set()
        self._thread.join()
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def is_ending(self) -> bool:
        """Whether nothing more is delivered."""
        return self._stop.is_set()

    @property
    def in_flight(self) -> dict[str, float]:
        """Names of manifests whose delivery is not answered yet, with the seconds that it has taken so far."""
        now = time.monotonic()
        with self._lock:
            return {name: now - since for name, since in self._in_flight.values() if is_manifest(name)}

    @property
    def unsettled(self) -> int:
        """Events that have not been answered with 2xx yet."""
        with self._lock:
            return self._open

    def _watch(self) -> None:
        while not self._stop.wait(POLL_S):
            for blob in self._client.list_blobs(self._bucket):
                key = (blob.name, int(blob.generation))
                if key not in self._seen:
                    self._seen.add(key)
                    delivery = Delivery(time.monotonic(), dict(blob._properties), uuid.uuid4().hex)
                    with self._lock:
                        heapq.heappush(self._queue, delivery)
                        self._open += 1
            with self._lock:
                while self._queue and self._queue[0].due <= time.monotonic():
                    self._pool.submit(self._deliver, heapq.heappop(self._queue))

    def _deliver(self, delivery: Delivery) -> None:
        start = time.monotonic()
        with self._lock:
            self._in_flight[delivery.event_id] = delivery.event["name"], start
        try:
            status = post_event(self.url, delivery.event, delivery.event_id)
        finally:
            with self._lock:
                del self._in_flight[delivery.event_id]
        settled = 200 <= status < 300
        with self._lock:
            if settled:
                self._open -= 1
            else:
                wait = min(MAX_BACKOFF_S, self._first_backoff_s * 2 ** (delivery.number - 1))
                again = Delivery(time.monotonic() + wait, delivery.event, delivery.event_id, delivery.number + 1)
                heapq.heappush(self._queue, again)
        self._report(delivery, status, time.monotonic() - start)


def post_event(url: str, resource: dict[str, Any], event_id: str) -> int:
    """Post one binary CloudEvent whose body is the object's API resource → HTTP status, 0 without an answer."""
    bucket = resource["bucket"]
    headers = {
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": event_id,
        "ce-source": f"//storage.googleapis.com/projects/_/buckets/{bucket}",
        "ce-type": FINALIZED,
        "ce-time": str(resource.get("timeCreated", "")),
    }
    headers = {name: value for name, value in headers.items() if value}
    body = json.dumps({**resource, "generation": str(resource["generation"])}).encode()
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=DELIVERY_S) as response:
            found: int = response.status
            return found
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
