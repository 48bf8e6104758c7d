"""No upload costs more than its bytes and pixels should: every named poison, a tenth of what may be sent, in a child
process each. Its limits are a fraction of what it took before it was bounded, on any machine."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from function.errors import MAX_MESSAGE_BYTES, CompositeError, InvalidManifestError
from function.imaging.jpeg import MAX_PASSES
from tests.bench.hostile_reading import READ, REFUSED
from tests.cases.poison_images import IMAGES, image
from tests.cases.poison_manifests import CATALOGUES, MANIFESTS, manifest

SIZE = 4 << 20
# In CPU time of a loop of so many steps on the machine that runs this, 0.06 to 0.14 s: cases take up to 23 such loops;
# before they were bounded, those of the issue took up to more than 300 for these 4 MiB.
STEPS, MAX_CPU_LOOPS = 2_000_000, 40
MAX_MEMORY_BYTES = 72 << 20  # a manifest's text with one letter of four bytes is four times its bytes
NAMES = [*IMAGES, *(f"manifest: {name}" for name in MANIFESTS), *(f"catalogue: {name}" for name in CATALOGUES)]
OWN_REASONS = {
    "png: empty chunks": "chunks", "jpeg: empty segments": "too many segments", "webp: empty chunks": "chunks",
    "webp: a canvas wider than any frame": "wider or higher", "catalogue: csv: cells of four bytes": "cells",
    "jpeg: 99 scans of 64 megapixels": f"more than {MAX_PASSES} times", "avif: items": "too many parts",
    "jpeg: quantisation tables": "tables", "tiff: overlapping strips": "overlap",
    "heic: extents without bytes": "parts",
    "avif: frames": "several", "heic: pictures in one item": "several",
    "manifest: many keys and a duplicate": "texts", "manifest: data: of semicolons": "data:image/png;base64",
    "manifest: list of empty objects": "besides its texts", "catalogue: jsonl: empty lines": "lines",
}  # fmt: skip


def loop_cpu_s() -> float:
    """CPU seconds of a plain loop: the median of three."""
    took = []
    for _ in range(3):
        began, total = time.process_time(), 0
        for step in range(STEPS):
            total += step & 7
        took.append(time.process_time() - began)
    return statistics.median(took)


def test_every_poisonous_upload_is_read_or_refused_within_bounds_and_for_its_own_reason():
    # One process without threads, which forks for each: it is started once for all of them.
    command = [sys.executable, "-m", "tests.bench.hostile", "--poison", "--bytes", str(SIZE), "--json"]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    findings = {finding["kind"]: finding for finding in map(json.loads, done.stdout.splitlines())}
    assert set(findings) >= set(NAMES)
    assert [one for one in findings.values() if one["died"] or not one["outcome"].startswith((READ, REFUSED))] == []
    max_cpu_s = MAX_CPU_LOOPS * loop_cpu_s()
    assert [one for one in findings.values() if one["cpu_s"] >= max_cpu_s] == []
    assert [one for one in findings.values() if one["memory_bytes"] >= MAX_MEMORY_BYTES] == []
    # A case that is refused for another reason than its own would measure nothing.
    for name, said in OWN_REASONS.items():
        assert said in findings[name]["outcome"] and findings[name]["outcome"].startswith(REFUSED), name
    for name in (
        "jpeg: 12 scans of 64 megapixels",
        "webp: a huge profile",
        "png: a huge profile",
        "jpeg: fill bytes",
        "png: a profile of curves that cannot be undone",
        "catalogue: csv: rows of cells of four bytes",
    ):
        assert findings[name]["outcome"].startswith(READ), name


@pytest.mark.parametrize("name", ["unknown fields", "unknown field with a long name", "labels: many and a duplicate"])
def test_the_sidecar_of_a_poisonous_manifest_is_small(cloud, server, name):
    assert cloud.deliver(server, cloud.put("pair.json", manifest(name, 1 << 20))).status == 200
    stored = cloud.get("pair.json")
    assert len(stored) < 4096
    assert cloud.sidecar()["error"]["code"] == "manifest_invalid"


@pytest.mark.parametrize("letter", ["x", "ü", "😀", "\ud800", "\0"])
def test_no_message_is_longer_than_a_sidecar_bears(letter):
    message = InvalidManifestError(letter * 10**6).message
    assert len(message.encode()) <= MAX_MESSAGE_BYTES and message.endswith("…")
    assert CompositeError("short").message == "short"


def test_a_huge_profile_is_not_copied_into_the_result():
    from function.imaging.decode import decode

    for name in ("png: a huge profile", "jpeg: a huge profile", "webp: a huge profile", "tiff: a huge profile"):
        pixels = decode(image(name, 5 << 20), "scene", max_pixels=10**6)
        assert pixels.icc is None and pixels.info.icc is None
        assert "ICC profile was left out" in pixels.notes[0]
