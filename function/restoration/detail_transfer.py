"""The photograph's own detail on the product in the answer, under the light the model gave it."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, remap, to_bytes, to_three_channels, weighted_median
from function.imaging.frame import Size
from function.imaging.photometry import masked_mean
from function.matching.match import ProductMatch
from function.matching.reference_image import ReferenceImage, prepare_reference
from function.restoration.compositing import crop_matrix, strips

# The model's light and colour are what its picture and the photograph differ by over this radius (answer
# pixels): wider than the wobble of a letter's stroke, narrower than a highlight on a can.
LIGHT_SIGMA = 5.0
# Grey levels added to both sides of their ratio: in near black it would be noise.
LIGHT_FLOOR = 6.0
# The photograph's colours are fitted to the answer's on pictures blurred by this radius (answer pixels), so
# that the wobble of small print does not pull all colours together.
TONE_BLUR = 2.0
# Pull of the fit towards the identity, as a share of all pixels: on the constant, the channels, and the
# curved terms, which few colours on a label can hold.
TONE_RIDGE = np.array([1e-3] + [1e-3] * 3 + [5e-3] * 6, np.float32)
IDENTITY_TONES = np.zeros((10, 3), np.float32)
IDENTITY_TONES[[1, 2, 3], [0, 1, 2]] = 1
# Pixels that miss the fit by this much (0..1) count half.
TONE_TOLERANCE = 0.08
# Fine print, between these radii (answer pixels), that has the photograph's strength and place this well is the
# model's own and stays: from the first concordance on in part, from the second altogether. An answer near the truth
# has .87 to .92 at the middle of a label, one with wobbly print .72 to .80, a soft one less.
FINE_BAND = 0.7, 2.0
RIGHT_FROM, RIGHT_FULL = 0.80, 0.88
# Concordance is taken over this radius (answer pixels), with this variance for what has no print.
RIGHT_SIGMA, BLANK_VARIANCE = 8.0, 2.0
# That is for results hardly finer than the answer: all of it up to the first enlargement, nothing from the second
# on. Under print that is much sharper the model's own would show as a ghost around each letter.
KEPT_UP_TO, KEPT_BELOW = 1.35, 1.7
# The light may differ from the studio's by this factor, no more.
LIGHT_LIMIT = 4.0


def transfer_detail(
    product: np.ndarray,
    match: ProductMatch,
    picture: np.ndarray,
    box: PixelBox,
    full_size: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """The photograph's detail in `box`, under the picture's light: rgb (h, w, 3) uint8, weight (h, w) uint8.

    product (ph, pw, 3 or 4) uint8, the photograph at full resolution; picture (h, w, 3) uint8, the answer's
    pixels in `box` (x, y, width, height) of a result of `full_size` (width, height). Weight is 255 where the
    photograph is verified and 0 where the picture's own pixels should stay.
    """
    if match.mirrored or not match.weight.any():
        return picture, np.zeros(picture.shape[:2], np.uint8)
    answer_size = match.coverage.shape[1], match.coverage.shape[0]
    enlargement = full_size[0] / answer_size[0]
    # A finer photograph than the picture it is laid into would alias.
    pace = photograph_pace(product, match)
    finer = max(1.0, pace / enlargement)
    photograph = prepare_reference(product, pixel_ratio=finer)
    if photograph is None:
        return picture, np.zeros(picture.shape[:2], np.uint8)
    coarse = photograph.downscaled(max(photograph.alpha.shape) * finer / max(1.0, pace))
    small_picture = to_answer(picture, match, box, answer_size, full_size)
    small_detail = look_up(coarse.rgb, coarse, match.mapping)
    inside = look_up(coarse.alpha, coarse, match.mapping, cv2.BORDER_CONSTANT).astype(np.float32) / 255
    trusted = inside * (match.weight.astype(np.float32) / 255 + np.float32(0.02))
    tones = find_tones(small_picture, small_detail, trusted)
    light = find_light(small_picture, apply_tones(small_detail, tones), trusted)
    share = float(np.clip((KEPT_BELOW - enlargement) / (KEPT_BELOW - KEPT_UP_TO), 0, 1))
    if share > 0:
        kept = share * keep_right(small_picture, apply_tones(small_detail, tones) * light, trusted)
    detail, weight = np.empty_like(picture), np.empty(picture.shape[:2], np.uint8)
    for strip in strips(box):
        matrix = crop_matrix(answer_size, full_size, strip)
        matrix[:, 2] -= match.box[:2]
        rows = slice(strip[1] - box[1], strip[1] - box[1] + strip[3])
        mapping = enlarge(match.mapping, matrix, strip, cv2.INTER_LINEAR)
        enlarged = apply_tones(look_up(photograph.rgb, photograph, mapping), tones)
        enlarged *= enlarge(light, matrix, strip, cv2.INTER_LINEAR)
        if share > 0:
            enlarged += enlarge(kept, matrix, strip, cv2.INTER_CUBIC)
        detail[rows] = to_bytes(enlarged)
        weight[rows] = enlarge(match.weight, matrix, strip, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
    return detail, weight


def photograph_pace(product: np.ndarray, match: ProductMatch) -> float:
    """Pixels of the photograph `product` (h, w, 3 or 4) per pixel of the answer, along the side where they are more."""
    trusted = match.weight > 127
    if not trusted.any():
        return 1.0
    height, width = product.shape[:2]
    found: float = max(
        float(np.median(np.abs(np.gradient(match.mapping[..., axis], axis=1 - axis)[trusted]))) * length
        for axis, length in ((0, width), (1, height))
    )
    return found


def look_up(
    picture: np.ndarray, photograph: ReferenceImage, mapping: np.ndarray, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    """`picture`, one of the `photograph`'s, at the places of `mapping` (h, w, 2) float32, 0..1 of the whole."""
    (left, top), (across, down) = photograph.origin, photograph.step
    matrix = np.array([[1 / across, 0, -left / across - 0.5], [0, 1 / down, -top / down - 0.5]])
    return remap(picture, cv2.transform(mapping, matrix), cv2.INTER_CUBIC, border)


def enlarge(
    array: np.ndarray, matrix: np.ndarray, strip: PixelBox, interpolation: int, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    """`array`, on the grid of the match's box, at full resolution in `strip`; `matrix` leads back to the
    grid.
    """
    flags = interpolation | cv2.WARP_INVERSE_MAP
    result: np.ndarray = cv2.warpAffine(array, matrix, (strip[2], strip[3]), flags=flags, borderMode=border)
    return result


def to_answer(
    picture: np.ndarray, match: ProductMatch, box: PixelBox, answer_size: Size, full_size: Size
) -> np.ndarray:
    """`picture` (h, w, 3) in `box` of the result, on the answer's grid of the match's box; uint8.

    The picture is the enlarged answer and so has no detail that shrinking could alias.
    """
    matrix = crop_matrix(answer_size, full_size, box)
    matrix[:, 2] -= match.box[:2]
    return cv2.warpAffine(picture, matrix, match.box[2:], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def keep_right(picture: np.ndarray, detail: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """What to add to the lit `detail` (h, w, 3) float32 where the `picture` (h, w, 3) uint8 is right by
    itself.

    Where both agree nearly perfectly the model's own pixels stay and the photograph only adds what is finer
    than the answer's resolution; where the model's print is soft or bent, nothing of it stays underneath.
    """
    shades = [cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) for rgb in (picture.astype(np.float32), detail)]
    seen, target = (np.subtract(*(cv2.GaussianBlur(shade, (0, 0), sigma) for sigma in FINE_BAND)) for shade in shades)

    def blur(array: np.ndarray) -> np.ndarray:
        smooth: np.ndarray = cv2.GaussianBlur(array * weight, (0, 0), RIGHT_SIGMA) + BLANK_VARIANCE
        return smooth

    concordance = 2 * blur(seen * target) / (blur(seen**2) + blur(target**2))
    # In an answer that is right nearly everywhere it is the photograph that lies a little off where they differ.
    usual = weighted_median(concordance, weight * np.abs(target))
    right = np.clip((np.maximum(concordance, usual) - RIGHT_FROM) / (RIGHT_FULL - RIGHT_FROM), 0, 1)
    result: np.ndarray = to_three_channels(right) * (picture - detail)
    return result


def find_tones(picture: np.ndarray, detail: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Colours (10, 3) of the photograph's `detail` as the `picture` shows them, both (h, w, 3) uint8.

    A second-degree polynomial, fitted under `weight` (h, w) float32 and drawn towards the identity: another
    exposure, tone curve, white balance or veil of light changes dark print and pale paper differently, which
    no local ratio can do without a rim of wrong colour around each letter.
    """
    blurred = [cv2.GaussianBlur(rgb, (0, 0), TONE_BLUR)[weight > 0.2] for rgb in (picture, detail)]
    if len(blurred[0]) < 50:
        return IDENTITY_TONES.copy()
    terms, wanted = tone_terms(blurred[1]), blurred[0].astype(np.float32) / 255
    tones = IDENTITY_TONES.copy()
    trust = weight[weight > 0.2]
    for _ in range(3):
        share = trust[:, None] * terms
        ridge = np.diag(TONE_RIDGE) * float(trust.sum())
        tones = np.linalg.solve(share.T @ terms + ridge, share.T @ wanted + ridge @ IDENTITY_TONES)
        # A highlight or a shadow edge is light, not tone: it counts less and is left to the light.
        miss = np.abs(terms @ tones - wanted).max(axis=1)
        trust = weight[weight > 0.2] / (1 + (miss / TONE_TOLERANCE) ** 2)
    return tones.astype(np.float32)


def tone_terms(rgb: np.ndarray) -> np.ndarray:
    """1, the channels, their squares and products: (n, 10) float32 of (n, 3) uint8 or float32."""
    red, green, blue = (rgb[:, channel].astype(np.float32) / 255 for channel in range(3))
    one = np.ones_like(red)
    return np.stack([one, red, green, blue, red**2, green**2, blue**2, red * green, green * blue, red * blue], axis=1)


def apply_tones(rgb: np.ndarray, tones: np.ndarray) -> np.ndarray:
    """`rgb` (h, w, 3) uint8 under `tones` (10, 3), the weights of `tone_terms`: float32, 0..255."""
    values = rgb.astype(np.float32) * np.float32(1 / 255)
    products = values * cv2.transform(values, np.roll(np.eye(3), 1, axis=1))  # red green, green blue, blue red
    lit: np.ndarray = cv2.transform(values, 255 * np.column_stack([tones[1:4].T, tones[0]]))
    lit += cv2.transform(values * values, 255 * tones[4:7].T)
    lit += cv2.transform(products, 255 * tones[7:10].T)
    return np.clip(lit, 0, 255, out=lit)


def find_light(picture: np.ndarray, detail: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Ratio (h, w, 3) float32 that gives `detail` the smooth brightness and colour of `picture`, both uint8.

    Means are taken over `weight` (h, w) float32 only, so that background never bleeds into the product.
    """
    mean = masked_mean(weight, lambda image: cv2.GaussianBlur(image, (0, 0), LIGHT_SIGMA), added=1e-4)
    means = [mean(rgb.astype(np.float32)) + LIGHT_FLOOR for rgb in (picture, detail)]
    return np.clip(means[0] / means[1], 1 / LIGHT_LIMIT, LIGHT_LIMIT)
