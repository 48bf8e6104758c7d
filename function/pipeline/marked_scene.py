"""A copy of the sent scene in which the place that was asked for is outlined, for models that are shown it so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from function.generation.models import ImageModel
from function.generation.spot_words import Mark
from function.imaging.frame import Frame
from function.matching.asked_place import AskedPlace

LINE_SHARE = 1 / 256  # of the picture's longer side: 3 px of 768, thin and still seen in a picture shrunk to a half
# Pure colours that photographs seldom have, by the names that models know them by.
COLOURS = {"magenta": (255, 0, 255), "cyan": (0, 255, 255), "green": (0, 255, 0), "yellow": (255, 255, 0)}
# Of the pixels, those nearest to a colour that do not count: so few are specks, which cannot be mistaken for a line.
SPECKS = 0.001


def is_marked(model: ImageModel, asked: AskedPlace, images: int) -> bool:
    """Whether the `model`, which is sent so many `images` already, is sent the marked copy too."""
    has_outline = asked.box is not None or asked.ground is not None
    return has_outline and model.spot_shown == "marked_scene" and images < model.max_input_images


def marked_scene(
    sent: np.ndarray, product: np.ndarray, frame: Frame, asked: AskedPlace, number: int
) -> tuple[np.ndarray, Mark, AskedPlace]:
    """The scene (h, w, 3) uint8 as it is `sent`, with an outline of the box or of the mask's white on it; what the
    prompt says of it: the image's `number`, and the colour, which scene and `product` (h, w, 4) are farthest from; and
    what is `asked`, with that colour."""
    name = _foreign_colour(sent.reshape(-1, 3), product[product[..., 3] > 127, :3])
    x, y, width, height = frame.content_box
    line = max(1, round(LINE_SHARE * max(frame.sent_size)))
    picture = sent.copy()
    picture[y : y + height, x : x + width][asked.outline((width, height), line) > 0] = COLOURS[name]
    return picture, Mark(number, name), replace(asked, mark=COLOURS[name])


def _foreign_colour(*pixels: np.ndarray) -> str:
    """The name of the colour that the `pixels` (n, 3) of each picture are farthest from."""

    def distance(colour: tuple[int, int, int]) -> float:
        return min(
            float(np.quantile(np.abs(one.astype(np.int32) - colour).sum(1), SPECKS)) for one in pixels if len(one)
        )

    return max(COLOURS, key=lambda name: distance(COLOURS[name]))
