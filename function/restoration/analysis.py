"""Everything that is found out about the model's answer, at about its own resolution.

What belongs to the scene and what to the product is kept apart, so that several products can be analysed against one
scene: each has a match and a mask of its own, the light is found with all masks left out, and all are in the change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, blur, downsample2, max_channel, remap, to_bytes
from function.imaging.frame import Frame, fit_within
from function.matching.best_view import match_views
from function.matching.cutout.cut_out import CutOut
from function.matching.match import ProductMatch
from function.matching.place import Place
from function.matching.reference_image import photograph_alpha
from function.matching.reference_template import ReferenceTemplate
from function.registration.register import Registration, register, unregistered
from function.restoration.alterations import Alteration, find_alterations
from function.restoration.change_detection import find_evidence, find_product
from function.restoration.colour_transfer import UNCHANGED_COLOURS, ColourMatch, looks_like, match_colours
from function.restoration.content import find_content
from function.restoration.departure import Departure
from function.restoration.placement import is_thin, laid_coverage, place_product
from function.restoration.product_mask import product_coverage, rough_coverage
from function.restoration.relighting import Relighting, find_relighting
from function.restoration.settle import Placement
from function.restoration.shading import find_light
from function.restoration.silhouette import placed_outline

# Longest side of the analysis: that of the 1-megapixel model's 16:9 picture. A larger answer is analysed at this size
# too; its pixels are taken from the answer itself.
ANALYSIS_SIDE_PX = 1344
# The product photograph is matched at this size, down to the least where a whole factor leads there.
PRODUCT_SIDE_PX, MIN_PRODUCT_SIDE_PX = 1024, 900
# A log ratio under this moves a mid grey by less than one 8-bit level: not a change.
MIN_LOG_RATIO = 0.006
# From this log ratio on (seven percent) a change counts fully in the mask.
FULL_LOG_RATIO = 0.07
# The mask is smoothed over this many half-size pixels (standard deviation).
MASK_SIGMA_PX = 2.5
# What OpenCV and numpy raise on pictures that a formula did not foresee. The plain upscale is right for those.
NUMERIC_ERRORS = (cv2.error, ArithmeticError, ValueError, IndexError)


@dataclass(frozen=True)
class SceneAnalysis:
    """What is found out about scene and answer, at analysis size (h, w): about the answer's resolution, the scene's
    shape, no padding.

    given         (h, w, 3) uint8, the scene at that size
    image         (h, w, 3) uint8, the same; under the answer's light where that lights all of the scene anew
    relighting    that light; None where there is no more than drift, which is taken back
    answer        (h, w, 3) uint8, the answer registered to the scene, colours matched to it
    answer_plain  (h, w, 3) uint8, registered, colours as the model gave them
    raw_answer    (h', w', 3) uint8, the answer as returned
    registration  where each pixel of the scene lies in `raw_answer`
    colours       the fit that takes the answer's colours to the scene's
    light         (h/2, w/2, 3) float32, log of the smooth ratio that carries shadow and reflection
    content       (h, w) uint8 coverage of what else the model drew: shown as it drew it, like the product
    change        (h, w) uint8 soft mask of product, content, shadow and reflection, 0..255
    drawn_anew    the answer is nowhere the scene, under no light: what was put in cannot be told, and all is content
    undone_alterations, kept_alterations  changes apart from the product: put back as the scene was, or shown as drawn
    """

    given: np.ndarray
    image: np.ndarray
    relighting: Relighting | None
    answer: np.ndarray
    answer_plain: np.ndarray
    raw_answer: np.ndarray
    registration: Registration
    colours: ColourMatch
    light: np.ndarray
    content: np.ndarray
    change: np.ndarray
    drawn_anew: bool = False
    undone_alterations: tuple[Alteration, ...] = ()
    kept_alterations: tuple[Alteration, ...] = ()

    @property
    def altered(self) -> np.ndarray:
        """(h, w) uint8 soft mask of where the result is not the scene as it was given: `change`, or all of it."""
        return self.change if self.relighting is None else np.full_like(self.change, 255)


@dataclass(frozen=True)
class LaidProduct:
    """A product that was laid into the scene before the answer was asked for.

    place      where
    box        (x, y, width, height), analysis pixels, of what is laid
    log_gain   (box's h, w, 3) float32, log of the smooth light that the answer throws on it
    departure  where the answer shows it instead
    followed   share 0..1 of it that the answer shows as it was laid, and whose light is believed
    sketch     (h, w, 3) uint8, the scene with it, before any light
    """

    place: Place
    box: PixelBox
    log_gain: np.ndarray
    departure: Departure
    followed: float
    sketch: np.ndarray


@dataclass(frozen=True)
class ProductAnalysis:
    """What is found out about one product in the answer.

    photograph  (ph, pw, 4) uint8 RGBA, its photograph shrunk
    hidden      (ph, pw, 2) uint8: 255 where it is unknown whether that is product, and the alpha of a drop shadow
    match       how that lies in the answer registered to the scene; None where it was not found
    mask        (h, w) uint8 coverage of the product in the scene; all zero where none was found
    laid        where its place was known beforehand: the product is then its photograph's own pixels
    placement   where the photograph explains the answer; None where it does not, or the match is what counts
    view        which of its photographs this is about, from 0
    """

    photograph: np.ndarray
    match: ProductMatch | None
    mask: np.ndarray
    hidden: np.ndarray | None = None
    laid: LaidProduct | None = None
    placement: Placement | None = None
    view: int = 0


@dataclass(frozen=True)
class Analysis:
    """Everything that is found out about one answer. Of several products `each` is about one, against the scene with
    the others in it; `product` then has all their masks."""

    scene: SceneAnalysis
    product: ProductAnalysis
    each: tuple[Analysis, ...] = ()

    @property
    def products(self) -> tuple[ProductAnalysis, ...]:
        """Of every product, in the manifest's order."""
        return tuple(one.product for one in self.each) or (self.product,)


@dataclass(frozen=True)
class ProductReference:
    """What every answer is compared with: the photograph (ph, pw, 4) uint8 shrunk, what to look for of it, and what of
    it is `hidden`, as in `ProductAnalysis`."""

    photograph: np.ndarray
    sought: ReferenceTemplate | None
    hidden: np.ndarray | None = None

    @classmethod
    def of(cls, product: np.ndarray, cut: CutOut | None = None) -> ProductReference:
        """`product` (h, w, 4) uint8 RGBA, and how it was cut out. A photograph in which nothing is found is one that is
        not looked for."""
        small = _product_shrunk(product) if product.size else product
        hidden = None if cut is None else _hidden(cut, (small.shape[1], small.shape[0]))
        try:
            return cls(small, ReferenceTemplate.of(small), hidden)
        except NUMERIC_ERRORS:
            return cls(small, None, hidden)


@dataclass(frozen=True)
class RegisteredAnswer:
    """An answer that was registered to its scene, before anything is looked for in it.

    nothing  what is known where no light and no colours are believed
    scene    with the scene under the answer's light, and the answer's colours matched to it
    matched  (h, w, 3) float32, those colours before they are rounded
    """

    nothing: Analysis
    scene: SceneAnalysis
    matched: np.ndarray


def analyse(
    scene: np.ndarray,
    product: np.ndarray | ProductReference,
    answer: np.ndarray,
    frame: Frame,
    others: Sequence[ProductReference] = (),
) -> Analysis:
    """Register `answer` to `scene`, match its colours, and find what changed and where the product stands.

    scene (H, W, 3) uint8 RGB, at full resolution or shrunk; product (h, w, 4) uint8 RGBA, or what is known of
    it already; `others` are photographs of it from other sides: the one that the answer shows is what the product is
    compared with; answer (h, w, 3) uint8 RGB as returned. Any picture content is answered, never refused: what cannot
    be registered has `registration.drift.registered` False and an empty change mask.
    """
    reference = product if isinstance(product, ProductReference) else ProductReference.of(product)
    return analysed_with(partial(product_in_answer, others=others), scene, reference, answer, frame)


def analysed_with(
    find: Callable[[RegisteredAnswer, ProductReference], Analysis],
    scene: np.ndarray,
    reference: ProductReference,
    answer: np.ndarray,
    frame: Frame,
) -> Analysis:
    """What `find` makes of the `answer` once it is registered; nothing is found where it cannot be, or on pictures that
    a formula did not foresee."""
    small = _at_side(scene, min(ANALYSIS_SIDE_PX, max(answer.shape[:2])))
    try:
        registered = _registered(small, reference, answer, register(small, answer, frame))
        if not registered.scene.registration.drift.registered:
            return replace(registered.nothing, scene=registered.scene)
        return find(registered, reference)
    except NUMERIC_ERRORS:
        return _nothing_found(small, reference, answer, unregistered(small, answer, frame))


def _registered(
    small: np.ndarray, reference: ProductReference, answer: np.ndarray, registration: Registration
) -> RegisteredAnswer:
    nothing = _nothing_found(small, reference, answer, registration)
    plain = nothing.scene.answer_plain
    colours = match_colours(small, plain, registration.inside)
    relit = find_relighting(small, plain, registration.inside) if colours.trust < 1 else None
    relighting = None
    if relit is not None:
        relighting, small, colours = relit
    matched = colours.apply(plain)
    scene = replace(nothing.scene, image=small, relighting=relighting, answer=to_bytes(matched), colours=colours)
    return RegisteredAnswer(nothing, scene, matched)


def product_in_answer(
    registered: RegisteredAnswer, reference: ProductReference, others: Sequence[ProductReference] = ()
) -> Analysis:
    """What changed, and where the product stands."""
    nothing, scene, matched = registered.nothing, registered.scene, registered.matched
    small, registration, colours = scene.image, scene.registration, scene.colours
    size = small.shape[1], small.shape[0]
    evidence = find_evidence(small, matched, registration.inside)
    core = find_product(evidence)
    if colours.trust == 0 or not evidence.changed.any():
        if not looks_like(small, scene.answer, registration.inside):
            return _drawn_anew(nothing, (reference, *others))
        if not evidence.changed.any():
            return replace(nothing, scene=scene)
    prior = rough_coverage(core if core.any() else evidence.changed, None, size)
    views = reference, *others
    view, match = match_views([one.sought for one in views], scene.answer, prior)
    reference = views[view]
    if match is None:
        core = find_product(evidence, plain=True)
    coverage = None if match is None else match.coverage
    light = find_light(evidence, _half_share(rough_coverage(core, coverage, size)))
    mask = product_coverage(small, matched, light, core, coverage)
    placement = None
    if match is None or is_thin(match.coverage):
        shown = np.dstack([reference.photograph[..., :3], photograph_alpha(reference.photograph)])
        evident = evidence.changed
        placement = place_product(shown, reference.hidden, mask, evident, light, small, scene.answer)
    if placement is not None:
        mask = np.maximum(mask, laid_coverage(shown[..., 3], placement, size))
    elif match is None and reference.sought is not None:
        outline = reference.sought.reference.alpha
        placed = placed_outline(outline, evidence.changed, mask, light, small, scene.answer)
        mask = mask if placed is None else np.maximum(mask, placed)
    # Once more, now that scene that the rough outline took in can be seen under its light.
    product = _half_share(mask)
    inside = downsample2(registration.inside.astype(np.uint8)) > 0
    found = find_content(evidence, find_light(evidence, product), product, inside)
    alterations = find_alterations(evidence, found, product, reference.photograph)
    if alterations.undone:
        # There the scene is as it was: nothing changed, and nothing is drawn.
        evidence = replace(evidence, changed=evidence.changed & ~alterations.foreign)
        found &= ~alterations.foreign
        mask[cv2.resize(alterations.foreign.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0] = 0
        product = _half_share(mask)
    # Once more, now that what is drawn is known: it is no place to see the light at.
    light = find_light(evidence, np.maximum(product, found.astype(np.float32)))
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


def _drawn_anew(nothing: Analysis, views: Sequence[ProductReference]) -> Analysis:
    """For an answer that has nothing to tell the product from: all is shown as it was drawn, and print is looked for
    everywhere."""
    whole = np.where(nothing.scene.registration.inside, 255, 0).astype(np.uint8)
    view, match = match_views([one.sought for one in views], nothing.scene.answer, whole)
    scene = replace(nothing.scene, content=whole, change=whole, drawn_anew=True)
    mask = nothing.product.mask if match is None else match.coverage
    return Analysis(scene, ProductAnalysis(views[view].photograph, match, mask, view=view))


def _nothing_found(
    small: np.ndarray, reference: ProductReference, answer: np.ndarray, registration: Registration
) -> Analysis:
    """The answer at the place that `registration` gives it, and nothing found in it."""
    nothing = np.zeros(small.shape[:2], np.uint8)
    plain = sample(answer, registration.mapping)
    scene = SceneAnalysis(
        given=small,
        image=small,
        relighting=None,
        answer=plain,
        answer_plain=plain,
        raw_answer=answer,
        registration=registration,
        colours=UNCHANGED_COLOURS,
        light=np.zeros((*downsample2(nothing).shape, 3), np.float32),
        content=nothing,
        change=nothing,
    )
    return Analysis(scene, ProductAnalysis(reference.photograph, None, nothing, reference.hidden))


def sample(answer: np.ndarray, mapping: np.ndarray) -> np.ndarray:
    """`answer` at the places of `mapping` (h, w, 2) float32, cubic; uint8."""
    return remap(answer, mapping, cv2.INTER_CUBIC)


def _at_side(scene: np.ndarray, side_px: int) -> np.ndarray:
    """`scene` with its longest side `side_px`: a small one is enlarged, for the answer shows the product larger."""
    height, width = scene.shape[:2]
    if max(width, height) >= side_px:
        return shrunk(scene, side_px)
    scale = side_px / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(scene, size, interpolation=cv2.INTER_CUBIC)


def shrunk(picture: np.ndarray, side_px: int) -> np.ndarray:
    """`picture` with its longest side at most `side_px`, by area average; the picture itself if it fits."""
    size = fit_within((picture.shape[1], picture.shape[0]), side_px)
    if size == (picture.shape[1], picture.shape[0]):
        return picture
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _product_shrunk(product: np.ndarray) -> np.ndarray:
    """The photograph at about `PRODUCT_SIDE_PX`; by a whole factor where one fits, in a tenth of the time."""
    longest = max(product.shape[:2])
    step = math.ceil(longest / PRODUCT_SIDE_PX)
    whole = all(side % step == 0 for side in product.shape[:2])
    return shrunk(product, longest // step if whole and longest // step >= MIN_PRODUCT_SIDE_PX else PRODUCT_SIDE_PX)


def _hidden(cut: CutOut, size: tuple[int, int]) -> np.ndarray | None:
    """(h, w, 2) uint8 of `size`; None where nothing is."""
    if cut.shadow is None and not cut.unknown.any():
        return None
    shadow = np.zeros(cut.unknown.shape, np.uint8) if cut.shadow is None else cut.shadow
    return cv2.resize(cv2.merge([cut.unknown.astype(np.uint8) * 255, shadow]), size, interpolation=cv2.INTER_AREA)


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
