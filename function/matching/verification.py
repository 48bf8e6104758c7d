"""Where the photograph may replace the model's pixels: a verification mask by hysteresis thresholding.

Local correlation above a high threshold is a seed; from seeds it grows over connected pixels above a low one (Canny, "A
computational approach to edge detection", PAMI 8, 1986, doi:10.1109/TPAMI.1986.4767851). Both thresholds are relative
to what the better print of this product reaches, for that depends on how much the model wobbles and blurs. Opening
drops what is narrow, closing fills notches unless the photograph is contradicted there, and small components go.

In: an `NccMap` on the photograph's grid (h, w). Out: (h, w) float32 0..1. Small print that the model has smeared
correlates little, but lies on the same verified surface; a reflection does not. `python -m tests.bench.fidelity` shows
what is restored by it.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.matching.photometric_refine import NccMap

# High threshold: this share of the correlation that the best quarter of this product's print reaches.
REFERENCE_QUANTILE = 0.75
HIGH_THRESHOLD_SHARE = 0.85
# Its lower bound: chance agreement of broad shapes reaches .5.
MIN_HIGH_THRESHOLD = 0.55
# Low threshold, as a share of the same correlation.
LOW_THRESHOLD_SHARE = 0.6
# Size of the opening and of the first closing (px): what is narrower is an accident of shapes.
MIN_WIDTH_PX = 9
# Size of the second closing (px), except where the correlation is below the threshold: garbled small print correlates a
# little, a strap before the product does not.
CLOSING_PX = 17
CONTRADICTION = 0.1
# Components with less support than this share of the largest one's are dropped.
MIN_PATCH_SHARE = 0.1
# Standard deviation of the soft edge (px): both images agree there, so a narrow one shows no double.
FADE_SIGMA = 1.5


def verification_mask(ncc: NccMap) -> np.ndarray:
    """(h, w) float32 0..1 on the photograph's grid; all 0 where nothing is verified."""
    none = np.zeros(ncc.local.shape, np.float32)
    visible = ncc.visible > 0.5
    if not visible.any():
        return none
    local, contrast = ncc.local[visible], ncc.contrast[visible]
    order = np.argsort(local)
    print_below = np.cumsum(contrast[order])
    best = local[order][np.searchsorted(print_below, REFERENCE_QUANTILE * print_below[-1])]
    seeds = visible & (ncc.local > max(MIN_HIGH_THRESHOLD, HIGH_THRESHOLD_SHARE * best))
    weak = (visible & (ncc.local > LOW_THRESHOLD_SHARE * best)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (MIN_WIDTH_PX, MIN_WIDTH_PX))
    weak = cv2.morphologyEx(weak, cv2.MORPH_OPEN, disc)
    count, patches = cv2.connectedComponents(weak)
    # A component's support is the seeds that it holds.
    support = np.bincount(patches[seeds], minlength=count).astype(np.float64)
    support[0] = 0
    kept = support > max(MIN_WIDTH_PX**2, MIN_PATCH_SHARE * support.max(initial=0))
    verified = cv2.morphologyEx(kept[patches].astype(np.uint8), cv2.MORPH_CLOSE, disc)
    closing = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (CLOSING_PX, CLOSING_PX))
    # The closing fills between verified print and the silhouette too.
    closed = cv2.morphologyEx(cv2.max(verified, (~visible).astype(np.uint8)), cv2.MORPH_CLOSE, closing)
    consistent = (visible & (ncc.local > CONTRADICTION)).astype(np.uint8)
    verified = cv2.max(verified, cv2.morphologyEx(cv2.min(closed, consistent), cv2.MORPH_OPEN, disc))
    # The soft edge lies inside the mask, so that nothing beyond it is touched.
    inner = cv2.erode(verified, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    result: np.ndarray = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), FADE_SIGMA) * verified * ncc.visible
    return result
