"""Hostile files, each read in a process of its own within limits: `python -m tests.bench.hostile --seconds 600`.

Sound pictures of every format that is read, manifests and catalogues are changed at random, byte by byte and part by
part; printed are the slowest and the largest of each kind, beyond what sound files of as many pixels take. One that
takes too much, dies, or fails with anything but a typed error is kept. With `--poison` the named files of
tests/cases/poison_images.py and poison_manifests.py are read instead, each of `--bytes`.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tests.bench.hostile_reading import READ, REFUSED, read_catalogue, read_manifest, read_picture
from tests.bench.mutations import PICTURE_CHANGES, TEXT_CHANGES
from tests.cases.poison_images import IMAGES, image
from tests.cases.poison_manifests import CATALOGUES, MANIFESTS, catalogue, manifest
from tests.imaging.samples import real_files
from tests.limited import Cost, limited

MAX_CPU_S = 2.0  # beyond what sound files of as many pixels take
MAX_MEMORY_BYTES = 300 << 20
# A sound picture takes 13 ns (JPEG) to 80 ns (HEIC) a pixel for all that is done with it here.
SOUND_S_PER_PIXEL = 80e-9
PAIR = {
    "product": "p.png", "scene": "gs://in-bucket/s.png", "placement": "left", "seed": 1, "budget_usd": 0.5,
    "output": {"format": "png", "quality": 90, "width": 100}, "labels": {"sku": "1", "name": "ünï"},
}  # fmt: skip
INLINE = {"product": "data:image/png;base64," + "iVBORw0KGgo" * 20, "scene": {"prompt": "a table by a window"}}
TEXTS = {
    "manifest": json.dumps(PAIR, indent=1).encode(),
    "manifest inline": json.dumps(INLINE).encode(),
    "catalogue .jsonl": "\n".join(json.dumps(one, ensure_ascii=False) for one in (PAIR, INLINE, PAIR)).encode(),
    "catalogue .csv": b"product,scene,placement,labels.sku,output.format,seed\n"
    + b'a.png,b.png,"left, ""there""",1,png,7\n' * 3,
}


@dataclass(frozen=True)
class Finding:
    """One hostile file: what it is, and what it cost beyond a sound one of as many pixels."""

    kind: str
    bytes: int
    cpu_s: float
    memory_bytes: int
    outcome: str
    died: bool

    @property
    def is_fault(self) -> bool:
        """Whether it costs too much, or ends otherwise than it should."""
        too_much = self.cpu_s > MAX_CPU_S or self.memory_bytes > MAX_MEMORY_BYTES
        return self.died or too_much or not self.outcome.startswith((READ, REFUSED))


def finding_of(kind: str, size: int, cost: Cost) -> Finding:
    """A cost as a finding."""
    known = re.search(r"(\d+) x (\d+) (\d+)$", cost.outcome)
    width, height, planned = (int(number) for number in known.groups()) if known else (0, 0, 0)
    sound_s = width * height * SOUND_S_PER_PIXEL
    return Finding(kind, size, cost.cpu_s - sound_s, cost.peak_bytes - planned, cost.outcome, cost.died)


def poison(size: int) -> Iterator[Finding]:
    """The named files, each of about `size` bytes."""
    cases: list[tuple[str, Callable[[], tuple[int, Callable[[], str]]]]] = []
    for name in IMAGES:
        cases.append((name, partial(_prepared, partial(image, name, size), read_picture)))
    for name in MANIFESTS:
        cases.append((f"manifest: {name}", partial(_prepared, partial(manifest, name, size), read_manifest)))
    for name, (ending, _) in CATALOGUES.items():
        made = partial(_body, name, size)
        cases.append((f"catalogue: {name}", partial(_prepared, made, partial(read_catalogue, ending))))
    for name, prepare in cases:
        length, work = prepare()
        yield finding_of(name, length, limited(work))


def _prepared(make: Callable[[], bytes], read: Callable[[bytes], str]) -> tuple[int, Callable[[], str]]:
    content = make()
    return len(content), lambda: read(content)


def _body(name: str, size: int) -> bytes:
    return catalogue(name, size)[1]


def mutations(seconds: float, seed: int) -> Iterator[tuple[Finding, bytes]]:
    """Changed files and their findings, for so many seconds."""
    chance, pictures, until = random.Random(seed), real_files(), time.monotonic() + seconds
    while time.monotonic() < until:
        if chance.random() < 0.75:
            name = chance.choice(sorted(pictures))
            change = chance.choice(sorted(PICTURE_CHANGES))
            content = PICTURE_CHANGES[change](pictures[name], chance)
            read: Callable[[bytes], str] = read_picture
        else:
            name = chance.choice(sorted(TEXTS))
            change = chance.choice(sorted(TEXT_CHANGES))
            content = TEXT_CHANGES[change](TEXTS[name], chance)
            ending = name.partition(" ")[2]
            read = read_manifest if name.startswith("manifest") else partial(read_catalogue, ending)
        if chance.random() < 0.2:  # twice changed
            again = TEXT_CHANGES["bytes"](content, chance) if len(content) < 2**20 and content else content
            content = again
        yield finding_of(f"{name.split()[0]}: {change}", len(content), limited(partial(read, content))), content


def table(findings: list[Finding]) -> str:
    """The slowest and the largest by kind, as a table of Markdown."""
    kinds: dict[str, list[Finding]] = {}
    for one in findings:
        kinds.setdefault(one.kind, []).append(one)
    lines = [
        "| kind | files | read | slowest, CPU s | largest, MiB | faults |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind, ones in sorted(kinds.items()):
        read = sum(one.outcome.startswith(READ) for one in ones)
        slowest, largest = max(one.cpu_s for one in ones), max(one.memory_bytes for one in ones) / 2**20
        faults = sum(one.is_fault for one in ones)
        lines.append(f"| {kind} | {len(ones)} | {read} | {slowest:.2f} | {largest:.0f} | {faults} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the files that are faults")
    parser.add_argument("--poison", action="store_true", help="read the named files instead")
    parser.add_argument("--bytes", type=int, default=30 * 2**20, help="of each named file")
    parser.add_argument("--json", action="store_true", help="print one object a file instead of a table")
    options = parser.parse_args()
    findings, kept = [], Counter[str]()
    source = (
        ((one, b"") for one in poison(options.bytes)) if options.poison else mutations(options.seconds, options.seed)
    )
    for finding, content in source:
        findings.append(finding)
        if options.json:
            print(json.dumps(asdict(finding)), flush=True)
        if finding.is_fault and not options.json:
            print(
                f"{finding.kind}: {finding.cpu_s:.2f} s, {finding.memory_bytes >> 20} MiB: {finding.outcome[:200]}",
                flush=True,
            )
        if finding.is_fault and content and options.keep and kept[finding.kind] < 20:
            options.keep.mkdir(parents=True, exist_ok=True)
            kept[finding.kind] += 1
            (options.keep / f"{finding.kind.replace(': ', '-')}-{kept[finding.kind]}.bin").write_bytes(content)
    if not options.json:
        print(table(findings))


if __name__ == "__main__":
    main()
