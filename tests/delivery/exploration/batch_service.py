"""A batch service in memory, which implements `BatchService`: jobs that go wrong, on a wire that does too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from function.batch.close import MAY_HAVE_RESULTS
from function.deadline import Deadline
from function.errors import ModelRejectedError, ModelUnansweredError, ModelUnavailableError
from function.generation.batch_service import ServiceJob, Sink
from function.generation.provider import ModelNotFoundError
from function.storage.names import split_gs_uri
from tests.delivery.exploration.batch_jobs import FATES, FINAL_STATES, ModelledJob, lines_of_job

CALL_S = 60.0  # that the function's client waits for an answer
CANCELLING_S = 60.0  # that a job takes to end, at the most, once it is cancelled
STUCK = ("stuck", "stuck_for_good")  # fates of jobs that do not end by themselves
AT_CREATION = ("429", "403", "404", "unanswered", "twice")
REFUSALS = {"429": ModelUnavailableError, "403": ModelRejectedError, "404": ModelNotFoundError}


class ModelledBatches:
    """Implements `BatchService` for all instances of a world. Of everything it does the world is told.

    `trouble`: share of the jobs that go wrong. What the code takes for granted of the services is kept: a list shows a
    job, and results appear, within `gather_s` of when they are there; a job that is made late is made before another
    of its name ends.
    """

    def __init__(self, world: Any, *, reads_buckets: bool, gather_s: float, trouble: float):
        self.reads_buckets, self.trouble = reads_buckets, trouble
        self._world, self._gather_s = world, gather_s
        self.jobs: dict[str, ModelledJob] = {}
        self._files: dict[str, bytes] = {}

    # --- BatchService

    def create(self, model: str, display_name: str, lines: str | bytes, results: str, deadline: Deadline) -> ServiceJob:
        """See BatchService."""
        random = self._world.random
        fault = random.choice(AT_CREATION) if random.random() < self.trouble / 2 else ""

        def act() -> ServiceJob:
            if fault in REFUSALS:
                raise REFUSALS[fault](fault)
            made = [self._begin(display_name, lines, results) for _ in range(2 if fault == "twice" else 1)]
            if fault:
                raise ModelUnansweredError(fault, timed_out=False)
            return _described(made[0])

        return self._call(deadline, act, changes=True)

    def get(self, name: str, deadline: Deadline) -> ServiceJob:
        """See BatchService."""
        return self._call(deadline, lambda: _described(self._job(name)))

    def find(self, display_name: str, deadline: Deadline) -> list[ServiceJob]:
        """See BatchService."""

        def act() -> list[ServiceJob]:
            now = self._world.scheduler.now
            found = [job for job in self.jobs.values() if job.display_name == display_name and job.visible_at <= now]
            return [_described(job) for job in sorted(found, key=lambda job: job.began)]

        return self._call(deadline, act)

    def cancel(self, name: str, deadline: Deadline) -> None:
        """See BatchService."""

        refused = self._world.random.random() < self.trouble / 2

        def act() -> None:
            job = self._job(name)
            if refused or job.ended:
                raise ModelRejectedError(f"{name} cannot be cancelled")
            if job.state != "CANCELLING":
                job.state = "CANCELLING"
                self._world.say(f"service: {name} is cancelled")
                if job.fate == "stuck_for_good":
                    self._bill(job)
                else:
                    after_s = self._world.random.uniform(0.0, CANCELLING_S)
                    self._world.spawn("job", lambda: self._end(job, "CANCELLED"), after_s)

        self._call(deadline, act, changes=True)

    def fetch(self, results_file: str, sink: Sink, deadline: Deadline) -> None:
        """See BatchService. A connection that breaks has brought a part."""
        content = self._call(deadline, lambda: self._files[results_file])
        if self._world.random.random() < self._world.storage.wire.fault_share:
            sink.write(content[: self._world.random.randrange(len(content) + 1)])
            raise ModelUnansweredError("the connection broke", timed_out=False)
        sink.write(content)

    def is_working(self) -> bool:
        """Whether some job will end that nobody has cancelled."""
        return any(not job.ended and job.fate not in STUCK for job in self.jobs.values())

    # --- the wire

    def _call(self, deadline: Deadline, act: Callable[[], Any], *, changes: bool = False) -> Any:
        """As requests to storage travel, with the errors that a BatchService raises."""
        world = self._world
        actor, patience_s = world.scheduler.current, deadline.clamp(CALL_S, "batch")
        fault, there_s, back_s = world.storage.wire.travel("")
        if there_s + back_s > patience_s:
            fault = "late"
        if fault == "late" and changes:
            world.storage.arrive_late(_quietly(act))
        if fault in ("lost", "late"):
            world.scheduler.wait(patience_s)
            raise ModelUnansweredError("no answer", timed_out=True)
        actor.in_flight = _quietly(act) if changes else None
        world.scheduler.wait(there_s)
        actor.in_flight = None
        if fault == "busy":
            raise ModelUnavailableError("busy")
        result = act()
        world.scheduler.wait(back_s)
        if fault == "unacknowledged":
            raise ModelUnansweredError("the connection broke", timed_out=False)
        return result

    # --- jobs

    def _begin(self, display_name: str, lines: str | bytes, results: str) -> ModelledJob:
        world, random = self._world, self._world.random
        now = world.scheduler.now
        fate = random.choice(FATES) if random.random() < self.trouble else "succeeded"
        # Longer than a creation that was given up may take to arrive: see above.
        ends_at = now + self._gather_s * random.uniform(6.0, 20.0)
        job = ModelledJob(
            f"batches/{next(world.numbers)}", display_name, fate, now,
            now + random.choice((0.0, self._gather_s * random.random())), ends_at, results,
        )  # fmt: skip
        content = lines if isinstance(lines, bytes) else world.storage.objects[split_gs_uri(lines)].content
        job.lines = lines_of_job(content, fate, now, ends_at, random, world.numbers)
        self.jobs[job.name] = job
        world.say(f"service: {job.name} is made of {display_name[-6:]}, {len(job.lines)} lines, {fate}")
        world.books.note_job(job)
        if fate not in STUCK:
            world.spawn("job", lambda: self._end(job, FINAL_STATES.get(fate, "SUCCEEDED")), ends_at - now)
        return job

    def _end(self, job: ModelledJob, state: str) -> None:
        if job.ended:
            return
        world, now = self._world, self._world.scheduler.now
        job.ended, job.state = True, state
        self._bill(job)
        world.say(f"service: {job.name} ends, {state}")
        world.books.note_job_end(job)
        content = job.content(now, world.random)
        if not content:
            return
        if not self.reads_buckets:
            job.results_file = f"files/{job.name}"
            self._files[job.results_file] = content
            return
        bucket, folder = split_gs_uri(job.results)
        name = f"{folder}prediction-{job.name.rpartition('/')[2]}/predictions.jsonl"
        after_s = world.random.choice((0.0, self._gather_s * world.random.random()))
        if state not in MAY_HAVE_RESULTS:
            after_s = 0.0
        world.spawn("results", lambda: world.storage.put(bucket, name, content, {}), after_s)

    def _bill(self, job: ModelledJob) -> None:
        for line in job.answered(self._world.scheduler.now):
            self._world.note_batch_answer(job, line)

    def _job(self, name: str) -> ModelledJob:
        job = self.jobs[name]
        if job.ended and job.fate == "forgotten":
            raise ModelNotFoundError(name)
        return job


def _quietly(act: Callable[[], Any]) -> Callable[[], None]:
    """Nobody is there who could hear of an error."""

    def acted() -> None:
        try:
            act()
        except (ModelUnavailableError, ModelRejectedError):
            return

    return acted


def _described(job: ModelledJob) -> ServiceJob:
    return ServiceJob(job.name, job.display_name, job.state, job.began, "", job.results_file)
