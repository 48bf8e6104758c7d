"""Interleavings of the real delivery code at random, each by its seed: leases, paid calls, caps, commits, the switch.

    python -m tests.delivery.explore --runs 5000 --seed 1
    python -m tests.delivery.explore --runs 1 --seed 77 --trace
    python -m tests.delivery.explore --batch --runs 1000

Only what stands around the code is a model: the storage below its storage layer, the image model, the pixels, time. A
run uploads a few manifests, delivers their events more often than once and to several instances at once, and lets
requests be lost, doubled or late, processes stand still, be asked to end or be killed, and clocks be wrong. In the end
it lets everything come to rest, and looks whether the promises held. The same seed gives the same run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable

from tests.delivery.exploration.batch_world import BatchWorld
from tests.delivery.exploration.books import ViolationError
from tests.delivery.exploration.world import World


def explore(seeds: Iterable[int], world: type[World] = World, *, trace: bool = False) -> list[ViolationError]:
    """Run every seed in a world of that kind → what was found."""
    found = []
    for seed in seeds:
        try:
            world(seed, trace).run()
        except ViolationError as violation:
            found.append(violation)
    return found


def main() -> int:
    """The command. 0: every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.delivery.explore", description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the next ones follow")
    parser.add_argument("--trace", action="store_true", help="print what happens")
    parser.add_argument("--batch", action="store_true", help="worlds whose manifests ask for batches")
    args = parser.parse_args()
    world = BatchWorld if args.batch else World
    began = time.monotonic()
    found = explore(range(args.seed, args.seed + args.runs), world, trace=args.trace)
    for violation in found:
        print(violation)
    print(f"{args.runs:,} runs in {time.monotonic() - began:.0f} s: {len(found):,} broke a promise")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
