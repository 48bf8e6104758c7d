"""What everything around the model call costs, beside the plain pipeline, in one run.

    python -m tests.bench.performance [--sizes 1 8 24 50] [--formats png jpeg webp] [--rounds 3] [--write]
    python -m tests.bench.performance --only start|storage|memory|throughput

The real server and the plain pipeline (plain.py) take turns on the same pairs, through the same storage emulator and
a model that answers at once (replay.py). `--write` puts table and plot into tests/data/readme/.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from function.imaging.decode import decode
from function.imaging.encode import encode
from function.tools.local.event_relay import post_event
from function.tools.local.processes import Process, function_server
from function.tools.local.storage_emulator import PROJECT, gcs_client, gcs_server
from tests.bench.performance_report import plot, start_table, table
from tests.bench.process_cost import cpu_s, forget_peak, peak_mib
from tests.bench.replay import replay_server
from tests.bench.start import ready_times
from tests.fault_proxy import FaultProxy

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "tests" / "data" / "demo"
README = ROOT / "tests" / "data" / "readme"
SIZES = {1: (1344, 756), 8: (3840, 2160), 24: (6528, 3672), 50: (9424, 5301)}  # by megapixels
FORMATS = ("png", "jpeg", "webp")
GRAIN = 1.0  # standard deviation, levels of 255: a well exposed photograph at low sensitivity
AT_ONCE = 8
MODEL_LATENCY_S = 10.0  # of the model, for the rate
RATE_PAIRS = 160
LIBRARIES = "flask, functions_framework, google.cloud.storage, google.genai, cv2, PIL.Image, numpy, pydantic, tenacity"


@dataclass
class Cost:
    """One pair's: seconds waited, processor seconds, peak MiB, and milliseconds by stage (ours only)."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    stages: dict[str, int] = field(default_factory=dict)


@dataclass
class Row:
    """A case: medians of both sides, and of the ratios within each round."""

    megapixels: int
    format: str
    ours: Cost
    plain: Cost
    wall_ratio: float
    cpu_ratio: float


def main() -> None:
    """Measure what is asked for, print it, and write it where it belongs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, choices=SIZES, default=list(SIZES))
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["pairs", "start", "storage", "memory", "throughput"])
    parser.add_argument("--write", action="store_true", help="table and plot into tests/data/readme/")
    asked = parser.parse_args()
    parts: list[str] = []

    def show(part: str) -> None:
        print(part, flush=True)
        parts.append(part)

    with Stand() as stand:
        if asked.only in (None, "pairs"):
            rows = []
            for megapixels in asked.sizes:
                for kind in asked.formats:
                    rows.append(stand.compare(megapixels, kind, asked.rounds))
                    print(table(rows[-1:]).splitlines()[-1], flush=True)
            show(table(rows))
            if asked.write:
                (README / "performance.svg").write_text(plot(rows))
        if asked.only in (None, "start"):
            show(start_table(ready_times(stand.folder, stand.environment(), LIBRARIES)))
        if asked.only in (None, "storage"):
            show(stand.storage_calls())
        if asked.only in (None, "memory"):
            show(stand.many_at_once())
        if asked.only in (None, "throughput"):
            show(stand.rate(MODEL_LATENCY_S))
            show(stand.rate(0.0))
    if asked.write:
        (README / "performance.md").write_text("\n\n".join(parts) + "\n")


class Stand:
    """Storage, model, server and plain pipeline as processes of their own. A context manager."""

    def __enter__(self) -> Stand:
        with contextlib.ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self._gcs = stack.enter_context(gcs_server(self.folder / "storage.log"))
            self._model = stack.enter_context(replay_server(self.folder / "model.log"))
            self._client = gcs_client(self._gcs.url)
            self._names = f"in-{uuid.uuid4().hex[:8]}", f"out-{uuid.uuid4().hex[:8]}"
            self._input, self._output = (self._client.create_bucket(name) for name in self._names)
            self._input.blob("product.png").upload_from_filename(str(DEMO / "product.png"))
            self._server = stack.enter_context(function_server(self.folder / "server.log", self.environment()))
            self._plain = stack.enter_context(self._plain_process())
            self._scenes: set[str] = set()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def environment(self) -> dict[str, str]:
        """Of the function's server."""
        return {
            "OUTPUT_BUCKET": self._names[1],
            "STORAGE_EMULATOR_HOST": self._gcs.url,
            "GOOGLE_GEMINI_BASE_URL": self._model.url,
            "GEMINI_API_KEY": "bench",
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "MAX_SOURCE_BYTES": str(200 * 2**20),  # a grainy PNG of 50 megapixels is larger than the default allows
        }

    def compare(self, megapixels: int, kind: str, rounds: int) -> Row:
        """Both sides in turns; the first turn, in which the model draws its picture, does not count."""
        scene = self._upload_scene(megapixels, kind)
        turns = []
        for _ in range(rounds + 1):
            turns.append((self._ours(scene), self._theirs(scene)))
        ours, plain = zip(*turns[1:], strict=True)
        return Row(
            megapixels,
            kind,
            _median(ours),
            _median(plain),
            statistics.median(a.wall_s / b.wall_s for a, b in turns[1:]),
            statistics.median(a.cpu_s / b.cpu_s for a, b in turns[1:]),
        )

    def storage_calls(self) -> str:
        """What one pair asks of the storage, in order."""
        scene = self._upload_scene(1, "png")
        with FaultProxy(self._gcs.url) as proxy:
            environment = {**self.environment(), "STORAGE_EMULATOR_HOST": proxy.url}
            with function_server(self.folder / "counted.log", environment) as server:
                self._deliver(server, scene)
            asked = [f"{operation} {_kind_of(target)}" for operation, target in proxy.requests]
        return f"A pair asks the storage {len(asked)} times: {', '.join(asked)}."

    def many_at_once(self) -> str:
        """The server's peak memory with eight of the largest pairs at once, and with one."""
        lines = ["| at once | scenes | peak memory, MiB | waited, s |", "|---|---|---|---|"]
        for megapixels, count in ((8, 1), (8, AT_ONCE), (50, 1), (50, AT_ONCE)):
            for kind in FORMATS:
                scene = self._upload_scene(megapixels, kind)
                self._ours(scene)
                with self._fresh_server() as server:
                    started = time.monotonic()
                    with ThreadPoolExecutor(count) as pool:
                        list(pool.map(lambda _: self._deliver(server, scene), range(count)))  # noqa: B023
                    waited, peak = time.monotonic() - started, peak_mib(server.pid)
                lines.append(f"| {count} | {megapixels} MP {kind} | {peak:.0f} | {waited:.1f} |")
        return "\n".join(lines)

    def rate(self, latency_s: float) -> str:
        """Pairs a minute, eight at once on this machine, beside what the model's latency alone allows: once the burst
        of its start is over, and of the whole run.

        The first is eight over the mean time of a pair (Little's law); counting what ends within a window would be off
        by those that stand at its edges, up to eight.
        """
        scene = self._upload_scene(8, "png")
        self._ours(scene)
        self._set_latency(latency_s)
        with self._fresh_server() as server:
            self._deliver(server, scene)  # imports and clients
            cpu, started = cpu_s(server.pid), time.monotonic()
            with ThreadPoolExecutor(AT_ONCE) as pool:
                took_s = list(pool.map(lambda _: self._timed_delivery(server, scene), range(RATE_PAIRS)))
            waited, spent = time.monotonic() - started, cpu_s(server.pid) - cpu
        self._set_latency(0.0)
        core = 60 * RATE_PAIRS / spent
        steady = 60 * AT_ONCE / statistics.mean(took_s[2 * AT_ONCE : -AT_ONCE])
        ideal = f"the model alone allows {60 * AT_ONCE / latency_s:.1f}" if latency_s else "the model answers at once"
        return (
            f"{RATE_PAIRS} pairs of 8 MP PNG, {AT_ONCE} at once: {steady:.1f} pairs a minute ({ideal}), "
            f"{60 * RATE_PAIRS / waited:.1f} with the burst at its start and the end of it; "
            f"{core:.1f} pairs per core-minute, {spent / RATE_PAIRS:.2f} CPU s a pair."
        )

    def _ours(self, scene: str) -> Cost:
        pid = self._server.pid
        forget_peak(pid)
        cpu, started = cpu_s(pid), time.monotonic()
        stages = self._deliver(self._server, scene)
        return Cost(time.monotonic() - started, cpu_s(pid) - cpu, peak_mib(pid), stages)

    def _theirs(self, scene: str) -> Cost:
        pid = self._plain.pid
        forget_peak(pid)
        cpu = cpu_s(pid)
        print(scene, "product.png", f"plain-{uuid.uuid4().hex}.png", _seed(), file=self._plain.stdin, flush=True)
        waited = float(self._plain.stdout.readline())
        return Cost(waited, cpu_s(pid) - cpu, peak_mib(pid))

    def _deliver(self, server: Process, scene: str) -> dict[str, int]:
        """One pair from its event to its sidecar → milliseconds by stage."""
        stem = uuid.uuid4().hex
        manifest = self._input.blob(f"{stem}.json")
        manifest.upload_from_string(
            json.dumps({"scene": scene, "product": "product.png", "seed": _seed(), "attempts": 1})
        )
        status = post_event(server.url, dict(manifest._properties), stem)
        sidecar = json.loads(self._output.blob(f"{stem}.json").download_as_bytes())
        if status != 200 or sidecar["status"] == "failed":
            raise RuntimeError(f"{scene}: {status}, {sidecar['error']}")
        return sidecar["timings_ms"]

    def _timed_delivery(self, server: Process, scene: str) -> float:
        started = time.monotonic()
        self._deliver(server, scene)
        return time.monotonic() - started

    def _upload_scene(self, megapixels: int, kind: str) -> str:
        name = f"scene-{megapixels}.{kind}"
        if name not in self._scenes:
            self._input.blob(name).upload_from_string(_encoded(_scene(SIZES[megapixels]), kind), timeout=300)
            self._scenes.add(name)
        return name

    def _fresh_server(self) -> Process:
        return function_server(self.folder / "fresh.log", self.environment())

    def _set_latency(self, seconds: float) -> None:
        urllib.request.urlopen(f"{self._model.url}/latency", data=str(seconds).encode()).close()

    @contextlib.contextmanager
    def _plain_process(self):
        command = [sys.executable, "-m", "tests.bench.plain", "--storage", self._gcs.url, "--model", self._model.url]
        command += ["--input", self._names[0], "--output", self._names[1]]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, cwd=ROOT, **pipes)
        try:
            yield process
        finally:
            process.stdin.close()
            process.wait(10)


def _scene(size: tuple[int, int]) -> np.ndarray:
    """The demo's scene at `size` with grain, (h, w, 3) uint8."""
    scene = decode((DEMO / "scene.jpg").read_bytes(), "scene", max_pixels=10**8).array
    large = cv2.resize(scene, size, interpolation=cv2.INTER_CUBIC).astype(np.int16)
    # One tile of grain again and again: noise for 150 million samples takes longer than the measurement.
    tile = np.rint(np.random.default_rng(0).normal(0, GRAIN, (1024, 1024, 3))).astype(np.int16)
    rows, columns = -(-size[1] // 1024), -(-size[0] // 1024)
    large += np.tile(tile, (rows, columns, 1))[: size[1], : size[0]]
    return np.clip(large, 0, 255).astype(np.uint8)


def _encoded(picture: np.ndarray, kind: str) -> bytes:
    """As other programs write it: PNG by OpenCV (libpng's filters), JPEG 92, WebP 90."""
    if kind == "png":
        return cv2.imencode(".png", picture[..., ::-1])[1].tobytes()
    return encode(picture, kind)


def _kind_of(target: str) -> str:
    """What an object "bucket/name" is, for people."""
    folder = target.partition("/")[2].rpartition("/")[0]
    if folder.startswith("_work/"):
        return folder.removeprefix("_work/").partition("/")[0].removesuffix("s")
    name = target.rpartition("/")[2]
    if name == "_paused":
        return "switch"
    if name.startswith(("scene", "product")):
        return name.partition(".")[0].partition("-")[0]
    if target.startswith("in-"):
        return "manifest"
    return "sidecar" if name.endswith(".json") else "result"


def _seed() -> int:
    return uuid.uuid4().int % 2**30  # a new one each time: a stored answer would not be asked for again


def _median(costs: tuple[Cost, ...]) -> Cost:
    names = ("wall_s", "cpu_s", "peak_mib")
    middle = {name: statistics.median(getattr(cost, name) for cost in costs) for name in names}
    stages = {name: round(statistics.median(cost.stages[name] for cost in costs)) for name in costs[0].stages}
    return Cost(**middle, stages=stages)


if __name__ == "__main__":
    main()
