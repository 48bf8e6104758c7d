"""Checks that the product is inserted exactly once, and nothing else with it.

Four kinds of evidence, the surest first: matched instances of its print; a second place where its silhouette fits;
other connected components of the inserted region, by their area, contact and colour; and parts of the image that repeat
themselves (copy-move detection, `matching/self_similarity.py`), which does not depend on the side that is seen.

In: an `Inspection`. Out: a `Check`, as a share of the product's area or of what was inserted. What lies below the
product in its columns is its reflection, what shows through glass is bent scene. Beside a product that was composited
all that is no shadow is foreign, whether it touches it or not: only light was asked for. Twins of eight rendered
products repeated .075 of the inserted region and more, good ones 0: `python -m tests.bench.collection`. Of rendered
products that were composited up to .078 lay beside those that the model kept, and .13 and more beside those that it
drew larger or elsewhere: `python -m tests.bench.identity`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from function.imaging.array_ops import max_channel
from function.judging.check import Check, CheckSpec, at_most
from function.judging.inspection import Inspection
from function.judging.limit import max_limit
from function.judging.product_crop import MIN_VISIBLE_LEVELS, is_reflection_of
from function.judging.shadow_removal import share_beside
from function.matching.reference_image import photograph_alpha
from function.matching.self_similarity import repeated_share
from function.restoration.shading import SHADOW_STOPS, even_darkening

# Largest other component, as a share of the product's area: apart from it, and touching it. The latter may be the side
# of a turned box, which its frontal photograph does not show. Apart lay nothing in good pictures, rendered and real,
# but for a wine glass whose stem was not seen; small vases beside products began at .053.
MAX_SEPARATE, MAX_TOUCHING = 0.05, 0.85
# The same beside a product that was composited, where all that is no shadow counts: .078 beside those that the model
# kept, .13 and more beside those that it drew larger or elsewhere.
MAX_BESIDE_COMPOSITED = 0.10
# Without print there are no instances to count: a component that touches the product and has its colour (distance in
# Lab a, b) and lightness (both 8-bit) is a copy from this share of its area on; a smaller one may be a part that the
# fitted silhouette misses. The side of a turned box is darker.
MAX_TOUCHING_COPY, COPY_COLOUR, COPY_BRIGHTNESS = 0.3, 8.0, 18.0
# Coverage 0..1 of glass, through which the scene is seen bent: that is no second product.
MAX_GLASS_COVERAGE = 0.1
# Largest share of what was inserted that is repeated: twins of eight rendered products, as large and
# at .6 of the size, reached .075 and more, good ones and real images 0, two real ones that are bad anyway .05.
MAX_REPEATED = 0.065
# From this ratio of the photograph's own repetition on it shows two of a kind: a pair of shoes
# has about 1, a chair with like rungs .5 against a second chair.
MIN_REFERENCE_REPEAT = 0.6
# Repetition is looked for where more than this share of the product's area lies beside it, or where the silhouette is
# not known.
MIN_BESIDE = 0.05
# Smaller components, as a share of the product's area, are noise.
MIN_PIECE = 0.01


def product_once(inspection: Inspection) -> Check:
    """The product is there once, and nothing else was inserted."""
    unit = "share of the product's area"
    match = inspection.product.match
    if match is not None and match.instances > 1:
        return Check(float(match.instances - 1), MAX_SEPARATE, False, unit, "The product is shown more than once.")
    if inspection.crop.has_duplicate:
        return Check(1.0, MAX_SEPARATE, False, unit, "Another thing of the product's shape stands beside it.")
    insertions, most_apart = extra_insertions(inspection), MAX_SEPARATE
    if inspection.product.composited is not None:
        insertions, most_apart = [replace(insertion, touches=False) for insertion in insertions], MAX_BESIDE_COMPOSITED
    apart, touching = (max((p.share for p in insertions if p.touches is side), default=0.0) for side in (False, True))
    apart = max(apart, share_beside(inspection.crop))
    copy = max((p.share for p in insertions if p.touches and p.same_colour), default=0.0)
    if match is None and copy > MAX_TOUCHING_COPY:
        return at_most(
            copy, MAX_TOUCHING_COPY, unit, good="", bad="Another thing of the product's colour stands beside it."
        )
    if touching > MAX_TOUCHING:
        return at_most(touching, MAX_TOUCHING, unit, good="", bad="Something else joins the product, perhaps a copy.")
    beside = not inspection.crop.fitted or any(insertion.share > MIN_BESIDE for insertion in insertions)
    repeated = _repeated(inspection) if beside and apart <= most_apart else 0.0
    if repeated > MAX_REPEATED:
        unit = "share of what was put in"
        return at_most(repeated, MAX_REPEATED, unit, good="", bad="The same object is shown twice.")
    return at_most(
        apart,
        most_apart,
        unit,
        good="The product is shown once, and nothing else was added.",
        bad="Something else was added or changed beside the product, perhaps a second one.",
    )


SPEC = CheckSpec(
    name="product_once",
    lesson="The product appeared more than once. Show exactly one.",
    needs_product=True,
    measure=product_once,
    limits=(
        max_limit("put in apart", MAX_SEPARATE, "share of the product's area"),
        max_limit("put in beside a composited product", MAX_BESIDE_COMPOSITED, "share of the product's area"),
        max_limit("put in touching", MAX_TOUCHING, "share of the product's area"),
        max_limit("repeated", MAX_REPEATED, "share of what was put in"),
        max_limit("alike touching", MAX_TOUCHING_COPY, "share of the product's area"),
    ),
)


def _repeated(inspection: Inspection) -> float:
    """Share of what was inserted that is repeated; 0 where the photograph repeats itself too, as that of shoes."""
    share = repeated_share(inspection.scene.generated, inspection.product.mask)
    if share <= MAX_REPEATED:
        return share
    photograph = inspection.product.photograph
    alpha = photograph_alpha(photograph)
    in_photograph = repeated_share(np.ascontiguousarray(photograph[..., :3]), alpha)
    return 0.0 if in_photograph > MIN_REFERENCE_REPEAT * share else share


@dataclass(frozen=True)
class Insertion:
    """Another inserted component: its share of the product's area, whether it touches it and has its colour."""

    share: float
    touches: bool
    same_colour: bool


def extra_insertions(inspection: Inspection) -> list[Insertion]:
    """The components that were inserted beside the product, reflections left out."""
    scene, mask, crop = inspection.scene, inspection.product.mask, inspection.crop
    if inspection.product.composited is not None:
        shadow = even_darkening(scene.image, scene.generated) > SHADOW_STOPS
        mask = cv2.max(mask, np.where(shadow, 0, scene.content).astype(np.uint8))
    box = cv2.boundingRect(mask)
    if box[2] == 0:
        return []
    inner = np.s_[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
    solid_mask = np.zeros(scene.change.shape, np.uint8)
    x, y, width, height = crop.box
    solid_mask[y : y + height, x : x + width] = crop.product_mask > (MAX_GLASS_COVERAGE if crop.aligned else 0.5)
    near = cv2.dilate(solid_mask[inner], np.ones((9, 9), np.uint8))
    differs = (
        max_channel(cv2.blur(cv2.absdiff(scene.generated[inner], scene.image[inner]), (5, 5))) > MIN_VISIBLE_LEVELS
    )
    rest = np.where(differs & (near == 0), mask[inner], 0)
    around = cv2.dilate(near, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.inRange(rest, 128, 255), connectivity=8)
    joined = set(np.unique(labels[around > 0])) - {0}
    own = max(1.0, float(cv2.countNonZero(solid_mask)))
    large = np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] > MIN_PIECE * own) + 1
    if not len(large):
        return []
    lab = cv2.cvtColor(scene.generated[inner], cv2.COLOR_RGB2LAB)
    solid = solid_mask[inner] > 0
    of_product = np.median(lab[solid], axis=0) if solid.any() else np.full(3, np.inf)
    x, y, width, height = cv2.boundingRect(solid_mask[inner])
    insertions = []
    for label in large:
        if is_reflection_of(labels == label, (x, y, width, height)):
            continue
        light, *colour = np.median(lab[labels == label], axis=0) - of_product
        same_colour = np.hypot(*colour) < COPY_COLOUR and abs(light) < COPY_BRIGHTNESS
        insertions.append(Insertion(float(stats[label, cv2.CC_STAT_AREA] / own), label in joined, bool(same_colour)))
    return insertions
