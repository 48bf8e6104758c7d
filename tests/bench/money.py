"""Money and models under trouble, through real servers: a cap over several instances with kills among them, and a
chain of models that are gone and come back.

    python -m tests.bench.money cap --pairs 400 --servers 8 --usd 5 --kills 4
    python -m tests.bench.money chain --pairs 100
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from function.budget.account import MAX_SLICE_CALLS
from function.generation.models import model_table
from function.generation.pricing import max_picture_usd, usd
from function.settings import DEFAULT_FALLBACK_MODELS, DEFAULT_MODEL
from function.tools.emulator.server import GeminiEmulator
from function.tools.local.processes import Process
from function.tools.local.storage_emulator import gcs_client, gcs_server
from tests.fault_proxy import FaultProxy
from tests.support import Cloud, http, product_png, scene_png

SENDERS = 16  # deliveries at once
CHAIN = (DEFAULT_MODEL, *DEFAULT_FALLBACK_MODELS)
REFUSED_IN_A_ROW = 3  # deliveries of every open pair, after which nothing more is going to be settled


class Fleet:
    """Servers, and pairs that are delivered to any of them until they are settled."""

    def __init__(self, cloud: Cloud, storage_url: str):
        self.cloud, self._url = cloud, storage_url
        self.servers: list[Process] = []
        self.kills = 0
        self._lock = threading.Lock()
        self.spare: dict[str, Any] = {}

    def start(self, count: int, **environment: str) -> None:
        """Replace all servers by so many new ones."""
        self.stop()
        self.spare = {"STORAGE_EMULATOR_HOST": self._url, "EVENT_DEADLINE_S": "120", "THREADS": "4"} | environment
        for _ in range(count):
            self.servers.append(self._new())

    def stop(self) -> None:
        """End all servers as the platform does."""
        for server in self.servers:
            server.stop()
        self.servers = []

    def kill_one(self) -> None:
        """kill -9, and another in its place."""
        with self._lock:
            number = random.randrange(len(self.servers))
            victim = self.servers[number]
        victim.kill()
        fresh = self._new()
        with self._lock:
            self.servers[number] = fresh
            self.kills += 1

    def deliver(self, resources: Sequence[dict[str, Any]], kill_every: int = 0) -> list[dict[str, Any]]:
        """Deliver until all are settled, or every one that is left was refused REFUSED_IN_A_ROW times → those left."""
        refused: Counter[str] = Counter()
        waiting = list(resources)
        random.shuffle(waiting)
        settled = 0

        def one(resource: dict[str, Any]) -> bool:
            body, headers = self.cloud.event(resource)
            with self._lock:
                server = random.choice(self.servers)
            try:
                return http(server.url, body, headers).status == 200
            except OSError:
                return False

        with ThreadPoolExecutor(SENDERS) as pool:
            while waiting and min(refused[one["name"]] for one in waiting) < REFUSED_IN_A_ROW:
                batch, waiting = waiting[: 4 * SENDERS], waiting[4 * SENDERS :]
                answers = list(pool.map(one, batch))
                for resource, done in zip(batch, answers, strict=True):
                    if not done:
                        refused[resource["name"]] += 1
                        waiting.append(resource)
                settled += sum(answers)
                if kill_every and settled // kill_every > self.kills:
                    self.kill_one()
                print(f"\r{settled} settled, {len(waiting)} waiting ", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        return waiting

    def _new(self) -> Process:
        server = self.cloud.server(**self.spare)
        server.start()
        return server


def upload(cloud: Cloud, count: int) -> list[dict[str, Any]]:
    """So many pairs, each with a seed of its own."""
    cloud.put("scene.png", scene_png())
    cloud.put("product.png", product_png())
    pair = {"scene": "scene.png", "product": "product.png", "attempts": 1}
    return [cloud.put(f"{number:04}.json", {**pair, "seed": number}) for number in range(count)]


def spent_usd(gemini: GeminiEmulator) -> float:
    """What the model's service has billed: every answer that it sent, whether or not anybody received it."""
    row = model_table().models[DEFAULT_MODEL]
    one = usd_of_an_answer(row)
    return sum(one for seen in gemini.requests if seen["code"] == 200)


def usd_of_an_answer(row: Any) -> float:
    """A little more than the emulator's answers to a pair cost: 516 tokens of images, some 600 of text."""
    from function.generation.pricing import Usage

    tokens = row.output_image_tokens["1K"]
    return usd(row, Usage(prompt_tokens=1116, output_tokens=tokens + 10, output_image_tokens=tokens))


def cap(fleet: Fleet, gemini: GeminiEmulator, options: argparse.Namespace) -> bool:
    """A day's cap over all servers, with kills; then a higher one."""
    resources = upload(fleet.cloud, options.pairs)
    fleet.start(options.servers, MAX_USD_PER_DAY=str(options.usd))
    began = time.monotonic()
    every = max(1, int(options.usd / 0.04 / (options.kills + 1))) if options.kills else 0
    left = fleet.deliver(resources, kill_every=every)
    fleet.stop()
    spent, settled = spent_usd(gemini), options.pairs - len(left)
    slice_usd = MAX_SLICE_CALLS * max_picture_usd(model_table().models[DEFAULT_MODEL], 2, "x" * 2400, None)
    print(
        f"cap {options.usd} USD, {options.servers} servers, {fleet.kills} killed: {settled} of {options.pairs} pairs "
        f"in {time.monotonic() - began:.0f} s for {spent:.3f} USD; a slice is {slice_usd:.2f} USD at the most"
    )
    held = spent <= options.usd and spent >= options.usd - (fleet.kills + 1) * slice_usd
    fleet.start(options.servers, MAX_USD_PER_DAY="1000")
    left = fleet.deliver(left)
    fleet.stop()
    names = set(fleet.cloud.names())
    lost = [one["name"] for one in resources if one["name"] not in names]
    failed = sum(fleet.cloud.sidecar(f"{n:04}.json")["status"] == "failed" for n in range(options.pairs))
    print(f"cap raised: {options.pairs - len(lost)} settled, {len(lost)} lost, {failed} failed; "
          f"the model answered {sum(seen['code'] == 200 for seen in gemini.requests)} times")  # fmt: skip
    return held and not lost and not left and not failed


def chain(fleet: Fleet, gemini: GeminiEmulator, options: argparse.Namespace) -> bool:
    """The default model is gone; then all are; then they are back."""
    resources = upload(fleet.cloud, options.pairs)
    half = len(resources) // 2

    def gone(*models: str) -> None:
        gemini.faults.clear()
        gemini.control(faults=[{"kind": "404", "times": None, "match": {"model": model}} for model in models])

    gone(DEFAULT_MODEL)
    fleet.start(options.servers)
    left = fleet.deliver(resources)
    models = Counter(fleet.cloud.sidecar(one["name"])["model"]["id"] for one in resources if one not in left)
    asked = sum(seen["code"] == 404 for seen in gemini.requests)
    print(f"default model gone: answered by {dict(models)}; {asked} answers of 404 to {options.servers} servers")
    ok = models == {CHAIN[1]: len(resources)}
    gone(*CHAIN)
    again = [fleet.cloud.put(f"again/{n:04}.json", {"scene": "/scene.png", "product": "/product.png", "attempts": 1,
                                                    "seed": 10**6 + n}) for n in range(half)]  # fmt: skip
    left = fleet.deliver(again)
    settled = [name for name in fleet.cloud.names() if name.startswith("again/")]
    print(f"all gone: {len(again) - len(left)} settled, {len(settled)} outputs")
    ok &= len(left) == half and not settled
    gemini.faults.clear()
    left = fleet.deliver(again)
    print(f"back again: {half - len(left)} of {half} settled")
    fleet.stop()
    return ok and not left


def main() -> int:
    """Run one of them. 0: all held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["cap", "chain"])
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--usd", type=float, default=5.0)
    parser.add_argument("--kills", type=int, default=0)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        gcs_server(Path(folder) / "gcs.log") as gcs,
        FaultProxy(gcs.url, write_every_s=1.0) as proxy,
        GeminiEmulator() as gemini,
    ):
        cloud = Cloud(gcs, gcs_client(gcs.url), gemini, Path(folder))
        held = {"cap": cap, "chain": chain}[options.what](Fleet(cloud, proxy.url), gemini, options)
        counters = {name: count for name, count in proxy.refused.items() if "/_budget/" in name}
        print(f"writes of counters that came too early: {sum(counters.values())}")
    print("held" if held else "DID NOT HOLD")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
