"""One run of the explorer: uploads, their events, what goes wrong meanwhile, and what must hold in the end."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from function.delivery.switch import LOOK_EVERY_S, SWITCH_OBJECT
from function.generation.batch_service import BatchService
from tests.delivery.exploration.books import Books, ViolationError
from tests.delivery.exploration.installed import installed
from tests.delivery.exploration.instance import Instance
from tests.delivery.exploration.queue import Queue
from tests.delivery.exploration.storage_model import StorageModel, Stored, Wire
from tests.delivery.exploration.trouble import TROUBLE_EVERY_S, TROUBLE_S, Trouble
from tests.delivery.exploration.virtual_time import Actor, Process, Scheduler, StuckError

OUTPUT = "out-bucket"
MIDNIGHT = datetime(2026, 11, 27, tzinfo=UTC)
CALM_SHARE = 0.2  # of the runs, in which nothing goes wrong
PICTURE_USD = 0.039


class World:
    """One run. Everything random about it comes from its seed. `skews_s`: how far a clock may be wrong; of these one
    is taken. `trouble_s`: so long things go wrong, on average each `trouble_every_s`."""

    books_kind: type[Books] = Books
    queue_kind: type[Queue] = Queue
    skews_s: tuple[float, ...] = (5.0, 5.0, 30.0, 600.0)
    trouble_s, trouble_every_s = TROUBLE_S, TROUBLE_EVERY_S

    def __init__(self, seed: int, trace: bool = False):
        self.seed, self.random = seed, Random(seed)
        self.trace = trace
        self.numbers = itertools.count(1)
        self.scheduler = Scheduler()
        self.calm = self.random.random() < CALM_SHARE
        wire = Wire(
            self.random,
            fault_share=0.0 if self.calm else self.random.choice((0.0, 0.02, 0.1)),
            longest_s=0.5 if self.calm else self.random.choice((3.0, 25.0)),
            reliable=(SWITCH_OBJECT,),
        )
        self.start = MIDNIGHT - timedelta(seconds=self.random.uniform(60.0, 3000.0))
        self.books = self.books_kind(OUTPUT)
        self.storage = StorageModel(self.scheduler, wire, self.clock, self._note_change)
        self.live_runs: dict[str, Process] = {}
        self.caps = {
            "days": self.random.choice((None, None, 4.5, 12.0)),
            "catalogues": self.random.choice((None, None, None, 6.5)),
        }
        self.environment = {
            "OUTPUT_BUCKET": OUTPUT, "GEMINI_API_KEY": "key", "MAX_ATTEMPTS": str(self.random.randint(1, 3)),
            "ON_BUDGET": self.random.choice(("wait", "fail")),
            **{
                name: str(self.caps[kind] * PICTURE_USD)
                for name, kind in (("MAX_USD_PER_DAY", "days"), ("MAX_USD_PER_CATALOGUE", "catalogues"))
                if self.caps[kind] is not None
            },
        }  # fmt: skip
        self.environment |= self.further_settings()
        self.platform, self.queue, self._trouble = Process("platform"), self.queue_kind(self), Trouble(self)
        self.instances = [self.new_instance() for _ in range(self.random.randint(1, 3))]
        self.paused_at: float | None = None
        self.over = self.somebody_froze = False

    def further_settings(self) -> dict[str, str]:
        """Of the function's environment, in other kinds of worlds."""
        return {}

    def limits(self) -> list[tuple[Any, str, Any]]:
        """Limits of the code (module, name, value) that are met sooner in this world."""
        return []

    def batches(self) -> BatchService | None:
        """What answers in batches."""
        return None

    # --- what the model, the storage and the code tell

    def clock(self, process: Process | None = None) -> datetime:
        """What a process takes for the time; without one, the true time (UTC)."""
        skew_s = process.skew_s if process else 0.0
        return self.start + timedelta(seconds=self.scheduler.now + skew_s)

    def is_calm(self) -> bool:
        """Whether nothing goes wrong, from now on or in the whole run."""
        return self.calm or self.scheduler.now > self.trouble_s

    def note_call(self, actor: Actor, request: Any, usd: float) -> None:
        """The model is asked, and bills."""
        upload = actor.notes["upload"]
        self.say(f"{actor.name}: the model is asked, attempt {request.seed}")
        self.books.note_call(upload, actor.notes["began"], request)
        self.of_kinds("billed", usd)
        paused = self.paused_at is not None and actor.notes["began"] > self.paused_at + LOOK_EVERY_S
        if paused and not self.somebody_froze:
            self.books.violations.append(f"{self.books.owner_of(upload)}: asked the model while paused")

    def note_counted(self, actor: Actor, usd: float) -> None:
        """A call is over for the code, which has to count so much."""
        self.of_kinds("counted", usd)

    def hear(self, record: logging.LogRecord) -> None:
        """The code's log records. One with an exception is a mistake that it takes for one itself."""
        if record.exc_info:
            self.books.violations.append(f"in {vars(record)['stage']}: {record.getMessage()}")
        actor = self.scheduler.current
        self.say(f"{actor.name if actor else ''}: {record.getMessage()} {vars(record).get('reason', '')}")

    def say(self, line: str) -> None:
        """For a person who reads a run."""
        if self.trace:
            print(f"{self.scheduler.now:8.2f} {line}")

    def liveness_lock(self) -> type:
        """In place of the class ProcessLivenessLock."""
        world = self

        class LivenessLock:
            def __init__(self, run: str):
                self._run = run
                world.live_runs[run] = world.scheduler.current.process

            def release(self) -> None:
                world.live_runs.pop(self._run, None)

            @staticmethod
            def is_held(run: str) -> bool:
                return run in world.live_runs

        return LivenessLock

    # --- a run

    def run(self) -> None:
        """Raises ViolationError."""
        with installed(self):
            self.begin()
            if not self.calm:
                self.spawn("trouble", self._trouble.make)
            if self.random.random() < 0.15:
                self.spawn("operator", self._trouble.pause_and_resume)
            self.spawn("end", self._end)
            try:
                self.scheduler.run(self._is_over)
            except StuckError as stuck:
                raise ViolationError(f"seed {self.seed}: {stuck}") from None
        if problems := list(self.problems()):
            raise ViolationError(f"seed {self.seed}: " + "; ".join(problems))

    def begin(self) -> None:
        """What people do."""
        for number in range(self.random.randint(1, 3)):
            self.queue.upload(f"spring/{number:06}.json", self.random.uniform(0.0, 30.0))

    def problems(self) -> Iterator[str]:
        """What does not hold in the end."""
        yield from self.books.check(self.storage.objects, self.queue.uploads(), self.calm)
        yield from self.books.check_money(self.storage.objects, self._caps_usd())

    def _is_over(self) -> bool:
        return self.over

    def _end(self) -> None:
        """Once everything has come to rest, every process ends in good order."""
        self.scheduler.wait(ready=self.scheduler.is_at_rest)
        for instance in self.instances:
            instance.frozen_until = 0.0
            actor = self.scheduler.spawn(f"{instance.name} ends", instance, instance.budget.return_unspent)
            self.scheduler.wait(ready=lambda actor=actor: actor.is_done)
        self.over = True

    # --- small things

    def spawn(self, name: str, work: Callable[[], Any], after_s: float = 0.0) -> Actor:
        """A new actor of the platform's, which has its first turn `after_s` from now."""
        return self.scheduler.spawn(name, self.platform, work, after_s)

    def new_instance(self, machine: str | None = None) -> Instance:
        """One more instance of the function, on a machine of its own where none is given."""
        number = next(self.numbers)
        skew_s = self.random.uniform(-1, 1) * (5.0 if self.calm else self.random.choice(self.skews_s))
        return Instance(self, f"i{number}", machine or f"m{number}", skew_s, self.random.randint(1, 2))

    def _note_change(self, bucket: str, name: str, before: Stored | None, after: Stored | None) -> None:
        self.say(f"storage: {bucket}/{name[:40]} {before and before.generation} → {after and after.generation}")
        self.books.note_change(bucket, name, before, after, self.scheduler.now)

    def of_kinds(self, field: str, usd: float) -> None:
        """Add to a field of the money, under every cap."""
        for money in self.books.money.values():
            setattr(money, field, getattr(money, field) + usd)

    def _caps_usd(self) -> dict[str, float | None]:
        return {kind: None if cap is None else cap * PICTURE_USD for kind, cap in self.caps.items()}
