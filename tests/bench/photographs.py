"""How well product photographs are cut out, and judged by it: `python -m tests.bench.photographs [--only lamp]`.

Drawn products before backdrops (tests/cases/packshots.py), whose true cut-out is known. Printed for each: mean absolute
alpha error outside of what is marked unknown, the unknown share of the picture, shares of thin parts kept and of
openings open, shares of product lost and of background taken, and the verdicts on the right answer and on wrong ones.
The necklace stands like a hoop: its verdicts do not count. `--sheet FILE` writes the cut-outs over magenta.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from function.generation.models import FALLBACK_PROFILE, model_table
from function.imaging.frame import plan_letterbox
from function.judging.judge import Judgement, judge
from function.matching.cutout.cut_out import cut_out
from function.restoration.analyse import analyse
from function.restoration.product_reference import ProductReference
from tests.cases.packshots import Packshot, answer, openings, packshots, shelf

SENT_PX = 768
MAGENTA = (255, 0, 255)
UNJUDGED = ("necklace",)
# A part is thin where an opening by a disc of so many px removes it.
THIN_PX = 15
# Share of the product that thin parts take at least, or there are none: a mug has six such pixels, where its rim ends.
MIN_THIN = 1e-4
COLUMNS = ("error", "unknown", "thin kept", "open", "lost", "taken")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="a product, a backdrop, or both: lamp-white")
    parser.add_argument("--sheet", type=Path, help="write the cut-outs over magenta to this PNG")
    parser.add_argument("--no-verdicts", action="store_true", help="only the cut-outs")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    scene, sheet = shelf(), []
    right: list[bool] = []
    wrong: list[bool] = []
    scores: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    print(f"{'':<22}" + "".join(f"{name:>10}" for name in COLUMNS))
    for shot in packshots(options.only):
        cut = cut_out(shot.photograph)
        score = score_alpha(cut.alpha, shot.truth[..., 3], cut.unknown)
        scores[shot.backdrop].append(score)
        told = "" if options.no_verdicts else _verdicts(shot, scene, right, wrong)
        name = f"{shot.product}-{shot.backdrop}"
        print(f"{name:<22}" + "".join("         -" if v is None else f"{v:10.4f}" for v in score) + told, flush=True)
        sheet.append(over_magenta(shot.photograph, cut.alpha, cut.unknown))
    for backdrop, rows in scores.items():
        print(f"{backdrop:<22}" + "".join(_mean(column) for column in zip(*rows, strict=True)))
    if right:
        print(f"right accepted {sum(right)}/{len(right)}; wrong caught {sum(wrong)}/{len(wrong)}")
    print(f"a cut-out at 2000x2000 takes {_milliseconds():.0f} ms of CPU")
    if options.sheet:
        cv2.imwrite(str(options.sheet), _tiled(sheet)[..., ::-1])


def judged(photograph: np.ndarray, scene: np.ndarray, picture: np.ndarray) -> Judgement:
    """The verdict on an answer (h, w, 3) to a product photograph (h, w, 3 or 4) in a scene, all uint8."""
    size = scene.shape[1], scene.shape[0]
    frame = plan_letterbox(size, model_table().find(FALLBACK_PROFILE).native_sizes, SENT_PX)
    cut = cut_out(photograph)
    reference = ProductReference.of(cut.rgba, cut)
    return judge(analyse(scene, reference, picture, frame))


def _verdicts(shot: Packshot, scene: np.ndarray, right: list[bool], wrong: list[bool]) -> str:
    counts = shot.product not in UNJUDGED
    told = ""
    for name, cut in {"right": shot.truth, **shot.wrong}.items():
        judgement = judged(shot.photograph, scene, answer(scene, cut))
        failed = [f"{n} {c.value}" for n, c in judgement.checks.items() if not c.passed]
        told += f"  {name}: {judgement.verdict}{' ' + str(failed) if failed and name == 'right' else ''}"
        if counts and name == "right":
            right.append(judgement.verdict == "accepted")
        elif counts:
            wrong.append(judgement.verdict != "accepted")
    return told


def score_alpha(found: np.ndarray, truth: np.ndarray, unknown: np.ndarray) -> tuple[float | None, ...]:
    """`COLUMNS` of the alpha `found` against the true one, (h, w) uint8; `unknown` (h, w) bool is left out of all but
    its own share. None where there is nothing to measure."""
    known = ~unknown
    solid, away = (truth > 240) & known, (truth < 15) & known
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (THIN_PX, THIN_PX))
    product = (truth > 128).astype(np.uint8)
    thin = (product > 0) & (cv2.morphologyEx(product, cv2.MORPH_OPEN, disc) == 0) & known
    hole = openings(truth) & away

    def share(where: np.ndarray, hit: np.ndarray) -> float | None:
        return float(hit[where].mean()) if where.any() else None

    return (
        share(known, np.abs(found.astype(np.float32) - truth) / 255),
        float(unknown.mean()),
        share(thin, found > 128) if thin.mean() > MIN_THIN * product.mean() else None,
        share(hole, found < 128),
        share(solid, found < 128),
        share(away, found > 128),
    )


def over_magenta(photograph: np.ndarray, alpha: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8: what was cut out over magenta, what is unknown in green."""
    share = alpha[..., None].astype(np.float32) / 255
    picture = photograph[..., :3] * share + np.float32(MAGENTA) * (1 - share)
    picture[unknown] = picture[unknown] * 0.4 + np.float32([0, 255, 0]) * 0.6
    return picture.astype(np.uint8)


def _mean(column: tuple[float | None, ...]) -> str:
    known = [value for value in column if value is not None]
    return f"{np.mean(known):10.4f}" if known else "         -"


def _milliseconds() -> float:
    """CPU time of one cut-out of 2000x2000, the median of five."""
    shot = next(packshots("chair-sweep"))
    large = cv2.resize(shot.photograph, (2000, 2000), interpolation=cv2.INTER_CUBIC)
    times = []
    for _ in range(5):
        started = time.process_time()
        cut_out(large)
        times.append(time.process_time() - started)
    return 1000 * float(np.median(times))


def _tiled(pictures: list[np.ndarray], columns: int = 8, side: int = 300) -> np.ndarray:
    small = [cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA) for picture in pictures]
    small += [np.zeros_like(small[0])] * (-len(small) % columns)
    return np.vstack([np.hstack(small[row : row + columns]) for row in range(0, len(small), columns)])


if __name__ == "__main__":
    main()
