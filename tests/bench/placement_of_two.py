"""Whether two products that stand in boxes of their own pass, and the one that does not is named.

`python -m tests.bench.placement_of_two [--pairs 40] [--seed 1]`: as tests/bench/placement.py, with two products in one
picture. The emulated model obeys both boxes, or misses the first one.
"""

from __future__ import annotations

import argparse
import contextlib
import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import cv2

from function.judging.judge import Judgement
from function.manifest.parse import manifest_from
from function.pipeline.fetch import Source
from function.tools.emulator.asked_spot import SPOT_MANNERS
from tests.bench.identity import png
from tests.bench.placement import SETTINGS, Asked, boxes, judged_pair, pair_of, products, scenes

NAMES = "left", "right"
MIDDLES = 0.27, 0.73  # of the scene's width


def pairs(count: int, seed: int) -> Iterator[tuple[Asked, Asked]]:
    """Two boxes side by side in one set, with two products."""
    asked = iter(boxes(20 * count + 20, seed))
    for number in range(count):
        first = next(asked)
        second = next(one for one in asked if one.product != first.product)
        x, y = (middle - min(one.box[2], 0.36) / 2 for middle, one in zip(MIDDLES, (first, second), strict=True))
        yield (
            replace(first, box=[round(x, 4), first.box[1], min(first.box[2], 0.36), first.box[3]], seed=number),
            replace(second, box=[round(y, 4), second.box[1], min(second.box[2], 0.36), second.box[3]], seed=number),
        )


def judged(
    two: tuple[Asked, Asked], pictures: dict[str, bytes], manners: list[str | None]
) -> dict[str | None, Judgement]:
    """Both asked for once, and drawn in each manner."""
    pair = pair_of(two[0], pictures, None)
    asked = [
        {"name": name, "product": name, "placement": {"box": one.box}} for name, one in zip(NAMES, two, strict=True)
    ]
    pair.manifest = manifest_from({"scene": "s", "products": asked, "seed": two[0].seed}, SETTINGS)
    pair.sources = {"scene": pair.sources["scene"]} | {
        f"products.{name}": Source(name, None, pictures[f"product {one.product}"])
        for name, one in zip(NAMES, two, strict=True)
    }
    return judged_pair(pair, manners)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pictures = {f"scene {name}": png(one) for name, one in scenes().items()}
    pictures |= {f"product {name}": png(one) for name, one in products().items()}
    passed: dict[str, list[bool]] = defaultdict(list)
    kinds = sorted(SPOT_MANNERS)
    for two in pairs(options.pairs, options.seed):
        with contextlib.redirect_stdout(io.StringIO()):  # the log
            drawings = judged(two, pictures, [None, kinds[two[0].seed % len(kinds)]])
        for manner, judgement in drawings.items():
            for name, one in zip(NAMES, two, strict=True):
                check = judgement.by_product[name]["placed_as_asked"]
                missed = manner is not None and name == NAMES[0]
                passed["missed" if missed else "in its box"].append(check.passed)
                if check.passed == missed:
                    print(f"  {one} {manner or 'obeyed'}: {check.value} {check.reason}", flush=True)
    for name, outcomes in sorted(passed.items()):
        print(f"{name:<12} {sum(outcomes):>4} of {len(outcomes):<4} pass")


if __name__ == "__main__":
    main()
