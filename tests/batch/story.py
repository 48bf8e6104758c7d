"""Manifests that wait for a batch, and the function's code in this process, which can be killed at any request."""

from __future__ import annotations

import random
import time
import uuid
from datetime import UTC, datetime

import pytest
import requests

from function.batch.names import request_name
from function.batch.pair_queue import PairQueue
from function.batch.records import Waiter
from function.batch.touch import FIRST_KEY
from function.deadline import Deadline
from function.delivery.batch_files import process_batch_file, run_sweep
from function.delivery.cloud_event import Upload
from function.errors import AwaitsBatchError
from function.generation.answer_store import AnswerStore, request_digest
from function.generation.provider import Request
from function.service import Service
from function.storage.read_deadline import DeadlineAdapter
from tests.batch.place import BatchPlace
from tests.support import png, product_array, scene_array, wait_until

MODEL = "gemini-2.5-flash-image"
CALL_S = 60.0
PICTURES = ((png(scene_array(256, 160)), "image/png"), (png(product_array(96)), "image/png"))


class KilledError(BaseException):
    """The process is dead from here on."""


class Mortal:
    """Requests of this process to Cloud Storage, counted; from `dies_at` on each one kills."""

    def __init__(self) -> None:
        self.made, self.dies_at = 0, None
        self._send = DeadlineAdapter.send

    def send(self, adapter: DeadlineAdapter, request: requests.PreparedRequest, **options: object) -> requests.Response:
        self.made += 1
        if self.dies_at is not None and self.made >= self.dies_at:
            raise KilledError
        return self._send(adapter, request, **options)


class Story:
    """Two manifests that wait for a batch, and what the function's processes do for them."""

    def __init__(self, place: BatchPlace, mortal: Mortal):
        self.place, self.mortal = place, mortal
        self.requests: dict[str, tuple[Request, int]] = {}
        self.services = Service(place.settings).services()

    MAX_USD = 0.02
    catalogue: str | None = None
    acknowledged: bool = False

    def begin(self) -> None:
        """Two new manifests, and nothing left of earlier ones: looking at it would take ever more requests."""
        self.requests.clear()
        self.acknowledged = False
        place = self.place
        for bucket, prefix in ((place.cloud.output, "_work/batch/"), (place.batch, "jobs/")):
            for blob in place.cloud.client.list_blobs(bucket, prefix=prefix):
                blob.delete()
        for number in range(2):
            seed = random.randrange(2**30)
            request = Request(MODEL, f"place it ({uuid.uuid4().hex})", PICTURES, "3:2", None, seed)
            resource = place.cloud.put(f"{uuid.uuid4().hex}/{number}.json", "{}")
            self.requests[resource["name"]] = request, int(resource["generation"])

    def life(self, work, dies_at: int | None = None) -> bool:
        """`work(services)` in a process of its own, killed at a request → whether it lived."""
        self.mortal.made, self.mortal.dies_at = 0, dies_at
        try:
            work(self.services)
            return True
        except KilledError:
            return False
        finally:
            self.mortal.dies_at = None

    def wait(self, services) -> None:
        """What a pair's event does."""
        place = self.place
        for name, (request, generation) in self.requests.items():
            uri = f"gs://{place.cloud.input}/{name}"
            waiter = Waiter(
                bucket=place.cloud.input, name=name, generation=generation, owner=f"{uri}#{generation}", since=1.0
            )
            queue = PairQueue(services.storage, place.cloud.output, place.batch, waiter, self.catalogue, 4e9)
            with pytest.raises(AwaitsBatchError):
                queue.put(request, 1, self.MAX_USD, Deadline(CALL_S))
        self.acknowledged = True
        time.sleep(self.place.settings.batch_gather_s)  # the next sweep makes a job of them

    def sweep(self, services) -> None:
        """What the scheduler does; one that died has left its lease to expire, or to be known for dead."""
        wait_until(lambda: run_sweep(services, Deadline(CALL_S)) is not None)

    def collect(self, services) -> None:
        """The events of BATCH_BUCKET."""
        for blob in list(self.place.cloud.client.list_blobs(self.place.batch)):
            upload = Upload("", self.place.batch, blob.name, int(blob.generation), datetime.now(UTC))
            process_batch_file(upload, services, Deadline(CALL_S))

    def finish(self, until=None) -> None:
        """Processes that live do the rest."""
        self.life(self.requeue)

        def done() -> bool:
            self.life(self.sweep)
            self.life(self.collect)
            return (
                not [job for job in self.place.jobs(everybodys=True) if job.state != "closed"]
                and (until or self.answered)()
            )

        wait_until(done)

    def wait_for_results(self) -> None:
        """Until a job is made and has ended, with nothing collected."""

        def made() -> list[str]:
            return [job.id for job in self.place.jobs(everybodys=True) if job.state in ("running", "ended")]

        wait_until(lambda: made() or (self.life(self.sweep) and made()))
        (job,) = made()

        def there() -> bool:
            blobs = self.place.cloud.client.list_blobs(self.place.batch, prefix=f"jobs/{job}/")
            return any(blob.name.endswith("predictions.jsonl") for blob in blobs)

        wait_until(there)

    def requeue(self, services) -> None:
        """Events that were not acknowledged come again."""
        if not self.acknowledged:
            self.wait(services)

    def answered(self) -> bool:
        store = AnswerStore(self.place.storage, self.place.cloud.output)
        return all(
            store.find(request, f"gs://{self.place.cloud.input}/{name}#{generation}", Deadline(CALL_S))
            for name, (request, generation) in self.requests.items()
        )

    def check(self) -> None:
        """Each was asked for once, is stored, and its manifest was touched once."""
        asked = [(seen["seed"], seen["text"]) for seen in self.place.asked()]
        for name, (request, generation) in self.requests.items():
            assert sum(seed == request.seed for seed, _ in asked) == 1
            versions = self.place.cloud.client.bucket(self.place.cloud.input).get_blob(name)
            assert versions.metadata[FIRST_KEY].startswith(f"{generation}/")
            record, _ = self.place.records.read(request_digest(request), Deadline(CALL_S))
            assert (record.state, record.lost, record.tries) == ("answered", 0, 0), request_name(
                request_digest(request)
            )
