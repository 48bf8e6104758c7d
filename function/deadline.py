"""One time budget, made at the door and passed down: no call waits on its own default."""

from __future__ import annotations

import time

from function.errors import DeadlineExceededError

GRACE_PERIOD_S = 5.0  # to release a lease, or to record why, when the event's own time is used up


class Deadline:
    """A point on the monotonic clock, `seconds` from when it was made. `remaining()` and `clamp()` give seconds."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    def clamp(self, seconds: float, stage: str) -> float:
        """`seconds`, or what is left when that is less. Raises DeadlineExceededError when nothing is left."""
        left = self.remaining()
        if left <= 0:
            raise DeadlineExceededError(f"the time budget of this event was used up during {stage}", stage=stage)
        return min(seconds, left)

    def grace_period(self) -> Deadline:
        """What is left, but at least GRACE_PERIOD_S from now: for the one write that has to be tried."""
        return Deadline(max(GRACE_PERIOD_S, self.remaining()))
