"""What an instance of the function does with a simulated delivery."""

from __future__ import annotations

import random
from collections import Counter
from typing import Literal

from function.generation.backoff import FIRST_BACKOFF_S, JITTER, MAX_BACKOFF_S
from function.generation.gemini.client import MAX_TRIES
from tests.bench.queue_setting import DAY_S, MINUTE_S, QueueRun, Setting

OWN_S = 2.0  # the function's own work on a pair
CALL_S = (6.0, 12.0)  # of the model, evenly: 6 s at its quickest
BROKEN_OFF = 0.01  # of the deliveries end in a 503 on an ordinary day: a connection that broke, an image not there yet
QUICK_S = 0.1  # an answer without any work
Answer = Literal["settled", "again", "turned away"]


class SimulatedFunction:
    """What an instance does with a delivery, and the lines that it writes."""

    def __init__(self, setting: Setting, result: QueueRun, dice: random.Random):
        self._setting, self._result, self._dice = setting, result, dice
        self._calls: Counter[int] = Counter()  # by minute
        self._spent: Counter[int] = Counter()  # by day

    def work(self, now: float) -> tuple[float, Answer]:
        """One delivery → (when it is answered, "settled" or "again")."""
        setting, dice = self._setting, self._dice
        if now in setting.crashing:
            return self._answer(now + OWN_S, "5xx"), "again"
        if now in setting.paused:
            return self._again(now + QUICK_S, ""), "again"
        if dice.random() < BROKEN_OFF:
            return self._again(now + OWN_S, "source_missing"), "again"
        pictures = 2 if dice.random() < setting.pictures_again else 1
        end, usd = now, 0.0
        for _ in range(pictures):
            if setting.max_usd_per_day is not None and self._spent[int(end // DAY_S)] >= setting.max_usd_per_day:
                return self._again(end + QUICK_S, "budget_exhausted"), "again"
            end, answered = self._call(end)
            if not answered:
                return self._again(end, "model_unavailable"), "again"
            usd += setting.usd_a_picture
        self._settle(end + OWN_S, usd)
        return end + OWN_S, "settled"

    def _call(self, now: float) -> tuple[float, bool]:
        """A call of the model, tried again while its quota is used up → (when it ends, whether it was answered)."""
        quota = self._setting.quota or self._setting.calls_a_minute
        for number in range(1, MAX_TRIES + 1):
            minute = int(now // MINUTE_S)
            if self._calls[minute] < quota:
                self._calls[minute] += 1
                end = now + self._dice.uniform(*CALL_S)
                self._spent[int(end // DAY_S)] += self._setting.usd_a_picture  # type: ignore[assignment]
                self._result.add(end, "answered_usd_sum", amount=self._setting.usd_a_picture)
                self._result.add(end, "answered_usd_count")
                return end, True
            self._result.add(now, "model_busy", "429")
            now += min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2 ** (number - 1)) * (1 + JITTER * self._dice.random())
        return now, False

    def _settle(self, now: float, usd: float) -> None:
        chance = self._dice.random()
        failed, review = self._setting.failed, self._setting.failed + self._setting.in_review
        status = "failed" if chance < failed else "review" if chance < review else "accepted"
        self._result.add(now, "settled", status)
        self._result.add(now, "usd_sum", amount=usd)
        self._result.add(now, "usd_count")
        self._answer(now, "2xx")

    def _again(self, now: float, code: str) -> float:
        self._result.add(now, "deliver_again", code)
        return self._answer(now, "5xx")

    def _answer(self, now: float, response_class: str) -> float:
        self._result.add(now, "request_count", response_class)
        return now
