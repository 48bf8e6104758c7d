"""What reading and signing content credentials cost: `python -m tests.bench.provenance`.

CPU of this process and of the one that the library runs in, a picture, with a signer that answers at once; the bytes
that a picture grows by; and how long a first signature waits for that process.
"""

from __future__ import annotations

import io
import os
import statistics
import time
from pathlib import Path

from PIL import Image

from function.provenance.credentials import Credentials, SigningSettings
from tests.provenance.fake_services import FakeServices
from tests.provenance.samples import MIME_TYPES, ingredients, made_of, time_left

SCENE = Path(__file__).parents[1] / "data" / "demo" / "scene.jpg"
MEGAPIXELS = (1, 8, 24)
RUNS = 9


def main() -> None:
    with FakeServices() as services:
        environment = services.environment()
        signer = Credentials(
            SigningSettings(environment["SIGNING_KEY"], environment["SIGNING_CERTIFICATE"], None, services.url)
        )
        plain = ingredients(*3 * (_encoded("PNG", 1),), 3 * ("image/png",))
        began = time.perf_counter()
        _sign(signer, _encoded("JPEG", 1), "JPEG", plain)
        [child] = signer._sandbox._idle
        started = time.perf_counter() - began
        print(f"first signature {started:.2f} s; its process holds {_resident_mib(child._process.pid):.0f} MiB")
        signed = _sign(signer, _encoded("JPEG", 1), "JPEG", plain)
        nested = ingredients(signed, _encoded("PNG", 1), signed, ("image/jpeg", "image/png", "image/jpeg"))
        print(f"{'':<28}{'CPU ms':>8}{'wall ms':>9}{'KMS calls':>11}{'bytes more':>12}")
        for kind in MIME_TYPES:
            for megapixels in MEGAPIXELS if kind in ("PNG", "JPEG") else MEGAPIXELS[:2]:
                content = _encoded(kind, megapixels)
                services.reset()
                cpu, wall, result = _timed(lambda: _sign(signer, content, kind, plain), child._process.pid)  # noqa: B023
                calls = services.count("asymmetricSign") / RUNS
                size = f"{kind} {megapixels} MP, {len(content) / 1e6:.1f} MB"
                print(f"{size:<28}{cpu:>8.1f}{wall:>9.1f}{calls:>11.1f}{len(result) - len(content):>12,}")
        content = _encoded("JPEG", 8)
        cpu, wall, result = _timed(lambda: _sign(signer, content, "JPEG", nested), child._process.pid)
        print(f"{'JPEG 8 MP, two of them signed':<28}{cpu:>7.1f}{wall:>9.1f}{'':>11}{len(result) - len(content):>12,}")
        signed = _sign(signer, content, "JPEG", plain)
        read = lambda: signer.read(signed, "image/jpeg", "scene", time_left())  # noqa: E731
        cpu, wall, _ = _timed(read, child._process.pid)
        print(f"{'read one of JPEG 8 MP':<28}{cpu:>8.1f}{wall:>9.1f}")
        cpu, wall, _ = _timed(lambda: signer.read(content, "image/jpeg", "scene", time_left()), child._process.pid)
        print(f"{'find none in it':<28}{cpu:>8.1f}{wall:>9.1f}")


def _encoded(kind: str, megapixels: int) -> bytes:
    width = round((megapixels * 1e6 * 1.5) ** 0.5)
    buffer = io.BytesIO()
    Image.open(SCENE).convert("RGB").resize((width, round(width / 1.5))).save(buffer, kind)
    return buffer.getvalue()


def _sign(signer: Credentials, content: bytes, kind: str, parts: list) -> bytes:
    return signer.sign(content, made_of(parts), MIME_TYPES[kind], time_left(), cropped=False, resized=False)[0]


def _timed(work, child: int) -> tuple[float, float, bytes]:
    """CPU (mean) and wall (median) milliseconds, and what it gave."""
    cpu, wall = [], []
    for _ in range(RUNS):
        before, began = time.process_time() + _cpu_s(child), time.perf_counter()
        result = work()
        wall.append(1000 * (time.perf_counter() - began))
        cpu.append(1000 * (time.process_time() + _cpu_s(child) - before))
    # The child's clock has ticks of 10 ms: a mean of several runs is finer than any of them.
    return statistics.mean(cpu), statistics.median(wall), result


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
