"""The smooth local warp that an affine fit between scene and answer leaves."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import EVERY_SECOND, NO_ARRAY, remap
from function.imaging.photometry import LocalMoments, local_correlation
from function.registration.thin_plate import FULL_SHARE, thin_plate

# The local warp is smoothed over this many analysis pixels (standard deviation): models warp by fields that
# are wide, and what is narrower is noise of the flow.
WARP_SMOOTHING_PX = 14
# A displacement by more than this, in analysis pixels, is no warp: the first field is laid without it.
MAX_WARP_PX = 12.0
# Flow this far from the wide field around it, in analysis pixels, follows something that is not the scene.
MIN_OUTLIER_PX = 0.8
# Side of the square around each outlier of the flow, in half-size pixels, that gets no weight: as wide as the
# flow's own smoothing.
OUTLIER_WINDOW_PX = 9
# Gradients of less contrast than this (standard deviation, 8-bit levels) hold no flow.
MIN_CONTRAST = 2.5
# Side of the windows that are correlated, in half-size pixels; smallest product of the two variances, 8-bit levels to
# the fourth power, so that flat places do not count as alike.
CONFIDENCE_WINDOW_PX, MIN_POWER = 9, 1.0


def local_warp(scene: np.ndarray, answer: np.ndarray, mapping: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(h, w, 2) float32: the smooth displacement, in analysis pixels, that the affine fit leaves.

    Dense inverse search flow, kept where it makes the pictures agree and the scene has texture to hold on to,
    and carried from there over what is changed, flat or outside as a thin plate would bend.
    """
    seen = remap(answer, mapping)
    flow_engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    # The preset stops at a quarter of the picture: beside a product that is twice as far off (.56 against .28 px).
    flow_engine.setFinestScale(0)
    # What its five rounds of refinement add is smoothed away below: without them a product is placed as well, in half
    # the time (.60 against .58 px typical, .24 against .26 mild).
    flow_engine.setVariationalRefinementIterations(0)
    half_size = (scene.shape[1] + 1) // 2, (scene.shape[0] + 1) // 2
    a = cv2.resize(scene, half_size, interpolation=cv2.INTER_AREA)
    b = cv2.resize(seen, half_size, interpolation=cv2.INTER_AREA)
    if min(half_size) < 32:
        return np.zeros_like(mapping)
    flow = flow_engine.calc(a, b, NO_ARRAY)
    x, y = np.meshgrid(np.arange(half_size[0], dtype=np.float32), np.arange(half_size[1], dtype=np.float32))
    moved = cv2.remap(b, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    weight = _flow_confidence(a, moved)
    weight *= cv2.resize(inside.astype(np.float32), half_size, interpolation=cv2.INTER_AREA)
    # What the model inserted drags the flow along at its rim: flow that departs from the wide field around it is an
    # outlier, and gets no weight, nor does its neighbourhood.
    outlier = _length(flow) > MAX_WARP_PX / 2
    for _ in range(2):
        wide = thin_plate(flow, weight * ~outlier)
        distance = _length(flow - wide)
        held = distance[EVERY_SECOND][((weight > 0.5) & ~outlier)[EVERY_SECOND]]
        usual = float(np.median(held)) if held.size else 0.0
        outlier = (distance > max(MIN_OUTLIER_PX / 2, 4 * usual)) & (weight > 0)
        outlier = cv2.dilate(outlier.astype(np.uint8), np.ones((OUTLIER_WINDOW_PX, OUTLIER_WINDOW_PX), np.uint8)) > 0
    weight = weight * ~outlier
    flow = _near(flow, weight, thin_plate(flow, weight))
    return 2 * cv2.resize(flow, (scene.shape[1], scene.shape[0]), interpolation=cv2.INTER_LINEAR)


def _flow_confidence(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Weight 0..1: local correlation of the two pictures, times the gradient the flow can hold on to."""
    window = lambda image: cv2.blur(image, (CONFIDENCE_WINDOW_PX, CONFIDENCE_WINDOW_PX))  # noqa: E731
    first, second = (LocalMoments.of(image.astype(np.float32), window) for image in (a, b))
    correlation = local_correlation(first, second, least=MIN_POWER)
    contrast = np.maximum(first.variance, 0)
    result: np.ndarray = np.clip((correlation - 0.6) / 0.3, 0, 1) * contrast / (contrast + MIN_CONTRAST**2)
    return result


def _length(vectors: np.ndarray) -> np.ndarray:
    """(h, w) float32 of (h, w, 2)."""
    return cv2.magnitude(*cv2.split(vectors))


def _near(flow: np.ndarray, weight: np.ndarray, plate: np.ndarray) -> np.ndarray:
    """Local mean of `flow` (h, w, 2) where `weight` (h, w) holds enough of it, `plate` elsewhere; at half the size."""
    size = max(1, weight.shape[1] // 2), max(1, weight.shape[0] // 2)

    def small(picture: np.ndarray) -> np.ndarray:
        return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)

    total = cv2.GaussianBlur(small(weight), (0, 0), WARP_SMOOTHING_PX / 4)
    mean = cv2.GaussianBlur(small((flow - plate) * cv2.merge([weight, weight])), (0, 0), WARP_SMOOTHING_PX / 4)
    mean *= (np.clip(total / FULL_SHARE, 0, 1) / np.maximum(total, 1e-6))[..., None]
    return plate + cv2.resize(mean, (weight.shape[1], weight.shape[0]), interpolation=cv2.INTER_LINEAR)
