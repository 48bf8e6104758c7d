"""Whose pixels the product has: when it is laid into the scene by us, where, and what is sent then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from function.errors import ModelNoImageError, ModelRefusedError
from function.imaging.compress import downscale, encode_for_model, letterbox
from function.imaging.icc import to_srgb
from function.judging import (
    label_kept,
    product_colour,
    product_identical,
    product_not_mirrored,
    product_once,
    product_present,
    product_whole,
)
from function.judging.check import not_measured
from function.judging.judge import Judgement, judge
from function.matching.place import Place, outline_box
from function.matching.reference_image import has_outline
from function.pipeline.context import Candidate, PairContext, Sketch
from function.restoration.classical import composite_classically, default_place
from function.restoration.find_place import find_place
from function.restoration.sketch import draw_sketch
from function.sidecar.request import IdentityRecord

# Where one of these fails the product is not, or cannot be said to be, the one that was photographed.
IDENTITY_CHECKS = (label_kept, product_colour, product_not_mirrored, product_once, product_whole)
# Working memory of drawing and encoding one, for a photograph of the largest side and a scene as it is sent.
SKETCH_BYTES = 150 * 2**20
# Hands, hair and clothes hide parts of what is worn or held, and which parts is unknown.
LAID_POSES = ("stand", "lie", "hang")
NOT_EXACT = (
    "The product has the model's own pixels, though its photograph's were asked for: it could not be placed in the "
    "scene beforehand. That needs a cut-out with a certain outline, and a place where the product stands as it does on "
    "its photograph."
)


CLASSICAL = (
    "No picture of the model could be used: the product was placed in the scene without the model, with estimated "
    "light and shadows. Please check its place, its size and its shadows."
)


def given_place(pair: PairContext) -> Place | None:
    """The place that the manifest gives to a product whose own pixels are asked for."""
    return _asked_place(pair) if pair.identity == "exact" and _can_be_laid(pair) else None


def place_after(pair: PairContext, candidate: Candidate) -> Place | None:
    """Where to lay the product in the attempts after this one, in which the model placed it; None where the model is to
    place it again."""
    if not _can_be_laid(pair):
        return None
    checks = candidate.judgement.checks
    in_doubt = any(not checks[check.SPEC.name].passed for check in IDENTITY_CHECKS)
    in_doubt |= candidate.analysis.product.match is None  # whatever else is wrong, it was not verified either
    if not in_doubt and pair.identity != "exact":
        return None
    if asked := _asked_place(pair):
        return asked
    place = find_place(candidate.analysis)
    return place if place is None or candidate.analysis.product.view == 0 else _of_leading_view(pair, place)


def _of_leading_view(pair: PairContext, place: Place) -> Place:
    """The place at which another view of the product was found, for the leading one: it stands on the same base, and is
    as tall."""
    decoded = pair.decoded_sources()
    outline = outline_box(np.ascontiguousarray(decoded.product.cut.alpha))
    foot = place.left + place.width / 2, place.top + place.height
    return Place.standing(*foot, place.height, outline, decoded.scene.size)


def held_to_identity(pair: PairContext, candidate: Candidate) -> Candidate:
    """The candidate, to be reviewed where the photograph's own pixels were asked for and these are the model's."""
    if pair.identity != "exact" or candidate.method == "sketch" or candidate.judgement.verdict == "unusable":
        return candidate
    check = not_measured(product_identical.UNIT, NOT_EXACT, passed=False)
    judgement = candidate.judgement
    checks = {**judgement.checks, product_identical.SPEC.name: check}
    return replace(candidate, judgement=Judgement("review", judgement.score, checks))


def make_sketch(pair: PairContext, place: Place) -> Sketch:
    """The scene in its frame, as the model is sent it, with the product at `place`."""
    prepared, decoded = pair.prepared, pair.decoded_sources()
    product, _ = pair.resources.result(prepared.product_future)
    frame = prepared.frame
    with pair.resources.pixels(SKETCH_BYTES):
        drawn = draw_sketch(downscale(decoded.small_scene, frame.content_box[2:]), product, place)
        framed = letterbox(to_srgb(drawn, decoded.scene.icc), frame)
        image = encode_for_model(framed, pair.model.max_inline_bytes)
    x, y, width, height = frame.content_box
    sent_width, sent_height = frame.sent_size
    box = (
        (x + place.left * width) / sent_width,
        (y + place.top * height) / sent_height,
        place.width * width / sent_width,
        place.height * height / sent_height,
    )
    return Sketch(place, image, box)


def classical_candidate(
    pair: PairContext, place: Place | None, reasons: Sequence[ModelRefusedError | ModelNoImageError]
) -> Candidate | None:
    """What stands in where no answer could be used, to be reviewed; None where it is not asked for, the product cannot
    be laid, or the model refused."""
    refused = any(isinstance(reason, ModelRefusedError) for reason in reasons)
    if not pair.settings.classical_fallback or refused or not _can_be_laid(pair):
        return None
    decoded = pair.decoded_sources()
    _, reference = pair.resources.result(pair.prepared.product_future)
    outline = outline_box(np.ascontiguousarray(decoded.product.cut.alpha))
    with pair.resources.pixels(SKETCH_BYTES):
        analysis = composite_classically(
            decoded.small_scene, reference, place or _asked_place(pair) or default_place(decoded.scene.size, outline)
        )
        judged = judge(analysis, pair.manifest.pose, pair.prepared.asked)
    check = not_measured("", CLASSICAL, passed=False)
    judgement = Judgement("review", judged.score, {**judged.checks, product_present.SPEC.name: check})
    return Candidate(analysis.scene.generated, analysis, judgement, is_classical=True)


def identity_record(pair: PairContext, candidate: Candidate) -> IdentityRecord:
    """What the sidecar says of it."""
    laid, scene_size = candidate.analysis.product.composited, pair.decoded_sources().scene.size
    if laid is None:
        return IdentityRecord(asked=pair.identity)
    if candidate.is_classical:
        x, y, width, height = laid.place.pixels(scene_size)
        box = round(x), round(y), round(width), round(height)
        return IdentityRecord(asked=pair.identity, box=box, note="no answer from the model was used")
    departure, grid = laid.departure, candidate.analysis.scene.image.shape
    changed = product_identical.changed_regions(candidate.analysis)
    scale = scene_size[0] / grid[1], scene_size[1] / grid[0]
    x, y, width, height = laid.place.pixels(scene_size)
    return IdentityRecord(
        asked=pair.identity,
        box=(round(x), round(y), round(width), round(height)),
        moved=round(departure.moved, 4),
        scale_x=round(departure.scale_x, 4),
        scale_y=round(departure.scale_y, 4),
        turned_deg=round(departure.turned_deg, 2),
        followed=round(laid.followed, 4),
        changed=[
            (round(x * scale[0]), round(y * scale[1]), round(w * scale[0]), round(h * scale[1]))
            for x, y, w, h in changed
        ],
    )


def _asked_place(pair: PairContext) -> Place | None:
    """The place that is asked for, where that is all of one."""
    asked, decoded = pair.prepared.asked, pair.decoded_sources()
    if asked is None:
        return None
    return asked.place(outline_box(np.ascontiguousarray(decoded.product.cut.alpha)), decoded.scene.size)


def _can_be_laid(pair: PairContext) -> bool:
    cut = pair.decoded_sources().product.cut
    if pair.manifest.products is not None:
        return False  # a sketch has one product
    return pair.identity != "model" and pair.manifest.pose in LAID_POSES and cut.is_sure and has_outline(cut.alpha)
