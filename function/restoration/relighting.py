"""The light of an image in which the whole scene is relit: dusk for noon, a lamp at the other side.

Drift of colour is small and taken back (`colour_transfer.py`). More than drift hides everything else that was changed,
and cannot be taken back from what was inserted, whose colours in the scene's light are unknown. So the scene goes to
the image's light instead: a polynomial of second degree in the log ratio, fitted robustly (iteratively reweighted),
much wider than any product, and believed only where the relit scene is the image but for drift.

In: scene and registered image (h, w, 3) uint8. Out: `Relighting`, log gain float32.
`tests/restoration/test_relighting.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.photometry import log_ratio
from function.restoration.colour_transfer import ColourMatch, colour_cells, fit_colour_transform
from function.restoration.compositing import apply_shading, enlarge_crop, tiles

# Cells are compared from this level on, in both images (0..1): below it a ratio is rounding and black level.
MIN_LEVEL = 12 / 255
# Fewer cells are not fitted.
MIN_CELLS = 64
# Degree of the polynomial of place that the log ratio follows: a slope and a bend, and no bump as wide as a product.
DEGREE = 2
# Ridge on all of it but the mean: a corner of which nothing is seen goes with the rest.
RIDGE = 1e-3
# Scales of the robust weights in multiples of the median residual, from wide to narrow; and the least median (log
# ratio, two percent).
BREADTHS, MIN_MISFIT = (6.0, 4.0, 3.0, 2.0, 2.0, 2.0), 0.02
# Less than this (log factor of the strongest colour, mean of the image) is drift, and no reason to touch the scene.
MIN_GAIN = 0.1
# The light is kept at this many pixels along the longest side: it is smooth.
LIGHT_SIDE_PX = 64


@dataclass(frozen=True)
class Relighting:
    """How the generated image lights the scene.

    log_gain  (h', w', 3) float32, log of the factor on each colour, a small image of the whole
    """

    log_gain: np.ndarray

    def apply(self, scene: np.ndarray) -> None:
        """Puts `scene` (h, w, 3) uint8, at any size, under that light, in place."""
        height, width = scene.shape[:2]
        for box in tiles((0, 0, width, height)):
            rows = np.s_[box[1] : box[1] + box[3]]
            scene[rows] = apply_shading(scene[rows], cv2.exp(enlarge_crop(self.log_gain, (width, height), box)))

    @property
    def strength(self) -> float:
        """Mean over the image of the strongest colour's log factor, as a magnitude."""
        return float(np.abs(self.log_gain).max(axis=2).mean())


def find_relighting(
    scene: np.ndarray, generated: np.ndarray, inside: np.ndarray
) -> tuple[Relighting, np.ndarray, ColourMatch] | None:
    """The light of `generated`, the scene under it (h, w, 3) uint8, and the fit of the generated image's colours to
    that.

    scene, generated (h, w, 3) uint8 RGB, registered; inside (h, w) bool. None where no smooth light leads from one to
    the other: another background, another image.
    """
    target, source, seen = colour_cells(scene, generated, inside)
    valid = seen & (target.min(axis=2) > MIN_LEVEL) & (source.min(axis=2) > MIN_LEVEL)
    valid &= (target.max(axis=2) < 1 - 2 / 255) & (source.max(axis=2) < 1 - 2 / 255)
    if np.count_nonzero(valid) < MIN_CELLS:
        return None
    terms = _terms(*target.shape[:2])
    fit = _robust_fit(terms[valid], log_ratio(target[valid], source[valid], 0.0))
    scale = LIGHT_SIDE_PX / max(scene.shape[:2])
    rows, columns = (max(2, round(side * scale)) for side in scene.shape[:2])
    relighting = Relighting((_terms(rows, columns) @ fit).astype(np.float32))
    if relighting.strength < MIN_GAIN:
        return None
    relit = scene.copy()
    relighting.apply(relit)
    colours = fit_colour_transform(relit, generated, inside)
    return (relighting, relit, colours) if colours.trust == 1 else None


def _terms(rows: int, columns: int) -> np.ndarray:
    """(rows, columns, n) float64: the polynomial's terms at the centre of each cell, the constant first."""
    y, x = np.meshgrid(*((2 * (np.arange(n) + 0.5) / n - 1) for n in (rows, columns)), indexing="ij")
    powers = [(i, degree - i) for degree in range(DEGREE + 1) for i in range(degree + 1)]
    return np.stack([x**i * y**j for i, j in powers], axis=2)


def _robust_fit(terms: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """(n, 3): coefficients of the `terms` (cells, n) for the log `ratio` (cells, 3), blind to what was changed."""
    fit = np.zeros((terms.shape[1], ratio.shape[1]))
    fit[0] = np.median(ratio, axis=0)
    ridge = np.diag([0.0] + [RIDGE] * (terms.shape[1] - 1))
    for breadth in BREADTHS:
        misfit = np.abs(ratio - terms @ fit).max(axis=1)
        tolerance = breadth * max(MIN_MISFIT, float(np.median(misfit)))
        weight = 1 / (1 + (misfit / tolerance) ** 2) ** 2
        weighted = terms * (weight / weight.sum())[:, None]
        fit = np.linalg.solve(weighted.T @ terms + ridge, weighted.T @ ratio)
    return fit
