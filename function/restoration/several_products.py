"""Several products in one image: each is analysed against the scene with the others already in it.

Where the generated image differs from the scene nearer to another product than to this one, the image itself counts as
the scene: there nothing was inserted. So every product goes the way of a single one, and no product is an alteration,
or another's duplicate. Products that are matched are placed first, the best explained one before the others; components
that are left go to the rest by their median colour (CIELAB). What they have in common, the restored scene, is joined
from them.

In: scene (H, W, 3), references of each product, generated image (h, w, 3) uint8. Out: an `Analysis` with one for each.
`python -m tests.bench.placement_of_two`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from function.imaging.array_ops import downsample2, to_bytes
from function.imaging.frame import Frame
from function.matching.best_view import explained_pixels, match_views
from function.matching.match import ProductMatch
from function.restoration.alterations import Alteration
from function.restoration.analyse import RegisteredImage, analyse_registered, analyse_using, change_mask
from function.restoration.analysis import Analysis, ProductAnalysis
from function.restoration.change_detection import Evidence, find_evidence, segment_product
from function.restoration.product_mask import coarse_mask
from function.restoration.product_reference import ProductReference

# Largest overlap of two products, as a share of the smaller one: above, only one stands there.
MAX_OVERLAP = 0.5
# What was inserted beside the products that were found is another product from this share of the image on: that is the
# least that counts as present.
MIN_AREA = 0.003
# A matched outline is widened by this share of the image's longer side before what is left is looked at: the rest of
# its own rim is no other product.
RIM_SHARE = 0.02
# Around a change there is some more of it that is too faint to be told from noise (half-size pixels).
SUPPORT_PX = 6
# Steepness of the transition between two products' sides.
STEEPNESS = 1.5


def analyse_products(
    scene: np.ndarray, products: Sequence[Sequence[ProductReference]], generated: np.ndarray, frame: Frame
) -> Analysis:
    """As `analyse`, of several products, each with its photographs. `each` of the analysis is about one of them, in
    their order; its `product` stands for all: it has their masks, and no match of its own."""
    found = analyse_using(partial(_find_products, products=products), scene, products[0][0], generated, frame)
    if found.each:
        return found
    each = tuple(replace(found, product=_not_found(views[0], found.product.mask)) for views in products)
    return replace(found, each=each)


def _not_found(reference: ProductReference, mask: np.ndarray) -> ProductAnalysis:
    return ProductAnalysis(reference.photograph, None, mask, reference.hidden)


def _find_products(
    registered: RegisteredImage, _: ProductReference, products: Sequence[Sequence[ProductReference]]
) -> Analysis:
    scene = registered.scene
    evidence = find_evidence(scene.image, registered.matched, scene.registration.inside)
    regions = _regions(registered, evidence, products)
    sides = _product_sides(regions, scene.image.shape[:2])
    # Only there: what tells change from noise measures the noise where the generated image is not the scene's own
    # pixels.
    changed = _soft_support(evidence.changed, (scene.image.shape[1], scene.image.shape[0]))
    each = []
    for views, side in zip(products, sides, strict=True):
        hidden = ((1 - side) * changed)[..., None]
        shown = to_bytes(scene.image * (1 - hidden) + scene.generated * hidden)
        nothing = replace(registered.nothing, product=_not_found(views[0], registered.nothing.product.mask))
        alone = replace(registered, scene=replace(scene, image=shown, given=shown), nothing=nothing)
        each.append(analyse_registered(alone, views[0], views[1:]))
    return _joined(registered, products, each, sides)


def _joined(
    registered: RegisteredImage,
    products: Sequence[Sequence[ProductReference]],
    each: Sequence[Analysis],
    sides: Sequence[np.ndarray],
) -> Analysis:
    """All of it against the scene as it was given; the light on each side is the one that was found there."""
    mask = np.maximum.reduce([one.product.mask for one in each])
    content = np.maximum.reduce([one.scene.content for one in each])
    weights = [downsample2(side)[..., None] for side in sides]
    light = sum(one.scene.light * weight for one, weight in zip(each, weights, strict=True)) / sum(weights)
    kept = _without_repeats(change for one in each for change in one.scene.kept_alterations)
    scene = replace(
        registered.scene,
        light=light,
        content=content,
        change=change_mask(light, cv2.max(mask, content)),
        redrawn=any(one.scene.redrawn for one in each),
        undone_alterations=_without_repeats(
            (change for one in each for change in one.scene.undone_alterations), but=kept
        ),
        kept_alterations=kept,
    )
    return Analysis(scene, _not_found(products[0][0], mask), tuple(each))


def _without_repeats(alterations: Iterable[Alteration], but: Sequence[Alteration] = ()) -> tuple[Alteration, ...]:
    """Each place once, for it may be seen beside several products; without those that may belong to one of them."""
    told: list[Alteration] = []
    for one in alterations:
        if not any(_intersect(one.box, other.box) for other in (*told, *but)):
            told.append(one)
    return tuple(told)


def _intersect(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes (x, y, width, height) have a place in common."""
    return all(one[k] < other[k] + other[k + 2] and other[k] < one[k] + one[k + 2] for k in (0, 1))


def _regions(
    registered: RegisteredImage, evidence: Evidence, products: Sequence[Sequence[ProductReference]]
) -> list[np.ndarray | None]:
    """(h, w) bool for each product: where the generated image shows it, once or more often; None where it does not."""
    scene = registered.scene
    size = scene.image.shape[1], scene.image.shape[0]
    core = segment_product(evidence)
    inserted = coarse_mask(core if core.any() else evidence.changed, None, size)
    regions: list[np.ndarray | None] = [None] * len(products)
    found = _matched(scene.image, scene.generated, inserted, products)
    for index, match in found.items():
        regions[index] = match.coverage > 127
    covered = _union(regions, inserted.shape)
    for index, match in found.items():
        if match.instances > 1:
            again = _match(products[index], _without(scene.image, scene.generated, covered), inserted)
            if again is not None and _overlap(again.coverage > 127, covered) <= MAX_OVERLAP:
                regions[index] = (match.coverage > 127) | (again.coverage > 127)
    covered = _union(regions, inserted.shape)
    rest = coarse_mask(segment_product(evidence, plain=True), None, size) > 127
    _assign(rest & ~_dilated(covered), regions, products, scene.generated)
    return regions


def _matched(
    image: np.ndarray, generated: np.ndarray, inserted: np.ndarray, products: Sequence[Sequence[ProductReference]]
) -> dict[int, ProductMatch]:
    """The products that are found by their print, no two at one place: what explains most of the generated image stands
    there, and the others are looked for without it."""
    remaining = {
        index: match
        for index, views in enumerate(products)
        if (match := _match(views, generated, inserted)) is not None
    }
    found: dict[int, ProductMatch] = {}
    covered = np.zeros(inserted.shape, bool)
    while remaining:
        index = max(remaining, key=lambda one: explained_pixels(remaining[one]))
        match = remaining.pop(index)
        if _overlap(match.coverage > 127, covered) <= MAX_OVERLAP:
            found[index] = match
            covered |= match.coverage > 127
            continue
        again = _match(products[index], _without(image, generated, covered), inserted)
        if again is not None and _overlap(again.coverage > 127, covered) <= MAX_OVERLAP:
            remaining[index] = again
    return found


def _match(views: Sequence[ProductReference], generated: np.ndarray, inserted: np.ndarray) -> ProductMatch | None:
    return match_views([view.template for view in views], generated, inserted)[1]


def _without(image: np.ndarray, generated: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """The generated image (h, w, 3) with the scene where it is covered."""
    return np.where(_dilated(covered)[..., None], image, generated)


def _assign(
    rest: np.ndarray,
    regions: list[np.ndarray | None],
    products: Sequence[Sequence[ProductReference]],
    generated: np.ndarray,
) -> None:
    """Give what else was inserted to the products that were not found by print, in place: each the piece whose colour
    is nearest to its own."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(rest.astype(np.uint8), connectivity=8)
    components = [
        int(label) for label in range(1, len(stats)) if stats[label, cv2.CC_STAT_AREA] >= MIN_AREA * rest.size
    ]
    remaining = [index for index, region in enumerate(regions) if region is None]
    lab = cv2.cvtColor(generated, cv2.COLOR_RGB2LAB)
    colours = {component: np.median(lab[labels == component], axis=0) for component in components}
    own = {index: _median_colour(products[index][0].photograph) for index in remaining}
    distances = sorted(
        (float(np.linalg.norm(colours[component] - own[index])), index, component)
        for index in remaining
        for component in components
    )
    taken: set[int] = set()
    for _, index, component in distances:
        if regions[index] is None and component not in taken:
            regions[index] = labels == component
            taken.add(component)


def _median_colour(photograph: np.ndarray) -> np.ndarray:
    """(3,) the median of what is opaque in (h, w, 4) uint8, CIELAB of 8 bits."""
    lab = cv2.cvtColor(np.ascontiguousarray(photograph[..., :3]), cv2.COLOR_RGB2LAB)
    opaque = photograph[..., 3] > 127
    return np.median(lab[opaque] if opaque.any() else lab.reshape(-1, 3), axis=0)


def _product_sides(regions: Sequence[np.ndarray | None], shape: tuple[int, ...]) -> list[np.ndarray]:
    """(h, w) float32 for each product, 1 where it is nearer than every other one and 0 where another is, softly in
    between. A product that is nowhere has no side; where all are nowhere each has all of it."""
    present = {index: region for index, region in enumerate(regions) if region is not None and region.any()}
    distances = {
        index: cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5) for index, region in present.items()
    }
    sides = []
    for index in range(len(regions)):
        if index not in distances:
            sides.append(np.full(shape, 0 if present else 1, np.float32))
            continue
        others = [distance for other, distance in distances.items() if other != index]
        if not others:
            sides.append(np.ones(shape, np.float32))
            continue
        own, nearest = distances[index], np.minimum.reduce(others)
        share = (nearest - own) / np.maximum(nearest + own, 1e-3)
        sides.append(np.clip(0.5 + STEEPNESS * share, 0, 1).astype(np.float32))
    return sides


def _soft_support(changed: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w) float32 at `size`: 1 on and around what changed ((h', w') bool), running out softly."""
    wide = cv2.dilate(changed.astype(np.uint8) * 255, np.ones((2 * SUPPORT_PX + 1,) * 2, np.uint8))
    return cv2.resize(cv2.blur(wide, (SUPPORT_PX, SUPPORT_PX)), size, interpolation=cv2.INTER_LINEAR) / np.float32(255)


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    smaller = min(int(one.sum()), int(other.sum()))
    return float((one & other).sum()) / smaller if smaller else 0.0


def _union(regions: Sequence[np.ndarray | None], shape: tuple[int, ...]) -> np.ndarray:
    covered = np.zeros(shape, bool)
    for region in regions:
        if region is not None:
            covered |= region
    return covered


def _dilated(covered: np.ndarray) -> np.ndarray:
    reach = 2 * round(RIM_SHARE * max(covered.shape) / 2) + 1
    return cv2.dilate(covered.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
