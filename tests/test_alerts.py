"""The alerts, as Terraform plans them, evaluated on simulated queues: each tells of its trouble, and none of them of an
ordinary day."""

import json
import re
from datetime import date

import pytest

from function.settings import Settings
from tests.bench.queue import simulate
from tests.bench.queue_setting import HOUR_S, MINUTE_S, Period, QueueRun, Setting
from tests.promql import Query, Series
from tests.terraform import needs_terraform, run, scripted, terraform

__all__ = ["terraform"]  # a fixture

pytestmark = needs_terraform
ORDINARY_USD_A_DAY = 600  # whoever uploads 10,000 rows has raised the cap: they cost about 470 USD
CALM_MINUTES = 180  # looked at after the last row
PLANNED = """
mock_provider "google" {}
mock_provider "google" {
  alias = "billing"
}
mock_provider "archive" {}
mock_provider "time" {}
mock_provider "random" {}

run "alerts" {
  command = plan

  variables {
    project_id      = "demo-project"
    use_gcloud      = false
    max_usd_per_day = MAX_USD
  }
}
"""
LABELS = {
    "settled": "status",
    "deliver_again": "error_code",
    "turned_away": "status",
    "model_busy": "status",
    "request_count": "response_code_class",
}


def planned_policies(terraform, max_usd_per_day):
    """Alert policies by name, as planned."""
    command, folder = terraform
    with scripted(folder, PLANNED.replace("MAX_USD", str(max_usd_per_day))) as only:
        plan = run([*command, "test", "-json", "-verbose", only], folder)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    lines = [json.loads(line) for line in plan.stdout.splitlines()]
    (planned,) = [line["test_plan"] for line in lines if line["type"] == "test_plan"]
    return {
        change["index"]: change["change"]["after"]
        for change in planned["resource_changes"]
        if change["type"] == "google_monitoring_alert_policy" and "index" in change
    }


@pytest.fixture(scope="module")
def ordinary(terraform):
    """Alert policies of a deployment whose cap suits its catalogues, by name."""
    return planned_policies(terraform, ORDINARY_USD_A_DAY)


@pytest.fixture(scope="module")
def catalogue():
    """The queue of an ordinary catalogue of 10,000 rows."""
    return simulate(Setting(10_000))


def series_of(queue: QueueRun, minutes: int) -> list[Series]:
    """The run's metrics under the names and labels that PromQL knows them by."""
    found = []
    for (name, *labels), counts in queue.counts.items():
        system = name == "request_count"
        full = f"run_googleapis_com:{name}" if system else f"logging_googleapis_com:user_composite_{name}"
        named = {"monitored_resource": "cloud_run_revision"} | ({"service_name": "composite"} if system else {})
        found.append(
            Series(
                full,
                named | ({LABELS[name]: labels[0]} if labels else {}),
                [counts.get(minute, 0.0) for minute in range(minutes)],
            )
        )
    for name, values in queue.gauges.items():
        subscription = "eventarc-us-central1-composite-123456-sub-789"
        found.append(
            Series(
                f"pubsub_googleapis_com:subscription_{name}",
                {"monitored_resource": "pubsub_subscription", "subscription_id": subscription},
                [values.get(minute, 0.0) for minute in range(minutes)],
                counter=False,
            )
        )
    return found


def first_minute(text: str, holds_minutes: int, queue: QueueRun) -> int | None:
    """The minute by which a query has had a result for so long without a break; None when it never has."""
    minutes = max(max(values, default=0) for values in [*queue.counts.values(), *queue.gauges.values()]) + CALM_MINUTES
    query, held = Query(text, series_of(queue, minutes)), 0
    for minute in range(minutes):
        held = held + 1 if query.at(minute) is not None else 0
        if held > holds_minutes:
            return minute
    return None


def raised(policies, queue):
    """The alerts that the queue raises → the minute in which each is first raised."""
    told = {}
    for name, policy in policies.items():
        for condition in policy["conditions"][0]["condition_prometheus_query_language"]:
            assert policy["enabled"]
            minute = first_minute(condition["query"], int(condition["duration"].removesuffix("s")) // 60, queue)
            told |= {} if minute is None else {name: minute}
    return told


def test_an_ordinary_catalogue_raises_no_alert(ordinary, catalogue):
    assert catalogue.settled == 10_000 and catalogue.dead_letters == catalogue.dropped == 0
    assert raised(ordinary, catalogue) == {}


def test_what_was_watched_before_would_have_raised_three(catalogue):
    """Thresholds in absolute numbers: the age of the oldest event, failures and money of an hour."""
    settled, spent = (
        "logging_googleapis_com:user_composite_settled",
        "logging_googleapis_com:user_composite_answered_usd_sum",
    )
    assert first_minute("pubsub_googleapis_com:subscription_oldest_unacked_message_age > 4560", 5, catalogue) == 81
    assert first_minute(f'sum(increase({settled}{{status="failed"}}[1h])) >= 5', 0, catalogue)
    assert first_minute(f"sum(increase({spent}[1h])) > 20", 0, catalogue)


@pytest.mark.parametrize(
    "setting",
    [
        Setting(1),
        Setting(100),
        Setting(2_000, calls_a_minute=10),
        Setting(500, paused=Period(600, 4 * HOUR_S)),
        Setting(10_000, calls_a_minute=600),
        Setting(1_000, calls_a_minute=200, holds_back=False),
    ],
    ids=["one pair", "a small catalogue", "a small quota", "paused", "a large quota", "deliveries in waves"],
)
def test_nor_does_an_ordinary_day(ordinary, setting):
    assert raised(ordinary, simulate(setting)) == {}


START_S = 2 * HOUR_S
TROUBLE = Period(START_S, START_S + 2 * HOUR_S)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (Setting(10_000, refused=TROUBLE), {"stalled", "refused"}),
        (Setting(10_000, crashing=TROUBLE), {"stalled", "server_errors"}),
        (Setting(2_000, failed=0.3), {"failures"}),
        (Setting(2_000, usd_a_picture=0.1344), {"dear_pairs"}),
        (Setting(2_000, quota=12), {"model_busy"}),
        (Setting(500, in_review=1.0, failed=0.0), {"no_acceptance"}),
    ],
    ids=["refused", "crashing", "failing", "a dearer model", "a smaller quota", "nothing accepted"],
)
def test_each_trouble_raises_its_own(ordinary, setting, expected):
    assert set(raised(ordinary, simulate(setting))) == expected


def test_an_outage_is_told_of_within_25_minutes(ordinary):
    for setting in (Setting(10_000, refused=TROUBLE), Setting(10_000, crashing=TROUBLE)):
        minute = raised(ordinary, simulate(setting))["stalled"]
        assert 15 <= minute - START_S // MINUTE_S <= 25


def test_money_is_told_of_where_the_cap_was_not_meant_for_it(terraform):
    """At the default cap of 25 USD the same catalogue is news; that its rows wait for tomorrow's money is not a
    standstill."""
    told = raised(planned_policies(terraform, 25), simulate(Setting(1_500, max_usd_per_day=25)))
    assert set(told) == {"spend"}


PLATFORM_LINES = [
    "Memory limit of 4096 MiB exceeded with 4127 MiB used. Consider increasing the memory limit, see "
    "https://cloud.google.com/run/docs/configuring/memory-limits",
    "While handling this request, the container instance was found to be using too much memory and was terminated.",
]


def test_the_lines_that_alerts_wait_for_are_matched(ordinary):
    def pattern(name, field):
        (condition,) = ordinary[name]["conditions"][0]["condition_matched_log"]
        return re.compile(re.search(rf'{field}=~"([^"]+)"', condition["filter"])[1])

    assert all(pattern("memory", "textPayload").search(line) for line in PLATFORM_LINES)
    settings = Settings.from_environment({"OUTPUT_BUCKET": "results", "GEMINI_API_KEY": "k"})
    for day in (date(2027, 2, 1), date(2027, 4, 1)):
        warnings = settings.warnings(day)
        assert len(warnings) == 1 and pattern("retirement", "jsonPayload.message").search(warnings[0])
    assert settings.warnings(date(2026, 6, 1)) == []
