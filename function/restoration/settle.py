"""A first place of the product, improved to a fraction of a pixel: its photograph is laid over the scene so that both
together look like the answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from function.restoration.overlay import Overlay, premultiplied

# Longest side of the product in px, first and then. A leg of 6 px that is 8 px off is found at the coarse one.
COARSE_PX, FINE_PX = 96, 320
# No other first place is tried once one explains so much; less than the other is not looked at closely.
CLEARLY, MIN_COARSE = 0.8, 0.3
# A place that is wider or taller than the photograph (log of the ratio) by more is none; the judge holds what is drawn
# too wide or too tall against a limit of its own. Sheared by more it is another view of the product.
MAX_STRETCHED, MAX_SHEARED = 0.45, 0.2

Pictures = tuple[np.ndarray, np.ndarray | None, np.ndarray, np.ndarray]  # as `Overlay.of` takes them


@dataclass(frozen=True)
class Placement:
    """How the photograph lies in the answer.

    matrix     (2, 3) float32: photograph px → answer px
    explained  share 0..1 of what the answer changed there that the photograph laid over the scene explains
    """

    matrix: np.ndarray
    explained: float

    @property
    def lean_deg(self) -> float:
        """Degrees by which the photograph's verticals lean in the answer, their tops to the right where positive."""
        (down_x, down_y) = self.matrix[:, 1].astype(np.float64)
        return float(np.degrees(np.arctan2(-down_x, down_y)))

    @property
    def aspect_change(self) -> float:
        """Width over height in the answer, against the photograph's."""
        wide, tall = np.hypot(*self.matrix[:, :2].astype(np.float64))
        return float(wide / tall)


def settle(
    photograph: np.ndarray,
    unknown: np.ndarray | None,
    scene: np.ndarray,
    answer: np.ndarray,
    firsts: Iterable[np.ndarray],
) -> Placement | None:
    """The place near one of `firsts` (2, 3), photograph px → answer px, that explains the `answer` (h, w, 3) best.

    photograph (ph, pw, 4) uint8; unknown (ph, pw) uint8, 255 where it is not known whether that is product. None where
    nothing near is alike. By enhanced correlation (Evangelidis and Psarakis, Parametric image alignment, 2008), which
    light and contrast do not sway.
    """
    pictures = premultiplied(photograph), unknown, scene, answer
    best: Placement | None = None
    for first in firsts:
        found = _improved(pictures, first, COARSE_PX)
        if found is not None and (best is None or found.explained > best.explained):
            best = found
        if best is not None and best.explained > CLEARLY:
            break
    if best is None or best.explained < MIN_COARSE:
        return None
    return _improved(pictures, best.matrix, FINE_PX)


def _improved(pictures: Pictures, first: np.ndarray, side: int) -> Placement | None:
    level = Overlay.of(*pictures, first, side)
    if level is None:
        return None
    matrix = level.aligned(first.astype(np.float64))
    return None if _is_bent(matrix) else Placement(matrix.astype(np.float32), level.explained(matrix))


def _is_bent(matrix: np.ndarray) -> bool:
    across, down = matrix[:, 0], matrix[:, 1]
    wide, tall = float(np.hypot(*across)), float(np.hypot(*down))
    leaning = abs(float(across @ down)) / max(wide * tall, 1e-9)
    return wide < 1e-3 or tall < 1e-3 or abs(np.log(wide / tall)) > MAX_STRETCHED or leaning > MAX_SHEARED
