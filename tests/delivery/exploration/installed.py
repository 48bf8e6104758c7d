"""Puts a world's clocks, locks, threads and randomness in the place of the machine's, for as long as a run lasts."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import tenacity.wait

import function.batch.context as batch_context_module
import function.batch.gather as gather_module
import function.batch.records as records_module
import function.budget.account as account_module
import function.budget.budget as budget_module
import function.delivery.held_leases as held_leases_module
import function.delivery.lease as lease_module
import function.delivery.lease_record as lease_record_module
import function.delivery.pair as pair_module
import function.delivery.switch as switch_module
import function.generation.backoff as backoff_module
import function.pipeline.attempts as attempts_module
import function.pipeline.stage_times as stage_times_module
import function.service as service_module
from function.delivery.services import Delivery
from tests.delivery.exploration.instance import pretended_judgement, pretended_request, run_pretended_pair
from tests.delivery.exploration.virtual_time import VirtualPool, VirtualThreading

MONOTONIC_START_S = 1000.0
WITH_THREADS = (account_module, budget_module, held_leases_module, lease_module, switch_module)
WITH_RANDOM = (account_module, budget_module, backoff_module, tenacity.wait)
_time, _monotonic, _sleep = time.time, time.monotonic, time.sleep


class _Heard(logging.Handler):
    def __init__(self, world: Any):
        super().__init__(logging.INFO)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        self._world.hear(record)


@contextmanager
def _heard_by(world: Any) -> Iterator[None]:
    """What the code logs goes to `world` alone."""
    logger, level = logging.getLogger("function"), logging.getLogger("function").level
    logger.setLevel(logging.INFO)
    with patch.object(logger, "handlers", [_Heard(world)]), patch.object(logger, "propagate", False):
        yield
    logger.setLevel(level)


@contextmanager
def installed(world: Any) -> Iterator[None]:
    """Code that actors run is in `world` during the block; other threads keep what is real."""
    scheduler = world.scheduler

    def now() -> float:
        actor = scheduler.current
        return world.clock(actor.process).timestamp() if actor else _time()

    def monotonic() -> float:
        return MONOTONIC_START_S + scheduler.now if scheduler.current else _monotonic()

    def sleep(seconds: float) -> None:
        (scheduler.wait if scheduler.current else _sleep)(seconds)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return world.clock(scheduler.current.process)

    def began_now(*arguments: Any) -> Delivery:
        return Delivery(*arguments, began=now())

    with ExitStack() as stack:

        def put(owner: Any, name: str, value: Any) -> None:
            if hasattr(owner, name):
                stack.enter_context(patch.object(owner, name, value))

        for name, value in (("time", now), ("monotonic", monotonic), ("sleep", sleep)):
            put(time, name, value)
        put(stage_times_module, "monotonic", monotonic)
        put(account_module, "datetime", Clock)
        for module in WITH_THREADS:
            put(module, "threading", VirtualThreading(scheduler))
        for module in WITH_RANDOM:
            put(module, "random", world.random)
        stack.enter_context(_heard_by(world))
        for module in (pair_module, held_leases_module, batch_context_module):
            put(module, "ThreadPoolExecutor", lambda *_, **__: VirtualPool(scheduler))
        for module in (lease_module, gather_module, records_module):
            put(module, "uuid", SimpleNamespace(uuid4=lambda: SimpleNamespace(hex=f"{next(world.numbers):032x}")))
        liveness_lock = world.liveness_lock()
        for module in (lease_module, lease_record_module):
            put(module, "ProcessLivenessLock", liveness_lock)
            put(module, "machine_identity", lambda: scheduler.current.process.machine)
        # There is no connection whose reading could take long.
        put(service_module, "read_body", lambda request, *_, **__: request.get_data())
        put(pair_module, "Delivery", began_now)
        put(pair_module, "fetch_sources", lambda *_: {})
        put(pair_module, "run_pair", lambda pair, picked: run_pretended_pair(pair, scheduler.current.process.revision))
        put(attempts_module, "composite_request", pretended_request)
        put(attempts_module, "_judged", pretended_judgement)
        for placing in ("given_place", "place_after"):  # the model places the product in every attempt
            put(attempts_module, placing, lambda *_: None)
        for module, name, value in world.limits():
            put(module, name, value)
        yield
