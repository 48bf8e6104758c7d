"""A catalogue by batch while jobs fail in every way and the function is killed: what was lost, sent twice, or paid for
without being listed, and what it cost.

    python -m tests.bench.batch_soak --pairs 200 --kills 20
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from function.generation.models import model_table
from function.tools.emulator.batch_jobs import AFTERWARDS, AT_CREATION
from function.tools.emulator.server import GeminiEmulator
from function.tools.local.storage_emulator import gcs_client, gcs_server
from tests.batch.place import BatchPlace
from tests.support import Cloud, http, product_png, scene_png

FAULTS = sorted((AT_CREATION | AFTERWARDS) - {"stuck", "stuck_for_good", "403", "404"})
POSTERS, SWEEP_EVERY_S, POLL_S, TOLD_EVERY_S = 8, 1.0, 0.3, 60.0
LOOKING = 0.2  # share of the time spent on listing the buckets, which take longer to list the more they hold
BACKOFF_S = (0.3, 3.0)
GIVE_UP_S = 900.0  # without anything settled, and without a delivery that was taken
HALF_CENT = 0.005
TOLD_PAIRS = 3  # of each kind, whose log is printed
ATTEMPT, ANSWER = ("number", "outcome", "price_tier", "seed", "batch", "id"), ("job", "seed", "time_s")


@dataclass
class Pump:
    """Delivers events of both buckets until they are acknowledged, and sweeps."""

    place: BatchPlace
    pairs: list[str]
    settled: int = 0
    deliveries: int = 0
    taken: int = 0  # of those, answered with 200
    kills: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    stop: threading.Event = field(default_factory=threading.Event)

    def deliver(self, resource: dict[str, Any]) -> None:
        """One event, again until 2xx."""
        body, headers = self.place.cloud.event(resource)
        for _ in iter(lambda: self.stop.wait(random.uniform(*BACKOFF_S)), True):
            with self.lock:
                self.deliveries += 1
            try:
                if http(self.place.server.url, body, headers, timeout=120).status == 200:
                    with self.lock:
                        self.taken += 1
                    return
            except (OSError, HTTPException):
                pass  # killed under it

    def watch(self, pool: ThreadPoolExecutor) -> None:
        """Everything that appears is delivered, some of it twice; what is settled is counted."""
        pause_s = POLL_S
        while not self.stop.wait(pause_s):
            began = time.monotonic()
            for resource in self.place.events():
                for _ in range(random.choice((1, 1, 1, 2))):
                    pool.submit(self.deliver, resource)
            self.settled = len({*self.pairs} & {*self.place.cloud.names()})
            pause_s = max(POLL_S, (time.monotonic() - began) * (1 - LOOKING) / LOOKING)

    def sweep(self) -> None:
        """As the scheduler does, whatever comes of it."""
        while not self.stop.wait(SWEEP_EVERY_S):
            try:
                self.place.sweep()
            except (OSError, HTTPException):
                continue

    def tell(self, began: float) -> None:
        """How far it is, now and then."""
        while not self.stop.wait(TOLD_EVERY_S):
            print(f"{time.monotonic() - began:6.0f} s: {self.settled} of {len(self.pairs)} settled, "
                  f"{self.deliveries} deliveries, {self.kills} kills", file=sys.stderr, flush=True)  # fmt: skip

    def kill(self, kills: int) -> None:
        """kill -9, spread over the run."""
        for mark in sorted(random.uniform(0, len(self.pairs)) for _ in range(kills)):
            while self.settled < mark and not self.stop.wait(POLL_S):
                pass
            if self.stop.wait(random.uniform(0, 2)):
                return
            self.place.server.kill()
            self.kills += 1
            self.place.server = start(self.place)


def start(place: BatchPlace) -> Any:
    """A function server."""
    server = place.cloud.server(**place.environment(BATCH_GATHER_S="1", EVENT_DEADLINE_S="60"))
    server.start()
    return server


def report(place: BatchPlace, pump: Pump, pairs: list[str], spent_s: float) -> bool:
    """Print what has become of every pair → whether all is well."""
    gemini = place.cloud.gemini
    seen = [entry for entry in gemini.requests if entry["code"] == 200]
    by_pair: dict[str, list[dict[str, Any]]] = {pair: [] for pair in pairs}
    for entry in seen:
        by_pair[f"{entry['text'].split('(pair ')[1][:13]}.json"].append(entry)
    lives = {job.name: (job.began, job.ended) for job in gemini.batch_jobs.all()}
    names = set(place.cloud.names())
    lost, twice, unlisted, wrong = [], [], [], []
    statuses: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    usd = due = 0.0
    for pair in pairs:
        if pair not in names:
            lost.append(pair)
            continue
        sidecar = place.cloud.sidecar(pair)
        statuses[sidecar["status"]] += 1
        attempts = sidecar["attempts"]
        outcomes.update(f"{one['outcome']}, {one.get('price_tier', 'standard')}" for one in attempts)
        if len(by_pair[pair]) > len(attempts):
            unlisted.append(pair)
        twice += [pair] if overlap(by_pair[pair], lives, gemini.batches.twins) else []
        cost = sum(price(one) for one in attempts if one["outcome"] != "interrupted")
        usd, due = usd + sidecar["cost"]["usd"], due + cost
        wrong += [pair] if abs(cost - sidecar["cost"]["usd"]) > 1e-6 else []
    jobs = place.jobs(everybodys=True)
    print(f"pairs {len(pairs)}: {dict(statuses)}; jobs {len(jobs)}; deliveries {pump.deliveries}, kills {pump.kills}")
    print(f"batch faults {dict(gemini.batch_jobs.fired)}; answers of the model {len(seen)}")
    print(f"attempts: {dict(outcomes)}")
    print(f"lost {len(lost)}, sent twice while a job lived {len(twice)}, paid without being listed {len(unlisted)}, "
          f"of a wrong price {len(wrong)}")  # fmt: skip
    print(f"cost ${usd:.4f}, at these tokens and half the price ${due:.4f}; {spent_s:.0f} s")
    for what, which in (("lost", lost), ("twice", twice), ("unlisted", unlisted), ("wrong", wrong)):
        if which:
            print(f"  {what}: {', '.join(which[:10])}")
            tell_log(place, which[:TOLD_PAIRS])
    for pair in unlisted[:10]:
        print(f"  {pair}: attempts {[told(one, ATTEMPT) for one in place.cloud.sidecar(pair)['attempts']]}")
        print(f"    answers {[told(one, ANSWER) for one in by_pair[pair]]}")
    return not (lost or twice or unlisted or wrong or abs(usd - due) > HALF_CENT)


def tell_log(place: BatchPlace, pairs: list[str]) -> None:
    """What the servers have logged of these pairs, in the order of the moments."""
    for log in sorted(Path(place.folder).glob("*.log"), key=lambda one: one.stat().st_mtime):
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            if any(pair in line for pair in pairs):
                print(f"    {line}")


def told(entry: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """Of an attempt or an answer, what tells its story."""
    return {name: entry[name] for name in fields if name in entry}


def overlap(asked: list[dict[str, Any]], lives: dict[str, tuple[float, float]], twins: set[str]) -> bool:
    """Whether one request was in two jobs, or in a job and asked for by itself, at the same time. A job that the
    service made twice of itself is its own affair."""
    spans = []
    for entry in asked:
        if entry.get("job") in twins:
            continue
        spans.append((entry["seed"], *lives.get(entry.get("job"), (entry["time_s"], entry["time_s"]))))
    spans.sort()
    pairs = itertools.pairwise(spans)
    return any(a[0] == b[0] and b[1] < a[2] for a, b in pairs)


def price(attempt: dict[str, Any]) -> float:
    """USD by the tokens that the attempt lists, at the price of its tier."""
    prices, usage = model_table().models["gemini-2.5-flash-image"].usd_per_million, attempt["usage"]
    image = min(usage["output_tokens"], 1290)
    text = usage["output_tokens"] - image + usage["thought_tokens"]
    full = (usage["prompt_tokens"] * prices.input + image * prices.output_image + text * prices.output_text) / 1e6
    return round(round(full, 6) * (0.5 if attempt.get("price_tier") == "batch" else 1.0), 6)


def main() -> None:
    """Parse the options, run, and end with 1 when something is wrong."""
    parser = argparse.ArgumentParser("python -m tests.bench.batch_soak", description=__doc__.split("\n\n")[0])
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--catalogues", type=int, default=10)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--faults", type=int, default=12, help="jobs that go wrong")
    parser.add_argument("--batch-seconds", type=float, default=3.0)
    parser.add_argument("--key", action="store_true", help="the Gemini API with a key, in place of Vertex AI")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        gcs_server(Path(folder) / "gcs.log", Path(folder) / "objects") as gcs,
        GeminiEmulator(storage_url=gcs.url) as gemini,
    ):
        place = BatchPlace(Cloud(gcs, gcs_client(gcs.url), gemini, Path(folder)), folder, vertex=not options.key)
        faults = [{"kind": random.choice(FAULTS)} for _ in range(options.faults)]
        gemini.control(batch_faults=faults, batch_s=options.batch_seconds)
        place.server = start(place)
        place.cloud.put("scene.png", scene_png())
        place.cloud.put("product.png", product_png())
        base = {"scene": "scene.png", "product": "product.png", "batch": True, "attempts": 2}
        pairs = []
        for catalogue in range(options.catalogues):  # each has jobs of its own
            names = [f"soak{catalogue:02}/{number + 1:06}" for number in range(options.pairs // options.catalogues)]
            rows = [{**base, "placement": f"in the middle (pair {name})"} for name in names]
            place.cloud.put(f"soak{catalogue:02}.jsonl", "\n".join(json.dumps(row) for row in rows))
            pairs += [f"{name}.json" for name in names]
        pump, began = Pump(place, pairs), time.monotonic()
        with ThreadPoolExecutor(POSTERS) as pool:
            threads = [
                threading.Thread(target=pump.watch, args=(pool,)),
                threading.Thread(target=pump.sweep),
                threading.Thread(target=pump.kill, args=(options.kills,)),
                threading.Thread(target=pump.tell, args=(began,)),
            ]
            for thread in threads:
                thread.start()
            last, progress = (-1, -1), time.monotonic()
            while pump.settled < len(pairs) and time.monotonic() - progress < GIVE_UP_S:
                if (pump.settled, pump.taken) != last:
                    last, progress = (pump.settled, pump.taken), time.monotonic()
                time.sleep(1)
            pump.stop.set()
            for thread in threads:
                thread.join()
        good = report(place, pump, pairs, time.monotonic() - began)
        place.server.stop()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
