"""Interleavings of the real delivery code at random, each by its seed: leases, paid calls, caps, commits, the switch.

    python -m tests.delivery.explore --runs 5000 --seed 1
    python -m tests.delivery.explore --runs 1 --seed 77 --trace

Only what stands around the code is a model: the storage below its storage layer, the image model, the pixels, time. A
run uploads a few manifests, delivers their events more often than once and to several instances at once, and lets
requests be lost, doubled or late, processes stand still, be asked to end or be killed, and clocks be wrong. In the end
it lets everything come to rest, and looks whether the promises held. The same seed gives the same run.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from function.deadline import Deadline
from function.delivery.cloud_event import Upload
from function.delivery.row_writer import CATALOGUE_KEY
from function.delivery.switch import LOOK_EVERY_S, LOOK_FOR_S, SWITCH_OBJECT, write_switch
from function.storage.client import Storage
from function.storage.names import gs_uri
from tests.delivery.exploration.books import Books, Violation, owner_of
from tests.delivery.exploration.installed import installed
from tests.delivery.exploration.instance import Instance
from tests.delivery.exploration.storage_model import StorageModel, Stored, Wire
from tests.delivery.exploration.virtual_time import Actor, Process, Scheduler, Stuck

INPUT, OUTPUT = "in-bucket", "out-bucket"
CATALOGUE = gs_uri(INPUT, "spring.csv")
MIDNIGHT = datetime(2026, 11, 27, tzinfo=UTC)
TROUBLE_S = 400.0  # so long things go wrong
PLATFORM_GIVES_S = 10.0  # between SIGTERM and SIGKILL
FIRST_BACKOFF_S, MAX_BACKOFF_S = 10.0, 600.0  # of the queue, as Terraform sets them
MAX_DELIVERIES = 80  # of one event; what is not settled then never will be
CALM_SHARE = 0.2  # of the runs, in which nothing goes wrong
PICTURE_USD, DEAREST_USD = 0.039, 0.05
DELIVERY_S = 600.0  # that the queue waits for an answer
DIRECT_S = 30.0


@dataclass
class Message:
    """An event in the queue; acknowledged, it is not delivered again."""

    upload: Upload
    acknowledged: bool = False


class World:
    """One run. Everything random about it comes from its seed."""

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
        self.books = Books(OUTPUT)
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
        self.platform, self.messages = Process("platform"), list[Message]()
        self.instances = [self._new_instance() for _ in range(self.random.randint(1, 3))]
        self.paused_at: float | None = None
        self.over = self.somebody_froze = False

    # --- what the model, the storage and the code tell

    def clock(self, process: Process | None = None) -> datetime:
        """What a process takes for the time; without one, the true time (UTC)."""
        skew_s = process.skew_s if process else 0.0
        return self.start + timedelta(seconds=self.scheduler.now + skew_s)

    def is_calm(self) -> bool:
        """Whether nothing goes wrong, from now on or in the whole run."""
        return self.calm or self.scheduler.now > TROUBLE_S

    def note_call(self, actor: Actor, request: Any, usd: float) -> None:
        """The model is asked, and bills."""
        upload = actor.notes["upload"]
        self.say(f"{actor.name}: the model is asked, attempt {request.seed}")
        self.books.note_call(upload, actor.notes["began"], request)
        self._of_kinds("billed", usd)
        paused = self.paused_at is not None and actor.notes["began"] > self.paused_at + LOOK_EVERY_S + LOOK_FOR_S
        if paused and not self.somebody_froze:
            self.books.violations.append(f"{owner_of(upload)}: asked the model while paused")

    def note_counted(self, actor: Actor, usd: float) -> None:
        """A call is over for the code, which has to count so much."""
        self._of_kinds("counted", usd)

    def note_unexpected(self, error: BaseException, stage: str) -> None:
        """The code made a mistake that it takes for one itself."""
        self.books.violations.append(f"unexpected {type(error).__name__} in {stage}: {error}")

    def log(self, severity: str, message: str, **fields: Any) -> None:
        """The code's log lines."""
        actor = self.scheduler.current
        if severity != "DEBUG":
            self.say(f"{actor.name if actor else ''}: {message} {fields.get('reason', '')}")

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
        """Raises Violation."""
        with installed(self):
            for number in range(self.random.randint(1, 3)):
                self._upload(f"spring/{number:06}.json", self.random.uniform(0.0, 30.0))
            if not self.calm:
                self._spawn("trouble", self._make_trouble)
            if self.random.random() < 0.15:
                self._spawn("operator", self._pause_and_resume)
            self._spawn("end", self._end)
            try:
                self.scheduler.run(self._is_over)
            except Stuck as stuck:
                raise Violation(f"seed {self.seed}: {stuck}") from None
        problems = list(
            itertools.chain(
                self.books.check(self.storage.objects, [one.upload for one in self.messages], self.calm),
                self.books.check_money(self.storage.objects, self._caps_usd()),
            )
        )
        if problems:
            raise Violation(f"seed {self.seed}: " + "; ".join(problems))

    def _is_over(self) -> bool:
        return self.over

    def _upload(self, name: str, after_s: float) -> None:
        """A manifest is uploaded, and some time later perhaps again."""

        def upload() -> None:
            fields = {"product": "p.png", "scene": "s.png", "placement": self.random.choice((name, "in the middle"))}
            metadata = {CATALOGUE_KEY: CATALOGUE, "catalogue-generation": "1"}
            generation = self.storage.put(INPUT, name, json.dumps(fields).encode(), metadata)
            message = Message(Upload(f"event-{generation}", INPUT, name, generation, self.clock()))
            self.messages.append(message)
            for _ in range(self.random.choice((1, 1, 2, 3))):
                offset_s = self.random.choice((0.0, self.random.uniform(0.0, 60.0)))
                self._spawn("queue", lambda: self._bring(message), offset_s)

        self._spawn("upload", upload, after_s)
        if self.random.random() < 0.4:
            self._spawn("upload", upload, after_s + self.random.uniform(0.0, 200.0))

    def _bring(self, message: Message) -> None:
        """Deliver an event until some delivery of it is answered with 200, as the queue does."""
        backoff_s = FIRST_BACKOFF_S
        for number in range(MAX_DELIVERIES):
            if message.acknowledged:
                return
            if self._deliver(message) == 200:
                message.acknowledged = True
                return
            patient = number > MAX_DELIVERIES / 2  # the day's cap is waited for
            self.scheduler.wait(3600.0 if patient else self.random.uniform(0.5, 1.0) * backoff_s)
            backoff_s = min(MAX_BACKOFF_S, 2 * backoff_s)
        self.books.violations.append(f"{owner_of(message.upload)}: not settled after {MAX_DELIVERIES} deliveries")

    def _deliver(self, message: Message) -> int | None:
        instance = self.random.choice(self.instances)
        upload = message.upload
        actor = self.scheduler.spawn(
            f"{instance.name} {upload.name[-6]}#{upload.generation}", instance, lambda: instance.deliver(upload)
        )
        actor.notes = {"upload": upload, "began": self.scheduler.now}
        instance.deliveries += 1
        self.scheduler.wait(DELIVERY_S, lambda: actor.is_done)
        instance.deliveries -= actor.is_done
        self.say(f"{actor.name}: answered {actor.result if actor.is_done else 'nothing in time'}")
        return actor.result

    # --- what goes wrong

    def _make_trouble(self) -> None:
        while self.scheduler.now < TROUBLE_S:
            self.scheduler.wait(self.random.expovariate(1 / 40.0))
            instance = self.random.choice(self.instances)
            action = self.random.choice((self._freeze, self._freeze, self._kill, self._terminate))
            self.say(f"{instance.name}: {action.__name__}")
            action(instance)
        self.storage.wire.fault_share, self.storage.wire.longest_s = 0.0, 0.1

    def _freeze(self, instance: Instance) -> None:
        instance.frozen_until = self.scheduler.now + self.random.choice((5.0, 70.0, 150.0)) * self.random.random()
        self.somebody_froze = True

    def _kill(self, instance: Instance) -> None:
        """kill -9; what it had sent may still arrive. Another one takes its place, perhaps on the same machine."""
        if instance in self.instances:
            self.instances.remove(instance)
            machine = instance.machine if self.random.random() < 0.3 else None
            self.instances.append(self._new_instance(machine))
        if instance.is_dead:
            return
        for kind, usd in instance.set_aside(self.storage.objects).items():
            self.books.money[kind].held_back += usd
        self.live_runs = {run: process for run, process in self.live_runs.items() if process is not instance}
        for actor in self.scheduler.kill(instance):
            if actor.in_flight is not None and self.random.random() < 0.5:
                self.storage.arrive_late(actor.in_flight)

    def _terminate(self, instance: Instance) -> None:
        """SIGTERM, and SIGKILL some seconds later; nothing is sent to it any more."""
        self.instances.remove(instance)
        self.instances.append(self._new_instance())
        for money in self.books.money.values():
            money.held_back += instance.deliveries * DEAREST_USD  # what is under way counts as spent
        self.scheduler.spawn(f"{instance.name} SIGTERM", instance, instance.service._hand_on)
        self._spawn("platform", lambda: self._kill(instance), PLATFORM_GIVES_S)

    def _pause_and_resume(self) -> None:
        storage = Storage(None, make_client=lambda project: self.storage.client())
        self.scheduler.wait(self.random.uniform(0.0, 60.0))
        write_switch(storage, INPUT, paused=True, deadline=Deadline(DIRECT_S))
        self.paused_at = self.scheduler.now
        self.say("paused")
        self.scheduler.wait(self.random.uniform(0.0, 300.0))
        self.paused_at = None
        write_switch(storage, INPUT, paused=False, deadline=Deadline(DIRECT_S))
        self.say("resumed")

    def _end(self) -> None:
        """Once everything has come to rest, every process ends in good order."""
        self.scheduler.wait(ready=self.scheduler.is_at_rest)
        for instance in self.instances:
            instance.frozen_until = 0.0
            actor = self.scheduler.spawn(f"{instance.name} ends", instance, instance.budget.give_back)
            self.scheduler.wait(ready=lambda actor=actor: actor.is_done)
        self.over = True

    # --- small things

    def _spawn(self, name: str, work: Callable[[], Any], after_s: float = 0.0) -> Actor:
        return self.scheduler.spawn(name, self.platform, work, after_s)

    def _new_instance(self, machine: str | None = None) -> Instance:
        number = next(self.numbers)
        skew_s = self.random.uniform(-1, 1) * (5.0 if self.calm else self.random.choice((5.0, 5.0, 30.0, 600.0)))
        return Instance(self, f"i{number}", machine or f"m{number}", skew_s, self.random.randint(1, 2))

    def _note_change(self, bucket: str, name: str, before: Stored | None, after: Stored | None) -> None:
        self.say(f"storage: {bucket}/{name[:40]} {before and before.generation} → {after and after.generation}")
        self.books.note_change(bucket, name, before, after, self.scheduler.now)

    def _of_kinds(self, field: str, usd: float) -> None:
        for money in self.books.money.values():
            setattr(money, field, getattr(money, field) + usd)

    def _caps_usd(self) -> dict[str, float | None]:
        return {kind: None if cap is None else cap * PICTURE_USD for kind, cap in self.caps.items()}


def explore(seeds: Iterable[int], *, trace: bool = False) -> list[Violation]:
    """Run every seed → what was found."""
    found = []
    for seed in seeds:
        try:
            World(seed, trace).run()
        except Violation as violation:
            found.append(violation)
    return found


def main() -> int:
    """The command. 0: every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.delivery.explore", description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the next ones follow")
    parser.add_argument("--trace", action="store_true", help="print what happens")
    args = parser.parse_args()
    began = time.monotonic()
    found = explore(range(args.seed, args.seed + args.runs), trace=args.trace)
    for violation in found:
        print(violation)
    print(f"{args.runs:,} runs in {time.monotonic() - began:.0f} s: {len(found):,} broke a promise")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
