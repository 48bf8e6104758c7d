"""Analyses a generated image: registration, colour transfer, change detection, product mask and light, in this order.

The image is registered to the scene (registration/) and its colours are brought to the scene's (`colour_transfer.py`),
or the scene under its light (`relighting.py`). What changed is told from noise (`change_detection.py`); the product is
searched there by its keypoints (matching/), then by aligning its photograph from where its silhouette lies, else by
placement or silhouette alone; the shading is estimated beside it, and what shading cannot explain is content
(`content.py`). What was not asked for and is surely foreign is undone (`alterations.py`). Each mask is refined once
what it depends on is known.

In: scene (H, W, 3), product (h, w, 4), generated image (h, w, 3) uint8. Out: an `Analysis`. It never raises on image
content: what cannot be registered, or fails numerically, has an empty change. `python -m tests.bench.fidelity`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np

from function.imaging.array_ops import blur, downsample2, max_channel, remap, to_bytes
from function.imaging.frame import Frame
from function.matching.best_view import match_views
from function.matching.match import ProductMatch
from function.matching.match_at_box import match_at_box
from function.matching.reference_image import has_outline, photograph_alpha
from function.registration.register import Registration, register, unregistered
from function.restoration.alterations import find_alterations
from function.restoration.analysis import NUMERIC_ERRORS, Analysis, ProductAnalysis, SceneAnalysis
from function.restoration.analysis_size import ANALYSIS_SIDE_PX, at_analysis_size
from function.restoration.change_detection import Evidence, find_evidence, segment_product
from function.restoration.colour_transfer import IDENTITY_COLOURS, fit_colour_transform, is_same_scene
from function.restoration.content import find_content
from function.restoration.placement import is_thin, locate_product, warp_coverage
from function.restoration.product_mask import coarse_mask, refine_product_mask
from function.restoration.product_reference import ProductReference
from function.restoration.relighting import find_relighting
from function.restoration.shading import estimate_shading
from function.restoration.silhouette import fit_silhouette, match_silhouette

# A log ratio under this moves a mid grey by less than one 8-bit level: not a change.
MIN_LOG_RATIO = 0.006
# From this log ratio on (seven percent) a change counts fully in the mask.
FULL_LOG_RATIO = 0.07
# A silhouette that overlaps what was inserted by less (intersection over union) is no place to begin an alignment at:
# that of a pump dispenser and its shadow reached .76 and more.
MIN_SILHOUETTE_OVERLAP = 0.7
# The mask is smoothed over this many half-size pixels (standard deviation).
MASK_SIGMA_PX = 2.5


@dataclass(frozen=True)
class RegisteredImage:
    """A generated image that was registered to its scene, before anything is looked for in it.

    nothing  what is known where no light and no colours are believed
    scene    with the scene under the generated image's light, and the generated image's colours matched to it
    matched  (h, w, 3) float32, those colours before they are rounded
    """

    nothing: Analysis
    scene: SceneAnalysis
    matched: np.ndarray


def analyse(
    scene: np.ndarray,
    product: np.ndarray | ProductReference,
    generated: np.ndarray,
    frame: Frame,
    others: Sequence[ProductReference] = (),
) -> Analysis:
    """Register `generated` to `scene`, match its colours, and find what changed and where the product stands.

    scene (H, W, 3) uint8 RGB, at full resolution or shrunk; product (h, w, 4) uint8 RGBA, or what is known of it
    already; `others` are photographs of it from other sides: the one that the generated image shows is what the product
    is compared with; generated (h, w, 3) uint8 RGB as returned. It never raises on image content: what cannot
    be registered has `registration.drift.registered` False and an empty change mask.
    """
    reference = product if isinstance(product, ProductReference) else ProductReference.of(product)
    return analyse_using(partial(analyse_registered, others=others), scene, reference, generated, frame)


def analyse_using(
    find: Callable[[RegisteredImage, ProductReference], Analysis],
    scene: np.ndarray,
    reference: ProductReference,
    generated: np.ndarray,
    frame: Frame,
) -> Analysis:
    """What `find` makes of the `generated` once it is registered; nothing is found where it cannot be, or on images
    that a formula did not foresee."""
    small = at_analysis_size(scene, min(ANALYSIS_SIDE_PX, max(generated.shape[:2])))
    try:
        registered = _register(small, reference, generated, register(small, generated, frame))
        if not registered.scene.registration.drift.registered:
            return replace(registered.nothing, scene=registered.scene)
        return find(registered, reference)
    except NUMERIC_ERRORS:
        return empty_analysis(small, reference, generated, unregistered(small, generated, frame))


def _register(
    small: np.ndarray, reference: ProductReference, generated: np.ndarray, registration: Registration
) -> RegisteredImage:
    nothing = empty_analysis(small, reference, generated, registration)
    plain = nothing.scene.generated_plain
    colours = fit_colour_transform(small, plain, registration.inside)
    relit = find_relighting(small, plain, registration.inside) if colours.trust < 1 else None
    relighting = None
    if relit is not None:
        relighting, small, colours = relit
    matched = colours.apply(plain)
    scene = replace(nothing.scene, image=small, relighting=relighting, generated=to_bytes(matched), colours=colours)
    return RegisteredImage(nothing, scene, matched)


def analyse_registered(
    registered: RegisteredImage, reference: ProductReference, others: Sequence[ProductReference] = ()
) -> Analysis:
    """What changed, and where the product stands."""
    nothing, scene, matched = registered.nothing, registered.scene, registered.matched
    small, registration, colours = scene.image, scene.registration, scene.colours
    size = small.shape[1], small.shape[0]
    evidence = find_evidence(small, matched, registration.inside)
    core = segment_product(evidence)
    if colours.trust == 0 or not evidence.changed.any():
        if not is_same_scene(small, scene.generated, registration.inside):
            return _redrawn_analysis(nothing, (reference, *others))
        if not evidence.changed.any():
            return replace(nothing, scene=scene)
    prior = coarse_mask(core if core.any() else evidence.changed, None, size)
    views = reference, *others
    changed = coarse_mask(evidence.changed, None, size)
    view, match = match_views([one.template for one in views], scene.generated, prior, changed)
    reference = views[view]
    if match is None:
        plain_core = segment_product(evidence, plain=True)
        light, mask = _rough_product(evidence, small, matched, plain_core, None)
        match = _match_at_silhouette(reference, mask, light, scene)
    if match is not None:
        light, mask = _rough_product(evidence, small, matched, core, match)
    placement = None
    if match is None or is_thin(match.coverage):
        shown = np.dstack([reference.photograph[..., :3], photograph_alpha(reference.photograph)])
        evident = evidence.changed
        placement = locate_product(shown, reference.hidden, mask, evident, light, small, scene.generated)
    if placement is not None:
        mask = np.maximum(mask, warp_coverage(shown[..., 3], placement, size))
    elif match is None and reference.template is not None:
        outline = reference.template.reference.alpha
        placed = match_silhouette(outline, evidence.changed, mask, light, small, scene.generated)
        mask = mask if placed is None else np.maximum(mask, placed)
    # Once more, now that scene that the rough outline took in can be seen under its light.
    product = _half_share(mask)
    inside = downsample2(registration.inside.astype(np.uint8)) > 0
    light = estimate_shading(evidence, product)
    found = find_content(evidence, light, product, inside)
    alterations = find_alterations(evidence, found, product, reference.photograph)
    if alterations.undone:
        # There the scene is as it was: nothing changed, and nothing is drawn.
        evidence = replace(evidence, changed=evidence.changed & ~alterations.foreign)
        found &= ~alterations.foreign
        mask[cv2.resize(alterations.foreign.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0] = 0
        product = _half_share(mask)
    if alterations.undone or found.any():
        # Once more, now that what is drawn is known: it is no place to see the light at.
        light = estimate_shading(evidence, np.maximum(product, found.astype(np.float32)))
    content = cv2.resize(found.astype(np.uint8) * 255, size, interpolation=cv2.INTER_LINEAR)
    scene = replace(
        scene,
        light=light,
        content=content,
        change=change_mask(light, cv2.max(mask, content)),
        undone_alterations=alterations.undone,
        kept_alterations=alterations.kept,
    )
    found_product = ProductAnalysis(reference.photograph, match, mask, reference.hidden, placement=placement, view=view)
    return Analysis(scene, found_product)


def _rough_product(
    evidence: Evidence, small: np.ndarray, matched: np.ndarray, core: np.ndarray, match: ProductMatch | None
) -> tuple[np.ndarray, np.ndarray]:
    """The shading (h', w', 3) float32 beside the `core` (h', w') bool and the product's `match`, and the product's mask
    (h, w) uint8."""
    coverage = None if match is None else match.coverage
    size = small.shape[1], small.shape[0]
    light = estimate_shading(evidence, _half_share(coarse_mask(core, coverage, size)))
    return light, refine_product_mask(small, matched, light, core, coverage)


def _match_at_silhouette(
    reference: ProductReference, mask: np.ndarray, light: np.ndarray, scene: SceneAnalysis
) -> ProductMatch | None:
    """The match that keypoints did not find, where the photograph's silhouette lies on what was inserted."""
    template, alpha = reference.template, photograph_alpha(reference.photograph)
    if template is None or not has_outline(alpha):
        return None
    fit = fit_silhouette(alpha, mask, light, scene.image, scene.generated)
    if fit is None or fit.overlap < MIN_SILHOUETTE_OVERLAP:
        return None
    return match_at_box(template, scene.generated, fit.box)


def _redrawn_analysis(nothing: Analysis, views: Sequence[ProductReference]) -> Analysis:
    """For a generated image that has nothing to tell the product from: all is shown as it was drawn, and print is
    looked for everywhere."""
    whole = np.where(nothing.scene.registration.inside, 255, 0).astype(np.uint8)
    view, match = match_views([one.template for one in views], nothing.scene.generated, whole)
    scene = replace(nothing.scene, content=whole, change=whole, redrawn=True)
    mask = nothing.product.mask if match is None else match.coverage
    return Analysis(scene, ProductAnalysis(views[view].photograph, match, mask, view=view))


def empty_analysis(
    small: np.ndarray, reference: ProductReference, generated: np.ndarray, registration: Registration
) -> Analysis:
    """The generated image at the place that `registration` gives it, and nothing found in it."""
    nothing = np.zeros(small.shape[:2], np.uint8)
    plain = resample(generated, registration.mapping)
    scene = SceneAnalysis(
        given=small,
        image=small,
        relighting=None,
        generated=plain,
        generated_plain=plain,
        generated_raw=generated,
        registration=registration,
        colours=IDENTITY_COLOURS,
        light=np.zeros((*downsample2(nothing).shape, 3), np.float32),
        content=nothing,
        change=nothing,
    )
    return Analysis(scene, ProductAnalysis(reference.photograph, None, nothing, reference.hidden))


def resample(generated: np.ndarray, mapping: np.ndarray) -> np.ndarray:
    """`generated` at the places of `mapping` (h, w, 2) float32, cubic; uint8."""
    return remap(generated, mapping, cv2.INTER_CUBIC)


def _half_share(mask: np.ndarray) -> np.ndarray:
    return downsample2(mask).astype(np.float32) / 255


def change_mask(light: np.ndarray, product_mask: np.ndarray) -> np.ndarray:
    """Soft mask 0..255: the product, and light as far as it shows, full from `FULL_LOG_RATIO` on."""
    # Grain in the ratio is no mask: a person is shown where the light fell.
    strength = blur(max_channel(np.abs(light)), MASK_SIGMA_PX)
    soft: np.ndarray = np.clip((strength - MIN_LOG_RATIO) / (FULL_LOG_RATIO - MIN_LOG_RATIO), 0, 1) * 255
    size = product_mask.shape[1], product_mask.shape[0]
    soft = cv2.resize(soft.astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
    result: np.ndarray = np.maximum(soft, product_mask)
    return result
