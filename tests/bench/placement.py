"""Whether what stands where it was asked to passes, and what does not is seen.

`python -m tests.bench.placement [--boxes 200] [--seed 1]`: boxes over six sets are asked for with the words that the
function sends, drawn by the emulated model, which obeys or misses them, and judged. In process, without HTTP.
`--shown both` asks for each box twice, in words and outlined in a marked copy of the scene; there the emulated model
also paints the outline into its picture. It prints what a call costs in either way.
`--exact 50` lays products with `identity` exact instead, and measures where they stand in the result: the base as a
share of the picture's height and width, and the size.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from function.deadline import Deadline
from function.errors import CompositeError
from function.generation.model_chain import ModelChain
from function.generation.models import ImageModel, SpotShown, model_table
from function.generation.paid_calls import Answered
from function.generation.pricing import Usage, typical_usd
from function.generation.provider import Answer, Request
from function.judging.check import Check
from function.judging.judge import Judgement
from function.manifest.parse import manifest_from
from function.matching.asked_place import AskedPlace
from function.matching.place import outline_box
from function.pipeline.attempts import analysed
from function.pipeline.context import PairContext
from function.pipeline.decode import decode_sources
from function.pipeline.fetch import Source
from function.pipeline.memory_budget import MemoryBudget
from function.pipeline.prepare import prepare_inputs
from function.pipeline.record import RunRecord
from function.pipeline.requests import composite_request
from function.pipeline.resources import PairResources
from function.pipeline.run import run_pair
from function.restoration.placed_reference import PlacedReference
from function.settings import Settings
from function.tools.emulator.asked_spot import SPOT_MANNERS
from function.tools.emulator.marked_spot import MARK_MANNERS
from function.tools.emulator.models import load_models
from function.tools.emulator.protocol import GenerateRequest, ImagePart
from function.tools.emulator.render import draw
from tests.bench.identity import png
from tests.cases import packshots
from tests.cases.cases import case_folders, load_case

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "bench-out", "GEMINI_API_KEY": "none"})
DATA = Path(__file__).parents[1] / "data"
DRIFT = 1.0  # as real answers do
# Boxes: height, and where the base's middle is, as shares of the scene.
TALL, ACROSS, DOWN = (0.18, 0.45), (0.2, 0.8), (0.62, 0.94)
LOOSE = (1.0, 1.5)  # boxes are so many times as wide as the product


@dataclass(frozen=True)
class Asked:
    """One box in one set, and what is to stand there."""

    scene: str
    product: str
    box: list[float]
    seed: int


def scenes() -> dict[str, np.ndarray]:
    """The six sets."""
    found = {folder.name: load_case(folder).scene for folder in case_folders()}
    found["demo"] = _read(DATA / "demo" / "scene.jpg", "RGB")
    found["boutique"] = _read(DATA / "boutique" / "scene.webp", "RGB")
    found["drawn"] = packshots.shelf()
    return found


def products() -> dict[str, np.ndarray]:
    """What is placed: with print and without, wide and tall, with openings."""
    found = {folder.name: load_case(folder).product for folder in case_folders()}
    found["demo"] = _read(DATA / "demo" / "product.png", "RGBA")
    found["boutique"] = _read(DATA / "boutique" / "product.png", "RGBA")
    return found | {name: packshots.PRODUCTS[name]() for name in ("tea", "bag", "lamp")}


def boxes(count: int, seed: int) -> Iterator[Asked]:
    """`count` boxes over all sets and products, each inside its scene."""
    rng, sets, goods = np.random.default_rng(seed), scenes(), products()
    names = [(scene, product) for scene in sets for product in goods]
    for number in range(count):
        scene, product = names[number * 7 % len(names)]
        height, width = sets[scene].shape[:2]
        _, _, wide, tall = cv2.boundingRect(cv2.inRange(np.ascontiguousarray(goods[product][..., 3]), 128, 255))
        share = rng.uniform(*TALL)
        across = min(0.5, share * height / width * wide / tall * rng.uniform(*LOOSE))
        x = np.clip(rng.uniform(*ACROSS) - across / 2, 0.02, 0.98 - across)
        base = rng.uniform(*DOWN)
        yield Asked(scene, product, [round(float(one), 4) for one in (x, base - share, across, share)], number)


def pair_of(asked: Asked, pictures: dict[str, bytes], calls: Any, **fields: Any) -> PairContext:
    """A pair that asks for the box."""
    placement = {"box": asked.box}
    manifest = manifest_from(
        {"scene": "s", "product": "p", "placement": placement, "seed": asked.seed, **fields}, SETTINGS
    )
    sources = {name: Source(name, None, pictures[f"{name} {getattr(asked, name)}"]) for name in ("scene", "product")}
    deadline = Deadline(3600)
    resources = PairResources(MemoryBudget.of_process(), deadline)
    chain = ModelChain(SETTINGS.model_chain, None)
    return PairContext(manifest, sources, calls, SETTINGS, deadline, RunRecord(), resources, chain)


def emulated(request: Request) -> GenerateRequest:
    """The request as the emulated model reads it."""
    cards = load_models()
    images = [
        ImagePart(np.asarray(Image.open(io.BytesIO(content))), mime_type, content)
        for content, mime_type in request.images
    ]
    return GenerateRequest(
        cards[request.model], request.prompt, images, request.aspect_ratio, request.image_size or "1K", None,
        "image/png", request.seed, True, None, False,
    )  # fmt: skip


def drawn(request: Request, manner: str | None) -> bytes:
    """The emulated model's picture."""
    return png(draw(emulated(request), manner, DRIFT))


def judged_pair(
    pair: PairContext, manners: list[str | None], shown: SpotShown = "words"
) -> dict[str | None, Judgement]:
    """The `pair` asked for once, its place `shown` in that way, and drawn in each manner."""
    pair.model = model_shown(shown)
    with pair.resources:
        decode_sources(pair)
        prepare_inputs(pair)
        request = composite_request(pair.prepared, pair.model, SETTINGS, pair.manifest, 1, ())
        return {manner: analysed(pair, drawn(request, manner), None)[2] for manner in manners}


def model_shown(shown: SpotShown) -> ImageModel:
    """The default model, to which places are `shown` in that way."""
    return model_table().find(SETTINGS.gemini_model).model_copy(update={"spot_shown": shown})


class EmulatedModel:
    """What `PairContext.calls` is, without a store or a service."""

    def ask(self, request: Request, number: int, max_calls: int) -> Answered:
        """One answer."""
        usage = Usage(prompt_tokens=0, prompt_image_tokens=0, output_tokens=0, thought_tokens=0, output_image_tokens=0)
        answer = Answer("image", "STOP", "", drawn(request, None), "image/png", usage, "emulated", 0)
        return Answered(answer, False, True, "gs://bench-out/answer")


def exact(asked: Asked, pictures: dict[str, bytes], product: np.ndarray) -> tuple[float, float] | None:
    """How far the base is off in the result, as a share of the picture, and the size as a share of itself; None where
    there is no result, or the product is not laid."""
    pair = pair_of(asked, pictures, EmulatedModel(), identity="exact", output={"format": "png"})
    try:
        done = run_pair(pair)
    except CompositeError:
        return None
    if pair.record.method != "sketch":
        return None
    picture = np.asarray(Image.open(io.BytesIO(done.first.content)).convert("RGB"))
    return off(picture, product, asked.box)


def off(picture: np.ndarray, product: np.ndarray, box: list[float]) -> tuple[float, float]:
    """The same, of the `product` (h, w, 4) in a `picture` (H, W, 3): its photograph is laid where it was asked for, and
    fitted to what is seen there. Not a number where it does not fit."""
    height, width = picture.shape[:2]
    outline = outline_box(np.ascontiguousarray(product[..., 3]))
    place = AskedPlace((box[0], box[1], box[2], box[3])).place(outline, (width, height))
    assert place is not None
    laid = PlacedReference.of(product, place, (width, height))
    x, y, wide, tall = laid.box
    inside = cv2.inRange(cv2.erode(laid.coverage(laid.box), np.ones((5, 5), np.uint8)), 251, 255)
    seen = picture[y : y + tall, x : x + wide]
    greys = [cv2.cvtColor(np.ascontiguousarray(p), cv2.COLOR_RGB2GRAY) for p in (laid.colours(laid.box), seen)]
    fit: np.ndarray = np.eye(2, 3, dtype=np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
    try:
        _, fit = cv2.findTransformECC(*greys, fit, cv2.MOTION_AFFINE, criteria, inside, 5)
    except cv2.error:
        return math.nan, math.nan
    left, top, across, down = place.pixels((width, height))
    foot = np.array([left + across / 2 - x, top + down - y, 1.0])
    moved = fit @ foot - foot[:2]
    asked_foot = np.array([(box[0] + box[2] / 2) * width - x, (box[1] + box[3]) * height - y])
    moved += foot[:2] - asked_foot
    grown = float(np.sqrt(abs(np.linalg.det(fit[:, :2]))))
    return float(max(abs(moved[0]) / width, abs(moved[1]) / height)), abs(grown - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--boxes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--exact", type=int, default=0, help="pairs that are laid, instead")
    parser.add_argument("--shown", choices=("words", "marked_scene", "both"), default="words")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    goods = products()
    pictures = {f"scene {name}": png(one) for name, one in scenes().items()}
    pictures |= {f"product {name}": png(one) for name, one in goods.items()}
    if options.exact:
        with contextlib.redirect_stdout(io.StringIO()):  # the log
            found = [exact(asked, pictures, goods[asked.product]) for asked in boxes(options.exact, options.seed)]
        print_exact(found)
        return
    ways: tuple[SpotShown, ...] = ("words", "marked_scene") if options.shown == "both" else (options.shown,)
    for shown in ways:
        model = model_shown(shown)
        print(f"{shown}: {typical_usd(model, images=2 + (shown == 'marked_scene')):.6f} USD a picture of {model.id}")
        print_judged(shown, list(boxes(options.boxes, options.seed)), pictures)


def print_judged(shown: SpotShown, asked_for: list[Asked], pictures: dict[str, bytes]) -> None:
    """How many boxes pass that are obeyed, and that are missed, and what catches an outline that is painted in."""
    table: dict[str, list[Check]] = defaultdict(list)
    leaks: list[Judgement] = []
    kinds = sorted(SPOT_MANNERS)
    for asked in asked_for:
        manners = [None, kinds[asked.seed % len(kinds)], *sorted(MARK_MANNERS) * (shown == "marked_scene")]
        with contextlib.redirect_stdout(io.StringIO()):
            drawings = judged_pair(pair_of(asked, pictures, None), manners, shown)
        leaks += [drawings.pop(manner) for manner in MARK_MANNERS & drawings.keys()]
        for manner, judgement in drawings.items():
            check = judgement.checks["placed_as_asked"]
            table[manner or "obeyed"].append(check)
            if check.passed == (manner is not None) or check.value is None:
                print(f"  {asked} {manner or 'obeyed'}: {check.value} {check.reason}", flush=True)
    for name, checks in sorted(table.items()):
        values = sorted(check.value for check in checks if check.value is not None)
        passed = sum(check.passed for check in checks)
        spread = ", ".join(f"{np.quantile(values, at):.3f}" for at in (0.02, 0.5, 0.98)) if values else "-"
        print(f"{name:<20} {passed:>4} of {len(checks):<4} pass; off by {spread} (2 %, median, 98 %)")
    if leaks:
        caught = Counter(name for one in leaks for name, check in one.checks.items() if not check.passed)
        accepted = sum(one.verdict == "accepted" for one in leaks)
        print(f"outline painted in: {accepted} of {len(leaks)} accepted; failed checks: {dict(caught.most_common())}")


def print_exact(found: list[tuple[float, float] | None]) -> None:
    """How many were laid, and the worst of them."""
    laid = [one for one in found if one is not None]
    fitted = np.array([one for one in laid if math.isfinite(one[0])]).reshape(-1, 2)
    print(f"{len(laid)} of {len(found)} laid, {len(fitted)} of them can be measured")
    for name, limit, values in zip(("base", "size"), (0.01, 0.02), fitted.T, strict=True):
        within = f"{(values <= limit).sum()} within {limit}"
        print(f"{name}: {within}; median {np.median(values):.4f}, worst {values.max():.4f}")


def _read(path: Path, mode: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert(mode))


if __name__ == "__main__":
    main()
