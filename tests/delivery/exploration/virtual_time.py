"""Threads that take turns, on clocks that are not the machine's: the same seed gives the same interleaving.

One actor runs at a time. It gives up its turn only in `Scheduler.wait`, which everything that would take time ends in:
a request, a sleep, a lock that is held. The next turn is that of the actor whose time comes first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

MAX_TURNS = 50_000  # of one run; the longest take some 3,000


def _held_lock() -> threading.Lock:
    """A baton: who acquires it waits until somebody else releases it. A third of the cost of a semaphore."""
    lock = threading.Lock()
    lock.acquire()
    return lock


class KilledError(BaseException):
    """The process of this actor was killed: nothing more is done by it."""


class StuckError(Exception):
    """Everybody waits for somebody else, or nobody ever ends."""


class Process:
    """What is killed and stands still together. `skew_s`: how far its clock is ahead of the true time."""

    def __init__(self, name: str, skew_s: float = 0.0):
        self.name, self.skew_s = name, skew_s
        self.frozen_until = 0.0
        self.is_dead = False


class Actor:
    """One thread. `in_flight` is what it has sent and what has not arrived yet."""

    def __init__(self, name: str, process: Process, work: Callable[[], Any]):
        self.name, self.process, self.work = name, process, work
        self.turn = _held_lock()
        self.wake_at = 0.0
        self.ready: Callable[[], bool] | None = None
        self.is_done = False
        self.result: Any = None
        self.failure: BaseException | None = None
        self.in_flight: Callable[[], Any] | None = None
        self.notes: dict[str, Any] = {}


class Scheduler:
    """Gives the turns. `now` is the true time, seconds from the beginning of the run."""

    def __init__(self) -> None:
        self.now = 0.0
        self._actors: list[Actor] = []
        self._back = _held_lock()
        self._mine = threading.local()
        self._turns = 0

    @property
    def current(self) -> Actor | None:
        """The actor whose thread this is; None in any other thread."""
        return getattr(self._mine, "actor", None)

    def spawn(self, name: str, process: Process, work: Callable[[], Any], after_s: float = 0.0) -> Actor:
        """A new actor, which has its first turn `after_s` from now."""
        actor = Actor(name, process, work)
        actor.wake_at = self.now + after_s
        self._actors.append(actor)
        threading.Thread(target=self._act, args=(actor,), daemon=True).start()
        return actor

    def wait(self, seconds: float | None = None, ready: Callable[[], bool] | None = None) -> None:
        """Let others have their turns for so long, or until `ready` says so. Raises KilledError."""
        actor = self.current
        if actor is None:
            raise RuntimeError("only actors wait")
        if not actor.process.is_dead:
            actor.wake_at = float("inf") if seconds is None else self.now + seconds
            actor.ready = ready
            self._back.release()
            actor.turn.acquire()
        if actor.process.is_dead:
            raise KilledError

    def kill(self, process: Process) -> list[Actor]:
        """End every actor of a process → those that had something in flight."""
        process.is_dead = True
        return [actor for actor in self._actors if actor.process is process and actor.in_flight is not None]

    def is_at_rest(self, waiting: int = 0) -> bool:
        """Whether only the actor that asks is left, and so many that wait for everything to be at rest."""
        return len(self._actors) == 1 + waiting

    def run(self, is_over: Callable[[], bool]) -> None:
        """Give turns until `is_over`, then end what is left. Raises StuckError, and what an actor raised that was not
        looked for."""
        try:
            while not is_over():
                self._give_turn()
        finally:
            for actor in self._actors:
                actor.process.is_dead = True
            while self._actors:
                self._give_turn()

    def _give_turn(self) -> None:
        self._turns += 1
        when, actor = min(
            ((self._when(actor), actor) for actor in self._actors), key=lambda one: one[0], default=(0.0, None)
        )
        if actor is None or when == float("inf") or self._turns > MAX_TURNS:
            raise StuckError(f"after {self._turns} turns: " + ", ".join(one.name for one in self._actors))
        self.now = max(self.now, when)
        actor.ready = None
        actor.turn.release()
        self._back.acquire()
        if actor.is_done:
            self._actors.remove(actor)
            if actor.failure is not None:
                raise actor.failure

    def _when(self, actor: Actor) -> float:
        if actor.process.is_dead:
            return self.now
        when = self.now if actor.ready is not None and actor.ready() else actor.wake_at
        return max(when, actor.process.frozen_until)

    def _act(self, actor: Actor) -> None:
        self._mine.actor = actor
        actor.turn.acquire()
        try:
            if not actor.process.is_dead:
                actor.result = actor.work()
        except KilledError:
            pass
        except BaseException as error:  # noqa: BLE001 (handed to the thread that runs the scheduler)
            actor.failure = error
        finally:
            actor.is_done = True
            self._back.release()


class VirtualThreading:
    """Stands in for the module `threading` in the code under test: what it makes waits by taking turns."""

    def __init__(self, scheduler: Scheduler):
        self._scheduler = scheduler

    def Lock(self) -> VirtualLock:
        """As threading.Lock."""
        return VirtualLock(self._scheduler)

    RLock = Lock

    def Condition(self) -> VirtualCondition:
        """As threading.Condition."""
        return VirtualCondition(self._scheduler)

    def Event(self) -> VirtualEvent:
        """As threading.Event."""
        return VirtualEvent(self._scheduler)

    def Thread(self, target: Callable[..., Any], args: tuple[Any, ...], daemon: bool) -> VirtualThread:
        """As threading.Thread."""
        return VirtualThread(self._scheduler, target, args)


class VirtualLock:
    """A lock that its holder may take again."""

    def __init__(self, scheduler: Scheduler):
        self._scheduler = scheduler
        self._holder: Actor | None = None
        self._depth = 0

    def __enter__(self) -> VirtualLock:
        me = self._scheduler.current
        if self._depth and self._holder is not me:
            self._scheduler.wait(ready=lambda: not self._depth)
        self._holder = me
        self._depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1


class VirtualCondition(VirtualLock):
    """A condition with its own lock."""

    _notified = 0

    def wait(self, timeout: float | None = None) -> None:
        """As threading.Condition.wait."""
        depth, self._depth = self._depth, 0
        before = self._notified
        try:
            self._scheduler.wait(timeout, lambda: self._notified > before and not self._depth)
            while self._depth:  # the time was up, and somebody else has the lock
                self._scheduler.wait(ready=lambda: not self._depth)
        finally:
            self._holder, self._depth = self._scheduler.current, depth

    def notify_all(self) -> None:
        """As threading.Condition.notify_all."""
        self._notified += 1


class VirtualEvent:
    """An event."""

    def __init__(self, scheduler: Scheduler):
        self._scheduler, self._is_set = scheduler, False

    def set(self) -> None:
        """As threading.Event.set."""
        self._is_set = True

    def wait(self, timeout: float) -> bool:
        """As threading.Event.wait."""
        if not self._is_set:
            self._scheduler.wait(timeout, lambda: self._is_set)
        return self._is_set


class VirtualThread:
    """A thread of the process that starts it."""

    def __init__(self, scheduler: Scheduler, target: Callable[..., Any], args: tuple[Any, ...]):
        self._scheduler, self._target, self._args = scheduler, target, args

    def start(self) -> None:
        """As threading.Thread.start."""
        parent = self._scheduler.current
        if parent is None:
            raise RuntimeError("only actors start threads")
        actor = self._scheduler.spawn("thread of " + parent.name, parent.process, lambda: self._target(*self._args))
        actor.notes = parent.notes


class VirtualPool:
    """Stands in for ThreadPoolExecutor: one actor for each task, and all are waited for at the end of the block."""

    def __init__(self, scheduler: Scheduler):
        self._scheduler = scheduler
        self._actors: list[Actor] = []

    def __enter__(self) -> VirtualPool:
        return self

    def __exit__(self, *_: object) -> None:
        while not all(actor.is_done for actor in self._actors):
            self._scheduler.wait(ready=lambda: all(actor.is_done for actor in self._actors))

    def submit(self, work: Callable[..., Any], *args: Any, **options: Any) -> Future[Any]:
        """As ThreadPoolExecutor.submit."""
        parent, future = self._scheduler.current, Future()
        if parent is None:
            raise RuntimeError("only actors submit")

        def act() -> None:
            try:
                future.set_result(work(*args, **options))
            except Exception as error:  # noqa: BLE001 (it is the future's)
                future.set_exception(error)

        actor = self._scheduler.spawn("task of " + parent.name, parent.process, act)
        actor.notes = parent.notes
        self._actors.append(actor)
        return future
