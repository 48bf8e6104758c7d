"""How the emulated model reads a place that is outlined in a copy of the scene: by the line of the named colour that
the scene itself does not have."""

from __future__ import annotations

import re
from dataclasses import dataclass

import cv2
import numpy as np

from function.tools.emulator.protocol import GenerateRequest

OUTLINED = re.compile(r"(in the box that is|inside (?:the area|one of the areas)) outlined in (\w+) in \[(\d+)\]")
COLOURS = {"magenta": (255, 0, 255), "cyan": (0, 255, 255), "green": (0, 255, 0), "yellow": (255, 255, 0)}
ALIKE = 120  # of the three channels' differences together: a line that was packed with loss is still of its colour
MARK_MANNERS = frozenset({"mark_painted"})  # the outline is painted into the picture, more or less faintly
FAINTEST = 0.4  # opacity of an outline that is painted


@dataclass(frozen=True)
class MarkedSpot:
    """What is outlined, in shares of the picture: a box (left, top, right, bottom), or a point (x, y) well inside an
    area."""

    box: tuple[float, float, float, float] | None
    best: tuple[float, float] | None


def shows_mark(text: str) -> bool:
    """Whether the prompt `text` speaks of an outline."""
    return OUTLINED.search(text) is not None


def marked_image(request: GenerateRequest) -> np.ndarray | None:
    """The copy of the scene (h, w, 3) that the prompt speaks of; None without one."""
    said = OUTLINED.search(request.text)
    if said is None or not 1 <= int(said[3]) <= len(request.images):
        return None
    return request.images[int(said[3]) - 1].pixels[..., :3]


def with_mark(scene: np.ndarray, request: GenerateRequest, rng: np.random.Generator) -> np.ndarray:
    """The `scene` (h, w, 3) uint8 with the outline on it, as a model leaves it there by mistake."""
    marked = marked_image(request)
    if marked is None:
        return scene
    painted = rng.uniform(FAINTEST, 1.0)
    picture: np.ndarray = np.rint(scene + painted * (marked.astype(np.float32) - scene)).astype(np.uint8)
    return picture


def read_mark(request: GenerateRequest) -> MarkedSpot | None:
    """What is outlined; None where the prompt speaks of no outline, or where it is not seen."""
    said, marked = OUTLINED.search(request.text), marked_image(request)
    if said is None or marked is None:
        return None
    colour = np.array(COLOURS.get(said[2], (0, 0, 0)), np.int32)
    own = np.abs(request.images[0].pixels[..., :3].astype(np.int32) - colour).sum(2) <= ALIKE
    line = ((np.abs(marked.astype(np.int32) - colour).sum(2) <= ALIKE) & ~own).astype(np.uint8)
    around, _ = cv2.findContours(line, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not around:
        return None
    height, width = line.shape
    filled = cv2.drawContours(np.zeros_like(line), around, -1, 1, cv2.FILLED)
    inside = filled & ~line
    if not said[1].startswith("in the box"):
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
        y, x = np.unravel_index(int(np.argmax(depth)), depth.shape)
        return MarkedSpot(None, ((float(x) + 0.5) / width, (float(y) + 0.5) / height))
    # The box lies in the middle of its line.
    boxes = [cv2.boundingRect(one) for one in (filled, inside)]
    left, top, right, bottom = (
        sum(edges) / 2 for edges in zip(*((x, y, x + wide, y + tall) for x, y, wide, tall in boxes), strict=True)
    )
    return MarkedSpot((left / width, top / height, right / width, bottom / height), None)
