"""Several pictures from one answer, what they cost and whether the product is whole and inside its margin in each:
`python -m tests.bench.output_sets [--pairs N] [--keep FOLDER]`.

The scenes are parts of the shipped pair's scene, at random, in several shapes; the answer is the Gemini emulator's. CPU
seconds are those of the whole way of a pair without the model's answer, which is asked for once and handed out again.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections import Counter
from pathlib import Path

import numpy as np

from function.deadline import Deadline
from function.generation.gemini.client import GeminiClient
from function.generation.model_chain import ModelChain
from function.generation.paid_calls import Answered
from function.generation.provider import Request
from function.imaging.resize import Box, outside_share
from function.manifest.parse import manifest_from
from function.pipeline.context import Composite, PairContext
from function.pipeline.fetch import Source
from function.pipeline.memory_budget import MemoryBudget
from function.pipeline.record import RunRecord
from function.pipeline.resources import PairResources
from function.pipeline.run import run_pair
from function.settings import Settings
from function.tools.demo_pair import DEMO_PAIR, PRODUCT, SCENE
from function.tools.emulator.server import GeminiEmulator
from tests.support import picture, png

OUTPUTS = [
    {"name": "full", "format": "jpeg"},
    "square-white",
    "portrait-4x5",
    "story-9x16",
    {"preset": "banner-16x9", "position": "right"},
]
SHAPES = [(2400, 1800), (2400, 1350), (1800, 1800), (1600, 2000)]
SEED = 25


class AnsweredOnce:
    """The model without leases or a store: what was asked for once is answered with the same again."""

    def __init__(self, client: GeminiClient):
        self._client = client
        self._answers: dict[str, Answered] = {}

    def ask(self, request: Request, number: int, max_calls: int) -> Answered:
        """The answer to the request."""
        key = repr(request)
        if key not in self._answers:
            self._answers[key] = Answered(self._client.generate(request, Deadline(60)), False, True, "")
        return self._answers[key]


def main() -> None:
    """Print what was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=40)
    options.add_argument("--keep", type=Path, help="folder for the pictures")
    chosen = options.parse_args()
    settings = Settings.from_environment({"OUTPUT_BUCKET": "unused", "GEMINI_API_KEY": "unused"})
    whole, inside, seen, ratios = Counter(), Counter(), Counter(), []
    rng = np.random.default_rng(SEED)
    scene, product = picture((DEMO_PAIR / SCENE).read_bytes()), (DEMO_PAIR / PRODUCT).read_bytes()
    with GeminiEmulator() as emulator:
        os.environ["GOOGLE_GEMINI_BASE_URL"] = emulator.url
        calls = AnsweredOnce(
            GeminiClient(api_key="unused", vertexai=False, project=None, location="", api_version=None)
        )
        for number in range(chosen.pairs):
            sources = {
                "scene": Source("s", 1, png(part_of(scene, SHAPES[number % len(SHAPES)], rng))),
                "product": Source("p", 1, product),
            }
            one, several = ({"output": {"format": "jpeg"}}, {"outputs": OUTPUTS})
            run(sources, calls, settings, number, one)  # the answer is there from here on
            _, one_s = run(sources, calls, settings, number, one)
            pair, several_s = run(sources, calls, settings, number, several)
            ratios.append(several_s / one_s)
            for result in pair.composite.pictures:
                name, box = result.name or "", product_box(pair)
                seen[name] += 1
                size = pair.decoded_sources().scene.size
                whole[name] += is_whole(box, result.shown, size)
                target = next(one for one in pair.prepared.targets if one.name == result.name)
                inside[name] += is_inside(box, result.shown, size, target.margin)
            if chosen.keep:
                keep(pair.composite, chosen.keep, number)
    for name, count in seen.items():
        print(f"{name}: the product is whole in {whole[name]} of {count}, inside its margin in {inside[name]}")
    print(f"CPU of {len(OUTPUTS)} pictures over that of one: median {statistics.median(ratios):.2f}, "
          f"largest {max(ratios):.2f}")  # fmt: skip


def part_of(scene: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A part of the scene (h, w, 3) in another shape, at random."""
    height, width = scene.shape[:2]
    scale = min(width / shape[0], height / shape[1]) * rng.uniform(0.75, 1.0)
    across, down = int(shape[0] * scale), int(shape[1] * scale)
    left, top = rng.integers(0, width - across + 1), rng.integers(0, height - down + 1)
    return np.ascontiguousarray(scene[top : top + down, left : left + across])


def run(
    sources: dict[str, Source], calls: AnsweredOnce, settings: Settings, seed: int, fields: dict
) -> tuple[PairContext, float]:
    """One pair, and the CPU seconds that it took."""
    deadline = Deadline(300)
    manifest = manifest_from({"scene": "s", "product": "p", "attempts": 1, "seed": seed, **fields}, settings)
    resources = PairResources(MemoryBudget.of_process(), deadline)
    models = ModelChain(settings.model_chain, None)
    pair = PairContext(manifest, dict(sources), calls, settings, deadline, RunRecord(), resources, models)
    start = time.process_time()
    run_pair(pair)
    return pair, time.process_time() - start


def product_box(pair: PairContext) -> Box:
    """The product's in the scene's pixels."""
    mask, (width, height) = pair.best.analysis.product.mask, pair.decoded_sources().scene.size
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return 0, 0, width, height
    across, down = width / mask.shape[1], height / mask.shape[0]
    left, top = int(columns[0] * across), int(rows[0] * down)
    return left, top, int((columns[-1] + 1) * across) - left, int((rows[-1] + 1) * down) - top


def is_whole(box: Box, shown: Box | None, size: tuple[int, int]) -> bool:
    """Whether all of the product is in the part of the scene that is shown."""
    x, y, width, height = shown or (0, 0, *size)
    return outside_share(box, (x - 1, y - 1, x + width + 1, y + height + 1)) == 0


def is_inside(box: Box, shown: Box | None, size: tuple[int, int], margin: float) -> bool:
    """Whether the margin around the product is free, on the sides where the scene reaches further than what is shown:
    no picture has a margin that its scene has not."""
    if shown is None:
        return True
    free = margin * min(shown[2:]) - 2  # whole pixels of the mask and of the window
    for axis in (0, 1):
        before, after = box[axis] - shown[axis], shown[axis] + shown[axis + 2] - box[axis] - box[axis + 2]
        reaches = shown[axis] > 0, shown[axis] + shown[axis + 2] < size[axis]
        if (before < free and reaches[0]) or (after < free and reaches[1]):
            return False
    return True


def keep(composite: Composite, folder: Path, number: int) -> None:
    """Write the pictures for a look at them."""
    folder.mkdir(parents=True, exist_ok=True)
    for result in composite.pictures:
        (folder / f"{number:03}-{result.name}{result.suffix}").write_bytes(result.content)


if __name__ == "__main__":
    main()
