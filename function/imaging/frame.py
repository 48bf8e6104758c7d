"""The geometry between a scene, the picture the model is sent, and the picture it returns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

Size = tuple[int, int]


@dataclass(frozen=True)
class Frame:
    """Where the scene lies in the picture sent to the model.

    The model returns fixed sizes whose shapes are near, but not equal to, their nominal ratios (16:9 is
    1344x768, which is 1.75). The picture sent has exactly the returned shape: the scene keeps its own shape
    inside it, and what is left over is padding that is cut away again afterwards.

    All sizes are (width, height) in pixels. `content_box` is (x, y, width, height) in the sent picture.
    """

    scene_size: Size
    sent_size: Size
    content_box: tuple[int, int, int, int]
    aspect_ratio: str
    native_size: Size

    def content_box_in(self, answer_size: Size) -> tuple[float, float, float, float]:
        """Nominal (x, y, width, height) of the scene in an answer of `answer_size`, in its pixels."""
        scale_x = answer_size[0] / self.sent_size[0]
        scale_y = answer_size[1] / self.sent_size[1]
        x, y, width, height = self.content_box
        return x * scale_x, y * scale_y, width * scale_x, height * scale_y


def fit_within(size: Size, max_px: int) -> Size:
    """`size` shrunk so that its longest side is at most `max_px`; never enlarged, never below 1 px."""
    scale = min(1.0, max_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def nearest_ratio(size: Size, native_sizes: Mapping[str, Size]) -> str:
    """The supported ratio whose native shape is nearest to `size`, compared as logarithms."""
    wanted = math.log(size[0] / size[1])
    return min(
        native_sizes,
        key=lambda ratio: abs(math.log(native_sizes[ratio][0] / native_sizes[ratio][1]) - wanted),
    )


def plan_letterbox(scene_size: Size, native_sizes: Mapping[str, Size], max_px: int) -> Frame:
    """Choose the ratio and lay the scene into a picture of the model's native shape.

    The padded picture's longest side is at most `max_px`; a scene smaller than that is not enlarged. The scene
    is centred. Rounding to whole pixels changes its shape by less than one pixel, and `Frame` maps it back.
    """
    ratio = nearest_ratio(scene_size, native_sizes)
    native_width, native_height = native_sizes[ratio]
    shape = native_width / native_height
    # The smallest picture of the native shape that holds the scene, at the scene's own resolution.
    full_width: float
    full_height: float
    if scene_size[0] / scene_size[1] >= shape:
        full_width, full_height = scene_size[0], scene_size[0] / shape
    else:
        full_width, full_height = scene_size[1] * shape, scene_size[1]
    scale = min(1.0, max_px / max(full_width, full_height))
    sent_size = max(1, round(full_width * scale)), max(1, round(full_height * scale))
    width = min(sent_size[0], max(1, round(scene_size[0] * scale)))
    height = min(sent_size[1], max(1, round(scene_size[1] * scale)))
    content_box = ((sent_size[0] - width) // 2, (sent_size[1] - height) // 2, width, height)
    return Frame(scene_size, sent_size, content_box, ratio, native_sizes[ratio])
