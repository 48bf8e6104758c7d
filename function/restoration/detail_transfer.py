"""Transfers the photograph's detail onto the product, under the light and colours that the model gave it.

The photograph, resampled to the generated image by the match, is brought to its colours by a second-degree polynomial
(ridge regression, robustly weighted), then to its light by a smooth ratio of both (a ratio image) under the
verification mask. Where the model's fine print agrees with the photograph's by Lin's concordance (Lin, "A concordance
correlation coefficient to evaluate reproducibility", Biometrics 45, 1989, doi:10.2307/2532051), its own pixels stay and
the photograph only adds what is finer. All is applied at full resolution, tile by tile.

In: photograph (ph, pw, 3 or 4) uint8 at full resolution, `ProductMatch`, the image's pixels. Out: rgb and weight (h, w)
uint8. A local ratio alone leaves a rim of wrong colour around each letter. `python -m tests.bench.fidelity`.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, max_channel, remap, to_bytes, to_three_channels, weighted_median
from function.imaging.frame import Size
from function.imaging.photometry import masked_mean
from function.matching.match import ProductMatch
from function.matching.reference_image import ReferenceImage, prepare_reference
from function.restoration.compositing import crop_matrix, tiles

# Window of the light ratio (standard deviation, image pixels): wider than the wobble of a letter's stroke, narrower
# than a highlight on a can.
LIGHT_SIGMA = 5.0
# Keeps ratios of dark pixels finite, 8-bit levels.
DARK_OFFSET = 6.0
# The photograph's colours are fitted to the generated image's on images blurred by this radius (image pixels), so
# that the wobble of small print does not pull all colours together.
POLYNOMIAL_BLUR = 2.0
# Ridge towards the identity, as a share of all pixels: on the constant, the channels, and the quadratic terms, which
# the few colours of a label do not determine.
POLYNOMIAL_RIDGE = np.array([1e-3] + [1e-3] * 3 + [5e-3] * 6, np.float32)
IDENTITY_POLYNOMIAL = np.zeros((10, 3), np.float32)
IDENTITY_POLYNOMIAL[[1, 2, 3], [0, 1, 2]] = 1
# Pixels that miss the fit by this much (0..1) count half.
POLYNOMIAL_TOLERANCE = 0.08
# Fine print, between these radii (image pixels), that has the photograph's strength and place this well is the model's
# own and stays: from the first concordance on in part, from the second altogether. A generated image near the truth has
# .87 to .92 at the middle of a label, one with wobbly print .72 to .80, a soft one less.
FINE_BAND = 0.7, 2.0
CONCORDANCE_LOW, CONCORDANCE_FULL = 0.80, 0.88
# Concordance is taken over this radius (image pixels), with this variance for what has no print.
CONCORDANCE_SIGMA, BLANK_VARIANCE = 8.0, 2.0
# That is for results hardly finer than the generated image: all of it up to the first enlargement, nothing from the
# second on. Under print that is much sharper the model's own would show as a ghost around each letter.
FULL_KEEP_ENLARGEMENT, MAX_KEEP_ENLARGEMENT = 1.35, 1.7
# Largest ratio of the light to the studio's.
LIGHT_LIMIT = 4.0


def transfer_detail(
    product: np.ndarray,
    match: ProductMatch,
    generated: np.ndarray,
    box: PixelBox,
    full_size: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """The photograph's detail in `box`, under the image's light: rgb (h, w, 3) uint8, weight (h, w) uint8.

    product (ph, pw, 3 or 4) uint8, the photograph at full resolution; generated (h, w, 3) uint8, the image's
    pixels in `box` (x, y, width, height) of a result of `full_size` (width, height). Weight is 255 where the
    photograph is verified and 0 where the image's own pixels should stay.
    """
    if match.mirrored or not match.detail or not match.weight.any():
        return generated, np.zeros(generated.shape[:2], np.uint8)
    generated_size = match.coverage.shape[1], match.coverage.shape[0]
    enlargement = full_size[0] / generated_size[0]
    # A finer photograph than the image it is composited into would alias.
    density = sampling_density(product, match)
    finer = max(1.0, density / enlargement)
    photograph = prepare_reference(product, pixel_ratio=finer)
    if photograph is None:
        return generated, np.zeros(generated.shape[:2], np.uint8)
    coarse = photograph.downscaled(max(photograph.alpha.shape) * finer / max(1.0, density))
    small_generated = resample_to_generated(generated, match, box, generated_size, full_size)
    small_detail = sample_reference(coarse.rgb, coarse, match.mapping)
    inside = sample_reference(coarse.alpha, coarse, match.mapping, cv2.BORDER_CONSTANT).astype(np.float32) / 255
    verified = inside * (match.weight.astype(np.float32) / 255 + np.float32(0.02))
    polynomial = fit_colour_polynomial(small_generated, small_detail, verified)
    light = fit_light_ratio(small_generated, apply_colour_polynomial(small_detail, polynomial), verified)
    share = float(np.clip((MAX_KEEP_ENLARGEMENT - enlargement) / (MAX_KEEP_ENLARGEMENT - FULL_KEEP_ENLARGEMENT), 0, 1))
    if share > 0:
        kept = share * keep_concordant_detail(
            small_generated, apply_colour_polynomial(small_detail, polynomial) * light, verified
        )
    detail, weight = np.empty_like(generated), np.empty(generated.shape[:2], np.uint8)
    for tile in tiles(box):
        matrix = crop_matrix(generated_size, full_size, tile)
        matrix[:, 2] -= match.box[:2]
        rows = slice(tile[1] - box[1], tile[1] - box[1] + tile[3])
        mapping = enlarge(match.mapping, matrix, tile, cv2.INTER_LINEAR)
        enlarged = apply_colour_polynomial(sample_reference(photograph.rgb, photograph, mapping), polynomial)
        enlarged *= enlarge(light, matrix, tile, cv2.INTER_LINEAR)
        if share > 0:
            enlarged += enlarge(kept, matrix, tile, cv2.INTER_CUBIC)
        detail[rows] = to_bytes(enlarged)
        weight[rows] = enlarge(match.weight, matrix, tile, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
    return detail, weight


def sampling_density(product: np.ndarray, match: ProductMatch) -> float:
    """Pixels of the photograph `product` (h, w, 3 or 4) per pixel of the generated image, along the side where they are
    more."""
    verified = match.weight > 127
    if not verified.any():
        return 1.0
    height, width = product.shape[:2]
    found: float = max(
        float(np.median(np.abs(np.gradient(match.mapping[..., axis], axis=1 - axis)[verified]))) * length
        for axis, length in ((0, width), (1, height))
    )
    return found


def sample_reference(
    generated: np.ndarray, photograph: ReferenceImage, mapping: np.ndarray, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    """`image`, one of the `photograph`'s, at the places of `mapping` (h, w, 2) float32, 0..1 of the whole."""
    (left, top), (across, down) = photograph.origin, photograph.step
    matrix = np.array([[1 / across, 0, -left / across - 0.5], [0, 1 / down, -top / down - 0.5]])
    return remap(generated, cv2.transform(mapping, matrix), cv2.INTER_CUBIC, border)


def enlarge(
    array: np.ndarray, matrix: np.ndarray, tile: PixelBox, interpolation: int, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    """`array`, on the grid of the match's box, at full resolution in `tile`; `matrix` leads back to the
    grid.
    """
    flags = interpolation | cv2.WARP_INVERSE_MAP
    result: np.ndarray = cv2.warpAffine(array, matrix, (tile[2], tile[3]), flags=flags, borderMode=border)
    return result


def resample_to_generated(
    generated: np.ndarray, match: ProductMatch, box: PixelBox, generated_size: Size, full_size: Size
) -> np.ndarray:
    """`image` (h, w, 3) in `box` of the result, on the generated image's grid of the match's box; uint8.

    The image is the enlarged image and so has no detail that shrinking could alias.
    """
    matrix = crop_matrix(generated_size, full_size, box)
    matrix[:, 2] -= match.box[:2]
    return cv2.warpAffine(generated, matrix, match.box[2:], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def keep_concordant_detail(generated: np.ndarray, detail: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """What to add to the lit `detail` (h, w, 3) float32 where the `image` (h, w, 3) uint8 is right by
    itself.

    Where both agree nearly perfectly the model's own pixels stay and the photograph only adds what is finer
    than the generated image's resolution; where the model's print is soft or bent, nothing of it stays underneath.
    """
    shades = [cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) for rgb in (generated.astype(np.float32), detail)]
    seen, target = (np.subtract(*(cv2.GaussianBlur(shade, (0, 0), sigma) for sigma in FINE_BAND)) for shade in shades)

    def blur(array: np.ndarray) -> np.ndarray:
        smooth: np.ndarray = cv2.GaussianBlur(array * weight, (0, 0), CONCORDANCE_SIGMA) + BLANK_VARIANCE
        return smooth

    concordance = 2 * blur(seen * target) / (blur(seen**2) + blur(target**2))
    # In a generated image that is right nearly everywhere it is the photograph that lies a little off where they
    # differ.
    usual = weighted_median(concordance, weight * np.abs(target))
    right = np.clip((np.maximum(concordance, usual) - CONCORDANCE_LOW) / (CONCORDANCE_FULL - CONCORDANCE_LOW), 0, 1)
    result: np.ndarray = to_three_channels(right) * (generated - detail)
    return result


def fit_colour_polynomial(generated: np.ndarray, detail: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Colours (10, 3) of the photograph's `detail` as the `image` shows them, both (h, w, 3) uint8.

    A second-degree polynomial, fitted under `weight` (h, w) float32 and drawn towards the identity: another
    exposure, tone curve, white balance or veil of light changes dark print and pale paper differently, which
    no local ratio can do without a rim of wrong colour around each letter.
    """
    fitted = (weight > 0.2).ravel()
    # Rows are picked several times as fast as pixels of a mask.
    blurred = [
        cv2.GaussianBlur(rgb, (0, 0), POLYNOMIAL_BLUR).reshape(-1, 3).compress(fitted, axis=0)
        for rgb in (generated, detail)
    ]
    if len(blurred[0]) < 50:
        return IDENTITY_POLYNOMIAL.copy()
    terms, wanted = polynomial_terms(blurred[1]), blurred[0].astype(np.float32) / 255
    polynomial = IDENTITY_POLYNOMIAL.copy()
    given = weights = weight.ravel()[fitted]
    for _ in range(3):
        share = weights[:, None] * terms
        ridge = np.diag(POLYNOMIAL_RIDGE) * float(weights.sum())
        polynomial = np.linalg.solve(share.T @ terms + ridge, share.T @ wanted + ridge @ IDENTITY_POLYNOMIAL)
        # A highlight or a shadow edge is light, not tone: it counts less and is left to the light.
        miss = max_channel(np.abs(terms @ polynomial - wanted)[None])[0]
        weights = given / (1 + (miss / POLYNOMIAL_TOLERANCE) ** 2)
    return polynomial.astype(np.float32)


def polynomial_terms(rgb: np.ndarray) -> np.ndarray:
    """1, the channels, their squares and products: (n, 10) float32 of (n, 3) uint8 or float32."""
    red, green, blue = (rgb[:, channel].astype(np.float32) / 255 for channel in range(3))
    one = np.ones_like(red)
    return np.stack([one, red, green, blue, red**2, green**2, blue**2, red * green, green * blue, red * blue], axis=1)


def apply_colour_polynomial(rgb: np.ndarray, polynomial: np.ndarray) -> np.ndarray:
    """`rgb` (h, w, 3) uint8 under `polynomial` (10, 3), the weights of `polynomial_terms`: float32, 0..255."""
    values = rgb.astype(np.float32) * np.float32(1 / 255)
    products = values * cv2.transform(values, np.roll(np.eye(3), 1, axis=1))  # red green, green blue, blue red
    lit: np.ndarray = cv2.transform(values, 255 * np.column_stack([polynomial[1:4].T, polynomial[0]]))
    lit += cv2.transform(values * values, 255 * polynomial[4:7].T)
    lit += cv2.transform(products, 255 * polynomial[7:10].T)
    return np.clip(lit, 0, 255, out=lit)


def fit_light_ratio(generated: np.ndarray, detail: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Ratio (h, w, 3) float32 that gives `detail` the smooth brightness and colour of `image`, both uint8.

    Means are taken over `weight` (h, w) float32 only, so that background never bleeds into the product.
    """
    mean = masked_mean(weight, lambda image: cv2.GaussianBlur(image, (0, 0), LIGHT_SIGMA), added=1e-4)
    means = [mean(rgb.astype(np.float32)) + DARK_OFFSET for rgb in (generated, detail)]
    return np.clip(means[0] / means[1], 1 / LIGHT_LIMIT, LIGHT_LIMIT)
