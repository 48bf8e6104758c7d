"""A catalogue through several servers while storage and model fail, events repeat and arrive in any order, and
servers are killed: what was lost, doubled or paid for too often, and the rate beside the ideal.

    python -m tests.bench.soak --pairs 2000 --servers 3 --kills 100
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import heapq
import io
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

from function.tools.local.processes import Process, free_port
from function.tools.local.storage_emulator import gcs_client, gcs_server
from tests.fault_proxy import FaultProxy
from tests.support import Cloud, http, product_png, scene_png

THREADS = 8  # events at once in one server
STORAGE_FAULTS = ("408", "429", "500", "502", "503", "504", "reset", "lost", "broken", "truncated", "garbage")
STALL_SHARE = 0.001  # of all storage requests; each holds an event up for up to 20 seconds
MODEL_FAULTS = ("408", "429", "500", "502", "503", "504", "reset", "garbage_body", "empty_body")
# After those among them nobody can tell whether the call was billed: it is listed as interrupted.
UNANSWERED = frozenset({"reset", "garbage_body", "empty_body"})
FIRST_BACKOFF_S, MAX_BACKOFF_S = 0.5, 5.0
DUPLICATES = (1, 1, 1, 2, 4)  # how often an event is delivered at the least
GIVE_UP_S = 600.0  # without anything settled


@dataclass(order=True)
class Event:
    """One delivery that is due (monotonic seconds)."""

    due: float
    pair: str = field(compare=False)
    body: bytes = field(compare=False)
    headers: dict[str, str] = field(compare=False)
    backoff_s: float = field(compare=False, default=FIRST_BACKOFF_S)


class Soak:
    """The servers, the queue of events, and what has become of them."""

    def __init__(self, cloud: Cloud, proxy: FaultProxy, options: argparse.Namespace):
        self.cloud, self.proxy, self.options = cloud, proxy, options
        self.random = random.Random(options.seed)
        self.servers: list[Process] = []
        self.open: Counter[str] = Counter()
        self.settled: dict[str, dict[str, int]] = {}  # pair → generation of its outputs when it was first settled
        self.killed: Counter[str] = Counter()  # how often a pair was at work on a server that was killed
        self.unanswered: set[str] = set()  # pairs whose first call ends without an answer by a fault
        self.kills = self.deliveries = 0
        self._at_work: dict[Path, Counter[str]] = {}  # by a server's log: its name is never used again
        self._queue: list[Event] = []
        self._lock = threading.Condition()
        self._progress = time.monotonic()

    def start_server(self) -> Process:
        """One more server, behind the proxy."""
        server = self.cloud.server(STORAGE_EMULATOR_HOST=self.proxy.url, EVENT_DEADLINE_S="60")
        server.start()
        return server

    def add(self, resources: list[dict[str, Any]]) -> None:
        """Queue the events of these objects: doubled, and in any order."""
        events = []
        for resource in resources:
            body, headers = self.cloud.event(resource)
            events += [(resource["name"], body, headers)] * self.random.choice(DUPLICATES)
        self.random.shuffle(events)
        with self._lock:
            for name, body, headers in events:
                heapq.heappush(self._queue, Event(time.monotonic(), name, body, headers))
                self.open[name] += 1
            self._lock.notify_all()

    def run(self, kills: int) -> None:
        """Deliver until every event is acknowledged; meanwhile kill servers."""
        stop = threading.Event()
        killer = threading.Thread(target=self._kill, args=(kills, stop))
        killer.start()
        workers = len(self.servers) * THREADS
        with ThreadPoolExecutor(workers) as pool:
            for future in [pool.submit(self._work) for _ in range(workers)]:
                future.result()
        stop.set()
        killer.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                while self._queue and self._queue[0].due > time.monotonic():
                    self._lock.wait(min(0.2, max(0.01, self._queue[0].due - time.monotonic())))
                if not self.open.total():
                    return
                if time.monotonic() - self._progress > GIVE_UP_S:
                    return
                if not self._queue:
                    self._lock.wait(0.2)
                    continue
                event = heapq.heappop(self._queue)
                index = self.random.randrange(len(self.servers))
                server = self.servers[index]
                self._at_work.setdefault(server.log_path, Counter())[event.pair] += 1
                self.deliveries += 1
            try:
                status = http(server.url, event.body, event.headers, timeout=300).status
            except (OSError, HTTPException):  # killed before its answer, or in the middle of it
                status = 0
            outputs = self.outputs(event.pair) if status == 200 and event.pair not in self.settled else None
            with self._lock:
                self._at_work[server.log_path][event.pair] -= 1
                if status == 200:
                    self.open[event.pair] -= 1
                    self._progress = time.monotonic()
                    if outputs is not None:
                        self.settled.setdefault(event.pair, outputs)
                else:
                    event.due = time.monotonic() + event.backoff_s * self.random.uniform(0.5, 1.5)
                    event.backoff_s = min(MAX_BACKOFF_S, event.backoff_s * 2)
                    heapq.heappush(self._queue, event)
                self._lock.notify_all()

    def outputs(self, pair: str) -> dict[str, int]:
        """Generation by name of what stands for a pair."""
        stem = pair.removesuffix(".json")
        found = self.cloud.client.list_blobs(self.cloud.output, prefix=f"{stem}.")
        return {blob.name: blob.generation for blob in found}

    def _kill(self, kills: int, stop: threading.Event) -> None:
        """kill -9 at random, spread over the whole run, and a new server each time."""
        marks = sorted(self.random.uniform(0, self.options.pairs) for _ in range(kills))
        for mark in marks:
            while len(self.settled) < mark and not stop.is_set():
                stop.wait(0.02)
            stop.wait(self.random.uniform(0, 1))
            if stop.is_set():
                return
            index = self.random.randrange(len(self.servers))
            doomed = self.servers[index]
            with self._lock:
                self.kills += 1
                self.killed.update(pair for pair, count in self._at_work.get(doomed.log_path, {}).items() if count > 0)
            doomed.kill()
            self.servers[index] = self.start_server()


def catalogue(pairs: int) -> str:
    """A spreadsheet of pairs that each need a picture of their own."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["product", "scene", "placement", "attempts", "labels.sku"])
    for number in range(1, pairs + 1):
        writer.writerow(["product.png", "scene.png", f"in the middle (pair {number:06})", 1, f"SKU-{number}"])
    return text.getvalue()


def answers_by_pair(report: dict[str, Any]) -> Counter[str]:
    """Answers that the model gave, by the name of the pair's manifest."""
    counts: Counter[str] = Counter()
    for seen in report["log"]:
        if seen["code"] == 200 and "(pair " in seen.get("text", ""):
            counts[f"soak/{seen['text'].split('(pair ')[1][:6]}.json"] += 1
    return counts


def report(soak: Soak, seen: dict[str, Any], spent_s: float) -> bool:
    """Print what has become of every pair → whether all is well."""
    cloud, options = soak.cloud, soak.options
    pairs = [f"soak/{number:06}.json" for number in range(1, options.pairs + 1)]
    answers = answers_by_pair(seen)
    logged = Counter(
        line["manifest"].partition("/")[2]
        for path in Path(options.folder).glob("*.log") if path.name not in {"gcs.log", "model.log"}
        for line in _lines(path) if line.get("message") == "settled"
    )  # fmt: skip
    lost, doubled, overpaid, again, statuses = [], [], {}, {}, Counter()
    interrupted = 0
    for pair in pairs:
        outputs = soak.outputs(pair)
        if pair not in outputs or pair not in soak.settled:
            lost.append(pair)
            continue
        sidecar = cloud.sidecar(pair)
        statuses[sidecar["status"]] += 1
        if sidecar["status"] == "failed":
            lost.append(pair)
        if outputs != soak.settled[pair] or logged[pair] > 1:
            doubled.append(pair)
        if answers[pair] > len(sidecar["attempts"]):
            overpaid[pair] = answers[pair] - len(sidecar["attempts"])
        gone = sum(attempt["outcome"] == "interrupted" for attempt in sidecar["attempts"])
        interrupted += gone
        if gone > soak.killed[pair] + (pair in soak.unanswered):
            again[pair] = gone - soak.killed[pair]
    fired = Counter(fault.kind for fault in soak.proxy.faults for _ in range(fault.fired))
    ideal = options.servers * THREADS / options.latency
    print(f"pairs {len(pairs)}: {dict(statuses)}; deliveries {soak.deliveries}, kills {soak.kills}")
    print(f"storage requests {len(soak.proxy.requests)}, faults {dict(fired)}; model faults {seen['faults']['fired']}")
    print(f"model answers {sum(answers.values())}; calls whose answer was lost, all of them listed as interrupted: "
          f"{interrupted} (pairs hit by a kill {sum(soak.killed.values())} times, answers cut off by a fault "
          f"{len(soak.unanswered)})")  # fmt: skip
    print(f"lost {len(lost)}, doubled {len(doubled)}, overpaid {sum(overpaid.values())}, "
          f"paid again without a kill or a fault {sum(again.values())}")  # fmt: skip
    for what, which in (("lost", lost), ("doubled", doubled), ("overpaid", list(overpaid)), ("again", list(again))):
        if which:
            print(f"  {what}: {', '.join(which[:10])}")
    rate = len(pairs) / spent_s
    print(f"{spent_s:.0f} s, {rate:.2f} pairs/s; ideal {ideal:.2f}/s ({options.servers} servers x {THREADS} events "
          f"/ {options.latency} s model): {100 * rate / ideal:.0f} %")  # fmt: skip
    return not (lost or doubled or overpaid or again)


def _lines(path: Path) -> list[dict[str, Any]]:
    """The JSON lines of a log; the last one of a killed server may be cut."""
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return found


def main() -> None:
    """Parse the options, run, and end with 1 when something was lost, doubled or overpaid."""
    parser = argparse.ArgumentParser("python -m tests.bench.soak", description=__doc__.split("\n\n")[0])
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--servers", type=int, default=3)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--latency", type=float, default=10.0, help="seconds that the model takes")
    parser.add_argument("--faults", type=float, default=0.05, help="share of storage requests and of model calls")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        options.folder = folder
        gcs = stack.enter_context(gcs_server(Path(folder) / "gcs.log", Path(folder)))
        port = free_port()
        command = [
            sys.executable,
            "-m",
            "function.tools.emulator.server",
            "--port",
            str(port),
            "--latency",
            str(options.latency),
        ]
        model = stack.enter_context(Process(command, port, Path(folder) / "model.log", {"OMP_NUM_THREADS": "1"}))
        proxy = stack.enter_context(FaultProxy(gcs.url, options.seed))
        cloud = Cloud(gcs, gcs_client(gcs.url), model, Path(folder))
        soak = Soak(cloud, proxy, options)
        for _ in range(options.servers):
            soak.servers.append(soak.start_server())
        stack.callback(lambda: [server.stop() for server in soak.servers])
        for kind in STORAGE_FAULTS:
            proxy.add(kind, times=None, chance=options.faults / len(STORAGE_FAULTS))
        proxy.add("stall", times=None, chance=STALL_SHARE)
        faults = [
            {"kind": soak.random.choice(MODEL_FAULTS), "match": {"text": f"(pair {number:06})"}}
            for number in range(1, options.pairs + 1) if soak.random.random() < options.faults
        ]  # fmt: skip
        soak.unanswered = {
            f"soak/{fault['match']['text'][6:12]}.json" for fault in faults if fault["kind"] in UNANSWERED
        }
        http(f"{model.url}/__control", json.dumps({"faults": faults}).encode(), {})
        cloud.put("scene.png", scene_png())
        cloud.put("product.png", product_png())
        soak.add([cloud.put("soak.csv", catalogue(options.pairs))])
        soak.run(kills=0)
        rows = [dict(blob._properties) for blob in cloud.client.list_blobs(cloud.input, prefix="soak/")]
        print(f"the catalogue became {len(rows)} manifests", flush=True)
        start = time.monotonic()
        soak.add(rows)
        soak.run(options.kills)
        spent_s = time.monotonic() - start
        seen = json.loads(http(f"{model.url}/__control", None, {}, method="GET").body)
        sys.exit(0 if report(soak, seen, spent_s) else 1)


if __name__ == "__main__":
    main()
