"""Brings the generated image's colours to the scene's: one robust global fit, then a smooth local gain.

Per channel: a 3 x 3 matrix, a quadratic curve and an offset, fitted by ridge regression towards the identity,
iteratively reweighted with Geman-McClure weights, so that what was changed loses its say. The local gain takes up what
is left, a normalised convolution (Knutsson and Westin, CVPR 1993) of the log ratio under the same weights, bounded. An
unregularised matrix bends colours that the scene lacks; a fit that few cells support would tint the product, and is
blended with the identity by that support.

In: scene and registered image (h, w, 3) uint8. Out: a `ColourMatch`. Of 20 real images those with a replaced background
and a relit scene had .01 and .36 of their cells within the fit, all others .58 and more.
`python -m tests.bench.fidelity` shows its effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import blur, downsample2, max_channel
from function.imaging.photometry import log_ratio, masked_mean

# Longest side of the images on which colours are fitted: drift is smooth, and small images are fast.
FIT_SIDE_PX = 160
# Ridge weights in units of colour variance (components 0..1). A direction in which the scene's colours vary
# less than this stays as the model gave it: an unregularised matrix bends colours that the scene lacks.
RIDGE_MATRIX = 2e-3
RIDGE_OFFSET = 1e-2
RIDGE_CURVE = 2e-3
# Lower bound (0..1) of the scale of the robust weights: below it a difference is drift, above it more and more change.
MIN_TOLERANCE = 1.5 / 255
# A cell is held by the fit when that leaves less than this (0..1, six levels). The fit is not believed at all when it
# holds no more than the lower share of the cells, and in full from the upper on: of 20 real images those with a
# replaced background and a relit scene hold .01 and .36, all others .58 and more.
INLIER_TOLERANCE, MIN_SUPPORT, FULL_SUPPORT = 6 / 255, 0.4, 0.55
# Standard deviation of the local gain, as a share of the longest side: wider than shadows, narrower than the image.
GAIN_SIGMA_SHARE = 0.055
# Largest local gain, as a change of the factor; more is no drift.
MAX_GAIN_CHANGE = 0.20
# Keeps ratios of dark pixels finite (0..1).
DARK_OFFSET = 8 / 255


@dataclass(frozen=True)
class ColourMatch:
    """generated -> scene: gain_map * (matrix @ rgb + curve * rgb * (1 - rgb) + offset), components 0..1.

    matrix (3, 3), curve (3,), offset (3,) and gain_map (h', w', 3), the last a small image of the whole
    analysis. All float32. trust: weight 0..1 of the fit against the identity.
    """

    matrix: np.ndarray
    curve: np.ndarray
    offset: np.ndarray
    gain_map: np.ndarray
    trust: float = 1.0

    def apply(self, rgb: np.ndarray, gain_map: np.ndarray | None = None) -> np.ndarray:
        """float32 0..255 for `rgb` (h, w, 3) uint8. `gain_map` (h, w, 3): the local gain over that crop."""
        level = np.arange(256, dtype=np.float32)[:, None] / 255
        out: np.ndarray = cv2.transform(rgb.astype(np.float32), self.matrix)
        out += cv2.LUT(rgb, 255 * (self.curve * level * (1 - level) + self.offset)[None])
        if gain_map is None:
            gain_map = cv2.resize(self.gain_map, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_LINEAR)
        out *= gain_map
        return out


IDENTITY_COLOURS = ColourMatch(
    matrix=np.eye(3, dtype=np.float32),
    curve=np.zeros(3, np.float32),
    offset=np.zeros(3, np.float32),
    gain_map=np.ones((2, 2, 3), np.float32),
    trust=0.0,
)


def fit_colour_transform(scene: np.ndarray, generated: np.ndarray, inside: np.ndarray) -> ColourMatch:
    """Fit `generated` to `scene`, both (h, w, 3) uint8 RGB and registered, over `inside` (h, w) bool.

    Robust to what was changed: a pixel's weight falls with its misfit, so product and shadow lose theirs.
    """
    target, source, visible = colour_cells(scene, generated, inside)
    valid = visible.copy()
    # Clipped colours carry no tone.
    valid &= cv2.inRange(source, (3 / 255,) * 3, (252 / 255,) * 3) > 0
    if valid.sum() < 64:
        return IDENTITY_COLOURS
    # Rows are picked several times as fast as pixels of a mask.
    held = (image.reshape(-1, 3).compress(valid.ravel(), axis=0) for image in (target, source))
    matrix, curve, offset = _global_transform(*held)
    fitted = source @ matrix.T + source * (1 - source) * curve + offset
    inliers = (max_channel(np.abs(fitted - target)) < INLIER_TOLERANCE) & valid
    trust = _confidence(float(inliers.sum()) / max(1.0, float(visible.sum())))
    if trust == 0:
        return IDENTITY_COLOURS
    gain_map = _local_gain_map(target, fitted, valid)
    return ColourMatch(
        (trust * matrix + (1 - trust) * np.eye(3)).astype(np.float32),
        (trust * curve).astype(np.float32),
        (trust * offset).astype(np.float32),
        gain_map if trust == 1 else np.power(gain_map, np.float32(trust)),
        trust,
    )


def colour_cells(
    scene: np.ndarray, generated: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both images (h', w', 3) float32 0..1 at `FIT_SIDE_PX`, and (h', w') bool: cells that the generated image
    shows."""
    scale = min(1.0, FIT_SIDE_PX / max(scene.shape[:2]))
    size = max(2, round(scene.shape[1] * scale)), max(2, round(scene.shape[0] * scale))

    def small(picture: np.ndarray) -> np.ndarray:
        downscaled = cv2.resize(downsample2(picture), size, interpolation=cv2.INTER_AREA)
        return cv2.blur(downscaled.astype(np.float32) / 255, (3, 3))

    whole = cv2.resize(inside.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    return small(scene), small(generated), whole > 0.99 * 255  # inside but for a rounding


def is_same_scene(scene: np.ndarray, matched: np.ndarray, inside: np.ndarray) -> bool:
    """Whether `matched` (h, w, 3) uint8, a generated image's colours as they are believed, is the `scene` in most
    places.

    If not, and no change stands out, that is no image in which nothing was changed: all of it was.
    """
    target, source, visible = colour_cells(scene, matched, inside)
    inliers = (max_channel(np.abs(source - target)) < INLIER_TOLERANCE) & visible
    return float(inliers.sum()) >= FULL_SUPPORT * max(1.0, float(visible.sum()))


def _confidence(support: float) -> float:
    """How far to believe a fit, 0..1, that holds this share of all cells: one through changed cells would tint the
    product and break up in blocks. Clipped cells hold nothing: on a black backdrop only the product is left."""
    return min(1.0, max(0.0, (support - MIN_SUPPORT) / (FULL_SUPPORT - MIN_SUPPORT)))


def _global_transform(target: np.ndarray, source: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Iteratively reweighted ridge regression towards the identity."""
    features = np.column_stack([source, source * (1 - source), np.ones(len(target), np.float32)])
    ridge = np.array([RIDGE_MATRIX] * 3 + [RIDGE_CURVE, RIDGE_OFFSET])
    fit = np.zeros((7, 3))  # of each feature to each channel
    fit[[0, 1, 2], [0, 1, 2]] = 1
    for _ in range(6):
        misfit = max_channel(np.abs(features @ fit.astype(np.float32) - target)[None])[0]
        tolerance = max(MIN_TOLERANCE, 2.0 * float(np.median(misfit)))
        weight = 1 / (1 + (misfit / tolerance) ** 2) ** 2
        weighted = features * (weight / weight.sum())[:, None]
        gram, wanted = (weighted.T @ features).astype(float), (weighted.T @ target).astype(float)
        for channel in range(3):
            used = [0, 1, 2, 3 + channel, 6]
            prior = np.eye(5)[channel]
            fit[used, channel] = np.linalg.solve(
                gram[np.ix_(used, used)] + np.diag(ridge), wanted[used, channel] + ridge * prior
            )
    return fit[:3].T, fit[3:6].diagonal(), fit[6]


def _local_gain_map(target: np.ndarray, fitted: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(h', w', 3) float32 factor that takes up what the global fit leaves, smooth and blind to change."""
    # The fit may go below black, and no further than half of the offset.
    ratio = log_ratio(np.maximum(fitted, -DARK_OFFSET / 2), target, DARK_OFFSET).astype(np.float32)
    sigma = GAIN_SIGMA_SHARE * max(target.shape[:2])
    # A little of the wider mean steadies places where nearly all is changed.
    window = lambda image: blur(image, sigma) + 0.05 * blur(image, 3 * sigma)  # noqa: E731
    gain_map = np.zeros_like(ratio)
    # From a wide tolerance to a narrow one, so that a place of strong drift is not taken for change at once.
    for breadth in (8.0, 4.0, 2.0, 2.0):
        misfit = max_channel(np.abs(ratio - gain_map))
        tolerance = breadth * max(MIN_TOLERANCE / 2, float(np.median(misfit[valid])))
        weight = valid / (1 + (misfit / tolerance) ** 2) ** 2
        # A pixel amid changed ones is itself under suspicion: the faint tail of a shadow.
        weight *= cv2.blur(weight, (7, 7)) ** 2
        gain_map = masked_mean(weight, window, added=1e-6)(ratio)
    limit = np.log(1 + MAX_GAIN_CHANGE)
    return np.exp(np.clip(gain_map, -limit, limit)).astype(np.float32)
