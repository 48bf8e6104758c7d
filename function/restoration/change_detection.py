"""Detects what the model changed, and segments what of that is paint: the product's own pixels.

The log ratio of generated image to scene is taken at three Gaussian scales. Unchanged pixels have noise of
a + b * |gradient of the scene's logarithm|: a is quantisation, b residual misregistration; both are estimated in each
image, at quantiles that half of the image may exceed. Change is thresholded with hysteresis (Canny, PAMI 8, 1986,
doi:10.1109/TPAMI.1986.4767851) in multiples of that noise, and components that are not significant on average are
re-made texture. Of the change, what is too strong, too coloured or too sharp to be shading is the product.

In: scene (h, w, 3) uint8, registered image (h, w, 3) float32. Out: `Evidence` at half size (h', w'), masks bool.
`python -m tests.bench.fidelity` shows the masks' effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from function.imaging.array_ops import blur, downsample2, fill_holes, max_channel
from function.imaging.photometry import log_ratio
from function.restoration.vanished_structure import vanished_structure

# Change is looked for at half the analysis size: models re-make texture pixel by pixel, so single pixels tell
# nothing. These are the widths looked at, standard deviations in half-size pixels, fine to wide.
SIGMAS = (1.2, 3.5, 12.0)
# Keeps ratios of dark pixels finite; 8-bit levels.
DARK_OFFSET = 4.0
# An untouched pixel's log ratio is noise of `even + edge * gradient of the scene's own logarithm`. Both are
# measured on each image, and never believed to be under these: 8-bit rounding, a tenth of an analysis
# pixel.
MIN_EVEN_NOISE, MIN_EDGE_NOISE = 0.004, 0.05
# The noise is measured at this quantile of what the image shows, so that product and shadow may cover up to
# half of it. Of normal noise this quantile of the magnitude is .524 standard deviations.
NOISE_QUANTILE, QUANTILE_DEVIATIONS = 0.4, 0.524
# Stride of the noise samples; fewer samples are not used.
SAMPLED, MIN_SAMPLE = np.s_[::3, ::3], 30
# Change is sure from the upper, and continues where it touches sure change down to the lower multiple of the
# noise.
HIGH_THRESHOLD, LOW_THRESHOLD = 6.0, 2.4
# Change this many times the noise is likely, and kept, so far from sure change (half-size pixels).
MID_THRESHOLD, REACH_PX = 3.5, 16
# Least log ratio of sure change at the middle scale: less is neither an object nor a shadow's core.
MIN_SURE_LOG = 0.03
# Least area of a component, as a share of the image: smaller ones are specks of re-made texture.
MIN_AREA = 4e-4
# A change of its own is on average this many times the noise, over the middle or the wide width. Patches of texture
# that imitations draw softer than it was reach 9.4 and 2.4; a cord, a lamp's foot, a shadow's outlier are above one of
# both. Nothing is dropped because something larger was inserted as well.
SIGNIFICANT_MIDDLE, SIGNIFICANT_WIDE = 10.0, 4.0
# Largest log ratio, and largest difference of it between channels, that shading explains.
MAX_SHADING_LOG_RATIO, MAX_SHADING_CHROMA_LOG = 0.75, 0.40
# A step of the ratio over its noise from which it is an edge or print, and no shading.
EDGE_SNR = 8.0
# Light leaves the scene's own texture: where the scene has some (standard deviation of its logarithm), and less than
# this share of it is left in the generated image, something covers it. Looked at in a band of widths and over a
# neighbourhood (standard deviations in half-size pixels).
MIN_TEXTURE, MAX_TEXTURE_LEFT, TEXTURE_BAND, TEXTURE_SIGMA = 0.02, 0.3, (1.2, 5.0), 5.0


@dataclass(frozen=True)
class Evidence:
    """Half-size images that both masks are made from.

    scene, generated  (h', w', 3) float32 0..255
    ratios            three (h', w', 3) float32, log of generated over scene at each of `SIGMAS`
    gradient          (h', w') float32, of the scene's logarithm
    noise             three (h', w') float32, standard deviation of untouched pixels' ratios at each of `SIGMAS`
    vanished          (h', w') bool, where the scene has structure that the generated image lacks
    changed           (h', w') bool
    """

    scene: np.ndarray
    generated: np.ndarray
    ratios: tuple[np.ndarray, ...]
    gradient: np.ndarray
    noise: tuple[np.ndarray, ...]
    vanished: np.ndarray
    changed: np.ndarray

    @cached_property
    def band_noise(self) -> tuple[np.ndarray, ...]:
        """Two (h', w') float32: noise of the differences between the ratios at widths k and k + 1."""
        noise_model = NoiseModel.of(self.gradient, ~self.changed)
        return tuple(noise_model.noise(max_channel(cv2.absdiff(self.ratios[k], self.ratios[k + 1]))) for k in (0, 1))


def find_evidence(scene: np.ndarray, generated: np.ndarray, inside: np.ndarray) -> Evidence:
    """Where `generated` (h, w, 3) float32 0..255, colours matched, differs from `scene` (h, w, 3) uint8."""
    s = downsample2(scene).astype(np.float32)
    a = np.maximum(downsample2(generated), 0)
    inside = downsample2(inside.astype(np.uint8)) > 0
    scenes, generated_blurred = ([blur(image, sigma) for sigma in SIGMAS] for image in (s, a))
    ratios = tuple(log_ratio(*pair, DARK_OFFSET) for pair in zip(scenes, generated_blurred, strict=True))
    gradient = _gradient(scenes[0])
    magnitudes = [max_channel(np.abs(ratio)) for ratio in ratios]
    vanished = (
        vanished_structure((scenes[0], scenes[1]), (generated_blurred[0], generated_blurred[1]), DARK_OFFSET) & inside
    )
    # A scene whose print was taken away has next to no other structured ground: the loss would pass for noise there.
    noise_model = NoiseModel.of(gradient, inside & ~vanished)
    noise = tuple(noise_model.noise(magnitude) for magnitude in magnitudes)
    fine, middle, wide = magnitudes
    # Re-made texture changes sign from pixel to pixel, real change does not: look at the wider mean as well. A ratio
    # passes through zero between letter and ground, where the letter is as gone as beside it.
    faint = ((middle > LOW_THRESHOLD * noise[1]) | (fine > 2 * LOW_THRESHOLD * noise[0]) | vanished) & inside
    sure: np.ndarray = ((fine > HIGH_THRESHOLD * noise[0]) & (middle > MIN_SURE_LOG) & inside).astype(np.uint8)
    sure = cv2.morphologyEx(sure, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    likely: np.ndarray = ((middle > MID_THRESHOLD * noise[1]) & inside).astype(np.uint8)
    likely = cv2.morphologyEx(likely, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    significance = np.maximum(middle / (SIGNIFICANT_MIDDLE * noise[1]), wide / (SIGNIFICANT_WIDE * noise[2]))
    changed = _hysteresis(sure, likely, faint, significance)
    return Evidence(s, a, ratios, gradient, noise, vanished, changed)


def _gradient(smooth: np.ndarray) -> np.ndarray:
    """(h', w') float32: the log step per pixel of the steepest channel of the `smooth` scene (h', w', 3) float32,
    spread by the pixel it may be misplaced."""
    tone = cv2.log(smooth + DARK_OFFSET)
    steps = [np.abs(cv2.Sobel(tone, cv2.CV_32F, *order, ksize=3, scale=1 / 8)) for order in ((1, 0), (0, 1))]
    steepest = max_channel(steps[0] + steps[1])
    return cv2.blur(cv2.dilate(steepest, np.ones((3, 3), np.uint8)), (3, 3))


@dataclass(frozen=True)
class NoiseModel:
    """The flat and the textured third of what is measured: an image's noise is a line through them.

    sampled  (h', w') bool slice of every so many pixels, `flat` and `textured` (n,) bool of those
    places   the median gradient of each
    """

    gradient: np.ndarray
    sampled: np.ndarray
    flat: np.ndarray
    textured: np.ndarray
    places: tuple[float, float]

    @classmethod
    def of(cls, gradient: np.ndarray, inside: np.ndarray) -> NoiseModel:
        """Of the pixels `inside` (h', w') bool; `gradient` (h', w') float32."""
        sampled = inside[SAMPLED]
        g = gradient[SAMPLED][sampled]
        if g.size < MIN_SAMPLE:
            return cls(gradient, sampled, sampled, sampled, (0.0, 0.0))
        flat_limit, textured_limit = np.quantile(g, [0.3, 0.75])
        flat, textured = g <= flat_limit, g >= textured_limit
        return cls(gradient, sampled, flat, textured, (float(np.median(g[flat])), float(np.median(g[textured]))))

    def noise(self, magnitude: np.ndarray) -> np.ndarray:
        """(h', w') float32 standard deviation of untouched pixels of `magnitude` (h', w') float32."""
        m = magnitude[SAMPLED][self.sampled]
        if m.size < MIN_SAMPLE:
            return MIN_EVEN_NOISE + MIN_EDGE_NOISE * self.gradient
        levels = [np.quantile(m[part], NOISE_QUANTILE) / QUANTILE_DEVIATIONS for part in (self.flat, self.textured)]
        edge = max(MIN_EDGE_NOISE, (levels[1] - levels[0]) / max(self.places[1] - self.places[0], 1e-3))
        even = max(MIN_EVEN_NOISE, levels[0] - edge * self.places[0])
        return np.float32(even) + np.float32(edge) * self.gradient


def _hysteresis(sure: np.ndarray, likely: np.ndarray, faint: np.ndarray, significance: np.ndarray) -> np.ndarray:
    """Faint change that hangs together with enough sure change, or with likely change near it; bool.

    A component of sure change counts when its mean `significance` (h', w') float32 is 1 or more.
    """
    joined = cv2.morphologyEx(sure, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    if count < 2:
        return np.zeros(sure.shape, bool)
    areas = stats[:, cv2.CC_STAT_AREA]
    keep = (areas >= MIN_AREA * sure.size) & (np.bincount(labels.ravel(), significance.ravel(), count) >= areas)
    keep[0] = False
    kept = keep[labels]
    near = cv2.morphologyEx((faint | kept).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    near = near.astype(bool) | kept
    count, labels = cv2.connectedComponents(near.astype(np.uint8), connectivity=8)
    touched = np.zeros(count, bool)
    touched[labels[kept]] = True
    # A reflection may begin a little away from what it mirrors.
    reach = cv2.dilate(kept.astype(np.uint8), np.ones((2 * REACH_PX + 1, 2 * REACH_PX + 1), np.uint8))
    touched[labels[(reach > 0) & (likely > 0)]] = True
    touched[0] = False
    return touched[labels]


def segment_product(evidence: Evidence, *, plain: bool = False) -> np.ndarray:
    """(h', w') bool: what of the change cannot be the scene under other light.

    `plain`: the product has no print to be found by, and may be of one pale tone: look for the scene's texture too.
    """
    changed = evidence.changed
    if not changed.any():
        return changed
    fine, smooth, _ = evidence.ratios
    chroma = max_channel(smooth) + max_channel(-smooth)
    paint = (max_channel(np.abs(fine)) > MAX_SHADING_LOG_RATIO) | (chroma > MAX_SHADING_CHROMA_LOG)
    step = max_channel(cv2.absdiff(fine, smooth)) > EDGE_SNR * evidence.noise[0]
    painted = paint | step | texture_lost(evidence) if plain else paint | step
    core = (painted & changed).astype(np.uint8)
    core = cv2.morphologyEx(core, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)))
    core = fill_holes(core)
    core = cv2.morphologyEx(core, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
    if count < 2:
        return np.zeros_like(changed)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    result: np.ndarray = (areas >= 0.1 * areas.max())[labels] & (labels > 0)
    return result


def texture_lost(evidence: Evidence) -> np.ndarray:
    """(h', w') bool: where the scene's texture is gone: a plain pale product is no light on what stands behind it."""
    bands = []
    for image in (evidence.scene, evidence.generated):
        tone = cv2.log(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) + DARK_OFFSET)
        bands.append(blur(tone, TEXTURE_BAND[0]) - blur(tone, TEXTURE_BAND[1]))
    scene, generated = bands
    power = blur(scene * scene, TEXTURE_SIGMA)
    left = blur(scene * generated, TEXTURE_SIGMA) / np.maximum(power, 1e-9)
    result: np.ndarray = (power > MIN_TEXTURE**2) & (left < MAX_TEXTURE_LEFT)
    return result
