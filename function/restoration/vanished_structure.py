"""Where the scene has structure that the generated image lacks: print, an edge or a thing that was removed.

The energy of a band-pass of the logarithm is compared over a window: neither light nor repainted texture, which keeps
its energy, is a loss. In: blurred images (h', w', 3) float32. Out: (h', w') bool. On twenty-two real images the median
of structured ground keeps .91 to 1.05 of its strength, ground that lost its print .1.
"""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.photometry import log_ratio

# The scene has structure from this strength on (standard deviation of the logarithm in the band): print, outlines,
# coarse texture. Grain and what 8-bit rounding makes of a dark ground stay below.
MIN_STRUCTURE = 0.04
# It is gone where less than this share of it is left. Repainted texture keeps its strength: on twenty-two real images
# the median of structured ground keeps .91 to 1.05, whatever its likeness; ground that lost its print keeps .1.
MIN_LEFT = 0.35
# Strength is taken over a window of this side (half-size pixels): as wide as the band reaches.
WINDOW_PX = 11


def vanished_structure(
    scene: tuple[np.ndarray, np.ndarray], generated: tuple[np.ndarray, np.ndarray], dark_offset: float
) -> np.ndarray:
    """(h', w') bool. `scene` and `generated`: each blurred little and more, (h', w', 3) float32 0..255.

    Strength in the generated image counts whatever it looks like, so that neither light nor repainted texture is a
    loss.
    """
    before, after = (_power(*pair, dark_offset) for pair in (scene, generated))
    return (before > MIN_STRUCTURE**2) & (after < MIN_LEFT**2 * before)


def _power(little: np.ndarray, more: np.ndarray, dark_offset: float) -> np.ndarray:
    """(h', w') float32: mean square over the window of the logarithm's band between the two blurs."""
    little, more = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (little, more))
    band = log_ratio(more, little, dark_offset)
    result: np.ndarray = cv2.blur(band * band, (WINDOW_PX, WINDOW_PX))
    return result
