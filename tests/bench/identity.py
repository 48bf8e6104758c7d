"""Whether the product stays the one that was photographed: `python -m tests.bench.identity [--cases DIR] [--seeds 3]`.

Each case goes through the pipeline as it is, with a model in place of the real one that answers from the case's truth
and takes liberties with the product, in every answer. What was photographed frontally is compared frontally: render the
cases with `python -m tests.bench.render --frontal`. For each imitation, with `identity` model (as it was without
sketches) and auto:

product   SSIM and CIE76 of the product with its photograph, warped to lie on it, once the light is divided out
letters   of the label that are not read, less those not read of the photograph at that size (tesseract)
shadow    SSIM with the truth around the product
place     where the product was laid against where the first answer drew it, share of its height; of those laid
paid      pictures for each accepted pair; and CPU of a pair, imitating left out
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from function.deadline import Deadline
from function.errors import CompositeError
from function.generation.model_chain import ModelChain
from function.generation.paid_calls import Answered
from function.generation.pricing import Usage
from function.generation.provider import Answer, Request
from function.manifest.parse import manifest_from
from function.matching.place import Place, outline_box
from function.pipeline.context import PairContext
from function.pipeline.fetch import Source
from function.pipeline.memory_budget import MemoryBudget
from function.pipeline.record import RunRecord
from function.pipeline.resources import PairResources
from function.pipeline.run import run_pair
from function.restoration.placed_reference import PlacedReference
from function.settings import Settings
from tests.bench.scores import can_read, character_error, label_words, score, ssim_map
from tests.cases.cases import SHIPPED, Case, case_folders, load_case
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS
from tests.cases.product_liberties import LIBERTIES, Drawn

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "bench-out", "GEMINI_API_KEY": "none"})
LIGHT_SHARE = 0.03  # of the product's height: light is wider


class ImitatedModel:
    """What `PairContext.calls` is, with answers made of the case's truth."""

    def __init__(self, case: Case, liberty: Callable[[Drawn, np.random.Generator], Case], seed: int):
        self._case, self._liberty, self._seed = case, liberty, seed
        self.pair: PairContext | None = None
        self.first_place: Place | None = None  # of the product in the first answer
        self.paid, self.spent_s = 0, 0.0

    def ask(self, request: Request, number: int, max_calls: int) -> Answered:
        """One answer."""
        started = time.process_time()
        assert self.pair is not None
        rng = np.random.default_rng([self._seed, number])
        drawn = self._liberty(Drawn.of(self._case), rng)
        self.first_place = self.first_place or truth_place(drawn)
        picture = imitate(drawn, self.pair.prepared.frame, MANNERS["real"], 100 * self._seed + number)
        usage = Usage(prompt_tokens=0, prompt_image_tokens=0, output_tokens=0, thought_tokens=0, output_image_tokens=0)
        answer = Answer("image", "STOP", "", png(picture), "image/png", usage, "imitation", 0)
        self.paid += 1
        self.spent_s += time.process_time() - started
        return Answered(answer, False, True, "gs://bench-out/answer")


@dataclass(frozen=True)
class Run:
    """What became of one pair; measures that cannot be had are absent."""

    status: str
    method: str | None
    paid: int
    cpu_s: float
    measures: dict[str, float]
    image: np.ndarray | None


def png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def run(case: Case, name: str, identity: str, seed: int, words: list[str]) -> Run:
    """One pair through the pipeline."""
    model = ImitatedModel(case, LIBERTIES[name], seed)
    deadline = Deadline(3600)
    manifest = manifest_from(
        {"scene": "s.png", "product": "p.png", "identity": identity, "output": {"format": "png"}}, SETTINGS
    )
    sources = {
        "scene": Source("gs://bench/s.png", None, png(case.scene)),
        "product": Source("gs://bench/p.png", None, png(case.product)),
    }
    resources = PairResources(MemoryBudget.of_process(), deadline)
    chain = ModelChain(SETTINGS.model_chain, None)
    pair = PairContext(manifest, sources, model, SETTINGS, deadline, RunRecord(), resources, chain)  # type: ignore[arg-type]
    model.pair = pair
    started = time.process_time()
    try:
        done = run_pair(pair)
    except CompositeError as error:
        return Run(f"failed: {error.code.value}", None, model.paid, time.process_time() - started, {}, None)
    cpu_s = time.process_time() - started - model.spent_s
    image = np.asarray(Image.open(io.BytesIO(done.first.content)).convert("RGB"))
    assert model.first_place is not None
    measures = measured(case, image, pair, model.first_place, words)
    return Run(done.status, pair.record.method, model.paid, cpu_s, measures, image)


def measured(case: Case, image: np.ndarray, pair: PairContext, first: Place, words: list[str]) -> dict[str, float]:
    """The measures of one result; `first` is where the first answer drew the product."""
    size = image.shape[1], image.shape[0]
    truth = truth_place(case)
    laid = pair.best.analysis.product.composited
    place = truth if laid is None else laid.place
    found = {"shadow": score(case, image).get("shadow", {}).get("ssim", math.nan)}
    found["product"], found["colour"] = likeness(case.product, place, image)
    if laid is not None:
        foot = [(p.left + p.width / 2) * size[0] for p in (laid.place, first)]
        floor = [(p.top + p.height) * size[1] for p in (laid.place, first)]
        found["place"] = math.hypot(foot[0] - foot[1], floor[0] - floor[1]) / (first.height * size[1])
    if words:
        bare = image.copy()
        photograph = PlacedReference.of(case.product, place, size)
        coverage = photograph.coverage((0, 0, *size))[..., None] / 255
        bare = (photograph.colours((0, 0, *size)) * coverage + 128 * (1 - coverage)).astype(np.uint8)
        found["letters"] = character_error(case, image, words) - character_error(case, bare, words)
    return found


def truth_place(case: Case) -> Place:
    """Of the product in the truth."""
    height, width = case.product_mask.shape
    x, y, wide, tall = cv2.boundingRect((case.product_mask > 127).astype(np.uint8))
    outline = outline_box(np.ascontiguousarray(case.product[..., 3]))
    return Place.standing((x + wide / 2) / width, (y + tall) / height, tall / height, outline, (width, height))


def likeness(product: np.ndarray, place: Place, image: np.ndarray) -> tuple[float, float]:
    """SSIM and CIE76 of the product in `image` with its photograph, once the light is divided out."""
    size = image.shape[1], image.shape[0]
    laid = PlacedReference.of(product, place, size)
    x, y, width, height = laid.box
    expected, shown = laid.colours(laid.box), image[y : y + height, x : x + width]
    inside = (cv2.erode(laid.coverage(laid.box), np.ones((5, 5), np.uint8)) > 250).astype(np.uint8)
    greys = [cv2.cvtColor(np.ascontiguousarray(p), cv2.COLOR_RGB2GRAY) for p in (expected, shown)]
    fit: np.ndarray = np.eye(2, 3, dtype=np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
    found = [_likeness(expected, shown, inside)]
    with contextlib.suppress(cv2.error):  # too unlike to be fitted: judged where it stands
        _, fit = cv2.findTransformECC(*greys, fit, cv2.MOTION_AFFINE, criteria, inside, 5)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        fitted = cv2.warpAffine(shown, fit, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        found.append(_likeness(expected, fitted, inside))
    return max(found)


def _likeness(expected: np.ndarray, shown: np.ndarray, inside: np.ndarray) -> tuple[float, float]:
    height = inside.shape[0]
    weight = inside.astype(np.float32)
    sigma = max(3.0, LIGHT_SHARE * height)
    means = [
        cv2.GaussianBlur(p.astype(np.float32) * weight[..., None], (0, 0), sigma)
        / (cv2.GaussianBlur(weight, (0, 0), sigma)[..., None] + 1e-3)
        for p in (expected, shown)
    ]
    lit = np.clip((expected.astype(np.float32) + 6) * (means[1] + 6) / (means[0] + 6) - 6, 0, 255).astype(np.uint8)
    ssim = ssim_map(*(cv2.cvtColor(np.ascontiguousarray(p), cv2.COLOR_RGB2GRAY) for p in (lit, shown)))
    labs = [cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for p in (lit, shown)]
    distance = np.sqrt(((labs[0] - labs[1]) ** 2).sum(axis=2))
    return float(ssim[inside > 0].mean()), float(distance[inside > 0].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=Path, default=SHIPPED, help="folder of case folders")
    parser.add_argument("--only", default="", help="comma-separated starts of case names")
    parser.add_argument("--liberties", default=",".join(LIBERTIES))
    parser.add_argument("--identities", default="model,auto")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--read", action="store_true", help="count letters (slow)")
    parser.add_argument("--save", type=Path, help="folder for the results, as PNG")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    folders = [f for f in case_folders(options.cases) if f.name.startswith(tuple(options.only.split(",")))]
    for name in options.liberties.split(","):
        for identity in options.identities.split(","):
            runs = []
            for folder in folders:
                case = load_case(folder)
                words = label_words(case) if options.read and can_read() else []
                for seed in range(1, options.seeds + 1):
                    one = run(case, name, identity, seed, words)
                    runs.append(one)
                    said = {key: round(value, 3) for key, value in one.measures.items()}
                    print(f"  {folder.name} {seed} {name} {identity}: {one.status} {one.method} {one.paid} {said}")
                    if options.save and one.image is not None:
                        options.save.mkdir(parents=True, exist_ok=True)
                        Image.fromarray(one.image).save(options.save / f"{folder.name}_{name}_{identity}_{seed}.png")
            print(f"== {name}, {identity}: {json.dumps(summary(runs))}", flush=True)


def summary(runs: list[Run]) -> dict[str, float | int | str]:
    """Means over all results, and how many of the pairs were accepted, with what was paid for each of those."""
    accepted = [one for one in runs if one.status == "accepted"]
    found: dict[str, float | int | str] = {
        "accepted": f"{len(accepted)} of {len(runs)}",
        "by sketch": sum(one.method == "sketch" for one in accepted),
        "paid": round(float(np.mean([one.paid for one in accepted])), 2) if accepted else math.nan,
        "cpu_s": round(float(np.mean([one.cpu_s for one in runs])), 2),
    }
    for key in ("product", "colour", "letters", "shadow", "place"):
        for label, some in ((key, runs), (f"{key}, accepted", accepted)):
            values = [one.measures[key] for one in some if math.isfinite(one.measures.get(key, math.nan))]
            if values:
                found[label] = round(float(np.mean(values)), 3)
    return found


if __name__ == "__main__":
    main()
