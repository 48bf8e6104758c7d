"""The plain cubic upscale of the generated image: what is shown where nothing can be restored."""

from __future__ import annotations

import cv2
import numpy as np

from function.imaging.frame import Frame
from function.registration.framings import Box
from function.restoration.resampled_image import antialias_downsample


def plain_upscale(generated: np.ndarray, frame: Frame, layout_box: Box | None = None) -> np.ndarray:
    """The scene's part of `generated` (h, w, 3) uint8, cubic, at the scene's size; undistorted.

    `layout_box` is the layout that the generated image was found to follow; by default the frame's own, or, for an
    image of another shape than was asked for, the greatest centred part of the scene's shape.
    """
    height, width = generated.shape[:2]
    if layout_box is None:
        asked = frame.sent_size[0] / frame.sent_size[1]
        # Native shapes differ from the nominal ratio by up to two percent; that much is no other shape.
        if abs(width / height / asked - 1) < 0.02:
            layout_box = frame.content_box_in((width, height))
        else:
            scale = min(width / frame.scene_size[0], height / frame.scene_size[1])
            fitted = frame.scene_size[0] * scale, frame.scene_size[1] * scale
            layout_box = ((width - fitted[0]) / 2, (height - fitted[1]) / 2, *fitted)
    x, y, box_width, box_height = layout_box
    full_width, full_height = frame.scene_size
    scale_x, scale_y = box_width / full_width, box_height / full_height
    generated, share = antialias_downsample(generated, min(scale_x, scale_y))
    x, y, scale_x, scale_y = x * share, y * share, scale_x * share, scale_y * share
    matrix = np.array([[scale_x, 0, x + scale_x / 2 - 0.5], [0, scale_y, y + scale_y / 2 - 0.5]])
    return cv2.warpAffine(
        generated,
        matrix,
        frame.scene_size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
