"""The product in the generated image, cropped: what every check of the product looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from function.imaging.array_ops import PixelBox
from function.restoration.placement import is_thin
from function.restoration.shading import even_darkening

# Below this height (analysis pixels) letters are blots and a contact shadow is a few pixels: products of 145 px and
# less were often not found by their print in good images, those of 160 px always.
MIN_LEGIBLE_PX = 155
# A pixel counts as inserted when it differs from the scene by this much, 8-bit levels: crushed blacks do not.
MIN_VISIBLE_LEVELS = 20
# A reflection begins so near to the product's base and reaches no farther to its sides, shares of its height and width.
REFLECTION_MARGIN = 0.1
# Least share of a component's pixels that lie there. That of a jar in dark wood, cut by the image's border, has .94.
MIN_REFLECTION_SHARE = 0.8

Bounds = tuple[float, float, float, float]  # x, y, width, height


@dataclass(frozen=True)
class ProductCrop:
    """Crops of (h, w) around the product, at analysis size; `box` (x, y, width, height) of the crop.

    generated       (h, w, 3) uint8, the generated image, colours matched to the scene
    scene           (h, w, 3) uint8
    product_mask    (h, w) float32 0..1, the product's silhouette
    inserted_mask   (h, w) float32 0..1, all that the model inserted and that is no light
    expected        (h, w, 3) uint8, the photograph as it should lie here
    reference_map   (h, w, 2) float32, where in the photograph each pixel lies: x and y, in its pixels
    reference_mask  (h, w) float32 0..1, where `expected` shows the product
    visible_mask    (h, w) float32 0..1, the part of it where the photograph is seen and not only continued
    find_palette    gives (n, 3) uint8 RGB, colours of the product in its photograph; few pictures need them
    matched         the photograph was matched by keypoints of its print
    fitted          the photograph's silhouette lies on the product's: matched, or laid over what was inserted. Where it
                    does not, or the photograph has none, `product_mask` is what was inserted, and only a matched one
                    has a `reference_mask`
    height          of the product, pixels
    openings        (h, w) float32 0..1, where the scene is seen through the product as it is photographed
    backdrop        (h, w, 3) uint8, what the photograph shows around the product and in its openings
    drop_shadow     (h, w) float32 0..1, alpha of the shadow that was baked into the photograph
    has_duplicate   the photograph's silhouette lies on something else that was inserted as well
    aligned         the photograph laid over the scene explains the image: `product_mask` is right to a fraction of a
                    pixel
    """

    box: PixelBox
    generated: np.ndarray
    scene: np.ndarray
    product_mask: np.ndarray
    inserted_mask: np.ndarray
    expected: np.ndarray
    reference_map: np.ndarray
    reference_mask: np.ndarray
    visible_mask: np.ndarray
    find_palette: Callable[[], np.ndarray]
    matched: bool
    fitted: bool
    height: float
    openings: np.ndarray
    backdrop: np.ndarray
    drop_shadow: np.ndarray
    has_duplicate: bool = False
    aligned: bool = False

    @property
    def is_thin(self) -> bool:
        """Whether most of it lies near to its outline."""
        return is_thin((self.product_mask * 255).astype(np.uint8))

    @cached_property
    def even_darkening(self) -> np.ndarray:
        """(h, w) float32: stops by which the generated image is darker than the scene, as under a shadow."""
        return even_darkening(self.scene, self.generated)

    @property
    def touches_bottom(self) -> bool:
        """Whether the image's lower border cuts the product: elsewhere there is room around it in the crop."""
        return bool((self.product_mask[-1] > 0.5).any())

    @property
    def touches_border(self) -> bool:
        """Whether any border of the image cuts the product."""
        solid = self.product_mask > 0.5
        return bool(solid[0].any() or solid[-1].any() or solid[:, 0].any() or solid[:, -1].any())


def is_reflection_below(box: Bounds, product: Bounds) -> bool:
    """Whether `box` lies where a glossy surface mirrors what stands in the box `product`: below its base, in its
    columns."""
    beside, above = REFLECTION_MARGIN * product[2], REFLECTION_MARGIN * product[3]
    within = box[0] >= product[0] - beside and box[0] + box[2] <= product[0] + product[2] + beside
    return within and box[1] >= product[1] + product[3] - above


def is_reflection_of(piece: np.ndarray, product: Bounds) -> bool:
    """The same of a `piece` (h, w) bool, most of whose pixels lie there; the image's border may spread its end."""
    rows, columns = np.nonzero(piece)
    beside, above = REFLECTION_MARGIN * product[2], REFLECTION_MARGIN * product[3]
    within = (columns >= product[0] - beside) & (columns < product[0] + product[2] + beside)
    return bool((within & (rows >= product[1] + product[3] - above)).mean() >= MIN_REFLECTION_SHARE)
