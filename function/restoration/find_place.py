"""Estimates where the generated image shows the product, as a place for compositing its photograph upright.

The first estimate is the box of the match's coverage, or of the silhouette (`silhouette.py`). Shadow and reflection
make what was inserted larger than the product: where the photograph does not explain the image there, other sizes are
tried. It is refined by compositing the photograph there and measuring the departure of the image from that sketch
(`departure.py`), a similarity of position and scale. There is no place where the product lies or leans, is too small or
too large, or is cut off.

In: an `Analysis`. Out: a `Place`, or None. `python -m tests.bench.identity` composites at such places.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox
from function.matching.match import ProductMatch
from function.matching.place import Place, outline_box
from function.matching.reference_image import has_outline
from function.restoration.analysis import Analysis
from function.restoration.compositing import alpha_composite
from function.restoration.departure import RIM_SHARE, Departure, band_correlation, measure_departure
from function.restoration.placed_reference import PlacedReference
from function.restoration.silhouette import MIN_SIDE_PX, Box, silhouette_boxes

# A product shown smaller or taller than these shares of the scene's height has no size that one can believe, and is no
# place to lay one at.
MIN_HEIGHT, MAX_HEIGHT = 0.07, 0.68
# A photograph that lies in the generated image turned by more than this (degrees) was not meant to stand upright there.
MAX_ROTATION_DEG = 12.0
# A place is refined so often, by a fit with this correlation at least: others would lead away from it.
REFINEMENTS, MIN_REFINED = 2, 0.5


def find_place(analysis: Analysis) -> Place | None:
    """None where no product is seen, it lies or hangs askew, or there is no outline to lay."""
    photograph, scene = analysis.product.photograph, analysis.scene
    alpha = np.ascontiguousarray(photograph[..., 3])
    outline = outline_box(alpha)
    if not scene.registration.drift.registered or min(outline[2:]) < MIN_SIDE_PX or not has_outline(alpha):
        return None
    size = scene.image.shape[1], scene.image.shape[0]
    place, departure = None, None
    for box in _boxes(analysis, alpha):
        one = _place_of_box(box, outline, size)
        seen = departure_at(one, analysis)
        if departure is None or seen.correlation > departure.correlation:
            place, departure = one, seen
        if departure.correlation >= MIN_REFINED:
            break
    if place is None or departure is None:
        return None
    for _ in range(REFINEMENTS):
        if departure.correlation < MIN_REFINED:
            break
        place = _moved(place, departure, outline, size)
        departure = departure_at(place, analysis)
    if analysis.product.match is None and not departure.is_found:
        return None  # only what was inserted is known: it may be a shadow, or something else
    return place if MIN_HEIGHT <= place.height <= MAX_HEIGHT and place.is_whole else None


def _place_of_box(box: Box, outline: PixelBox, size: tuple[int, int]) -> Place:
    x, y, width, height = box
    return Place.standing((x + width / 2) / size[0], (y + height) / size[1], height / size[1], outline, size)


def departure_at(place: Place, analysis: Analysis) -> Departure:
    """Where the generated image shows the product, against its photograph at `place`; looked for only near by."""
    sketch, coverage, box = _sketch_at(place, analysis)
    return measure_departure(sketch, analysis.scene.generated, coverage, box)


def correlation_at(place: Place, analysis: Analysis) -> float:
    """Correlation -1..1 of the generated image with the product's photograph composited at this very `place`, its
    outline included."""
    sketch, coverage, box = _sketch_at(place, analysis)
    rim = 2 * max(1, round(RIM_SHARE * box[3])) + 1
    return band_correlation(sketch, analysis.scene.generated, cv2.dilate(coverage, np.ones((rim, rim), np.uint8)))


def _sketch_at(place: Place, analysis: Analysis) -> tuple[np.ndarray, np.ndarray, PixelBox]:
    """The scene with the photograph at `place`, its coverage (h, w) uint8, and the box of that."""
    scene = analysis.scene
    size = scene.image.shape[1], scene.image.shape[0]
    composited = PlacedReference.of(analysis.product.photograph, place, size)
    coverage = composited.coverage((0, 0, *size))
    x, y, width, height = composited.box
    sketch = scene.image.copy()
    inner = np.s_[y : y + height, x : x + width]
    sketch[inner] = alpha_composite(
        np.ascontiguousarray(sketch[inner]), composited.colours(composited.box), np.ascontiguousarray(coverage[inner])
    )
    return sketch, coverage, composited.box


def _moved(place: Place, departure: Departure, outline: PixelBox, size: tuple[int, int]) -> Place:
    left, top, wide, tall = place.pixels(size)
    foot = departure.matrix @ [left + wide / 2, top + tall, 1.0]
    grown = tall * float(np.sqrt(departure.scale_x * departure.scale_y))
    return _place_of_box((foot[0] - wide / 2, foot[1] - grown, wide, grown), outline, size)


def _boxes(analysis: Analysis, alpha: np.ndarray) -> list[Box]:
    """Where the product may stand in the generated image, analysis pixels."""
    match, scene = analysis.product.match, analysis.scene
    if match is not None and not match.mirrored:
        if abs(_rotation_deg(match)) > MAX_ROTATION_DEG:
            return []
        x, y, width, height = cv2.boundingRect(cv2.inRange(match.coverage, 128, 255))
        return [(x, y, width, height)] if min(width, height) >= MIN_SIDE_PX else []
    return silhouette_boxes(alpha, analysis.product.mask, scene.light, scene.image, scene.generated)


def _rotation_deg(match: ProductMatch) -> float:
    """How far the photograph's own upright is turned in the generated image, where the match is verified."""
    sure = match.weight > 127
    if not sure.any():
        return 0.0
    across, down = (float(np.median(np.gradient(match.mapping[..., 1], axis=axis)[sure])) for axis in (1, 0))
    return float(np.degrees(np.arctan2(across, down)))
