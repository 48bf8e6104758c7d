"""The photograph composited over the scene at one size: how well that explains the image, and a better place.

Analysis by synthesis: the photograph (premultiplied alpha) is warped over the scene under one smooth light, estimated
from the image's luma. What the image changed and the composite does not explain is the residual. The warp is refined by
the enhanced correlation coefficient on the channel in which the product shows most; pixels that may be backdrop are
left out.

In: photograph (ph, pw, 4), scene and image (h, w, 3) uint8, matrix (2, 3). Out: matrix (2, 3), explained share 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from function.imaging.array_ops import blur, max_channel, to_three_channels

# Margin around the product, a share of its longer side and px.
MARGIN_SHARE, MARGIN_PX = 0.15, 6
# Refinements at each size, and steps and termination of the enhanced correlation in each.
REFINEMENTS, STEPS, MIN_STEP = 2, 40, 1e-4
# Light on the product: standard deviation as a share of its size, and its range as factors.
LIGHT_SIGMA, MIN_LIGHT, MAX_LIGHT = 0.15, 0.25, 4.0
# The compared zone reaches beyond the silhouette by this (px); alpha (0..1) from which something is covered.
ZONE_PX, MIN_COVERED = 3, 0.1
# Keeps ratios of dark pixels finite, 8-bit levels.
DARK_OFFSET = 8.0
# A generated image differs by so many levels where nothing changed.
NOISE_LEVELS = 1.5
# Fewer pixels are not compared.
MIN_PIXELS = 60


@dataclass(frozen=True)
class Overlay:
    """Both images around the product at one size, float32; `to_crop` (2, 3): image px → px of the crop."""

    photograph: np.ndarray
    known: np.ndarray
    shrink: np.ndarray
    scene: np.ndarray
    generated: np.ndarray
    to_crop: np.ndarray

    @classmethod
    def of(
        cls,
        premultiplied: np.ndarray,
        unknown: np.ndarray | None,
        scene: np.ndarray,
        generated: np.ndarray,
        matrix: np.ndarray,
        side: int,
    ) -> Overlay | None:
        """The surroundings of `matrix`, with the product's longest side `side` px; None outside of the image.

        premultiplied (ph, pw, 4) uint8 RGBA; unknown (ph, pw) uint8; scene, generated (h, w, 3) uint8; matrix (2, 3).
        """
        corners = _covered_corners(premultiplied) @ matrix[:, :2].T + matrix[:, 2]
        low, high = corners.min(axis=0), corners.max(axis=0)
        size = float((high - low).max())
        pad = MARGIN_SHARE * size + MARGIN_PX
        height, width = generated.shape[:2]
        x0, y0 = (int(max(0, v - pad)) for v in low)
        x1, y1 = (int(min(n, v + pad)) for v, n in zip(high, (width, height), strict=True))
        if min(x1 - x0, y1 - y0) < 8:
            return None
        scale = min(1.0, side / size)
        shape = max(8, round((x1 - x0) * scale)), max(8, round((y1 - y0) * scale))
        scene_crop, generated_crop = (
            cv2.resize(p[y0:y1, x0:x1], shape, interpolation=cv2.INTER_AREA).astype(np.float32)
            for p in (scene, generated)
        )
        at = np.array([shape[0] / (x1 - x0), shape[1] / (y1 - y0)])
        to_crop = np.array([[at[0], 0, 0], [0, at[1], 0]])
        to_crop[:, 2] = (0.5 - np.array([x0, y0])) * at - 0.5
        step = float(np.sqrt(abs(np.linalg.det(matrix[:, :2])))) * scale
        if step < 1:
            small_size = tuple(max(8, round(n * step)) for n in premultiplied.shape[1::-1])
            small = cv2.resize(premultiplied, small_size, interpolation=cv2.INTER_AREA).astype(np.float32)
        else:
            small = premultiplied.astype(np.float32)
        share = np.array([small.shape[1] / premultiplied.shape[1], small.shape[0] / premultiplied.shape[0]])
        shrink = np.array([[share[0], 0, 0.5 * share[0] - 0.5], [0, share[1], 0.5 * share[1] - 0.5]])
        known = np.ones(small.shape[:2], np.float32)
        if unknown is not None:
            known -= cv2.resize(unknown, small.shape[1::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        return cls(small, known, shrink, scene_crop, generated_crop, to_crop)

    def aligned(self, matrix: np.ndarray) -> np.ndarray:
        """`matrix` (2, 3) improved."""
        for _ in range(REFINEMENTS):
            composite, cover, known = self._composite(matrix)
            mask = cv2.dilate((cover > MIN_COVERED).astype(np.uint8), np.ones((2 * ZONE_PX + 1,) * 2, np.uint8))
            mask[known < 0.5] = 0
            if cv2.countNonZero(mask) < MIN_PIXELS:
                return matrix
            shows = np.abs(composite - self.scene)[mask > 0].mean(axis=0)
            channel = int(shows.argmax())
            warp: np.ndarray = np.eye(2, 3, dtype=np.float32)
            criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, STEPS, MIN_STEP)
            composited, shown = (np.ascontiguousarray(p[..., channel]) for p in (composite, self.generated))
            try:
                _, warp = cv2.findTransformECC(composited, shown, warp, cv2.MOTION_AFFINE, criteria, mask, 3)
            except cv2.error:  # nothing alike
                return matrix
            crop = _square(self.to_crop)
            matrix = (np.linalg.inv(crop) @ _square(warp) @ crop @ _square(matrix))[:2]
        return matrix

    def explained(self, matrix: np.ndarray) -> float:
        """See `Placement`."""
        composite, cover, known = self._composite(matrix)
        zone = cv2.dilate((cover > MIN_COVERED).astype(np.uint8), np.ones((2 * ZONE_PX + 1,) * 2, np.uint8)) > 0
        zone &= known > 0.5
        if zone.sum() < MIN_PIXELS:
            return 0.0
        shown, scene, composited = (cv2.GaussianBlur(p, (0, 0), 1.0) for p in (self.generated, self.scene, composite))
        left, whole = (float(max_channel(np.abs(shown - p))[zone].mean()) for p in (composited, scene))
        return (
            max(0.0, 1 - max(0.0, left - NOISE_LEVELS) / max(whole - NOISE_LEVELS, 1e-3))
            if whole > 2 * NOISE_LEVELS
            else 0.0
        )

    def _composite(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The photograph over the scene (h, w, 3), under the product's light; its coverage and what is known (h, w)."""
        whole = (_square(self.to_crop) @ _square(matrix) @ np.linalg.inv(_square(self.shrink)))[:2]
        size = self.scene.shape[1::-1]
        composited = cv2.warpAffine(self.photograph, whole, size, flags=cv2.INTER_LINEAR)
        known = cv2.warpAffine(self.known, whole, size, flags=cv2.INTER_LINEAR, borderValue=1)
        cover = composited[..., 3] / 255
        sigma = max(1.0, LIGHT_SIGMA * max(size))
        weight = cover * known
        mean = partial(blur, sigma=sigma)
        through = self.scene * to_three_channels(1 - cover)
        shown = mean(cv2.cvtColor(np.maximum(self.generated - through, 0), cv2.COLOR_RGB2GRAY) * known)
        expected = mean(cv2.cvtColor(composited[..., :3], cv2.COLOR_RGB2GRAY) * known)
        near = DARK_OFFSET * mean(weight) + 1e-3
        light = np.clip((shown + near) / (expected + near), MIN_LIGHT, MAX_LIGHT)
        over = composited[..., :3] * to_three_channels(light) + through
        return over.astype(np.float32), cover, known


def premultiplied(rgba: np.ndarray) -> np.ndarray:
    """(h, w, 4) uint8 of (h, w, 4) uint8: colours times coverage."""
    alpha = cv2.extractChannel(rgba, 3)
    return cv2.multiply(rgba, cv2.merge([alpha, alpha, alpha, np.full_like(alpha, 255)]), scale=1 / 255)


def _covered_corners(rgba: np.ndarray) -> np.ndarray:
    """(4, 2) float: corners of what is covered, px."""
    x, y, width, height = cv2.boundingRect(cv2.inRange(cv2.extractChannel(rgba, 3), 16, 255))
    return np.array([[x, y], [x + width, y], [x, y + height], [x + width, y + height]], float)


def _square(matrix: np.ndarray) -> np.ndarray:
    return np.vstack([matrix, [0, 0, 1]])
