"""The product's main colours in its photograph, beside those at the same places of the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

GRID_PX = 96  # longest side at which colours are compared: label print melts into its ground
COLOURS = 4
OPAQUE = 250  # of 255
MIN_PIXELS = 40
MIN_SHARE = 0.04  # of the product that a colour has to cover to be shown
UNREADABLE = (OSError, ValueError, SyntaxError, cv2.error)


def main_colours(photograph: Path, result: Path, corners: list[list[float]]) -> list[list[Any]]:
    """["#rrggbb" of the photograph, "#rrggbb" of the result, difference in CIELAB (1976)] for each main colour, the
    largest first; nothing where the product is too small or a picture cannot be read.

    `corners`: the photograph's top left, top right and bottom left corners as shares of the result.
    """
    try:
        return _compared(photograph, result, corners)
    except UNREADABLE:
        return []


def _compared(photograph: Path, result: Path, corners: list[list[float]]) -> list[list[Any]]:
    product, shown = _small(photograph), _whole(result)
    height, width = product.shape[:2]
    place = np.array(corners) * [shown.shape[1], shown.shape[0]]
    across, down = (place[1] - place[0]) / width, (place[2] - place[0]) / height
    to_result = np.column_stack([across, down, place[0]]).astype(np.float32)
    placed = cv2.warpAffine(shown, to_result, (width, height), flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP)
    inside = cv2.erode((product[..., 3] >= OPAQUE).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    seen = cv2.warpAffine(
        np.full(shown.shape[:2], 255, np.uint8), to_result, (width, height), flags=cv2.WARP_INVERSE_MAP
    )
    inside &= seen == 255
    if np.count_nonzero(inside) < MIN_PIXELS:
        return []
    lab = _lab(product[..., :3])[inside]
    enough = cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5
    cv2.setRNGSeed(1)  # the same page each time
    _, labels, _ = cv2.kmeans(lab, COLOURS, np.empty(0), enough, 1, cv2.KMEANS_PP_CENTERS)
    found = []
    for number in range(COLOURS):
        part = labels[:, 0] == number
        if part.mean() < MIN_SHARE:
            continue
        colours = [np.median(pixels[inside][part], axis=0) for pixels in (product[..., :3], placed)]
        one, other = (_lab(colour[None, None].astype(np.uint8))[0, 0] for colour in colours)
        found.append((float(part.mean()), [*map(_hex, colours), round(float(np.linalg.norm(one - other)), 1)]))
    return [row for _, row in sorted(found, key=lambda one: -one[0])]


def _small(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        image.thumbnail((GRID_PX, GRID_PX), Image.Resampling.BOX)
        return np.asarray(image.convert("RGBA"))


def _whole(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _lab(rgb: np.ndarray) -> np.ndarray:
    """uint8 RGB → float32 CIELAB, as one row of pixels each."""
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def _hex(colour: np.ndarray) -> str:
    red, green, blue = (round(float(part)) for part in colour)
    return f"#{red:02x}{green:02x}{blue:02x}"
