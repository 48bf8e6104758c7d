"""Every job of a catalogue stuck for good, cancelled ones too: how long after `finish_by` is every pair settled?

    python -m tests.bench.batch_stuck --pairs 200

Nothing happens while a cancelled job's end is waited for: that wait is not sat through, but set into the jobs' records
and counted, as is one pause of the scheduler before each of the two sweeps that it takes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from function.batch.follow import CANCEL_WAIT_S
from function.tools.emulator.server import GeminiEmulator
from function.tools.local.storage_emulator import gcs_client, gcs_server
from tests.batch.place import BatchPlace
from tests.support import Cloud, wait_until

POSTERS = 8
SCHEDULER_S = 300.0  # infra/batches.tf
GOAL_S = 3 * 3600.0
WITHIN_S = 3600.0


def main() -> None:
    """Print the report, and end with 1 when a pair is not settled in time or was asked for too early."""
    parser = argparse.ArgumentParser("python -m tests.bench.batch_stuck", description=__doc__.split("\n\n")[0])
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--key", action="store_true", help="the Gemini API with a key, in place of Vertex AI")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        gcs_server(Path(folder) / "gcs.log", Path(folder) / "objects") as gcs,
        GeminiEmulator(storage_url=gcs.url) as gemini,
    ):
        place = BatchPlace(Cloud(gcs, gcs_client(gcs.url), gemini, Path(folder)), folder, vertex=not options.key)
        gemini.control(batch_faults=[{"kind": "stuck_for_good", "times": None}])
        with place.cloud.server(**place.environment(EVENT_DEADLINE_S="60")) as place.server:
            good = run(place, options.pairs)
    sys.exit(0 if good else 1)


def run(place: BatchPlace, count: int) -> bool:
    """One catalogue → whether all went well."""
    deliver(place, [place.put_rows([{"placement": f"pair {number}", "attempts": 2} for number in range(count)])])
    pairs = [f"spring/{number + 1:06}.json" for number in range(count)]
    settle(place)
    wait_until(lambda: place.sweep() and len(waiting(place)) == count, WITHIN_S)
    wait_until(lambda: place.sweep() and {job.state for job in place.jobs()} == {"running"}, WITHIN_S)
    time_is_up(place)
    began = time.monotonic()
    wait_until(lambda: place.sweep() and {job.state for job in place.jobs()} == {"cancelling"}, WITHIN_S)
    settle(place)
    early = len(place.asked())
    cancelled_s = time.monotonic() - began
    place.change_jobs(cancelled_at=time.time() - CANCEL_WAIT_S)
    began = time.monotonic()

    def is_settled() -> bool:
        place.sweep()
        settle(place)
        return set(pairs) <= set(place.cloud.names())

    wait_until(is_settled, WITHIN_S)
    settled_s = time.monotonic() - began
    sidecars = [place.cloud.sidecar(pair) for pair in pairs]
    statuses = Counter(one["status"] for one in sidecars)
    outcomes = Counter(
        f"{attempt['outcome']}, {attempt.get('price_tier', 'standard')}"
        for one in sidecars
        for attempt in one["attempts"]
    )
    after_s = cancelled_s + CANCEL_WAIT_S + settled_s + 2 * SCHEDULER_S
    print(f"pairs {count} in {len(place.jobs(everybodys=True))} jobs that never end: {dict(statuses)}")
    print(f"attempts: {dict(outcomes)}; pictures asked for before the end was waited for: {early}")
    print(f"all settled {after_s / 3600:.2f} h after finish_by: {CANCEL_WAIT_S / 3600:.0f} h wait, "
          f"{2 * SCHEDULER_S:.0f} s between sweeps, {cancelled_s:.0f} s to cancel, {settled_s:.0f} s to ask and settle "
          "on this machine")  # fmt: skip
    return early == 0 and after_s <= GOAL_S


def deliver(place: BatchPlace, resources: list[dict]) -> None:
    """Deliver events, eight at a time."""
    with ThreadPoolExecutor(POSTERS) as pool:
        for answer in pool.map(lambda one: place.cloud.deliver(place.server, one), resources):
            assert answer.status == 200, answer.body


def settle(place: BatchPlace) -> None:
    """Deliver everything that has appeared, until nothing more does."""
    while new := place.events():
        deliver(place, new)


def waiting(place: BatchPlace) -> list:
    """The requests that are in a job."""
    return [request for request in place.requests() if request.job is not None]


def time_is_up(place: BatchPlace) -> None:
    """`finish_by` of every request and job has passed."""
    for request in place.requests():
        place.records.change(
            request.digest, lambda stored: stored.model_copy(update={"finish_by": 1.0}), place.deadline
        )
    place.change_jobs(finish_by=1.0)


if __name__ == "__main__":
    main()
