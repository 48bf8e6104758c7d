"""Every quantity that a threshold of the judge is held against, for one analysed picture."""

from __future__ import annotations

from collections.abc import Iterator

from function.judging import (
    colour_difference,
    contact_shadow,
    exposure_sane,
    no_halo,
    print_correlation,
    product_once,
    product_whole,
    scale_plausible,
)
from function.judging.cast_shadow import cast_shadow
from function.judging.inspection import Inspection
from function.judging.registry import CHECKS
from function.restoration.analysis import Analysis

# Name of each measure, which is that of its limit, and the faults that it is meant to see.
MEASURES: dict[str, tuple[str, ...]] = {
    "scene found again": ("scene_replaced", "scene_half_replaced", "scene_reimagined"),
    "zoom": ("cropped_scene", "zoomed_out"),
    "brightness, stops": ("overexposed", "underexposed"),
    "relit, stops": ("scene_relit",),
    "cast, Lab": ("colour_cast",),
    "colour, Lab": ("wrong_colour", "recoloured_part"),
    "chroma": ("bleached",),
    "label agreement": ("blurred_label", "garbled_label"),
    "label replaced": ("other_label", "other_words"),
    "put in apart": ("product_doubled", "doubled_small"),
    "put in touching": ("product_doubled",),
    "height": ("giant",),
    "width to height, wide": ("stretched_wide",),
    "width to height, tall": ("stretched_tall",),
    "missing piece": ("clipped_edge",),
    "on the border": ("clipped_by_frame",),
    "fringe": ("cutout_halo", "partial_halo"),
    "shadow, stops": ("no_shadow", "wrong_scale", "floating_without_shadow"),
    "shadow apart": ("floating_product",),
    "attached": ("floating_product", "detached_shadow"),
}
# By the name of its measure, every number that decides. Two checks may hold one measure against the same number.
LIMITS = {limit.measure: limit for spec in CHECKS for limit in spec.limits}


def measure(analysis: Analysis) -> dict[str, float]:
    """The measures of `MEASURES` that can be taken of this picture."""
    return {name: float(value) for name, value in _measured(analysis) if value is not None}


def _measured(analysis: Analysis) -> Iterator[tuple[str, float | None]]:
    yield "scene found again", analysis.scene.registration.found_share
    drift = analysis.scene.registration.drift
    if not drift.registered:
        return
    yield "zoom", max(abs(scale - 1) for scale in (drift.scale_x, drift.scale_y))
    light = exposure_sane.illumination_change(analysis.scene)
    yield from zip(("brightness, stops", "relit, stops", "cast, Lab"), light, strict=True)
    inspection = Inspection.of(analysis.scene, analysis.product)
    if inspection.product_crop is None:
        return
    crop, match = inspection.crop, analysis.product.match
    colour = colour_difference.colour_difference(crop)
    if colour is not None:
        yield from zip(("colour, Lab", "chroma"), colour[:2], strict=True)
    if match is not None:
        yield "label agreement", match.correlation
        yield "label replaced", print_correlation.mismatched_share(crop)
        solid = product_whole.expected_mask(crop)
        yield "missing piece", product_whole.missing_width(product_whole.missing_mask(crop, solid), solid)
    pieces = product_once.extra_insertions(inspection)
    for name, touching in (("put in apart", False), ("put in touching", True)):
        yield name, max((piece.share for piece in pieces if piece.touches is touching), default=0.0)
    yield "height", crop.height / analysis.scene.change.shape[0]
    for name in ("width to height, wide", "width to height, tall"):
        yield name, scale_plausible.aspect_change(analysis.product)
    yield "on the border", product_whole.border_share(crop, analysis.scene.change.shape)
    yield "fringe", no_halo.fringe_share(crop)
    cast = cast_shadow(analysis.scene, crop)
    if cast is not None:
        yield "shadow, stops", cast.peak
        if cast.peak >= contact_shadow.MIN_SHADOW_STOPS:
            yield "shadow apart", cast.detached_ratio
            yield "attached", cast.contact_ratio
