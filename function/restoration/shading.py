"""Estimates the shading that the model's product casts on the scene: shadow and reflection, a smooth ratio.

The log ratio of generated image to scene is averaged beside the product at three Gaussian scales (normalised
convolution). From wide to fine each scale adds its part, shrunk by an empirical Wiener filter: as far as its energy
stands above the noise of unchanged pixels. Outside the change's support it is 0.

In: `Evidence`, product coverage 0..1, at half size. Out: (h', w', 3) float32, log ratio. `python -m
tests.bench.fidelity`.
"""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox, blur, max_channel, to_three_channels
from function.imaging.photometry import log2_levels, log_ratio, masked_mean
from function.restoration.change_detection import DARK_OFFSET, SIGMAS, Evidence

# The changed pixels are dilated by a disc of this diameter (half-size pixels), and the light fades out at its rim as a
# Gaussian of a third of it.
SUPPORT_PX = 15
# Least weight of a mean: where the product covers the whole neighbourhood there is no scene to see light on.
MIN_WEIGHT = 1e-4
# Least energy of a ratio (squared logarithm), so that none divides by zero.
MIN_ENERGY = 1e-12
# A shadow darkens all colours evenly: by no more than so many stops difference between them. Keeps ratios of dark
# pixels finite there, 8-bit levels.
MAX_CHANNEL_SPREAD_STOPS, EVEN_DARK_OFFSET = 0.25, 8.0
# What darkens evenly by more stops than this may be a shadow; grain reaches less.
SHADOW_STOPS = 0.1
# What the sun does not reach is lit by the sky: a shadow outdoors takes more of the red than of the blue, by up to this
# share of its depth, and of the green what lies between, to within that share. Rendered ones reach .76 and .04.
MAX_SKYLIGHT, DAYLIGHT_TOLERANCE = 0.9, 0.12


def estimate_shading(evidence: Evidence, product: np.ndarray) -> np.ndarray:
    """(h', w', 3) float32: log of the smooth ratio that carries shadow and reflection, 0 where unchanged.

    From wide to fine; each width adds its part as far as that stands above what untouched pixels show there.
    `product` (h', w') float32 0..1 is left out of all means.
    """
    changed = evidence.changed.astype(np.uint8)
    result = np.zeros(evidence.scene.shape, np.float32)
    x, y, width, height = cv2.boundingRect(changed)
    if width == 0:
        return result
    margin = int(3 * SIGMAS[-1])
    box = np.s_[max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin]
    scene, generated, weight = evidence.scene[box], evidence.generated[box], 1 - product[box]
    ratios = []
    for sigma in SIGMAS:
        mean = masked_mean(weight, partial(blur, sigma=sigma), least=MIN_WEIGHT)
        ratios.append(log_ratio(mean(scene), mean(generated), DARK_OFFSET))
    light = wiener_shrink(ratios[-1], SIGMAS[-1], evidence.noise[-1][box])
    for k in (1, 0):
        light = light + wiener_shrink(ratios[k] - ratios[k + 1], SIGMAS[k], evidence.band_noise[k][box])
    support = cv2.dilate(changed[box], cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (SUPPORT_PX, SUPPORT_PX)))
    support = blur(support.astype(np.float32), SUPPORT_PX / 3)
    result[box] = light * to_three_channels(support)
    return result


def wiener_shrink(values: np.ndarray, sigma: float, noise: np.ndarray) -> np.ndarray:
    """`values` (h, w, 3) float32 as far as their energy stands above that of the noise: an empirical Wiener filter.

    The energy is that of the strongest channel over a neighbourhood of `sigma` pixels; `noise` (h, w) float32 is the
    standard deviation of untouched pixels.
    """
    energy = blur(max_channel(values * values), sigma)
    result: np.ndarray = values * to_three_channels(np.maximum(0, 1 - noise * noise / np.maximum(energy, MIN_ENERGY)))
    return result


def even_darkening(scene: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """(h, w) float32: stops by which `generated` is darker than `scene`, both (h, w, 3) uint8, as under a shadow:
    evenly, or in the colours of sun and sky; 0 where colours change otherwise."""
    before, after = (log2_levels(cv2.GaussianBlur(p, (0, 0), 1.5), EVEN_DARK_OFFSET) for p in (scene, generated))
    darker = cv2.subtract(before, after)
    red, green, blue = cv2.split(darker)
    most, least = max_channel(darker), -max_channel(-darker)
    sunlit, depth = red - blue, (red + blue) / 2
    daylight = (sunlit > 0) & (sunlit < MAX_SKYLIGHT * depth) & (np.abs(green - depth) < DAYLIGHT_TOLERANCE * depth)
    return np.where((most - least < MAX_CHANNEL_SPREAD_STOPS) | daylight, np.maximum(least, 0), 0)


def shading_stops(light: np.ndarray, box: PixelBox) -> np.ndarray:
    """(h, w) float32: stops by which the `light` (h', w', 3), a half-size log ratio, brightens the scene in `box`."""
    x, y, width, height = box
    left, top = x // 2, y // 2
    part = light[top : (y + height) // 2 + 1, left : (x + width) // 2 + 1]
    mean = cv2.transform(part, np.full((1, 3), 1 / (3 * np.log(2)), np.float32))
    size = 2 * part.shape[1], 2 * part.shape[0]
    return cv2.resize(mean, size, interpolation=cv2.INTER_LINEAR)[y - 2 * top :, x - 2 * left :][:height, :width]
