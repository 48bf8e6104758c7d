"""The product in the answer beside what its photograph leads one to expect there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, fill_holes, largest_component, max_channel, remap
from function.matching.match import ProductMatch
from function.matching.photograph import has_outline, photograph_alpha
from function.restoration.analysis import ProductAnalysis, SceneAnalysis
from function.restoration.placement import SMOOTHING, is_thin, laid_coverage
from function.restoration.settle import Placement
from function.restoration.silhouette import MIN_SIDE_PX, fit_outline, laid_outline, largest_piece

# Below this height (analysis pixels) letters are blots and a contact shadow is a few pixels: products of 145 px and
# less were often not found by their print in good pictures, those of 160 px always.
SMALL_PX = 155
# Room kept around the product, as a share of its longer side: for rims, bases and shadows.
MARGIN = 0.15
# A photograph's outline that overlaps what was put in by less (intersection over union) is another view of the product.
# Plain products that stand as on their photograph reached .82 and more; turned, worn and held ones .73 and less.
MIN_OVERLAP = 0.78
# A second place for the outline counts from this overlap and this share of the first one's area on: twins reached .72
# and more, what else lay beside products .63 and less.
MIN_TWIN_OVERLAP, MIN_TWIN = 0.68, 0.15
# A reflection begins so near to the product's base and reaches no farther to its sides, shares of its height and width.
MIRRORED_SHARE = 0.1
# A pixel counts as put in when it differs from the scene by this much, 8-bit levels: crushed blacks do not.
VISIBLE_LEVELS = 20
# Colours of a photograph are read at about this longest side (px), and so many of them kept.
PALETTE_SIDE_PX, PALETTE_COLOURS = 64, 250

# A place outside of the product is known from so many of its pixels; no fewer tell it.
PLACES, MIN_PLACES = 2000, 12


@dataclass(frozen=True)
class ProductView:
    """Crops of (h, w) around the product, at analysis size; `box` (x, y, width, height) of the crop.

    answer    (h, w, 3) uint8, colours matched to the scene
    scene     (h, w, 3) uint8
    cover     (h, w) float32 0..1, the product's outline
    put_in    (h, w) float32 0..1, all that the model put in and that is no light
    expected  (h, w, 3) uint8, the photograph as it should lie here
    known     (h, w) float32 0..1, where `expected` shows the product
    seen      (h, w) float32 0..1, the part of `known` where the photograph is seen and not only continued
    palette   (n, 3) uint8 RGB, colours of the product in its photograph
    found     the photograph was found by its print
    fitted    the photograph's outline lies on the product's: found by its print, or laid over what was put in. Where it
              does not, or the photograph has none, `cover` is what was put in, and only a found one is `known`
    height    of the product, pixels
    openings  (h, w) float32 0..1, where the scene is seen through the product as it is photographed
    backdrop  (h, w, 3) uint8, what the photograph shows around the product and in its openings
    drop_shadow  (h, w) float32 0..1, alpha of the shadow that was baked into the photograph
    settled     the photograph laid over the scene explains the answer: `cover` is right to a fraction of a pixel
    fits_again  the photograph's outline lies on something else that was put in as well
    """

    box: PixelBox
    answer: np.ndarray
    scene: np.ndarray
    cover: np.ndarray
    put_in: np.ndarray
    expected: np.ndarray
    known: np.ndarray
    seen: np.ndarray
    palette: np.ndarray
    found: bool
    fitted: bool
    height: float
    openings: np.ndarray
    backdrop: np.ndarray
    drop_shadow: np.ndarray
    fits_again: bool = False
    settled: bool = False

    @property
    def is_thin(self) -> bool:
        """Whether most of it lies near to its outline."""
        return is_thin((self.cover * 255).astype(np.uint8))

    @property
    def touches_bottom(self) -> bool:
        """Whether the picture's lower border cuts the product: elsewhere there is room around it in the crop."""
        return bool((self.cover[-1] > 0.5).any())

    @property
    def touches_border(self) -> bool:
        """Whether any border of the picture cuts the product."""
        cover = self.cover > 0.5
        return bool(cover[0].any() or cover[-1].any() or cover[:, 0].any() or cover[:, -1].any())


def view_product(scene: SceneAnalysis, product: ProductAnalysis) -> ProductView | None:
    """None when nothing was put in."""
    alpha = photograph_alpha(product.photograph)
    if product.placement is not None:
        return _settled_view(scene, product, product.placement, alpha)
    if product.match is not None:
        return _matched_view(scene, product, product.match, alpha)
    return _fitted_view(scene, product, alpha) or _piece_view(scene, product, alpha)


def _settled_view(
    scene: SceneAnalysis, product: ProductAnalysis, placement: Placement, alpha: np.ndarray
) -> ProductView | None:
    """For a product whose photograph, laid over the scene, explains the answer."""
    laid = laid_coverage(alpha, placement, product.mask.shape[::-1])
    left, top, wide, tall = cv2.boundingRect(cv2.inRange(laid, 128, 255))
    bounds = left, top, wide, tall
    if min(wide, tall) < MIN_SIDE_PX:
        return None
    box = _grown(bounds, product.mask.shape)
    back = cv2.invertAffineTransform(placement.matrix)
    y, x = np.mgrid[box[1] : box[1] + box[3], box[0] : box[0] + box[2]].astype(np.float32)
    places = (np.dstack([x, y, np.ones_like(x)]) @ back.T.astype(np.float32) + 0.5) / np.array(
        alpha.shape[::-1], np.float32
    )
    view = _laid(scene, product, alpha, box, bounds, places, laid, fitted=True)
    again = product.match is None and _fits_again(scene, product, alpha, laid, bounds)
    return replace(view, fits_again=again, settled=True)


def _matched_view(
    scene: SceneAnalysis, product: ProductAnalysis, match: ProductMatch, alpha: np.ndarray
) -> ProductView | None:
    """For a product that was found by its print."""
    outlined = has_outline(alpha)
    cover = match.coverage if outlined else _differing(scene, match)
    left, top, wide, tall = cv2.boundingRect(cv2.inRange(cover, 128, 255))
    bounds = left, top, wide, tall
    if min(wide, tall) < MIN_SIDE_PX:
        return None
    box = _grown(bounds, cover.shape)
    mapping = np.full((box[3], box[2], 2), -1, np.float32)
    # The crop need not hold all of the match.
    x, y, width, height = match.box
    left, top = max(x, box[0]), max(y, box[1])
    right, bottom = min(x + width, box[0] + box[2]), min(y + height, box[1] + box[3])
    mapping[top - box[1] : bottom - box[1], left - box[0] : right - box[0]] = match.mapping[
        top - y : bottom - y, left - x : right - x
    ]
    return _laid(scene, product, alpha, box, bounds, mapping, cover, fitted=outlined)


def _fitted_view(scene: SceneAnalysis, product: ProductAnalysis, alpha: np.ndarray) -> ProductView | None:
    """For a product whose outline covers what was put in; None where it does not, or is not known."""
    if not has_outline(alpha):
        return None
    fit = fit_outline(alpha, product.mask, scene.light, scene.image, scene.answer)
    if fit is None:
        return None
    first = laid_outline(alpha, fit, (product.mask.shape[1], product.mask.shape[0]))
    again = _fits_again(scene, product, alpha, first, fit.box)
    if fit.overlap < MIN_OVERLAP and not again:
        return None
    left, top, wide, tall = (round(side) for side in fit.box)
    box = _grown((left, top, wide, tall), product.mask.shape)
    mapping = _box_mapping(fit.box, box, alpha)
    view = _laid(scene, product, alpha, box, (left, top, wide, tall), mapping, None, fitted=True)
    return replace(view, fits_again=again)


def _fits_again(
    scene: SceneAnalysis,
    product: ProductAnalysis,
    alpha: np.ndarray,
    first: np.ndarray,
    box: tuple[float, float, float, float],
) -> bool:
    """Whether the photograph's outline covers what is put in beside the `first` one (h, w) uint8 in its `box` too: the
    product stands there twice."""
    # The first one's rim is no piece.
    first = cv2.dilate(first, np.ones((9, 9), np.uint8))
    second = fit_outline(alpha, product.mask, scene.light, scene.image, scene.answer, without=first)
    if second is None:
        return False
    if is_mirrored_below(second.box, box):
        return False
    share = second.box[2] * second.box[3] / (box[2] * box[3])
    return second.overlap >= MIN_TWIN_OVERLAP and share >= MIN_TWIN


def is_mirrored_below(box: tuple[float, float, float, float], product: tuple[float, float, float, float]) -> bool:
    """Whether `box` (x, y, width, height) lies where a glossy surface mirrors what stands in the box `product`: below
    its base, in its columns."""
    beside, above = MIRRORED_SHARE * product[2], MIRRORED_SHARE * product[3]
    within = box[0] >= product[0] - beside and box[0] + box[2] <= product[0] + product[2] + beside
    return within and box[1] >= product[1] + product[3] - above


def _piece_view(scene: SceneAnalysis, product: ProductAnalysis, alpha: np.ndarray) -> ProductView | None:
    """For a product that is turned, worn or held: all that is known is the largest piece that was put in."""
    piece = largest_piece(product.mask, scene.light)
    if piece is None:
        return None
    solid, bounds = piece
    box = _grown(bounds, product.mask.shape)
    nowhere = np.full((box[3], box[2], 2), -1, np.float32)
    return _laid(scene, product, alpha, box, bounds, nowhere, solid.astype(np.uint8) * 255, fitted=False)


def _laid(
    scene: SceneAnalysis,
    product: ProductAnalysis,
    alpha: np.ndarray,
    box: PixelBox,
    bounds: PixelBox,
    mapping: np.ndarray,
    cover: np.ndarray | None,
    *,
    fitted: bool,
) -> ProductView:
    """The view of `box`, in which the product takes `bounds` and the photograph lies by `mapping` (h, w, 2) of relative
    places; `cover` (H, W) uint8 is the product's outline, None where it is the photograph's."""
    photograph = cv2.cvtColor(product.photograph, cv2.COLOR_RGBA2RGB)
    size = np.array([alpha.shape[1], alpha.shape[0]], np.float32)
    at = mapping * size - 0.5
    step = max(1.0, float(np.sqrt(np.count_nonzero(alpha > 127) / max(1, bounds[2] * bounds[3]))))
    soft = cv2.GaussianBlur(photograph, (0, 0), SMOOTHING * step) if step > 1.2 else photograph
    known = remap(alpha, at, border=cv2.BORDER_CONSTANT).astype(np.float32) / 255
    inner = np.s_[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
    covered = known if cover is None else cover[inner].astype(np.float32) / 255
    known = np.minimum(known, covered)
    outer = _straight(at, known > 0.9)
    through, thrown = _hidden(product, alpha)
    return ProductView(
        box=box,
        answer=scene.answer[inner],
        scene=scene.image[inner],
        cover=covered,
        put_in=product.mask[inner].astype(np.float32) / 255,
        expected=remap(soft, at),
        known=known,
        seen=known * _regular(at, known),
        palette=_palette(product.photograph, alpha),
        found=product.match is not None,
        fitted=fitted,
        height=float(bounds[3]),
        openings=remap(through, outer, border=cv2.BORDER_CONSTANT).astype(np.float32) / 255 * (covered < 0.1),
        backdrop=remap(photograph, outer),
        drop_shadow=remap(thrown, outer, border=cv2.BORDER_CONSTANT).astype(np.float32) / 255,
    )


def _hidden(product: ProductAnalysis, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(ph, pw) uint8 each: enclosed backdrop that is known as such, and the alpha of a baked shadow."""
    through = (fill_holes((alpha > 127).astype(np.uint8)) > 0) & (alpha < 16)
    if product.hidden is None:
        return through.astype(np.uint8) * 255, np.zeros_like(alpha)
    through &= product.hidden[..., 0] == 0
    return through.astype(np.uint8) * 255, np.ascontiguousarray(product.hidden[..., 1])


def _straight(at: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(h, w, 2) float32: the places `at` where they are `known`, carried on as an affine map to all of the crop."""
    rows, columns = np.nonzero(known)
    if len(rows) < MIN_PLACES:
        return np.full_like(at, -1)
    step = max(1, len(rows) // PLACES)
    here = np.stack([columns[::step], rows[::step], np.ones_like(rows[::step])], axis=1).astype(np.float32)
    affine = np.linalg.lstsq(here, at[rows[::step], columns[::step]], rcond=None)[0]
    y, x = np.mgrid[0 : at.shape[0], 0 : at.shape[1]].astype(np.float32)
    return np.ascontiguousarray(np.dstack([x, y, np.ones_like(x)]) @ affine.astype(np.float32))


def _differing(scene: SceneAnalysis, match: ProductMatch) -> np.ndarray:
    """(H, W) uint8: of a match whose photograph has no outline, what is verified or differs from the scene."""
    differs = max_channel(cv2.blur(cv2.absdiff(scene.answer, scene.image), (5, 5))) > VISIBLE_LEVELS
    x, y, width, height = match.box
    differs[y : y + height, x : x + width] |= match.weight > 127
    inside: np.ndarray = (differs & (match.coverage > 127)).astype(np.uint8)
    inside = cv2.morphologyEx(inside, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    inside = fill_holes(cv2.morphologyEx(inside, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)))
    piece = largest_component(inside > 0, MIN_SIDE_PX)
    return np.zeros_like(inside) if piece is None else piece[0].astype(np.uint8) * 255


def _palette(photograph: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """(n, 3) uint8 RGB: colours of the product in its photograph, evenly over its area."""
    step = max(1, max(alpha.shape) // PALETTE_SIDE_PX)
    size = max(1, alpha.shape[1] // step), max(1, alpha.shape[0] // step)
    colours, covered = (cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (photograph[..., :3], alpha))
    solid = colours[covered > min(200, int(covered.max()) - 1)]
    return solid[:: max(1, len(solid) // PALETTE_COLOURS)]


def _regular(at: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(h, w) bool: where `at` (h, w, 2) moves on as it does elsewhere; beyond a round body's visible front it is
    only continued and stands still or jumps."""
    across, down = np.gradient(at, axis=1), np.gradient(at, axis=0)
    area = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
    inside = known > 0.9
    typical = float(np.median(area[inside])) if inside.any() else 1.0
    steady = np.abs(area) > 0.3 * abs(typical)
    steady &= np.abs(area) < 3.5 * abs(typical)
    return cv2.erode(steady.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0


def _grown(box: PixelBox, shape: tuple[int, ...]) -> PixelBox:
    """`box` with room around it, as far as a picture of `shape` (h, w) goes."""
    pad = round(MARGIN * max(box[2:])) + 8
    left, top = max(0, box[0] - pad), max(0, box[1] - pad)
    right, bottom = min(shape[1], box[0] + box[2] + pad), min(shape[0], box[1] + box[3] + pad)
    return left, top, right - left, bottom - top


def _box_mapping(fitted: tuple[float, float, float, float], box: PixelBox, alpha: np.ndarray) -> np.ndarray:
    """(h, w, 2) float32: relative place in the photograph of each pixel of `box`."""
    outline = cv2.boundingRect((alpha > 127).astype(np.uint8))
    across = (np.arange(box[2]) + box[0] + 0.5 - fitted[0]) / fitted[2] * outline[2] + outline[0]
    down = (np.arange(box[3]) + box[1] + 0.5 - fitted[1]) / fitted[3] * outline[3] + outline[1]
    u, v = np.meshgrid(across / alpha.shape[1], down / alpha.shape[0])
    return np.dstack([u, v]).astype(np.float32)
