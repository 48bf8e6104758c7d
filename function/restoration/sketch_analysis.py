"""Analyses the image generated from a sketch: the product's place is known, and its photograph is shown.

What the image contributes is light. On the product that is a smooth field, measured where the image shows the product
as it was composited (`product_light.py`); beside it, the shading that carries shadow and reflection. Where the image
moved the product a little (`departure.py`), its light is taken from where it shows it, and what it painted beside the
silhouette is left out: there the scene has its own pixels.

In: scene (H, W, 3), `ProductReference`, generated image (h, w, 3) uint8, `Place`. Out: an `Analysis`.
`python -m tests.bench.identity` measures it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from function.imaging.array_ops import NO_ARRAY, PixelBox, blur, downsample2, remap, to_three_channels
from function.imaging.frame import Frame
from function.imaging.photometry import masked_mean
from function.matching.place import Place, match_at
from function.restoration.alterations import find_alterations
from function.restoration.analyse import RegisteredImage, analyse_using, change_mask
from function.restoration.analysis import Analysis, CompositedProduct, ProductAnalysis, SceneAnalysis
from function.restoration.change_detection import Evidence, find_evidence
from function.restoration.composite_product import composite_product
from function.restoration.compositing import alpha_composite, apply_shading
from function.restoration.content import find_content
from function.restoration.departure import NO_DEPARTURE, Departure, band_correlation, measure_departure
from function.restoration.placed_reference import PlacedReference
from function.restoration.product_light import find_product_light
from function.restoration.product_reference import ProductReference
from function.restoration.shading import SHADOW_STOPS, estimate_shading, even_darkening

# A departure up to this share of the product's height, or this scale, is what registration leaves: light is not moved.
MAX_STILL_SHIFT, MAX_STILL_SCALE = 0.004, 0.006
# Width of a soft edge past the silhouette, analysis pixels.
SOFT_EDGE_PX = 3
# Paint beside the outline within this share of the product's height is the product's: drawn larger, or moved.
SPILL_SHARE = 0.06
# The base is this share of the product's height.
BASE_SHARE = 0.15
# A component of content of which at least this share lies there is the product's: a hand or a leaf reaches farther.
MIN_SPILT_SHARE = 0.7
# Standard deviation (half-size pixels) of the light's extrapolation to the outline, a share of the product's height in
# pixels: half of the width that is filled. Least weight of measured light: farther away from any there is none.
EXTRAPOLATION_SHARE, MIN_SEEN = SPILL_SHARE / 4, 1e-3
# Least difference of spilt paint from the scene, 8-bit levels.
MIN_SPILL_LEVELS = 24


def analyse_sketch(
    scene: np.ndarray, reference: ProductReference, generated: np.ndarray, frame: Frame, place: Place
) -> Analysis:
    """Of `generated` (h, w, 3) uint8 to a sketch that has the product of `reference` at `place`; `scene` (H, W, 3)
    uint8 is the one that it was composited into. It never raises on image content."""
    return analyse_using(partial(_measure_light, place=place), scene, reference, generated, frame)


def _measure_light(found: RegisteredImage, reference: ProductReference, place: Place) -> Analysis:
    scene = found.scene
    size = scene.image.shape[1], scene.image.shape[0]
    photograph = PlacedReference.of(reference.photograph, place, size)
    coverage = photograph.coverage((0, 0, *size))
    box = photograph.box
    inner = _slices(box)
    sketch = scene.image.copy()
    expected = photograph.colours(box)
    sketch[inner] = alpha_composite(sketch[inner], expected, coverage[inner])
    departure = measure_departure(sketch, scene.generated, coverage, box)
    shown = _sample_at_departure(scene.generated, departure, box)
    height = place.height * size[1]
    light = find_product_light(expected, shown, coverage[inner], height)
    evidence = find_evidence(scene.image, found.matched, scene.registration.inside)
    near, base = _near(coverage, height), _base_rows(coverage)
    shadow = even_darkening(scene.image, scene.generated) > SHADOW_STOPS
    spill = _spill_mask(scene, coverage, departure, near, shadow, base)
    product = _half_share(cv2.max(coverage, spill))
    inside = downsample2(scene.registration.inside.astype(np.uint8)) > 0
    cast = _cast_light(evidence, product, departure)
    content = find_content(evidence, cast, product, inside) & (product < 0.5)
    alterations = find_alterations(evidence, content, _half_share(coverage), reference.photograph)
    if alterations.undone:
        evidence = replace(evidence, changed=evidence.changed & ~alterations.foreign)
        content &= ~alterations.foreign
    cast = _cast_light(evidence, np.maximum(product, content.astype(np.float32)), departure)
    if not _is_still(departure):
        cast = _extrapolate_light(cast, _half_share(_as_mask(near & ~base)), height)
    content = remove_spilt_content(content, _half_share(_as_mask(near & ~(shadow & base))))
    drawn = cv2.resize(content.astype(np.uint8) * 255, size, interpolation=cv2.INTER_LINEAR)
    drawn[spill > 127] = 0
    composited = CompositedProduct(place, box, light.log_gain, departure, light.followed_share(coverage[inner]), sketch)
    result = replace(
        scene,
        light=cast,
        content=drawn,
        change=change_mask(cast, cv2.max(coverage, drawn)),
        undone_alterations=alterations.undone,
        kept_alterations=alterations.kept,
    )
    result = replace(result, generated=composite_preview(result, reference.photograph, composited))
    alpha = np.ascontiguousarray(reference.photograph[..., 3])
    correlation = band_correlation(sketch[inner], result.generated[inner], coverage[inner])
    match = match_at(place, alpha, coverage, max(0.0, correlation))
    return Analysis(result, ProductAnalysis(reference.photograph, match, coverage, reference.hidden, composited))


def composite_preview(scene: SceneAnalysis, product: np.ndarray, composited: CompositedProduct) -> np.ndarray:
    """(h, w, 3) uint8: what the result will show, at analysis size: this is what is judged."""
    size = scene.image.shape[1], scene.image.shape[0]
    ratio = cv2.resize(cv2.exp(scene.light), size, interpolation=cv2.INTER_LINEAR)
    composite = alpha_composite(apply_shading(scene.image, ratio), scene.generated, scene.content)
    composite_product(composite, product, composited.place, composited.log_gain, composited.box[:2], size)
    return composite


def _slices(box: PixelBox) -> tuple[slice, slice]:
    return np.s_[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]


def _as_mask(region: np.ndarray) -> np.ndarray:
    return region.astype(np.uint8) * 255


def _half_share(mask: np.ndarray) -> np.ndarray:
    return downsample2(mask).astype(np.float32) / 255


def _sample_at_departure(generated: np.ndarray, departure: Departure, box: PixelBox) -> np.ndarray:
    """The generated image's pixels (h, w, 3) where it shows each place of `box`."""
    y, x = np.mgrid[0 : box[3], 0 : box[2]].astype(np.float32)
    places = np.dstack([x + box[0], y + box[1]])
    matrix = departure.matrix if departure.is_found else NO_DEPARTURE.matrix
    return remap(generated, cv2.transform(places, matrix.astype(np.float32)), cv2.INTER_CUBIC)


def _is_still(departure: Departure) -> bool:
    scale = max(abs(departure.scale_x - 1), abs(departure.scale_y - 1))
    return not departure.is_found or (departure.moved < MAX_STILL_SHIFT and scale < MAX_STILL_SCALE)


def _spill_mask(
    scene: SceneAnalysis,
    coverage: np.ndarray,
    departure: Departure,
    near: np.ndarray,
    shadow: np.ndarray,
    base: np.ndarray,
) -> np.ndarray:
    """(h, w) uint8: where the generated image may show the product beside its outline.

    near, shadow, base  (h, w) bool: near to the outline; what the generated image darkens evenly; from the base down
    """
    edge = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * SOFT_EDGE_PX + 1,) * 2)
    spill = cv2.dilate(coverage, edge)
    spill[shadow & base & (coverage < 128)] = 0
    if not _is_still(departure):
        size = coverage.shape[1], coverage.shape[0]
        inverse = cv2.invertAffineTransform(departure.matrix)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(coverage, inverse, size, NO_ARRAY, flags)
        spill = cv2.max(spill, cv2.dilate(moved, edge))
        # A product as pale as the scene reads as scene under a tint: above the base no light is measured near to it.
        spill[near & ~base] = 255
    differs = cv2.absdiff(scene.generated, scene.image).max(axis=2) > MIN_SPILL_LEVELS
    paint = near & differs & ~shadow
    # Only what hangs together with the outline.
    paint = cv2.morphologyEx(paint.astype(np.uint8) * 255, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return cv2.max(spill, paint)


def remove_spilt_content(content: np.ndarray, near: np.ndarray) -> np.ndarray:
    """`content` (h', w') bool without the rim that it gets along the product, and without the components most of which
    are `near` (h', w') 0..1: they are the product, drawn larger, elsewhere or in another shape."""
    band = cv2.dilate((near > 0.5).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    opened = cv2.morphologyEx(content.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    content = content & (opened | ~band)
    count, labels = cv2.connectedComponents(content.astype(np.uint8), connectivity=8)
    inside, whole = (np.bincount(part, minlength=count) for part in (labels[band], labels.ravel()))
    kept = inside < MIN_SPILT_SHARE * whole
    kept[0] = False
    result: np.ndarray = kept[labels]
    return result


def _extrapolate_light(light: np.ndarray, unseen: np.ndarray, height: float) -> np.ndarray:
    """`light` (h', w', 3) extrapolated into what is `unseen` (h', w') 0..1, where none was measured: a shadow reaches
    the product that casts it. `height` of the product, pixels."""
    sigma = max(1.0, EXTRAPOLATION_SHARE * height)
    mean = masked_mean(1 - unseen, lambda image: blur(image, sigma), least=MIN_SEEN)
    share = to_three_channels(unseen)
    result: np.ndarray = light * (1 - share) + mean(light) * share
    return result


def _near(coverage: np.ndarray, height: float) -> np.ndarray:
    """(h, w) bool: so near to the outline that what is painted there is the product's."""
    reach = 2 * max(SOFT_EDGE_PX, round(SPILL_SHARE * height)) + 1
    near: np.ndarray = cv2.dilate(coverage, np.ones((reach, reach), np.uint8)) > 127
    return near


def _base_rows(coverage: np.ndarray) -> np.ndarray:
    """(h, w) bool: from the product's base down. Where it stands its contact shadow begins at the very outline."""
    _, top, _, tall = cv2.boundingRect(cv2.inRange(coverage, 128, 255))
    base = np.zeros(coverage.shape, bool)
    base[top + round((1 - BASE_SHARE) * tall) :] = True
    return base


def _cast_light(evidence: Evidence, product: np.ndarray, departure: Departure) -> np.ndarray:
    """(h', w', 3) float32 log ratio at half size; moved back with the product where that was moved."""
    light = estimate_shading(evidence, product)
    if _is_still(departure):
        return light
    matrix = departure.matrix.copy()
    matrix[:, 2] = (matrix[:, 2] + matrix[:, :2] @ [0.5, 0.5] - [0.5, 0.5]) / 2
    size = light.shape[1], light.shape[0]
    return cv2.warpAffine(light, matrix, size, NO_ARRAY, cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
