"""What is known about one generated image: the analyses of its scene and of its products.

All arrays are at analysis size (h, w), about the resolution of the generated image in the scene's aspect ratio, without
padding. What belongs to the scene and what to a product is kept apart, so that several products can be analysed against
one scene: each has a match and a mask of its own, the light is estimated with all masks left out, and all are in the
change.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox
from function.matching.match import ProductMatch
from function.matching.place import Place
from function.registration.register import Registration
from function.restoration.alterations import Alteration
from function.restoration.colour_transfer import ColourMatch
from function.restoration.departure import Departure
from function.restoration.placement_refinement import Placement
from function.restoration.relighting import Relighting

# What OpenCV and numpy raise on images that a formula did not foresee. The plain upscale is right for those.
NUMERIC_ERRORS = (cv2.error, ArithmeticError, ValueError, IndexError)


@dataclass(frozen=True)
class SceneAnalysis:
    """What is known about scene and generated image, at analysis size (h, w): about the generated image's resolution,
    the scene's shape, no padding.

    given            (h, w, 3) uint8, the scene at that size
    image            (h, w, 3) uint8, the same; under the generated image's light where that relights all of the scene
    relighting       that light; None where there is no more than drift, which is taken back
    generated        (h, w, 3) uint8, the generated image registered to the scene, colours matched to it
    generated_plain  (h, w, 3) uint8, registered, colours as the model gave them
    generated_raw    (h', w', 3) uint8, the generated image as returned
    registration     where each pixel of the scene lies in `generated_raw`
    colours          the fit that takes the generated image's colours to the scene's
    light            (h/2, w/2, 3) float32, log of the smooth ratio that carries shadow and reflection
    content          (h, w) uint8 coverage of what else the model drew: shown as it drew it, like the product
    change           (h, w) uint8 soft mask of product, content, shadow and reflection, 0..255
    redrawn          the generated image is nowhere the scene, under no light: all of it is content
    undone_alterations, kept_alterations  changes apart from the product: put back as the scene was, or shown as drawn
    """

    given: np.ndarray
    image: np.ndarray
    relighting: Relighting | None
    generated: np.ndarray
    generated_plain: np.ndarray
    generated_raw: np.ndarray
    registration: Registration
    colours: ColourMatch
    light: np.ndarray
    content: np.ndarray
    change: np.ndarray
    redrawn: bool = False
    undone_alterations: tuple[Alteration, ...] = ()
    kept_alterations: tuple[Alteration, ...] = ()

    @property
    def altered(self) -> np.ndarray:
        """(h, w) uint8 soft mask of where the result is not the scene as it was given: `change`, or all of it."""
        return self.change if self.relighting is None else np.full_like(self.change, 255)


@dataclass(frozen=True)
class CompositedProduct:
    """A product that was composited into the scene before the generated image was asked for.

    place      where
    box        (x, y, width, height), analysis pixels, of what is composited
    log_gain   (box's h, w, 3) float32, log of the smooth light that the generated image throws on it
    departure  where the generated image shows it instead
    followed   share 0..1 of it that the generated image shows as it was composited, and whose light is believed
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
    """What is known about one product in the generated image.

    photograph  (ph, pw, 4) uint8 RGBA, its photograph shrunk
    hidden      (ph, pw, 2) uint8: 255 where it is unknown whether that is product, and the alpha of a drop shadow
    match       how that lies in the generated image registered to the scene; None where it was not found
    mask        (h, w) uint8 coverage of the product in the scene; all zero where none was found
    composited  where its place was known beforehand: the product is then its photograph's own pixels
    placement   where the photograph explains the generated image; None where it does not, or the match is what counts
    view        which of its photographs this is about, from 0
    """

    photograph: np.ndarray
    match: ProductMatch | None
    mask: np.ndarray
    hidden: np.ndarray | None = None
    composited: CompositedProduct | None = None
    placement: Placement | None = None
    view: int = 0


@dataclass(frozen=True)
class Analysis:
    """Everything that is known about one generated image. Of several products `each` is about one, against the scene
    with the others in it; `product` then has all their masks."""

    scene: SceneAnalysis
    product: ProductAnalysis
    each: tuple[Analysis, ...] = ()

    @property
    def products(self) -> tuple[ProductAnalysis, ...]:
        """Of every product, in the manifest's order."""
        return tuple(one.product for one in self.each) or (self.product,)
