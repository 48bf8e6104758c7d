"""A permit for the stages that work on pixels: eight huge pairs at once fit into memory, and each finishes early.

As many work at a time as there are cores. Were all of them at it, each would take as long as all together, and the
model would be asked by all at once and then by nobody.
"""

from __future__ import annotations

import os
import threading
from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from functools import cache
from itertools import count
from pathlib import Path

from function.deadline import Deadline
from function.errors import DeadlineExceeded

CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
# What the process needs without any pixels: libraries (about 250 MiB), and of eight events that wait for the network
# the images' own bytes (50 MiB at most each) and analyses.
RESERVED_BYTES = 650 * 2**20
LEAST_BYTES = 400 * 2**20  # one 50-megapixel pair has to be possible
MOST_BYTES = 550 * 2**20  # two cores have no use for more at once, and eight huge pairs stay under 1.7 GiB
KEPT_SHARE = 0.4  # of the working bytes, besides them, for pixels that wait for the model's answer


class Turn(IntEnum):
    """Whose work comes first: the shortest, so that everybody waits the least."""

    BEFORE_MODEL = 0  # the model's ten seconds begin the sooner
    FINISH = 1
    EXAMINE = 2


class PixelPermit:
    """Hands out bytes to so many workers, by their turn and then in the order they were asked for; who asks for more
    than there is gets all of it, alone.

    Besides, pixels may be kept across a wait while `kept_bytes` last: nobody waits for those, so that who waits for
    working bytes never waits for an answer of the network.
    """

    def __init__(self, total_bytes: int, workers: int, kept_bytes: int = 0):
        self._total = self._free = total_bytes
        self._idle = workers
        self._keepable = kept_bytes
        self._queue: list[tuple[Turn, int]] = []  # sorted: the turn, and the number of the arrival
        self._arrivals = count()
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, wanted_bytes: int, deadline: Deadline, turn: Turn = Turn.EXAMINE) -> Iterator[None]:
        """Wait for `wanted_bytes` and a turn, hold both for the block. Raises DeadlineExceeded."""
        wanted = min(wanted_bytes, self._total)
        with self._changed:
            ticket = (turn, next(self._arrivals))
            insort(self._queue, ticket)
            try:
                ready = self._changed.wait_for(
                    lambda: self._queue[0] == ticket and self._idle and self._free >= wanted,
                    timeout=deadline.remaining(),
                )
                if not ready:
                    raise DeadlineExceeded("the pictures' turn did not come in time", stage="prepare")
                self._free -= wanted
                self._idle -= 1
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._idle += 1
                self._changed.notify_all()

    def keep(self, wanted_bytes: int) -> bool:
        """Whether so many bytes may be kept; who was told so gives them back."""
        with self._changed:
            if wanted_bytes > self._keepable:
                return False
            self._keepable -= wanted_bytes
            return True

    def give_back(self, kept_bytes: int) -> None:
        """The end of `keep`."""
        with self._changed:
            self._keepable += kept_bytes


@cache
def process_permit() -> PixelPermit:
    """The permit of this process, sized from its memory limit."""
    room = int((memory_limit_bytes() - RESERVED_BYTES) * 0.9)
    working = max(LEAST_BYTES, min(MOST_BYTES, int(room / (1 + KEPT_SHARE))))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return PixelPermit(working, cores or 1, max(0, min(int(KEPT_SHARE * working), room - working)))


def memory_limit_bytes() -> int:
    """The container's memory limit, or the machine's memory."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in CGROUP_LIMITS:
        try:
            text = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdecimal():
            return min(physical, int(text))
    return physical
