"""Every quantity that a threshold of the judge is held against, for one analysed picture."""

from __future__ import annotations

from collections.abc import Iterator

from function.judging import base, contact, edge, likeness, presence, scene
from function.judging.product_view import view_product
from function.restoration.analysis import Analysis

# Name of each measure: its limit, the side on which it passes, and the faults that it is meant to see.
MEASURES: dict[str, tuple[float, str, tuple[str, ...]]] = {
    "scene found again": (scene.LEAST_FOUND, ">=", ("scene_replaced", "scene_half_replaced", "scene_reimagined")),
    "zoom": (scene.MOST_ZOOM, "<=", ("cropped_scene", "zoomed_out")),
    "brightness, stops": (scene.MOST_STOPS, "<=", ("overexposed", "underexposed")),
    "relit, stops": (scene.MOST_RELIT, "<=", ("scene_relit",)),
    "cast, Lab": (scene.MOST_CAST, "<=", ("colour_cast",)),
    "colour, Lab": (likeness.MOST_COLOUR, "<=", ("wrong_colour", "recoloured_part")),
    "chroma": (likeness.LEAST_CHROMA, ">=", ("bleached",)),
    "label agreement": (likeness.LEAST_AGREEMENT, ">=", ("blurred_label", "garbled_label")),
    "label replaced": (likeness.MOST_REPLACED, "<=", ("other_label", "other_words")),
    "put in apart": (presence.MOST_APART, "<=", ("product_doubled", "doubled_small")),
    "put in touching": (presence.MOST_TOUCHING, "<=", ("product_doubled",)),
    "height": (presence.MOST_HEIGHT, "<=", ("giant",)),
    "width to height, wide": (presence.MOST_ASPECT, "<=", ("stretched_wide",)),
    "width to height, tall": (presence.LEAST_ASPECT, ">=", ("stretched_tall",)),
    "missing piece": (edge.MOST_MISSING, "<=", ("clipped_edge",)),
    "on the border": (edge.MOST_ON_BORDER, "<=", ("clipped_by_frame",)),
    "fringe": (edge.MOST_FRINGE, "<=", ("cutout_halo", "partial_halo")),
    "shadow, stops": (contact.LEAST_SHADOW, ">=", ("no_shadow", "wrong_scale", "floating_without_shadow")),
    "gap below, stops": (contact.MOST_GAP, "<=", ("floating_product",)),
    "touched, stops": (contact.LEAST_TOUCHED, ">=", ("floating_product", "floating_without_shadow", "no_shadow")),
    "attached": (contact.LEAST_ATTACHED, ">=", ("floating_product", "detached_shadow")),
}


def measure(analysis: Analysis) -> dict[str, float]:
    """The measures of `MEASURES` that can be taken of this picture."""
    return {name: float(value) for name, value in _measured(analysis) if value is not None}


def _measured(analysis: Analysis) -> Iterator[tuple[str, float | None]]:
    yield "scene found again", analysis.found_share
    if not analysis.drift.registered:
        return
    yield "zoom", max(abs(scale - 1) for scale in (analysis.drift.scale_x, analysis.drift.scale_y))
    yield from zip(("brightness, stops", "relit, stops", "cast, Lab"), scene.light_change(analysis), strict=True)
    view = view_product(analysis)
    if view is None:
        return
    colour = likeness.colour_difference(view)
    if colour is not None:
        yield from zip(("colour, Lab", "chroma"), colour, strict=True)
    if analysis.match is not None:
        yield "label agreement", analysis.match.correlation
        yield "label replaced", likeness.replaced_share(view)
        yield "missing piece", edge.missing_width(view)
    pieces = presence.also_put_in(analysis, view)
    for name, touching in (("put in apart", False), ("put in touching", True)):
        yield name, max((piece.share for piece in pieces if piece.touches is touching), default=0.0)
    yield "height", view.height / analysis.change.shape[0]
    for name in ("width to height, wide", "width to height, tall"):
        yield name, presence.aspect_change(analysis)
    yield "on the border", edge.border_share(view, analysis.change.shape)
    yield "fringe", edge.fringe_share(view)
    yield from _contact(analysis, view)


def _contact(analysis, view) -> Iterator[tuple[str, float | None]]:
    surface = base.surface_below(analysis, view)
    touched = None
    if surface is not None:
        touched = base.touched(surface, view.height)
        yield "gap below, stops", base.gap(surface, view.height)
        yield "touched, stops", touched
    dark = touched is None or touched >= contact.DARKLY_TOUCHED
    shadow = contact.shadow(analysis, view, dark_contact=dark)
    if shadow is not None:
        yield "shadow, stops", shadow[0]
        if shadow[0] >= contact.LEAST_SHADOW:
            yield "attached", shadow[1] / shadow[0]
