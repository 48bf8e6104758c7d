"""What the model changed: the product's own pixels, and the light it casts on the scene."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

# Change is looked for at half the analysis size: models re-make texture pixel by pixel, so single pixels tell
# nothing. Blur widths below are standard deviations in those half-size pixels.
FINE_SIGMA, MIDDLE_SIGMA, WIDE_SIGMA = 1.5, 4.0, 12.0
# Keeps ratios of dark pixels finite; 8-bit levels.
DARK_OFFSET = 12.0
# What an untouched pixel's log ratio may be by noise (about four percent), and how much more a misplaced edge
# may make it: the scene's own log gradient times this many half-size pixels.
NOISE_LOG = 0.035
MISPLACED_PX = 0.7
# Change is sure from the upper, and continues where it touches sure change down to the lower multiple of it.
SURE, FAINT = 3.0, 0.8
# Least area of a change of its own, as a share of the picture: smaller ones are specks of re-made texture.
LEAST_AREA = 4e-4
# Least weight of a further change against the greatest one (sum of log ratios): an object put in twice
# counts, a re-drawn leaf does not.
LEAST_WEIGHT = 0.08
# A ratio this strong, or this different between channels, is paint and not light.
PAINT_LOG, PAINT_CHROMA_LOG = 0.75, 0.40


@dataclass(frozen=True)
class Light:
    """What the model's light does to the scene: result = scene * exp(log_ratio).

    log_ratio (h', w', 3) float32 at half the analysis size, 0 where nothing changed.
    """

    log_ratio: np.ndarray


@dataclass(frozen=True)
class Evidence:
    """Half-size pictures that both masks are made from. All (h', w'[, 3]) float32 but `changed` (bool)."""

    scene: np.ndarray
    answer: np.ndarray
    noise: np.ndarray
    changed: np.ndarray


def half(picture: np.ndarray) -> np.ndarray:
    size = (picture.shape[1] + 1) // 2, (picture.shape[0] + 1) // 2
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def find_evidence(scene: np.ndarray, answer: np.ndarray, inside: np.ndarray) -> Evidence:
    """Where `answer` (h, w, 3) float32 0..255, colours matched, differs from `scene` (h, w, 3) uint8."""
    s = half(scene).astype(np.float32)
    a = np.maximum(half(answer), 0)
    inside = half(inside.astype(np.float32)) > 0.99
    ratio = np.abs(log_ratio(s, a, FINE_SIGMA)).max(axis=2)
    noise = _noise(s)
    strength = ratio / noise * inside
    # Re-made texture changes sign from pixel to pixel, real change does not: look at a wider mean as well.
    wide = np.abs(log_ratio(s, a, MIDDLE_SIGMA)).max(axis=2)
    wide_noise = cv2.GaussianBlur(noise, (0, 0), MIDDLE_SIGMA) * 0.6
    faint = ((wide / wide_noise > FAINT) | (strength > 2 * FAINT)) & inside
    sure = ((strength > SURE) & (wide > NOISE_LOG)).astype(np.uint8)
    sure = cv2.morphologyEx(sure, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return Evidence(s, a, noise, _connected(sure, faint, ratio))


def _connected(sure: np.ndarray, faint: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Faint change that hangs together with enough sure change; bool."""
    joined = cv2.morphologyEx(sure, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    if count < 2:
        return np.zeros(sure.shape, bool)
    weights = np.bincount(labels.ravel(), (ratio * sure).ravel(), count)
    weights[0] = 0
    areas = stats[:, cv2.CC_STAT_AREA]
    keep = (areas >= LEAST_AREA * sure.size) & (weights >= LEAST_WEIGHT * weights.max())
    keep[0] = False
    kept = keep[labels]
    near = faint | kept
    near = cv2.morphologyEx(near.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) | kept
    _, labels = cv2.connectedComponents(near.astype(np.uint8), connectivity=8)
    touched = np.unique(labels[kept])
    return np.isin(labels, touched[touched > 0])


def log_ratio(
    scene: np.ndarray, answer: np.ndarray, sigma: float, weight: np.ndarray | None = None
) -> np.ndarray:
    """log of answer over scene, both blurred; `weight` (h, w) 0..1 leaves pixels out of both means."""
    if weight is not None:
        total = np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3)[..., None]
        a = cv2.GaussianBlur(answer * weight[..., None], (0, 0), sigma) / total
        s = cv2.GaussianBlur(scene * weight[..., None], (0, 0), sigma) / total
    else:
        a, s = (cv2.GaussianBlur(picture, (0, 0), sigma) for picture in (answer, scene))
    return np.log((a + DARK_OFFSET) / (s + DARK_OFFSET))


def _noise(scene: np.ndarray) -> np.ndarray:
    """(h, w) float32: log ratio that an untouched pixel may show, from the scene's own gradients."""
    tone = np.log(cv2.GaussianBlur(scene, (0, 0), FINE_SIGMA) + DARK_OFFSET)
    gradient = sum(
        np.abs(cv2.Sobel(tone, cv2.CV_32F, *order, ksize=3, scale=1 / 8)).max(axis=2)
        for order in ((1, 0), (0, 1))
    )
    spread = cv2.dilate(gradient, np.ones((3, 3), np.uint8))
    return NOISE_LOG + MISPLACED_PX * cv2.blur(spread, (3, 3))


def find_product(evidence: Evidence) -> np.ndarray:
    """(h', w') bool: what of the change cannot be the scene under other light."""
    s, a, changed = evidence.scene, evidence.answer, evidence.changed
    if not changed.any():
        return changed
    smooth = log_ratio(s, a, MIDDLE_SIGMA)
    fine = log_ratio(s, a, FINE_SIGMA)
    chroma = smooth.max(axis=2) - smooth.min(axis=2)
    paint = (np.abs(fine).max(axis=2) > PAINT_LOG) | (chroma > PAINT_CHROMA_LOG)
    step = np.abs(fine - smooth).max(axis=2) > SURE * evidence.noise
    core = ((paint | step) & changed).astype(np.uint8)
    core = cv2.morphologyEx(core, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)))
    core = fill_holes(core)
    core = cv2.morphologyEx(core, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
    if count < 2:
        return np.zeros_like(changed)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return (areas >= 0.1 * areas.max())[labels] & (labels > 0)


def fill_holes(mask: np.ndarray) -> np.ndarray:
    """(h, w) uint8 0/1 with every enclosed hole filled."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros_like(mask), contours, -1, 1, cv2.FILLED)


def find_light(evidence: Evidence, product: np.ndarray) -> Light:
    """The smooth ratio that carries shadow and reflection; `product` (h', w') float32 0..1 is left out.

    From wide to fine: a finer scale only adds what stands above what re-made texture would do there.
    """
    s, a = evidence.scene, evidence.answer
    weight = (1 - cv2.dilate(product, np.ones((3, 3), np.uint8))).astype(np.float32)
    wide, middle, fine = (log_ratio(s, a, sigma, weight) for sigma in (WIDE_SIGMA, MIDDLE_SIGMA, FINE_SIGMA))
    noise = evidence.noise[..., None]
    result = wide + _shrunk(middle - wide, 0.25 * noise) + _shrunk(fine - middle, 1.0 * noise)
    support = evidence.changed.astype(np.uint8)
    support = cv2.dilate(support, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))).astype(np.float32)
    support = cv2.GaussianBlur(support, (0, 0), 3.0)
    return Light((result * support[..., None]).astype(np.float32))


def _shrunk(values: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Soft threshold (Donoho 1995)."""
    return np.sign(values) * np.maximum(np.abs(values) - threshold, 0)
