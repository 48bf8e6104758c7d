"""Which part of a picture a target of another shape shows, and how it is laid into it. Boxes are (x, y, width, height),
windows (left, top, right, bottom), all in pixels of the picture."""

from __future__ import annotations

import numpy as np

from function.imaging.frame import Size
from function.imaging.icc import from_srgb
from function.imaging.position import Position
from function.imaging.resize import Box, Window, cover_window, crop_and_resize

# Where the product's centre stands, share of the width and of the height: text has most of the other side, and None
# leaves that axis to what fits best.
_CENTRES: dict[Position, tuple[float | None, float | None]] = {
    "left": (0.28, None),
    "right": (0.72, None),
    "top": (None, 0.3),
    "bottom": (None, 0.7),
    "center": (0.5, 0.5),
}
SMALLEST_SHARE = 0.5  # of the largest window, a side: below it too few of the picture's pixels are left


def target_window(
    from_size: Size, size: Size, *, margin: float, position: Position | None, changed: Box | None, product: Box | None
) -> Window:
    """The part of a picture of `from_size` that covers `size` undistorted, with the product inside and `margin` (share
    of the shorter side) free around it, as far as the picture reaches.

    Without a position it is moved only as far as that takes. In the center it is moved until the product stands there,
    if the picture reaches that far; for a side it is made smaller too, by half at most and never so that the product
    leaves its margin. Without a product it is the largest, in the middle.
    """
    scale = max(size[0] / from_size[0], size[1] / from_size[1])
    largest = min(from_size[0], size[0] / scale), min(from_size[1], size[1] / scale)
    free = margin * min(largest)
    kept = None if product is None else _grown(product, free, from_size, largest)
    if position is None or product is None or kept is None:
        return cover_window(from_size, size, changed, kept)
    centres = _CENTRES[position]
    share = 1.0
    if position != "center":  # a smaller window has fewer pixels, and free room was not asked for
        reaching = _share_that_reaches(from_size, largest, product, centres)
        share = max(reaching, _share_that_holds(largest, product, margin))
    sides = share * largest[0], share * largest[1]
    starts = []
    for axis in (0, 1):
        place = centres[axis]
        middle = product[axis] + product[axis + 2] / 2
        start = middle - sides[axis] * (0.5 if place is None else place)
        free = margin * min(sides)
        least, most = product[axis] + product[axis + 2] + free - sides[axis], product[axis] - free
        start = min(max(start, least), most) if least <= most else (least + most) / 2
        starts.append(max(0.0, min(start, from_size[axis] - sides[axis])))
    right, bottom = (min(from_size[axis], starts[axis] + sides[axis]) for axis in (0, 1))  # a sum may be rounded up
    return starts[0], starts[1], right, bottom


def _share_that_reaches(
    from_size: Size, largest: tuple[float, float], product: Box, centres: tuple[float | None, float | None]
) -> float:
    """Of the largest window's sides: so small that the product's centre can stand where it is wanted."""
    share = 1.0
    for axis, place in enumerate(centres):
        if place is not None:
            middle = product[axis] + product[axis + 2] / 2
            room = min(middle / place, (from_size[axis] - middle) / (1 - place))
            share = min(share, room / largest[axis])
    return max(share, SMALLEST_SHARE)


def _share_that_holds(largest: tuple[float, float], product: Box, margin: float) -> float:
    """Of the largest window's sides: so large that the product and its margin fit; 1 at most."""
    free = 2 * margin * min(largest)
    return min(1.0, max(product[axis + 2] / max(1.0, largest[axis] - free) for axis in (0, 1)))


def _grown(box: Box, free: float, from_size: Size, window: tuple[float, float]) -> Box:
    """A box and what is to be free around it, inside the picture, and no larger than the window unless the box is."""
    starts, ends = [], []
    for axis in (0, 1):
        around = min(free, max(0.0, (window[axis] - box[axis + 2]) / 2 - 1))  # less one pixel, for rounding
        starts.append(max(0, round(box[axis] - around)))
        ends.append(min(from_size[axis], round(box[axis] + box[axis + 2] + around)))
    return starts[0], starts[1], ends[0] - starts[0], ends[1] - starts[1]


def contain(rgb: np.ndarray, size: Size, *, margin: float, background: str, icc: bytes | None) -> np.ndarray:
    """All of (H, W, 3) uint8 on a `background` (#rrggbb in sRGB, converted to the profile) of `size`, in its middle,
    with `margin` (share of the shorter side) free around it. Lanczos."""
    free = round(margin * min(size))
    room = size[0] - 2 * free, size[1] - 2 * free
    scale = min(room[0] / rgb.shape[1], room[1] / rgb.shape[0])
    inner = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    colour = np.array([[[int(background[place : place + 2], 16) for place in (1, 3, 5)]]], np.uint8)
    whole = np.empty((size[1], size[0], 3), np.uint8)
    whole[:] = from_srgb(colour, icc)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    all_of_it = (0.0, 0.0, float(rgb.shape[1]), float(rgb.shape[0]))
    whole[top : top + inner[1], left : left + inner[0]] = crop_and_resize(rgb, inner, all_of_it)
    return whole
