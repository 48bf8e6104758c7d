"""The process dies between any two requests to storage: nothing is lost, and nothing is asked for twice."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
import requests

from function.batch.names import request_name
from function.batch.pair_queue import PairQueue
from function.batch.records import Waiter
from function.batch.touch import FIRST_KEY
from function.deadline import Deadline
from function.delivery.batch_files import run_sweep, settle_batch_file
from function.delivery.cloud_event import Upload
from function.errors import AwaitsBatch
from function.generation.answer_store import AnswerStore, request_digest
from function.generation.provider import Request
from function.service import Service
from function.settings import Settings
from function.storage.read_deadline import TimedAdapter
from tests.batch.place import BatchPlace
from tests.support import Cloud, png, product_array, scene_array, wait_until
from tests.tiers import exhaustive

MODEL = "gemini-2.5-flash-image"
CALL_S = 60.0
PICTURES = ((png(scene_array(256, 160)), "image/png"), (png(product_array(96)), "image/png"))


class Killed(BaseException):
    """The process is dead from here on."""


class Mortal:
    """Requests of this process to Cloud Storage, counted; from `dies_at` on each one kills."""

    def __init__(self) -> None:
        self.made, self.dies_at = 0, None
        self._send = TimedAdapter.send

    def send(self, adapter: TimedAdapter, request: requests.PreparedRequest, **options: object) -> requests.Response:
        self.made += 1
        if self.dies_at is not None and self.made >= self.dies_at:
            raise Killed
        return self._send(adapter, request, **options)


@pytest.fixture
def mortal():
    """See Mortal."""
    made = Mortal()

    def send(adapter, request, **options):
        return made.send(adapter, request, **options)

    with patch.object(TimedAdapter, "send", send):
        yield made


@pytest.fixture
def place(gcs, gcs_client_session, gemini, folder, monkeypatch):
    """Buckets of a test's own; the function's code runs in this process."""
    place = BatchPlace(Cloud(gcs, gcs_client_session, gemini, folder), folder, vertex=True)
    environment = place.cloud.environment(**place.environment(BATCH_GATHER_S="0.05"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    place.settings = Settings.from_environment({name: value for name, value in environment.items() if value})
    return place


class Story:
    """Two manifests that wait for a batch, and what the function's processes do for them."""

    def __init__(self, place: BatchPlace, mortal: Mortal):
        self.place, self.mortal = place, mortal
        self.requests: dict[str, tuple[Request, int]] = {}
        self.services = Service(place.settings).services()

    def begin(self) -> None:
        """Two new manifests."""
        self.requests.clear()
        place = self.place
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
        except Killed:
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
            queue = PairQueue(services.storage, place.cloud.output, place.batch, waiter, None, 4e9)
            with pytest.raises(AwaitsBatch):
                queue.put(request, 1, 0.02, Deadline(CALL_S))

    def sweep(self, services) -> None:
        """What the scheduler does; one that died has left its lease to expire, or to be known for dead."""
        wait_until(lambda: run_sweep(services, Deadline(CALL_S)) is not None)

    def collect(self, services) -> None:
        """The events of BATCH_BUCKET."""
        for blob in list(self.place.cloud.client.list_blobs(self.place.batch)):
            upload = Upload("", self.place.batch, blob.name, int(blob.generation), datetime.now(UTC))
            settle_batch_file(upload, services, Deadline(CALL_S))

    def finish(self) -> None:
        """Processes that live do the rest."""
        self.life(self.wait_again)

        def done() -> bool:
            self.life(self.sweep)
            self.life(self.collect)
            return not [job for job in self.place.jobs(everybodys=True) if job.state != "closed"] and self.answered()

        wait_until(done)

    def wait_for_results(self) -> None:
        """Until a job is made and has ended, with nothing collected."""

        def there() -> bool:
            self.life(self.sweep)
            jobs = [job.id for job in self.place.jobs(everybodys=True) if job.state in ("running", "ended")]
            blobs = self.place.cloud.client.list_blobs(self.place.batch)
            return any(blob.name.endswith("predictions.jsonl") for blob in blobs for job in jobs if job in blob.name)

        wait_until(there)

    def wait_again(self, services) -> None:
        """Events that were not acknowledged come again."""
        if not all(
            self.place.records.read(request_digest(one), Deadline(CALL_S))[0] for one, _ in self.requests.values()
        ):
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


STEPS = ("wait", "sweep", "collect", "close")
DEATHS = 2  # by default; with --full one at every request


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # threads of the dead die too
@pytest.mark.parametrize(("step", "everywhere"), [("sweep", False), *exhaustive(*((step, True) for step in STEPS))])
def test_a_process_that_dies_at_any_request_loses_nothing_and_pays_for_nothing_twice(place, mortal, step, everywhere):
    lived, at = False, 0
    story = Story(place, mortal)
    while not lived and (everywhere or at < DEATHS):
        at += 1
        story.begin()
        if step != "wait":
            assert story.life(story.wait)
        if step in ("collect", "close"):
            story.wait_for_results()
        if step == "close":
            assert story.life(story.collect)
        dies_at = at if everywhere else random.randrange(at, 12 * at)
        lived = story.life(getattr(story, "sweep" if step == "close" else step), dies_at)
        story.finish()
        story.check()
    assert at > 1
