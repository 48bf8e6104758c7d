"""The leases that this process holds: renewed while their runs go on, handed over when the instance is shut down."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from function.deadline import Deadline
from function.delivery.lease import LeaseHandle
from function.errors import LeaseHeldError, SupersededError, TransientError
from function.storage.client import AccessDeniedError

logger = logging.getLogger(__name__)

RENEW_EVERY_S = 20.0  # a third of LEASE_S; most pairs are over before the first
HAND_OVER_S = 5.0  # Cloud Run kills an instance ten seconds after it has asked it to end


class HeldLeases:
    """The leases of the runs in work. Thread-safe."""

    def __init__(self) -> None:
        self._held: dict[LeaseHandle, None] = {}  # in the order in which they came
        self._shutting_down = False
        self._lock = threading.Lock()

    @contextmanager
    def keep(self, lease: LeaseHandle) -> Iterator[None]:
        """Renew `lease` during the block. While this process shuts down: hand it over, and raise LeaseHeldError."""
        with self._lock:
            shutting_down = self._shutting_down
            self._held[lease] = None
        over = threading.Event()
        try:
            if shutting_down:
                lease.hand_over(Deadline(HAND_OVER_S))
                raise LeaseHeldError("this instance is shutting down; the manifest was handed over")
            threading.Thread(target=_renew_until, args=(over, lease), daemon=True).start()
            yield
        finally:
            over.set()
            with self._lock:
                self._held.pop(lease, None)

    def is_shutting_down(self) -> bool:
        """Whether this instance was told to shut down."""
        with self._lock:
            return self._shutting_down

    def hand_over_all(self) -> None:
        """Release every lease to other instances, within seconds; the runs make no further calls and commit nothing."""
        with self._lock:
            self._shutting_down = True
            held = list(self._held)
        if held:
            with ThreadPoolExecutor(len(held)) as pool:
                for lease in held:
                    pool.submit(lease.hand_over, Deadline(HAND_OVER_S))


def _renew_until(over: threading.Event, lease: LeaseHandle) -> None:
    while not over.wait(RENEW_EVERY_S):
        try:
            lease.renew()
        except (SupersededError, LeaseHeldError):
            return  # the run finds out before its next call or commit
        except (TransientError, AccessDeniedError) as error:
            logger.warning(
                "the lease was not renewed; the next renewal tries again: %s", error, extra={"stage": "lease"}
            )
