"""The last resort: a sketch under the scene's own light, with a contact and a cast shadow made from its outline.

No model has seen it. It stands in for an answer where none can be used, and is for a person to look at.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from function.imaging.array_ops import NO_ARRAY, blur, downsample2, to_three_channels
from function.matching.place import Place, match_at
from function.registration.framings import affine_mapping
from function.registration.register import Drift, Registration
from function.restoration.analysis import (
    ANALYSIS_SIDE_PX,
    Analysis,
    LaidProduct,
    ProductAnalysis,
    ProductReference,
    SceneAnalysis,
    change_mask,
    shrunk,
)
from function.restoration.colour_transfer import UNCHANGED_COLOURS
from function.restoration.departure import NONE
from function.restoration.laid_analysis import composed
from function.restoration.laid_photograph import LaidPhotograph
from function.restoration.sketch import draw_sketch, exposure_at

# Where a product is laid that no answer has placed: the middle of its base, and its greatest height and width.
FOOT, TALLEST, WIDEST = (0.5, 0.82), 0.4, 0.5
# The foot is what is covered in so much of the product's height from below.
FOOT_SHARE = 0.05
# Shadows: half axes of their ellipses as shares of the foot's width, how soft they are, and how dark (natural
# logarithm). Contact: a thin dark line. Pool: what the product takes of the light from all around.
CONTACT, CONTACT_SOFT, CONTACT_DARK = (0.49, 0.03), 0.02, 1.0
POOL, POOL_SOFT, POOL_DARK = (0.54, 0.1), 0.06, 0.4
# They lie around the middle of the foot, which is so far behind its front edge; a foot is never deeper than the product
# is tall.
FOOT_BEHIND = 0.05
# Cast: the outline laid down on the floor, so long to the side and backwards for each height of the product.
CAST_SIDE, CAST_BACK, CAST_SOFT, CAST_DARK = 0.55, 0.12, 0.035, 0.35
# The product darkens towards its foot by so much (natural logarithm) within this share of its height.
FOOT_DARK, FOOT_REACH = 0.25, 0.06
# A scene whose brightness falls from one side to the other by so much (natural logarithm) is lit from there.
CLEARLY_ONE_SIDED = 0.5


def default_place(scene_size: tuple[int, int], outline: tuple[int, int, int, int]) -> Place:
    """In the middle, in front."""
    height = min(TALLEST, WIDEST * scene_size[0] / scene_size[1] * outline[3] / outline[2])
    return Place.standing(*FOOT, height, outline, scene_size)


def light_classically(scene: np.ndarray, reference: ProductReference, place: Place) -> Analysis:
    """The product of `reference` at `place` in `scene` (H, W, 3) uint8, as if an answer had shown it so."""
    small = shrunk(scene, ANALYSIS_SIDE_PX)
    size = small.shape[1], small.shape[0]
    photograph = LaidPhotograph.of(reference.photograph, place, size)
    coverage = photograph.coverage((0, 0, *size))
    _, top, width, height = photograph.box
    rows = (place.top + place.height) * size[1] - (top + np.arange(height, dtype=np.float32))
    foot = -FOOT_DARK * np.exp(-np.maximum(rows, 0) / (FOOT_REACH * place.height * size[1]))
    log_gain = exposure_at(small, place)[None, None] + np.broadcast_to(foot[:, None, None], (height, width, 1))
    sketch = draw_sketch(small, reference.photograph, place)
    laid = LaidProduct(place, photograph.box, log_gain.astype(np.float32), replace(NONE, correlation=1.0), 1.0, sketch)
    light = to_three_channels(-_shadow(small, coverage, place))
    mapping, inside = affine_mapping(np.eye(2, 3), size, size)
    whole = (0.0, 0.0, float(size[0]), float(size[1]))
    nothing = np.zeros_like(coverage)
    analysed = SceneAnalysis(
        given=small,
        image=small,
        relighting=None,
        answer=small,
        answer_plain=small,
        raw_answer=small,
        registration=Registration(mapping, inside, Drift(1.0, 1.0, 0.0, 0.0, True), whole, 1.0, plain=False),
        colours=UNCHANGED_COLOURS,
        light=light,
        content=nothing,
        change=change_mask(light, coverage),
    )
    analysed = replace(analysed, answer=composed(analysed, reference.photograph, laid))
    match = match_at(place, np.ascontiguousarray(reference.photograph[..., 3]), coverage, 1.0)
    return Analysis(analysed, ProductAnalysis(reference.photograph, match, coverage, reference.hidden, laid))


def _shadow(scene: np.ndarray, coverage: np.ndarray, place: Place) -> np.ndarray:
    """(h', w') float32 at half size: natural logarithm of the light that is lost."""
    half = downsample2(coverage)
    size = half.shape[1], half.shape[0]
    x, y, width, height = place.pixels(size)
    floor = y + height
    strip = half[max(0, round(floor - max(2, FOOT_SHARE * height))) : round(floor)]
    columns = np.flatnonzero(strip.max(axis=0) > 127) if strip.size else np.array([], int)
    left, right = (columns[0], columns[-1] + 1) if len(columns) else (x, x + width)
    wide = max(4.0, float(right - left))
    deep = min(wide, height)
    middle = (left + right) / 2, floor - FOOT_BEHIND * deep
    lost = CONTACT_DARK * _ellipse(size, (middle[0], floor), CONTACT, CONTACT_SOFT, wide, deep)
    lost += POOL_DARK * _ellipse(size, middle, POOL, POOL_SOFT, wide, deep)
    side = _lit_from(scene)
    # A point so high above the floor throws its shadow so far to the side and back.
    along = CAST_SIDE * float(np.clip(side / CLEARLY_ONE_SIDED, -1, 1))
    matrix = np.array([[1, -along, along * floor], [0, CAST_BACK, (1 - CAST_BACK) * floor]])
    cast = cv2.warpAffine(half, matrix, size, NO_ARRAY, cv2.INTER_AREA).astype(np.float32) / 255
    lost += CAST_DARK * blur(cast, max(1.0, CAST_SOFT * height))
    return lost.astype(np.float32)


def _ellipse(
    size: tuple[int, int], middle: tuple[float, float], axes: tuple[float, float], soft: float, wide: float, deep: float
) -> np.ndarray:
    drawn = np.zeros((size[1], size[0]), np.float32)
    shift = 16  # sixteenths of a pixel
    centre = round(middle[0] * shift), round(middle[1] * shift)
    radii = max(shift, round(axes[0] * wide * shift)), max(shift, round(axes[1] * deep * shift))
    cv2.ellipse(drawn, centre, radii, 0, 0, 360, 1.0, -1, cv2.LINE_8, 4)
    return blur(drawn, max(0.8, soft * deep))


def _lit_from(scene: np.ndarray) -> float:
    """How much brighter (natural logarithm) the scene's left side is than its right: the light comes from there."""
    columns = cv2.resize(cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY), (8, 1), interpolation=cv2.INTER_AREA)[0]
    tone = np.log(columns.astype(np.float32) + 8)
    return float(tone[:3].mean() - tone[-3:].mean())
