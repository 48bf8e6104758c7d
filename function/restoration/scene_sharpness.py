"""How much sharpening makes the enlarged image as sharp as the scene is at full resolution.

Beside the product the generated image shows the scene itself. In the blocks with the most detail the energy of the
Laplacian is compared: of the scene, of the enlarged image, and of that sharpened fully; the strength interpolates. In:
blocks (h, w, 3) uint8. Out: a strength 0..1.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.array_ops import PixelBox

# Sides of the blocks that are compared, in analysis pixels, and how many: those with the most detail. A few hundred
# edges tell the sharpness of a lens or an enlargement; more cost time.
BLOCK_PX, MAX_BLOCKS = 24, 8
# Blocks lie around the product, as far away as it is large: further off the scene may be out of focus.
REACH = 1.0
# Where the finest detail of both (Laplacian, 8-bit levels, root mean square) is less there is nothing to compare.
MIN_DETAIL = 1.0
# Blur before the Laplacian (standard deviation, px): it leaves out single pixels' grain.
GRAIN_SIGMA_PX = 0.7
# What is sharpened by in a scene without detail, a share of the strongest: the outline still has to look cut.
DEFAULT_STRENGTH = 0.5


def sharpening_strength(blocks: list[tuple[np.ndarray, np.ndarray, np.ndarray]], margin: int) -> float:
    """Share 0..1 of the strongest sharpening that gives the generated image the scene's sharpness.

    blocks  scene, enlarged image, and that sharpened with full strength, each (h, w, 3) uint8 at full resolution, where
            the generated image shows the scene
    margin  so many pixels at the blocks' borders are left out
    """
    energies = [[_detail(rgb, margin) for rgb in block] for block in blocks]
    if not energies:
        return DEFAULT_STRENGTH
    detail, least, most = np.sqrt(np.mean(energies, axis=0))
    if max(detail, least) < MIN_DETAIL:
        return DEFAULT_STRENGTH
    return float(np.clip((detail - least) / max(most - least, 1e-6), 0, 1))


def detailed_blocks(
    image: np.ndarray, unchanged: np.ndarray, mask: np.ndarray, full_size: tuple[int, int]
) -> list[PixelBox]:
    """Boxes at `full_size` around the product where the scene has the most detail and the generated image shows it
    unchanged.

    image (h, w, 3) uint8, the scene at analysis size; unchanged (h, w) bool; mask (h, w) uint8, the product's coverage.
    """
    height, width = mask.shape
    x, y, wide, tall = cv2.boundingRect(cv2.inRange(mask, 128, 255))
    reach_x, reach_y = round(REACH * wide), round(REACH * tall)
    left, top = max(0, x - reach_x), max(0, y - reach_y)
    columns = (min(width, x + wide + reach_x) - left) // BLOCK_PX
    rows = (min(height, y + tall + reach_y) - top) // BLOCK_PX
    if columns < 1 or rows < 1:
        return []
    around = np.s_[top : top + rows * BLOCK_PX, left : left + columns * BLOCK_PX]
    grey = cv2.cvtColor(image[around], cv2.COLOR_RGB2GRAY)
    detail = cv2.convertScaleAbs(cv2.Laplacian(grey, cv2.CV_16S))
    per_block = cv2.resize(detail, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    free = unchanged[around].reshape(rows, BLOCK_PX, columns, BLOCK_PX).all(axis=(1, 3))
    best = np.argwhere(free)[np.argsort(per_block[free])[::-1][:MAX_BLOCKS]]
    scale = np.array([full_size[0] / width, full_size[1] / height])
    starts = best[:, ::-1] * BLOCK_PX + [left, top]
    corners = np.rint(np.hstack([starts * scale, (starts + BLOCK_PX) * scale])).astype(int).tolist()
    return [(x0, y0, x1 - x0, y1 - y0) for x0, y0, x1, y1 in corners]


def _detail(rgb: np.ndarray, margin: int) -> float:
    """Mean square of the finest detail of `rgb` (h, w, 3) uint8, off its borders."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), GRAIN_SIGMA_PX), cv2.CV_32F)
    return float((detail[margin:-margin, margin:-margin] ** 2).mean())
