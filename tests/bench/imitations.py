"""How far imitated answers are from their scene, away from the change: `python -m tests.bench.imitations`.

Prints a row for each manner of tests/cases/manners.py that keeps the scene's shape, and for the emulator's drift,
beside what was measured of fourteen real edits. Each figure is the median over cases and seeds, and the range.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np

from function.tools.emulator.drift import drift, repaint
from tests.bench.scores import ssim_map
from tests.cases.answers import frame_of
from tests.cases.cases import SHIPPED, Case, case_folders, load_case
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS

# Of fourteen edits of the scene's own shape by real models, most of them gemini-2.5-flash-image: median [range].
REAL = (
    ".04 [..1.45]",
    ".27 [..4.5]",
    ".35",
    ".96",
    "1.00 [.93..1.12]",
    "1.24 [..2.2]",
    ".92 [.86...99]",
    ".82 [.27...92]",
    "11 [1..30]",
)
PAIRS_RATIO, RANSAC_PX = 0.8, 2.5
FLAT_SIGMA = 3.0  # colours are compared over this width
CHANGED_LAB = 6.0  # blurred colours further apart than this are a change
AROUND_PX = 31  # kept off what is changed
TEXTURE_SIGMA = 2.0  # detail finer than this is texture
TEXTURED = 2.0  # grey levels of detail, root mean square, from which a place is textured


@dataclass(frozen=True)
class Departure:
    """What one answer differs by from its scene, in the order of the table's columns."""

    zoom_percent: float
    shift_px: float
    warp_px: float  # median of the local warp
    warp_95_px: float
    sharpness: float  # ratio of Laplacian energies
    delta_e: float  # of blurred colours
    ssim: float  # after optical flow
    correlation: float  # of fine texture, after optical flow
    changed_percent: float


def departure(scene: np.ndarray, answer: np.ndarray) -> Departure:
    """Measured between two pictures (h, w, 3) uint8 RGB of one size; raises ValueError where they have no match."""
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (scene, answer)]
    fit = _fitted(*grey)
    height, width = grey[0].shape
    centre = np.array([width / 2, height / 2])
    shift = float(np.hypot(*(fit[:, :2] @ centre + fit[:, 2] - centre)))
    zoom = 100 * abs(float(np.sqrt(abs(np.linalg.det(fit[:, :2])))) - 1)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    placed = cv2.warpAffine(answer, fit, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    seen = cv2.warpAffine(np.full((height, width), 255, np.uint8), fit, (width, height), flags=flags) > 254
    lab = [_blurred_lab(picture) for picture in (scene, placed)]
    distance = np.sqrt(((lab[0] - lab[1]) ** 2).sum(axis=2))
    changed = (distance > CHANGED_LAB).astype(np.uint8)
    changed = cv2.morphologyEx(changed, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    away = (cv2.dilate(changed, np.ones((AROUND_PX, AROUND_PX), np.uint8)) == 0) & seen
    flow, flowed = _flowed(grey[0], cv2.cvtColor(placed, cv2.COLOR_RGB2GRAY))
    detail = [one - cv2.GaussianBlur(one, (0, 0), TEXTURE_SIGMA) for one in (grey[0].astype(np.float32), flowed)]
    textured = away & (cv2.GaussianBlur(detail[0] ** 2, (0, 0), 8.0) > TEXTURED**2)
    told = textured if textured.mean() > 0.01 else away
    warp = np.hypot(flow[..., 0], flow[..., 1])[told]
    energies = [float((cv2.Laplacian(one.astype(np.float32), cv2.CV_32F)[away] ** 2).mean()) for one in grey]
    return Departure(
        zoom,
        shift,
        float(np.median(warp)),
        float(np.quantile(warp, 0.95)),
        float(np.sqrt(energies[1] / max(energies[0], 1e-6))),
        float(distance[away].mean()),
        float(ssim_map(grey[0], flowed)[away].mean()),
        float(np.corrcoef(detail[0][told], detail[1][told])[0, 1]),
        100 * float(changed[seen].mean()),
    )


def _fitted(scene: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """Affine (2, 3) from scene to answer."""
    sift = cv2.SIFT_create(6000)
    (points, descriptors), (other_points, others) = (sift.detectAndCompute(grey, None) for grey in (scene, answer))
    if descriptors is None or others is None or min(len(points), len(other_points)) < 8:
        raise ValueError("no features")
    pairs = [pair for pair in cv2.BFMatcher().knnMatch(descriptors, others, 2) if len(pair) == 2]
    pairs = [best for best, second in pairs if best.distance < PAIRS_RATIO * second.distance]
    if len(pairs) < 8:
        raise ValueError("no match")
    source = np.float32([points[pair.queryIdx].pt for pair in pairs])
    target = np.float32([other_points[pair.trainIdx].pt for pair in pairs])
    fit, _ = cv2.estimateAffine2D(
        source, target, method=cv2.USAC_MAGSAC, ransacReprojThreshold=RANSAC_PX, maxIters=20000, confidence=0.9999
    )
    if fit is None:
        raise ValueError("no fit")
    return fit


def _flowed(scene: np.ndarray, answer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Dense flow (h, w, 2) px from scene to answer, and the answer brought back by it, (h, w) float32."""
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(scene, answer, None)
    flow = cv2.GaussianBlur(flow, (0, 0), 4.0)
    height, width = scene.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    back = cv2.remap(
        answer.astype(np.float32),
        x + flow[..., 0],
        y + flow[..., 1],
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return flow, back


def _blurred_lab(picture: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), (0, 0), FLAT_SIGMA)


def departures(case: Case, manner: str, seeds: int) -> Iterator[Departure]:
    """Of `seeds` answers to one case; the manner "emulator" is the local emulator's drift of the truth."""
    frame = frame_of(case.scene)
    size = frame.native_size
    scene, truth = (cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in (case.scene, case.truth))
    for seed in range(seeds):
        if manner == "emulator":
            picture, rng = truth.astype(np.float32), np.random.default_rng(seed)
            repaint(picture, rng, 1.0)
            answer = drift(picture, rng, 1.0)
        else:
            answer = imitate(case, frame, MANNERS[manner], seed)
        yield departure(scene, answer)


def main() -> None:
    """Print the table."""
    kept = [name for name, manner in MANNERS.items() if manner.layout == "stretched" and manner.size is None]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=Path, default=SHIPPED, help="folder of case folders")
    parser.add_argument("--manners", default=",".join([*kept, "emulator"]), help="comma-separated")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    cases = [load_case(folder) for folder in case_folders(options.cases)]
    print("| | " + " | ".join(field.name for field in fields(Departure)) + " |")
    print("| --- |" + " --- |" * len(fields(Departure)))
    print("| real | " + " | ".join(REAL) + " |")
    for manner in options.manners.split(","):
        rows = [one for case in cases for one in departures(case, manner, options.seeds)]
        values = ([getattr(row, field.name) for row in rows] for field in fields(Departure))
        print(f"| {manner} | " + " | ".join(_spread(of_field) for of_field in values) + " |", flush=True)


def _spread(values: list[float]) -> str:
    return f"{np.median(values):.2f} [{min(values):.2f}..{max(values):.2f}]"


if __name__ == "__main__":
    main()
