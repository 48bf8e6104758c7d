"""The last resort: the photograph composited under the scene's own light, with shadows made from its silhouette.

Three shadows are added in log space: contact (a thin dark ellipse), ambient occlusion (a wide soft one), and a cast
shadow, the silhouette sheared onto the floor away from the brighter side of the scene. The product darkens towards its
base. No model has seen the result: it stands in where no generated image can be used, and is for a person to look at.

In: scene (H, W, 3) uint8, `ProductReference`, `Place`. Out: an `Analysis`, as if an image had shown it so.
`tests/pipeline/test_classical.py`.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from function.imaging.array_ops import NO_ARRAY, blur, downsample2, to_three_channels
from function.matching.place import Place, match_at
from function.registration.framings import affine_mapping
from function.registration.register import Drift, Registration
from function.restoration.analyse import change_mask
from function.restoration.analysis import Analysis, CompositedProduct, ProductAnalysis, SceneAnalysis
from function.restoration.analysis_size import ANALYSIS_SIDE_PX, downscaled
from function.restoration.colour_transfer import IDENTITY_COLOURS
from function.restoration.departure import NO_DEPARTURE
from function.restoration.placed_reference import PlacedReference
from function.restoration.product_reference import ProductReference
from function.restoration.sketch import draw_sketch, exposure_at
from function.restoration.sketch_analysis import composite_preview

# Where a product is composited that no image has placed: the middle of its base, and its greatest height and width.
BASE_MIDDLE, MAX_HEIGHT, MAX_WIDTH = (0.5, 0.82), 0.4, 0.5
# The base is what is covered in this share of the product's height from below.
BASE_SHARE = 0.05
# Shadows: half axes of their ellipses as shares of the foot's width, how soft they are, and how dark (natural
# logarithm). Contact: a thin dark line. Pool: what the product takes of the light from all around.
CONTACT_AXES, CONTACT_BLUR, CONTACT_DARKENING = (0.49, 0.03), 0.02, 1.0
AMBIENT_AXES, AMBIENT_BLUR, AMBIENT_OCCLUSION = (0.54, 0.1), 0.06, 0.4
# They lie around the middle of the foot, which is so far behind its front edge; a foot is never deeper than the product
# is tall.
BASE_DEPTH = 0.05
# Cast: the silhouette sheared onto the floor, its length to the side and backwards in heights of the product.
CAST_SIDE, CAST_BACK, CAST_BLUR, CAST_DARKENING = 0.55, 0.12, 0.035, 0.35
# Darkening of the product towards its base (natural logarithm), and the share of its height over which it falls off.
BASE_DARKENING, BASE_REACH = 0.25, 0.06
# Difference in brightness between the scene's sides (natural logarithm) from which it is fully lit from one side.
MAX_SIDE_DIFFERENCE = 0.5


def default_place(scene_size: tuple[int, int], outline: tuple[int, int, int, int]) -> Place:
    """In the middle, in front."""
    height = min(MAX_HEIGHT, MAX_WIDTH * scene_size[0] / scene_size[1] * outline[3] / outline[2])
    return Place.standing(*BASE_MIDDLE, height, outline, scene_size)


def composite_classically(scene: np.ndarray, reference: ProductReference, place: Place) -> Analysis:
    """The product of `reference` at `place` in `scene` (H, W, 3) uint8, as if a generated image had shown it so."""
    small = downscaled(scene, ANALYSIS_SIDE_PX)
    size = small.shape[1], small.shape[0]
    photograph = PlacedReference.of(reference.photograph, place, size)
    coverage = photograph.coverage((0, 0, *size))
    _, top, width, height = photograph.box
    rows = (place.top + place.height) * size[1] - (top + np.arange(height, dtype=np.float32))
    base_darkening = -BASE_DARKENING * np.exp(-np.maximum(rows, 0) / (BASE_REACH * place.height * size[1]))
    log_gain = exposure_at(small, place)[None, None] + np.broadcast_to(
        base_darkening[:, None, None], (height, width, 1)
    )
    sketch = draw_sketch(small, reference.photograph, place)
    composited = CompositedProduct(
        place, photograph.box, log_gain.astype(np.float32), replace(NO_DEPARTURE, correlation=1.0), 1.0, sketch
    )
    light = to_three_channels(-_shadow(small, coverage, place))
    mapping, inside = affine_mapping(np.eye(2, 3), size, size)
    whole = (0.0, 0.0, float(size[0]), float(size[1]))
    nothing = np.zeros_like(coverage)
    analysed = SceneAnalysis(
        given=small,
        image=small,
        relighting=None,
        generated=small,
        generated_plain=small,
        generated_raw=small,
        registration=Registration(mapping, inside, Drift(1.0, 1.0, 0.0, 0.0, True), whole, 1.0, plain=False),
        colours=IDENTITY_COLOURS,
        light=light,
        content=nothing,
        change=change_mask(light, coverage),
    )
    analysed = replace(analysed, generated=composite_preview(analysed, reference.photograph, composited))
    match = match_at(place, np.ascontiguousarray(reference.photograph[..., 3]), coverage, 1.0)
    return Analysis(analysed, ProductAnalysis(reference.photograph, match, coverage, reference.hidden, composited))


def _shadow(scene: np.ndarray, coverage: np.ndarray, place: Place) -> np.ndarray:
    """(h', w') float32 at half size: natural logarithm of the light that is lost."""
    half = downsample2(coverage)
    size = half.shape[1], half.shape[0]
    x, y, width, height = place.pixels(size)
    floor = y + height
    tile = half[max(0, round(floor - max(2, BASE_SHARE * height))) : round(floor)]
    columns = np.flatnonzero(tile.max(axis=0) > 127) if tile.size else np.array([], int)
    left, right = (columns[0], columns[-1] + 1) if len(columns) else (x, x + width)
    wide = max(4.0, float(right - left))
    deep = min(wide, height)
    middle = (left + right) / 2, floor - BASE_DEPTH * deep
    lost = CONTACT_DARKENING * _ellipse(size, (middle[0], floor), CONTACT_AXES, CONTACT_BLUR, wide, deep)
    lost += AMBIENT_OCCLUSION * _ellipse(size, middle, AMBIENT_AXES, AMBIENT_BLUR, wide, deep)
    side = _light_side(scene)
    # A point so high above the floor throws its shadow so far to the side and back.
    along = CAST_SIDE * float(np.clip(side / MAX_SIDE_DIFFERENCE, -1, 1))
    matrix = np.array([[1, -along, along * floor], [0, CAST_BACK, (1 - CAST_BACK) * floor]])
    cast = cv2.warpAffine(half, matrix, size, NO_ARRAY, cv2.INTER_AREA).astype(np.float32) / 255
    lost += CAST_DARKENING * blur(cast, max(1.0, CAST_BLUR * height))
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


def _light_side(scene: np.ndarray) -> float:
    """How much brighter (natural logarithm) the scene's left side is than its right: the light comes from there."""
    columns = cv2.resize(cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY), (8, 1), interpolation=cv2.INTER_AREA)[0]
    tone = np.log(columns.astype(np.float32) + 8)
    return float(tone[:3].mean() - tone[-3:].mean())
