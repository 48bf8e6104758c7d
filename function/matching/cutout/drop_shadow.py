"""Removes the drop shadow that an image editor bakes into a cut-out's alpha.

A baked shadow is black, translucent and soft. Where both overlap along the silhouette, compositing is undone: for a
total alpha A over a shadow of alpha s the product's own is (A - s) / (1 - s), and the stored colour is the product's,
darkened in proportion (Porter and Duff, "Compositing digital images", SIGGRAPH 1984, doi:10.1145/800031.808606). The
shadow's alpha beneath the silhouette is extrapolated by push-pull. In: (h, w, 4) uint8. Out: the same without it, and
its alpha.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.matching.cutout.backdrop import push_pull

# A product is opaque from this alpha on, or not dark (glass), and takes at least this share of what is covered.
SOLID_ALPHA, MIN_BODY = 245, 0.3
# A chain takes less of its own shadow: then the shadow has to fade out on all sides, as dark glass and a veil do not.
# Alpha of nine tenths of the dark pixels beside empty ones is at most so much.
MIN_THIN_BODY, MAX_FADED_ALPHA = 0.05, 16
# Brightest channel (0..255) and range of alpha of a shadow.
MAX_LEVEL, MAX_ALPHA, MIN_ALPHA = 60, 230, 3
# Largest step of its alpha from pixel to pixel at 600 px: it is soft.
MAX_STEP = 12.0
# Least share of what is covered: less is an antialiased silhouette.
MIN_SHARE = 0.01
ESTIMATE_PX = 600
# Dark pixels whose alpha exceeds the surrounding shadow's by less are shadow only.
MIN_OWN_ALPHA = 0.08


def remove_drop_shadow(product: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """`product` (h, w, 4) uint8 RGBA without its drop shadow, and that shadow's alpha (h, w) uint8; None without one.

    Along the outline both overlap: of alpha A over a shadow of alpha s the product's own is (A - s) / (1 - s), and the
    stored colour is the product's, darkened in proportion (Porter and Duff, Compositing digital images, 1984).
    """
    alpha = cv2.extractChannel(product, 3)
    covered = cv2.countNonZero(cv2.inRange(alpha, MIN_ALPHA, 255))
    if cv2.countNonZero(cv2.inRange(alpha, MIN_ALPHA, MAX_ALPHA)) < MIN_SHARE * covered:
        # As most cut-outs: no more than the silhouette is translucent, and the colours need no look.
        return None
    dark = cv2.inRange(product, np.array([0, 0, 0, MIN_ALPHA]), np.array([MAX_LEVEL] * 3 + [MAX_ALPHA]))
    solid = cv2.countNonZero(cv2.inRange(alpha, SOLID_ALPHA, 255))
    body = max(solid, covered - cv2.countNonZero(dark))
    if covered == 0 or body < MIN_THIN_BODY * covered or (body < MIN_BODY * covered and not _fades_out(alpha, dark)):
        return None
    if cv2.countNonZero(dark) < MIN_SHARE * covered:
        return None
    scale = min(1.0, ESTIMATE_PX / max(alpha.shape))
    size = max(1, round(alpha.shape[1] * scale)), max(1, round(alpha.shape[0] * scale))
    small, shadow = (cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (alpha, dark))
    smooth = cv2.GaussianBlur(small, (0, 0), 1.0).astype(np.float32)
    slope = np.hypot(*(cv2.Sobel(smooth, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1))))
    known = (shadow > 250) & (slope < MAX_STEP)
    known = cv2.erode(known.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if known.mean() < MIN_SHARE * (small >= MIN_ALPHA).mean():
        return None
    empty = small < MIN_ALPHA
    weight = (known | empty).astype(np.float32)
    level = np.where(known, small, 0).astype(np.float32) * weight
    shadow_alpha = push_pull(np.dstack([level] * 3), weight)[..., 0]
    shadow_alpha = np.where(known | empty, level, shadow_alpha)
    full: np.ndarray = (
        cv2.resize(shadow_alpha.astype(np.float32), alpha.shape[::-1], interpolation=cv2.INTER_LINEAR) / 255
    )
    both = alpha.astype(np.float32) / 255
    own = np.clip((both - full) / np.maximum(1 - full, 0.05), 0, 1)
    own[(dark > 0) & (both - full < MIN_OWN_ALPHA)] = 0
    own[alpha >= SOLID_ALPHA] = both[alpha >= SOLID_ALPHA]
    gain = both / np.maximum(own, 1 / 255)
    changed = (own > 0) & (own < both - 1 / 255)
    rgb = product[..., :3].astype(np.float32)
    rgb[changed] = np.minimum(rgb[changed] * gain[changed][:, None], 255)
    result = np.dstack([rgb, own * 255 + 0.5]).astype(np.uint8)
    return result, np.where(own < both, (np.minimum(full, both) * 255).astype(np.uint8), 0).astype(np.uint8)


def _fades_out(alpha: np.ndarray, dark: np.ndarray) -> bool:
    """Whether the `dark` part (h, w) uint8 of an `alpha` (h, w) uint8 has a soft end wherever it has one."""
    empty = cv2.inRange(alpha, 0, MIN_ALPHA - 1)
    ends = alpha[(cv2.dilate(empty, np.ones((3, 3), np.uint8)) > 0) & (dark > 0)]
    return ends.size > 0 and float(np.quantile(ends, 0.9)) <= MAX_FADED_ALPHA
