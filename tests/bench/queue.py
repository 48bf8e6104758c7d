"""What becomes of a catalogue's events in the queue: `python -m tests.bench.queue` prints infra/README.md's table.

A discrete simulation of Pub/Sub's push as cloud.google.com/pubsub/docs/push and /handling-failures describe it:

- An event is delivered until it is acknowledged, with waits that double from 10 to 600 s, 100 times at the most, and
  is a dead letter then.
- What is older than the subscription's retention is dropped.
- Slow start: as many deliveries are out at once as the push window has places. It begins with a few, grows with each
  success and shrinks with each failure. What waits for a place has used no delivery.
- Push back-off: where many are refused, 0.1 to 60 s pass between deliveries, the more the larger the refused share.

What finds every place of every instance taken is answered 429 by Cloud Run, at once: that it may hold a request back
for ten seconds first is not counted on. Inside, the function settles the pair or answers 503. The number of places
follows from the model's quota as infra/function.tf derives it.

How fast the window moves is not documented, and nothing here was measured on the platform. So the table has a second
answer: a Pub/Sub that does not hold back at all, the worst that its retry policy allows.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from tests.bench.queue_function import QUICK_S, Answer, SimulatedFunction
from tests.bench.queue_setting import DAY_S, HOUR_S, MINUTE_S, QueueRun, Setting

# As infra/dead_letters.tf has them; a test compares.
MAX_DELIVERIES = 100
FIRST_WAIT_S, MAX_WAIT_S = 10, 600

ROWS_A_SECOND = 300.0  # manifests that a catalogue's delivery writes: 32 at a time, 0.1 s each
FIRST_WINDOW, MAX_WINDOW = 5, 3000  # "a small single-digit window"; 3,000 outstanding per region
MIN_PACE_S, MAX_PACE_S = 0.1, 60.0
# The documented examples: one refused of five, 0.5 s between deliveries; all refused, 30 to 60 s. 0.1 x 600^share has
# 0.36 s and 60 s.
REFUSALS_REMEMBERED = 20  # answers that the refused share is a moving mean of


def wait_s(delivery: int) -> float:
    """Seconds until the next delivery, after `delivery` (from 1) was in vain."""
    return min(MAX_WAIT_S, FIRST_WAIT_S * 2 ** min(delivery - 1, 10))


def simulate(setting: Setting, seed: int = 1) -> QueueRun:
    """Upload a catalogue, and let the queue do its work until nothing is in it."""
    return _Queue(setting, seed).run()


class _Queue:
    """The subscription. An entry of its agenda is (when, a running number, row, its nth delivery, answer): an event is
    due, or a delivery of it is answered. The row of an entry that only wakes the queue is None."""

    def __init__(self, setting: Setting, seed: int):
        self._setting, self._result = setting, QueueRun()
        self._function = SimulatedFunction(setting, self._result, random.Random(seed))
        self._numbers = itertools.count()
        self._agenda: list[tuple[float, int, int | None, int, Answer | None]] = []
        self._due: deque[tuple[int, int]] = deque()  # (row, nth delivery) that wait for the push window
        self._unsettled: dict[int, float] = {}  # row: when it was uploaded; the oldest first
        self._dead: list[int] = []
        self._flow = _Flow(setting.holds_back)
        self._places_taken = self._minute = 0

    def run(self) -> QueueRun:
        self._upload(0.0, range(self._setting.rows))
        while self._agenda:
            now, _, row, delivery, answer = heapq.heappop(self._agenda)
            self._observe(now)
            if row is not None and answer is None:
                if delivery == 1:
                    self._unsettled[row] = now
                self._due.append((row, delivery))
            elif row is not None and answer is not None:
                self._answered(now, row, delivery, answer)
            self._push_what_is_due(now)
            if not self._agenda and self._dead and self._setting.redrive_after_s is not None:
                self._result.redrives += 1
                again, self._dead = self._dead, []
                self._upload(now + self._setting.redrive_after_s, again)
        self._result.dead_letters = len(self._dead)
        return self._result

    def _upload(self, now: float, rows: Iterable[int]) -> None:
        for number, row in enumerate(rows):
            self._note(now + number / ROWS_A_SECOND, row, 1, None)

    def _note(self, when: float, row: int | None, delivery: int, answer: Answer | None) -> None:
        heapq.heappush(self._agenda, (when, next(self._numbers), row, delivery, answer))

    def _push_what_is_due(self, now: float) -> None:
        while self._due and self._flow.has_place():
            if now < self._flow.next_push:
                if not self._flow.woken:
                    self._flow.woken = True
                    self._note(self._flow.next_push, None, 0, None)
                return
            row, delivery = self._due.popleft()
            if now - self._unsettled[row] > self._setting.retention_days * DAY_S:
                self._result.dropped += 1
                del self._unsettled[row]
                continue
            self._flow.pushed(now)
            self._deliver(now, row, delivery)

    def _deliver(self, now: float, row: int, delivery: int) -> None:
        run, setting = self._result, self._setting
        run.deliveries += 1
        run.most_deliveries = max(run.most_deliveries, delivery)
        if now in setting.refused or self._places_taken >= setting.places:
            run.add(now, "turned_away", "403" if now in setting.refused else "429")
            self._note(now + QUICK_S, row, delivery, "turned away")
        else:
            self._places_taken += 1
            end, answer = self._function.work(now)
            self._note(end, row, delivery, answer)

    def _answered(self, now: float, row: int, delivery: int, answer: Answer) -> None:
        self._places_taken -= answer != "turned away"
        self._flow.answered(answer == "settled")
        if answer == "settled":
            self._result.settled += 1
            self._result.seconds = max(self._result.seconds, now)
            del self._unsettled[row]
        elif delivery >= MAX_DELIVERIES:
            self._dead.append(row)
            del self._unsettled[row]
        else:
            self._note(now + wait_s(delivery), row, delivery + 1, None)

    def _observe(self, now: float) -> None:
        """The queue's own metrics, at the end of each minute that has gone by."""
        while now >= (self._minute + 1) * MINUTE_S:
            end = (self._minute + 1) * MINUTE_S
            oldest = next(iter(self._unsettled.values()), end)
            self._result.gauges["num_undelivered_messages"][self._minute] = len(self._unsettled)
            self._result.gauges["oldest_unacked_message_age"][self._minute] = end - oldest
            self._minute += 1


class _Flow:
    """How many deliveries may be out at once, and when the next may go out."""

    def __init__(self, holds_back: bool):
        self._holds_back = holds_back
        self._window, self._out, self._refused_share = float(FIRST_WINDOW), 0, 0.0
        self.next_push = 0.0
        self.woken = False  # an entry of the agenda will come at next_push

    def has_place(self) -> bool:
        """Whether the push window has room for one more."""
        return not self._holds_back or self._out < int(self._window)

    def pushed(self, now: float) -> None:
        """A delivery goes out."""
        self._out += 1
        self.woken = False
        if self._holds_back and self._refused_share > 0.5 / REFUSALS_REMEMBERED:
            self.next_push = now + MIN_PACE_S * (MAX_PACE_S / MIN_PACE_S) ** self._refused_share

    def answered(self, settled: bool) -> None:
        """One comes back."""
        self._out -= 1
        self._refused_share += ((not settled) - self._refused_share) / REFUSALS_REMEMBERED
        self._window = min(MAX_WINDOW, self._window + 1) if settled else max(1.0, self._window / 2)


ROWS, RATES = (100, 10_000, 100_000), (60, 200, 600)
HEAD = "calls a minute | rows | settled after | deliveries a pair | dead letters, dropped | dead letters at the worst"


def main() -> None:
    """Print the table."""
    print(f"| {HEAD} |\n|{' ---: |' * (HEAD.count('|') + 1)}")
    for calls_a_minute, rows in itertools.product(RATES, ROWS):
        setting = Setting(rows, calls_a_minute)
        run, worst = simulate(setting), simulate(replace(setting, holds_back=False))
        cells = (
            f"{calls_a_minute}",
            f"{rows:,}",
            f"{run.seconds / HOUR_S:.1f} h",
            f"{run.deliveries / rows:.1f}",
            f"{run.dead_letters}, {run.dropped}",
            f"{worst.dead_letters:,}",
        )
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
