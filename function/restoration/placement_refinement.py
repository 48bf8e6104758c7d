"""Refines the placement of a photograph to a fraction of a pixel, so that composited over the scene it explains the
image.

Affine alignment by the enhanced correlation coefficient (Evangelidis and Psarakis, PAMI 30, 2008,
doi:10.1109/TPAMI.2008.113), which light and contrast do not sway, coarse to fine: a leg of 6 px that is 8 px off is
found at the coarse size. In: photograph (ph, pw, 4), scene and image (h, w, 3) uint8, start matrices (2, 3). Out: a
`Placement`, or None where nothing near correlates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from function.restoration.overlay import Overlay, premultiplied

# Longest side of the product (px), coarse and fine. A leg of 6 px that is 8 px off is found at the coarse one.
COARSE_PX, FINE_PX = 96, 320
# Explained share at which no other start is tried, and the least one that is refined at the fine size.
SURE_EXPLAINED, MIN_COARSE = 0.8, 0.3
# A place that is wider or taller than the photograph (log of the ratio) by more is none; the judge holds what is drawn
# too wide or too tall against a limit of its own. Sheared by more it is another view of the product.
MAX_LOG_ASPECT, MAX_SHEAR = 0.45, 0.2

Pictures = tuple[np.ndarray, np.ndarray | None, np.ndarray, np.ndarray]  # as `Overlay.of` takes them


@dataclass(frozen=True)
class Placement:
    """How the photograph lies in the generated image.

    matrix     (2, 3) float32: photograph px → image px
    explained  share 0..1 of what the generated image changed there that the photograph composited over the scene
               explains
    """

    matrix: np.ndarray
    explained: float

    @property
    def lean_deg(self) -> float:
        """Degrees by which the photograph's verticals lean in the generated image, their tops to the right where
        positive."""
        (down_x, down_y) = self.matrix[:, 1].astype(np.float64)
        return float(np.degrees(np.arctan2(-down_x, down_y)))

    @property
    def aspect_change(self) -> float:
        """Width over height in the generated image, against the photograph's."""
        wide, tall = np.hypot(*self.matrix[:, :2].astype(np.float64))
        return float(wide / tall)


def refine_placement(
    photograph: np.ndarray,
    unknown: np.ndarray | None,
    scene: np.ndarray,
    generated: np.ndarray,
    starts: Iterable[np.ndarray],
) -> Placement | None:
    """The place near one of `starts` (2, 3), photograph px → image px, that explains the `generated` (h, w, 3) best.

    photograph (ph, pw, 4) uint8; unknown (ph, pw) uint8, 255 where it is not known whether that is product. None where
    nothing near is alike. By enhanced correlation (Evangelidis and Psarakis, Parametric image alignment, 2008), which
    light and contrast do not sway.
    """
    pictures = premultiplied(photograph), unknown, scene, generated
    best: Placement | None = None
    for start in starts:
        found = _refined_at(pictures, start, COARSE_PX)
        if found is not None and (best is None or found.explained > best.explained):
            best = found
        if best is not None and best.explained > SURE_EXPLAINED:
            break
    if best is None or best.explained < MIN_COARSE:
        return None
    return _refined_at(pictures, best.matrix, FINE_PX)


def _refined_at(pictures: Pictures, start: np.ndarray, side: int) -> Placement | None:
    level = Overlay.of(*pictures, start, side)
    if level is None:
        return None
    matrix = level.aligned(start.astype(np.float64))
    return None if _is_distorted(matrix) else Placement(matrix.astype(np.float32), level.explained(matrix))


def _is_distorted(matrix: np.ndarray) -> bool:
    across, down = matrix[:, 0], matrix[:, 1]
    wide, tall = float(np.hypot(*across)), float(np.hypot(*down))
    leaning = abs(float(across @ down)) / max(wide * tall, 1e-9)
    return wide < 1e-3 or tall < 1e-3 or abs(np.log(wide / tall)) > MAX_LOG_ASPECT or leaning > MAX_SHEAR
