"""The analysis of an answer to a sketch: where the product stands is known, and what is shown is its own photograph.

What the answer is asked for is light. On the product that is a smooth field, measured where the answer shows the
product as it was laid; beside it, the ratio of answer to scene that carries shadow and reflection. Where the answer
moved the product a little, its light is taken from where it shows it, and what it painted beside the outline is left
out: there the scene has its own pixels.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from function.imaging.array_ops import NO_ARRAY, PixelBox, downsample2, remap
from function.imaging.frame import Frame
from function.matching.place import Place, match_at
from function.restoration.alterations import find_alterations
from function.restoration.analysis import (
    Analysis,
    LaidProduct,
    ProductAnalysis,
    ProductReference,
    RegisteredAnswer,
    SceneAnalysis,
    analysed_with,
    change_mask,
)
from function.restoration.change_detection import Evidence, find_evidence
from function.restoration.compositing import lay_over, relight
from function.restoration.content import find_content
from function.restoration.departure import NONE, Departure, agreement, measure_departure
from function.restoration.laid_photograph import LaidPhotograph
from function.restoration.laid_product import lay_product
from function.restoration.product_light import find_product_light
from function.restoration.shading import SHADOW_STOPS, even_darkening, find_light

# A departure up to this share of the product's height, or this scale, is what registration leaves: light is not moved.
STILL, SAME_SCALE = 0.004, 0.006
# The answer may paint past the outline by so many analysis pixels, by its soft edge alone.
SOFT_EDGE_PX = 3
# Paint beside the outline within this share of the product's height is the product's: drawn larger, or moved.
SPILL_SHARE = 0.06
# The base is this share of the product's height.
BASE_SHARE = 0.15
# Spilt paint differs from the scene by so many 8-bit levels.
SPILT_LEVELS = 24


def analyse_laid(
    scene: np.ndarray, reference: ProductReference, answer: np.ndarray, frame: Frame, place: Place
) -> Analysis:
    """Of `answer` (h, w, 3) uint8 to a sketch that has the product of `reference` at `place`; `scene` (H, W, 3) uint8
    is the one that it was laid into. Any picture content is answered, as by `analyse`."""
    return analysed_with(partial(_find_light, place=place), scene, reference, answer, frame)


def _find_light(found: RegisteredAnswer, reference: ProductReference, place: Place) -> Analysis:
    scene = found.scene
    size = scene.image.shape[1], scene.image.shape[0]
    photograph = LaidPhotograph.of(reference.photograph, place, size)
    coverage = photograph.coverage((0, 0, *size))
    box = photograph.box
    inner = _inner(box)
    sketch = scene.image.copy()
    expected = photograph.colours(box)
    sketch[inner] = lay_over(sketch[inner], expected, coverage[inner])
    departure = measure_departure(sketch, scene.answer, coverage, box)
    shown = _shown_at(scene.answer, departure, box)
    height = place.height * size[1]
    light = find_product_light(expected, shown, coverage[inner], height)
    evidence = find_evidence(scene.image, found.matched, scene.registration.inside)
    spilt = _spilt(scene, coverage, departure, height)
    product = _half_share(cv2.max(coverage, spilt))
    inside = downsample2(scene.registration.inside.astype(np.uint8)) > 0
    cast = _cast_light(evidence, product, departure)
    content = find_content(evidence, cast, product, inside) & (product < 0.5)
    alterations = find_alterations(evidence, content, _half_share(coverage), reference.photograph)
    if alterations.undone:
        evidence = replace(evidence, changed=evidence.changed & ~alterations.foreign)
        content &= ~alterations.foreign
    cast = _cast_light(evidence, np.maximum(product, content.astype(np.float32)), departure)
    drawn = cv2.resize(content.astype(np.uint8) * 255, size, interpolation=cv2.INTER_LINEAR)
    drawn[spilt > 127] = 0
    laid = LaidProduct(place, box, light.log_gain, departure, light.followed_share(coverage[inner]), sketch)
    result = replace(
        scene,
        light=cast,
        content=drawn,
        change=change_mask(cast, cv2.max(coverage, drawn)),
        undone_alterations=alterations.undone,
        kept_alterations=alterations.kept,
    )
    result = replace(result, answer=composed(result, reference.photograph, laid))
    alpha = np.ascontiguousarray(reference.photograph[..., 3])
    correlation = agreement(sketch[inner], result.answer[inner], coverage[inner])
    match = match_at(place, alpha, coverage, max(0.0, correlation))
    return Analysis(result, ProductAnalysis(reference.photograph, match, coverage, reference.hidden, laid))


def composed(scene: SceneAnalysis, product: np.ndarray, laid: LaidProduct) -> np.ndarray:
    """(h, w, 3) uint8: what the result will show, at analysis size: this is what is judged."""
    size = scene.image.shape[1], scene.image.shape[0]
    ratio = cv2.resize(cv2.exp(scene.light), size, interpolation=cv2.INTER_LINEAR)
    picture = lay_over(relight(scene.image, ratio), scene.answer, scene.content)
    lay_product(picture, product, laid.place, laid.log_gain, laid.box[:2], size)
    return picture


def _inner(box: PixelBox) -> tuple[slice, slice]:
    return np.s_[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]


def _half_share(mask: np.ndarray) -> np.ndarray:
    return downsample2(mask).astype(np.float32) / 255


def _shown_at(answer: np.ndarray, departure: Departure, box: PixelBox) -> np.ndarray:
    """The answer's pixels (h, w, 3) where it shows each place of `box`."""
    y, x = np.mgrid[0 : box[3], 0 : box[2]].astype(np.float32)
    places = np.dstack([x + box[0], y + box[1]])
    matrix = departure.matrix if departure.is_found else NONE.matrix
    return remap(answer, cv2.transform(places, matrix.astype(np.float32)), cv2.INTER_CUBIC)


def _is_still(departure: Departure) -> bool:
    scale = max(abs(departure.scale_x - 1), abs(departure.scale_y - 1))
    return not departure.is_found or (departure.moved < STILL and scale < SAME_SCALE)


def _spilt(scene: SceneAnalysis, coverage: np.ndarray, departure: Departure, height: float) -> np.ndarray:
    """(h, w) uint8: where the answer may show the product beside its outline."""
    edge = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * SOFT_EDGE_PX + 1,) * 2)
    spilt = cv2.dilate(coverage, edge)
    shadow = even_darkening(scene.image, scene.answer) > SHADOW_STOPS
    # Where the product stands its contact shadow begins at the very outline.
    _, top, _, tall = cv2.boundingRect(cv2.inRange(coverage, 128, 255))
    base = np.zeros_like(shadow)
    base[top + round((1 - BASE_SHARE) * tall) :] = True
    spilt[shadow & base & (coverage < 128)] = 0
    if not _is_still(departure):
        size = coverage.shape[1], coverage.shape[0]
        inverse = cv2.invertAffineTransform(departure.matrix)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(coverage, inverse, size, NO_ARRAY, flags)
        spilt = cv2.max(spilt, cv2.dilate(moved, edge))
    reach = 2 * max(SOFT_EDGE_PX, round(SPILL_SHARE * height)) + 1
    near = cv2.dilate(coverage, np.ones((reach, reach), np.uint8)) > 127
    differs = cv2.absdiff(scene.answer, scene.image).max(axis=2) > SPILT_LEVELS
    paint = near & differs & ~shadow
    # Only what hangs together with the outline.
    paint = cv2.morphologyEx(paint.astype(np.uint8) * 255, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return cv2.max(spilt, paint)


def _cast_light(evidence: Evidence, product: np.ndarray, departure: Departure) -> np.ndarray:
    """(h', w', 3) float32 log ratio at half size; moved back with the product where that was moved."""
    light = find_light(evidence, product)
    if _is_still(departure):
        return light
    matrix = departure.matrix.copy()
    matrix[:, 2] = (matrix[:, 2] + matrix[:, :2] @ [0.5, 0.5] - [0.5, 0.5]) / 2
    size = light.shape[1], light.shape[0]
    return cv2.warpAffine(light, matrix, size, NO_ARRAY, cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
