"""The simulated queue: it has Terraform's numbers, and with them a catalogue of any size loses nothing."""

import re

import pytest

from tests.bench import queue
from tests.bench.queue import simulate
from tests.bench.queue_setting import (
    CALLS_A_MINUTE,
    CONCURRENCY,
    DAY_S,
    HOUR_S,
    PAIR_S,
    RETENTION_DAYS,
    Period,
    Setting,
)
from tests.terraform import INFRA


def test_the_simulation_has_terraform_s_numbers():
    dead_letters, variables = ((INFRA / name).read_text() for name in ("dead_letters.tf", "variables.tf"))

    def default_of(name):
        return float(re.search(rf'variable "{name}" {{\n.*\n  default += (.+)', variables)[1])

    assert int(re.search(r"delivery_attempts = (\d+)", dead_letters)[1]) == queue.MAX_DELIVERIES
    assert int(re.search(r"event_retention_days = (\d+)", dead_letters)[1]) == RETENTION_DAYS
    waits = re.search(r"min\((\d+), (\d+) \* pow\(2, min\(n, 6\)\)\)", dead_letters)
    assert (int(waits[1]), int(waits[2])) == (queue.MAX_WAIT_S, queue.FIRST_WAIT_S)
    assert default_of("model_requests_per_minute") == CALLS_A_MINUTE
    assert default_of("pair_seconds") == PAIR_S and default_of("concurrency") == CONCURRENCY
    # 99 waits before the hundredth delivery, as the alerts' texts promise.
    assert sum(queue.wait_s(number) for number in range(1, queue.MAX_DELIVERIES)) == 56_430


@pytest.mark.parametrize(
    "setting",
    [
        Setting(100),
        Setting(10_000),
        Setting(100_000),
        Setting(100_000, calls_a_minute=10),  # two weeks
        Setting(10_000, max_usd_per_day=25),  # eighteen days of money
        Setting(10_000, paused=Period(0, DAY_S)),
        Setting(10_000, refused=Period(HOUR_S, DAY_S)),
    ],
    ids=["100", "10,000", "100,000", "a small quota", "a small cap", "paused for a day", "refused for a day"],
)
def test_nothing_is_lost(setting):
    run = simulate(setting)
    assert (run.settled, run.dead_letters, run.dropped) == (setting.rows, 0, 0)
    assert run.deliveries >= run.settled


def test_with_the_retention_of_before_the_end_of_a_long_catalogue_was_dropped():
    run = simulate(Setting(100_000, calls_a_minute=10, retention_days=7))
    assert run.dropped > 10_000


def test_redrive_brings_what_a_queue_gives_up_that_does_not_hold_back():
    """The worst that the retry policy allows: every event is delivered whenever its wait is over."""
    worst = simulate(Setting(2_000, holds_back=False))
    assert worst.dead_letters > 100 and worst.settled + worst.dead_letters == 2_000
    mended = simulate(Setting(2_000, holds_back=False, redrive_after_s=HOUR_S))
    assert mended.settled == 2_000 and mended.dead_letters == 0 and mended.redrives >= 1
