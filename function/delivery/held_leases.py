"""The leases that this process holds: renewed while their runs go on, handed on when the instance is asked to end."""

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
HAND_ON_S = 5.0  # Cloud Run kills an instance ten seconds after it has asked it to end


class HeldLeases:
    """The leases of the runs in work. Thread-safe."""

    def __init__(self) -> None:
        self._held: dict[LeaseHandle, None] = {}  # in the order in which they came
        self._ending = False
        self._lock = threading.Lock()

    @contextmanager
    def keep(self, lease: LeaseHandle) -> Iterator[None]:
        """Renew `lease` during the block. Raises LeaseHeldError, and hands it on, when this process is ending."""
        with self._lock:
            ending = self._ending
            self._held[lease] = None
        over = threading.Event()
        try:
            if ending:
                lease.hand_on(Deadline(HAND_ON_S))
                raise LeaseHeldError("this instance ends; the manifest was handed on")
            threading.Thread(target=_renew_until, args=(over, lease), daemon=True).start()
            yield
        finally:
            over.set()
            with self._lock:
                self._held.pop(lease, None)

    def is_ending(self) -> bool:
        """Whether this instance was asked to end."""
        with self._lock:
            return self._ending

    def hand_on_all(self) -> None:
        """Free every lease for other instances, within seconds; their runs call and commit nothing any more."""
        with self._lock:
            self._ending = True
            held = list(self._held)
        if held:
            with ThreadPoolExecutor(len(held)) as pool:
                for lease in held:
                    pool.submit(lease.hand_on, Deadline(HAND_ON_S))


def _renew_until(over: threading.Event, lease: LeaseHandle) -> None:
    while not over.wait(RENEW_EVERY_S):
        try:
            lease.renew()
        except (SupersededError, LeaseHeldError):
            return  # the run finds that out before it calls or commits
        except (TransientError, AccessDeniedError) as error:
            logger.warning("the lease could not be renewed, it is tried again: %s", error, extra={"stage": "lease"})
