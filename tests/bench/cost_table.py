"""What a deployment costs at 1,000 pairs a day: `python -m tests.bench.cost_table` prints infra/README.md's table.

The model's prices come from function/generation/models.json, the size of an instance from infra/variables.tf, and
the platform's prices from CLOUD below. Free allowances are not taken off: they are small against 30,000 pairs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from function.generation.models import model_table
from function.generation.pricing import typical_usd

PAIRS_A_DAY = 1_000
DAYS = 30
ATTEMPTS = 1.2  # pictures a pair: every fifth is asked for once more

# One pair of a 12-megapixel scene. The model's time is an assumption, ours was measured: 1.9 to 2.3 CPU seconds.
MODEL_S = 10.0
OWN_S = 2.5
AT_ONCE = {"one at a time": 1, "a catalogue": 4}

# What a pair leaves behind: a 12-megapixel scene and a product photograph up, a result and a sidecar down. The
# stored answers stay 7 days and are restorable for 7 more.
INPUT_GIB = 8 / 1024
RESULT_GIB = 8 / 1024
ANSWER_GIB = 1.5 / 1024
ANSWER_DAYS = 14
UPLOADS = 3  # scene, product, manifest; each raises an event, and only the manifest's is worked on
WRITES = UPLOADS + 6  # claim, its renewals, answers, result, sidecar
READS = 10
EVENT_KIB = 4  # an object's own description, published once and delivered once
LOG_KIB = 12  # the function's lines and the platform's request logs


@dataclass(frozen=True)
class Price:
    """USD for one unit."""

    usd: float
    unit: str
    source: str


CLOUD = {
    "cpu": Price(0.000024, "vCPU-second", "cloud.google.com/run/pricing, request-based, tier 1 regions"),
    "memory": Price(0.0000025, "GiB-second", "cloud.google.com/run/pricing, request-based, tier 1 regions"),
    "request": Price(0.40 / 1e6, "request", "cloud.google.com/run/pricing"),
    "stored": Price(0.000027397 * 730, "GiB-month", "cloud.google.com/storage/pricing, us-central1, read 2026-09-20"),
    "write": Price(0.005 / 1000, "class A operation", "cloud.google.com/storage/pricing"),
    "read": Price(0.0004 / 1000, "class B operation", "cloud.google.com/storage/pricing"),
    "event": Price(40 / 1024**3, "KiB", "cloud.google.com/pubsub/pricing, read 2026-09-20; Eventarc adds nothing"),
    "log": Price(0.50 / 1024**2, "KiB", "cloud.google.com/products/observability/pricing"),
}


def main() -> None:
    """Print both tables."""
    cpu, memory = instance()
    print(f"{PAIRS_A_DAY:,} pairs a day, {DAYS} days, {ATTEMPTS} pictures a pair, {cpu} vCPU and {memory} GiB.\n")
    table, today = model_table(), date.today()
    print("| model | USD a picture | in a batch | USD a month |")
    print("| --- | ---: | ---: | ---: |")
    for model in table.models.values():
        if model.retires and model.retires <= today:
            continue
        picture = typical_usd(model)
        batch = picture * table.batch.share_of_price
        print(f"| `{model.id}` | {picture:.4f} | {batch:.4f} | {picture * ATTEMPTS * PAIRS_A_DAY * DAYS:,.0f} |")
    print("\n| platform | USD a month | for |")
    print("| --- | ---: | --- |")
    for name, amount, what in platform(cpu, memory):
        print(f"| {name} | {amount:,.2f} | {what} |")
    print(f"\nPrices: {model_table().price_source}; " + "; ".join(sorted({p.source for p in CLOUD.values()})) + ".")


def instance() -> tuple[int, int]:
    """vCPUs and GiB of an instance, as infra/ deploys it unless told otherwise."""
    text = (Path(__file__).parents[2] / "infra" / "variables.tf").read_text(encoding="utf-8")
    cpu, memory = (
        int(re.search(rf'variable "{name}" {{[^}}]*?default\s*=\s*(\d+)', text)[1]) for name in ("cpu", "memory_gib")
    )
    return cpu, memory


def platform(cpu: int, memory: int) -> list[tuple[str, float, str]]:
    """(what, USD a month, of how much) for everything but the model."""
    pairs = PAIRS_A_DAY * DAYS
    rows = []
    for case, at_once in AT_ONCE.items():
        seconds = pairs * (MODEL_S * ATTEMPTS + OWN_S) / at_once
        amount = seconds * (cpu * CLOUD["cpu"].usd + memory * CLOUD["memory"].usd)
        amount += pairs * UPLOADS * CLOUD["request"].usd
        rows.append((f"compute, {case}", amount, f"{seconds:,.0f} s of an instance"))
    kept = pairs * (INPUT_GIB + RESULT_GIB)
    work = PAIRS_A_DAY * ANSWER_DAYS * ATTEMPTS * ANSWER_GIB
    rows += [
        ("storage", (kept + work) * CLOUD["stored"].usd, f"{kept + work:,.0f} GiB; each further month kept, again"),
        (
            "storage operations",
            pairs * (WRITES * CLOUD["write"].usd + READS * CLOUD["read"].usd),
            f"{pairs * WRITES:,} writes, {pairs * READS:,} reads",
        ),
        ("events", pairs * UPLOADS * 2 * EVENT_KIB * CLOUD["event"].usd, f"{pairs * UPLOADS:,} events"),
        ("logs", pairs * LOG_KIB * CLOUD["log"].usd, f"{pairs * LOG_KIB / 1024:,.0f} MiB"),
    ]
    return rows


if __name__ == "__main__":
    main()
