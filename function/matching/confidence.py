"""Where the photograph may replace the model's pixels."""

from __future__ import annotations

import cv2
import numpy as np

from function.matching.photometric_refine import Agreement

# Trust starts where print agrees nearly as well as in the best quarter of this product (a share of that
# correlation): how well a right view agrees depends on how much the model wobbles and blurs.
BEST_QUANTILE = 0.75
SEED_SHARE = 0.85
# Never below this, whatever the best quarter reaches: chance agreement of broad shapes reaches 0.5.
MIN_SEED = 0.55
# From there it spreads over neighbouring places that agree at least in part (a share of that correlation): small
# print that the model has smeared agrees little, but lies on the same verified surface; a reflection does not.
SPREAD_SHARE = 0.6
# Trust narrower than this (px) is an accident of shapes; gaps narrower than this within trusted print are
# closed.
MIN_WIDTH_PX = 9
# Notches and holes up to this width (px) are closed unless the photograph is contradicted, by less than this
# correlation: garbled small print on a verified surface agrees a little, a strap before it does not.
NOTCH_PX = 17
CONTRADICTION = 0.1
# Trusted patches smaller than this share of the largest are dropped.
MIN_PATCH_SHARE = 0.1
# Trust fades over this radius (px): the model and the photograph agree there, so a short fade shows no
# double.
FADE_SIGMA = 1.5


def find_trust(agreed: Agreement) -> np.ndarray:
    """Trust (h, w) float32 0..1 in each photograph pixel; all 0 where nothing is verified."""
    none = np.zeros(agreed.local.shape, np.float32)
    seen = agreed.visible > 0.5
    if not seen.any():
        return none
    local, contrast = agreed.local[seen], agreed.contrast[seen]
    order = np.argsort(local)
    print_below = np.cumsum(contrast[order])
    best = local[order][np.searchsorted(print_below, BEST_QUANTILE * print_below[-1])]
    seeds = seen & (agreed.local > max(MIN_SEED, SEED_SHARE * best))
    around = (seen & (agreed.local > SPREAD_SHARE * best)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (MIN_WIDTH_PX, MIN_WIDTH_PX))
    around = cv2.morphologyEx(around, cv2.MORPH_OPEN, disc)
    count, patches = cv2.connectedComponents(around)
    # A patch is trusted for the verified print it holds.
    support = np.bincount(patches[seeds], minlength=count).astype(np.float64)
    support[0] = 0
    kept = support > max(MIN_WIDTH_PX**2, MIN_PATCH_SHARE * support.max(initial=0))
    trusted = cv2.morphologyEx(kept[patches].astype(np.uint8), cv2.MORPH_CLOSE, disc)
    notch = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (NOTCH_PX, NOTCH_PX))
    # What lies between trusted print and the outline is a notch too.
    closed = cv2.morphologyEx(cv2.max(trusted, (~seen).astype(np.uint8)), cv2.MORPH_CLOSE, notch)
    consistent = (seen & (agreed.local > CONTRADICTION)).astype(np.uint8)
    trusted = cv2.max(trusted, cv2.morphologyEx(cv2.min(closed, consistent), cv2.MORPH_OPEN, disc))
    # The fade lies inside the trusted patch, so that nothing beyond it is touched.
    inner = cv2.erode(trusted, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    result: np.ndarray = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), FADE_SIGMA) * trusted * agreed.visible
    return result
