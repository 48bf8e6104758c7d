"""A world whose manifests ask for batches: jobs, their results, and sweeps, beside everything else that there is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from function.batch import collect as collect_module
from function.batch import create as create_module
from function.batch import gather as gather_module
from function.batch import lines as lines_module
from function.batch import pieces as pieces_module
from function.batch.follow import CANCEL_WAIT_S
from function.batch.names import JOBS
from function.batch.records import Job
from function.batch.touch import FIRST_KEY
from function.delivery.outputs import GENERATION_KEY
from function.delivery.switch import SWITCH_OBJECT
from function.generation.batch_service import BatchService
from function.generation.models import model_table
from function.generation.pricing import max_picture_usd, usd
from tests.delivery.exploration.batch_books import BatchBooks
from tests.delivery.exploration.batch_jobs import Line, ModelledJob
from tests.delivery.exploration.batch_service import ModelledBatches
from tests.delivery.exploration.queue import INPUT, Queue
from tests.delivery.exploration.storage_model import Stored
from tests.delivery.exploration.virtual_time import Actor
from tests.delivery.exploration.world import World

BATCHES = "batch-bucket"
BY_ITSELF_SHARE = 0.1  # of manifests, which do not ask for batches
SWEEP_S = 600.0  # that the scheduler waits for an answer
LONG_SWEEPS_S = 1800.0  # between sweeps while only what is stuck is waited for
PATIENCE_S = 12 * 3600.0  # after the last deadline, when everything has to be settled
DEFAULT_FINISH_S = 48 * 3600.0
MODEL = model_table().models["gemini-2.5-flash-image"]
SHARE = model_table().batch.share_of_price
MAX_USD = max_picture_usd(MODEL, 2, "", None) * SHARE + 0.0001  # of a call in a job; a few words cost no more


class BatchQueue(Queue):
    """Manifests that ask for batches, most of them."""

    def manifest(self, name: str) -> dict[str, Any]:
        """See Queue. What asks for the same picture without a batch looks at no job, and is let alone here."""
        world, fields = self._world, super().manifest(name)
        if world.random.random() < BY_ITSELF_SHARE:
            return {**fields, "placement": f"{name} by itself"}
        within_s = world.random.choice((*(world.finish_s,) * 4, world.random.uniform(0.0, world.finish_s), None))
        if within_s is None:
            return {**fields, "batch": True}
        moment = world.clock() + timedelta(seconds=within_s)
        world.last_deadline_s = max(world.last_deadline_s, world.scheduler.now + within_s)
        return {**fields, "batch": True, "finish_by": moment.isoformat().replace("+00:00", "Z")}


class BatchWorld(World):
    """One run with batches. `gather_s` and the rest are as in production, or a few times shorter: the code takes for
    granted that no clock is wrong by more than half of `gather_s`, and no delivery lasts for twice as long."""

    books_kind, queue_kind = BatchBooks, BatchQueue
    skews_s = (5.0, 5.0, 30.0)
    books: BatchBooks

    def further_settings(self) -> dict[str, str]:
        """See World. All that is random about batches is drawn here."""
        random = self.random
        self.gather_s = random.choice((80.0, 80.0, 120.0, 300.0))
        self.sweep_s = self.gather_s * random.choice((0.5, 1.0, 1.5))
        self.finish_s = self.gather_s * random.choice((5.0, 15.0, 40.0))
        self.trouble_s, self.trouble_every_s = 12 * self.gather_s, self.gather_s * random.choice((0.7, 1.5))
        self.last_deadline_s = 0.0
        self.queue_waits_s = self.gather_s * random.choice((0.5, 3.0))
        self._limits = [
            (collect_module, "RANGE_BYTES", random.choice((500, 5000, 10**6))),
            (pieces_module, "PIECE_BYTES", random.choice((500, 10**6))),
            (lines_module, "WINDOW_BYTES", random.choice((300, 10**6))),
            (create_module, "MAX_LINES_BYTES", random.choice((1000, 10**6))),
            (gather_module, "MAX_JOB_REQUESTS", random.choice((2, 200))),
        ]
        self.service = ModelledBatches(
            self, reads_buckets=random.random() < 0.6, gather_s=self.gather_s, trouble=random.choice((0.0, 0.3, 0.7))
        )
        deadline_s = min(300.0, 1.5 * self.gather_s)
        return {"BATCH_BUCKET": BATCHES, "BATCH_GATHER_S": str(self.gather_s), "EVENT_DEADLINE_S": str(deadline_s)}

    def limits(self) -> list[tuple[Any, str, Any]]:
        """See World."""
        return self._limits

    def batches(self) -> BatchService | None:
        """See World."""
        return self.service

    def begin(self) -> None:
        """See World."""
        self.queue.longest_way_s = self.queue_waits_s
        for number in range(self.random.randint(1, 5)):
            self.queue.upload(f"spring/{number:06}.json", self.random.uniform(0.0, self.gather_s))
        self.spawn("scheduler", self._sweep)

    # --- what the service and the storage tell

    def note_call(self, actor: Actor, request: Any, usd: float) -> None:
        """See World."""
        super().note_call(actor, request, usd)
        self.books.under_way[actor] = (request.prompt, request.seed), actor.notes["upload"].name

    def note_counted(self, actor: Actor, usd: float) -> None:
        """See World."""
        super().note_counted(actor, usd)
        self.books.under_way.pop(actor, None)

    def note_batch_answer(self, job: ModelledJob, line: Line) -> None:
        """A line of a job was answered, and is billed at half."""
        self.say(f"{job.name}: answers {line.asked}")
        self.books.note_batch_answer(line.asked, is_image=line.answer[1].output_image_tokens > 0)
        billed = usd(MODEL, line.answer[1]) * SHARE
        self.of_kinds("billed", billed)
        self.of_kinds("counted", billed)

    def _note_change(self, bucket: str, name: str, before: Stored | None, after: Stored | None) -> None:
        super()._note_change(bucket, name, before, after)
        if after is None:
            return
        if bucket == INPUT and FIRST_KEY in after.metadata:
            first = int(after.metadata[FIRST_KEY].split("/")[0])
            self.books.firsts[f"gs://{bucket}/{name}", after.generation] = first
        if bucket == BATCHES or FIRST_KEY in after.metadata:
            self.queue.announce(bucket, name, after.generation)

    # --- sweeps

    def _sweep(self) -> None:
        """The scheduler, and a person beside it now and then, until there is nothing more to do."""
        swept_s = 0.0
        while self.scheduler.now < self._latest_s():
            self.scheduler.wait(self.sweep_s * self.random.uniform(0.9, 1.1))
            if self.scheduler.is_at_rest(1) and self._is_settled():
                return
            is_quiet = self.scheduler.now > self.trouble_s and not self.service.is_working()
            if is_quiet and self.scheduler.now < swept_s + LONG_SWEEPS_S:
                continue
            swept_s = self.scheduler.now
            for _ in range(self.random.choice((1, 1, 1, 2))):
                self.spawn("sweep", self._sweep_once, self.random.choice((0.0, 0.0, self.random.uniform(0.0, 60.0))))

    def _sweep_once(self) -> None:
        instance = self.random.choice(self.instances)
        actor = self.scheduler.spawn(f"{instance.name} sweep", instance, instance.sweep)
        self.scheduler.wait(SWEEP_S, lambda: actor.is_done)
        self.say(f"{actor.name}: answered {actor.result if actor.is_done else 'nothing in time'}")

    def _is_settled(self) -> bool:
        """Whether every job is closed, and every manifest, as it is now, has its sidecar."""
        objects = self.storage.objects
        jobs = [Job.model_validate_json(one.content) for (_, name), one in objects.items() if name.startswith(JOBS)]
        manifests = {name: one.generation for (bucket, name), one in objects.items() if bucket == INPUT}
        settled = {
            name: int(one.metadata[GENERATION_KEY])
            for (bucket, name), one in objects.items()
            if bucket == self.books.output and name in manifests
        }
        manifests.pop(SWITCH_OBJECT, None)
        return all(job.state == "closed" for job in jobs) and settled == manifests

    def _latest_s(self) -> float:
        return max(self.last_deadline_s, DEFAULT_FINISH_S) + CANCEL_WAIT_S + PATIENCE_S

    def problems(self) -> Any:
        """See World. What of the slices of processes that were killed is spent nobody knows."""
        for money in self.books.money.values():
            money.held_back += self.books.lost_calls * MAX_USD if self.calm else float("inf")
        yield from super().problems()
