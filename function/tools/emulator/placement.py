"""Where a product can stand in a scene: the emulated model's eye for surfaces and for light.

Works on a thumbnail. A spot is good when the ground around the product's foot is even, differs from what is
behind it (so it is the table and not the wall), lies low in the picture and hides little clutter.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

THUMB_PX = 320  # width at which the scene is searched
MEDIAN_PX = 9  # odd; specks and veins of stone or wood narrower than half of this do not count as clutter
PRODUCT_AREA = 0.036  # share of the picture a product takes; 2.1 to 5.3 % in the rendered pairs
SCALES = (1.0, 0.8, 0.65)  # sizes tried: a narrow shelf asks for a smaller product
SMALLER = 3.0  # score lost by a product of no size, against full size
MAX_HEIGHT, MAX_WIDTH = 0.56, 0.40  # of the content's height and width
TOP_MARGIN = 0.04  # of the content's height, kept free above the product
DEPTH = 0.30  # depth of a product's foot in the picture against its width: seen from 17 degrees above
BAR_TOLERANCE = 1.0  # mean grey-level difference up to which a row is one with the frame's padding
UNEVEN = 4.5  # standard deviation (Lab) of the ground at which a spot has lost one unit of score
DISTINCT = 14.0  # Lab distance between ground and background that counts as two surfaces
SEEN = 45.0  # Lab distance between product and background at which the product stands out
# Where feet stand in product photographs, of the content's height; seldom lower, that is the front edge.
LIKELY_Y, SPREAD_ABOVE, SPREAD_BELOW = 0.84, 0.15, 0.06
LIKELY_X, SPREAD_X = 0.53, 0.26
SPREAD_X_ASKED = 0.08
BUSY = 4.0  # mean Lab gradient per thumbnail pixel behind the product that costs one unit of score
LIGHT_SIGMA = 2.0  # thumbnail pixels; scale at which shading is told from texture
SMOOTH = 0.03  # log-lightness gradient below which a pixel is shading and not an edge
FULL_SLOPE = 4e-4  # median log-lightness slope per thumbnail pixel of a light clearly from one side


@dataclass(frozen=True)
class Spot:
    """Where and how large the product stands, in pixels of the picture it was sought for."""

    foot_x: float  # middle of the foot
    foot_y: float  # its lowest line
    height: float  # of the trimmed product


def content_box(scene: np.ndarray) -> tuple[int, int, int, int]:
    """(x, y, width, height) of `scene` (uint8 RGB) without even or smeared padding at its edges."""
    top, bottom = _bars(scene)
    left, right = _bars(scene.transpose(1, 0, 2))
    height, width = scene.shape[:2]
    return left, top, width - left - right, height - top - bottom


def _bars(rows: np.ndarray) -> tuple[int, int]:
    """How many first and last rows are padding: constant, or copies of the outermost row."""
    counts = []
    rows = rows[:, ::3].astype(np.int16)  # every third pixel tells as much
    for side in (rows, rows[::-1]):
        same = np.abs(side - side[:1]).mean((1, 2)) < BAR_TOLERANCE
        count = int(np.argmin(same)) if not same.all() else 0
        counts.append(count if count > 1 else 0)
    return (counts[0], counts[1]) if sum(counts) < 0.8 * len(rows) else (0, 0)


def find_spot(scene: np.ndarray, product: np.ndarray, rng: np.random.Generator, side: float | None = None) -> Spot:
    """The best place in `scene` (uint8 RGB) for `product` (uint8 RGBA, trimmed to what it covers).

    `rng` varies size and place a little, as a model does from seed to seed. `side` is where it was asked to
    stand, as a share of the width.
    """
    covered = product[..., 3] > 127
    product_aspect, product_fill = product.shape[0] / product.shape[1], covered.mean()
    upper = product[: len(product) // 2, :, :3][covered[: len(product) // 2]]
    mean = upper.mean(0) if len(upper) else np.full(3, 127.0)
    product_lab = cv2.cvtColor(np.float32(mean / 255).reshape(1, 1, 3), cv2.COLOR_RGB2LAB)[0, 0]
    x, y, width, height = content_box(scene)
    scale = THUMB_PX / width
    thumb_height = max(8, round(height * scale))
    thumb = cv2.resize(scene[y : y + height, x : x + width], (THUMB_PX, thumb_height), interpolation=cv2.INTER_AREA)
    area = PRODUCT_AREA / np.sqrt(max(0.3, product_fill)) * rng.uniform(0.94, 1.06) * THUMB_PX * thumb_height
    full = np.sqrt(area * product_aspect)
    full = min(full, MAX_HEIGHT * thumb_height, MAX_WIDTH * THUMB_PX * product_aspect)
    likely_x = (LIKELY_X if side is None else side) + rng.uniform(-0.05, 0.05)
    spread_x = SPREAD_X if side is None else SPREAD_X_ASKED
    best, foot_x, foot_y, tall = -np.inf, 0.0, 0.0, full
    for factor in SCALES:
        score = _score(thumb, factor * full / product_aspect, factor * full, (likely_x, spread_x), product_lab)
        row, column = np.unravel_index(int(np.argmax(score)), score.shape)
        if score[row, column] - SMALLER * (1 - factor) > best:
            best, tall = score[row, column] - SMALLER * (1 - factor), factor * full
            foot_x, foot_y = float(column), float(row)
    foot_x += rng.uniform(-0.02, 0.02) * tall / product_aspect
    tall = min(tall, foot_y - TOP_MARGIN * thumb_height)
    return Spot(x + foot_x / scale, y + foot_y / scale, max(2.0, tall / scale))


def _score(
    thumb: np.ndarray, wide: float, tall: float, likely: tuple[float, float], product_lab: np.ndarray
) -> np.ndarray:
    """How good every pixel of the thumbnail is as the lowest middle point of a foot: float32, high is good.

    `likely` is the column where a product is expected and how far it may be from there, as shares of the width.
    """
    height, width = thumb.shape[:2]
    lab = cv2.cvtColor(cv2.medianBlur(thumb, MEDIAN_PX).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    ground_size = (int(1.5 * wide) | 1, max(5, int(1.5 * DEPTH * wide)) | 1)
    lift = ground_size[1] // 2 - max(1, round(0.12 * wide))  # from the lowest line up to the ground's middle
    ground, spread = _mean_and_spread(lab, ground_size)
    _, spread_wide = _mean_and_spread(lab, (int(2.6 * wide) | 1, ground_size[1]))
    apron_depth = max(3, round(0.16 * wide))
    apron, _ = _mean_and_spread(lab, (int(wide) | 1, apron_depth | 1))
    apron = _lifted(apron, -apron_depth)  # the strip right in front of the foot
    brink = np.linalg.norm(apron - _lifted(ground, lift), axis=2)
    uneven = _lifted(0.7 * spread + 0.3 * spread_wide, lift)
    behind = cv2.blur(lab, (int(wide) | 1, max(3, int(0.3 * tall)) | 1), borderType=cv2.BORDER_REPLICATE)
    apart = np.full((height, width), 0.0, np.float32)
    for share in (0.45, 0.7, 0.95):
        distance = np.linalg.norm(_lifted(behind, int(share * tall)) - _lifted(ground, lift), axis=2)
        apart = np.maximum(apart, distance)
    seen = np.linalg.norm(_lifted(behind, int(0.75 * tall)) - product_lab, axis=2)
    edges = np.abs(cv2.Sobel(lab, cv2.CV_32F, 1, 0)).sum(2) + np.abs(cv2.Sobel(lab, cv2.CV_32F, 0, 1)).sum(2)
    # Wider than the product: an outline that just touches another reads as one thing.
    busy = cv2.blur(edges / 8, (int(1.4 * wide) | 1, int(tall) | 1), borderType=cv2.BORDER_REPLICATE)
    busy = _lifted(busy, int(tall) // 2)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    off_y = ys / height - LIKELY_Y
    score = (
        -uneven / UNEVEN
        - np.minimum(1.5, brink / DISTINCT)
        + 1.2 * np.minimum(1, apart / DISTINCT)
        + 0.8 * np.minimum(1, seen / SEEN)
        - busy / BUSY
        - 0.5 * (off_y / np.where(off_y > 0, SPREAD_BELOW, SPREAD_ABOVE)) ** 2
        - 0.5 * ((xs / width - likely[0]) / likely[1]) ** 2
    )
    margin = 0.5 * wide + 0.04 * width
    outside = (xs < margin) | (xs > width - margin) | (ys > 0.94 * height) | (ys < 0.35 * height)
    score[outside] -= 1000
    result: np.ndarray = score
    return result


def _mean_and_spread(lab: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Box mean (h, w, 3) and standard deviation over all channels (h, w)."""
    mean = cv2.blur(lab, size, borderType=cv2.BORDER_REPLICATE)
    square = cv2.blur(lab * lab, size, borderType=cv2.BORDER_REPLICATE)
    return mean, np.sqrt(np.maximum(0, square - mean * mean).sum(2))


def _lifted(values: np.ndarray, rows: int) -> np.ndarray:
    """`values` as seen from `rows` below: out[y] = values[y - rows]."""
    index = np.clip(np.arange(len(values)) - rows, 0, len(values) - 1)
    return values[index]


def light_slope(scene: np.ndarray) -> float:
    """From which side light comes: -1 (from the right) to 1 (from the left), 0 undecided.

    The median slope of log lightness where the scene (uint8 RGB) is smooth: surfaces and round things get
    darker away from the light.
    """
    scale = THUMB_PX / scene.shape[1]
    thumb = cv2.resize(scene, (THUMB_PX, max(8, round(scene.shape[0] * scale))), interpolation=cv2.INTER_AREA)
    lightness = cv2.cvtColor(thumb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0]
    log = np.log(lightness + 4)  # 4: keeps black from deciding
    fine = cv2.GaussianBlur(log, (0, 0), LIGHT_SIGMA / 2)
    edge = cv2.magnitude(cv2.Sobel(fine, cv2.CV_32F, 1, 0), cv2.Sobel(fine, cv2.CV_32F, 0, 1)) / 8
    slope = cv2.Sobel(cv2.GaussianBlur(log, (0, 0), LIGHT_SIGMA), cv2.CV_32F, 1, 0) / 8
    smooth = slope[edge < SMOOTH]
    return float(np.clip(-np.median(smooth) / FULL_SLOPE, -1, 1)) if smooth.size else 0.0
