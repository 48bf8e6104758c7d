"""Imitates what an image model hands back: the truth, moved, repainted or softened, partly made up and re-coloured.

The truth is known, and each fault can be turned up on its own.
"""

from __future__ import annotations

import copy
import math

import cv2
import numpy as np

from function.imaging.frame import Frame
from function.tools.emulator.repainting import texture_change
from tests.cases.cases import Case
from tests.cases.manners import Imitation

# The ground's texture is not taken from so near the product.
NEAR_PX = 31


def imitate(case: Case, frame: Frame, manner: Imitation, seed: int) -> np.ndarray:
    """The answer to `case`, (h, w, 3) uint8 RGB; the same for the same seed."""
    rng = np.random.default_rng(seed)
    answer_size = manner.size or frame.native_size
    truth, mask = case.truth.astype(np.float32), case.product_mask.astype(np.float32) / 255
    picture, mask = _laid(truth, frame, manner, answer_size), _laid(mask, frame, manner, answer_size)
    soft = cv2.GaussianBlur(mask, (0, 0), 1.5)[..., None]
    remade = _remade(picture, manner, rng)
    if manner.likeness < 1:
        # The ground's texture beside the product has none of the product's edges in it.
        near = cv2.GaussianBlur(cv2.dilate(mask, np.ones((NEAR_PX, NEAR_PX), np.uint8)), (0, 0), 4.0)[..., None]
        scene = _laid(case.scene.astype(np.float32), frame, manner, answer_size)
        as_beside = copy.deepcopy(rng)
        change = texture_change(remade, manner.likeness, rng)
        remade = remade + change * (1 - near) + texture_change(scene, manner.likeness, as_beside) * near
    picture = remade * (1 - soft) + _wobbled(picture, manner, rng) * soft
    picture = picture + manner.sharpen * (picture - cv2.GaussianBlur(picture, (0, 0), 1.2))
    picture = _recoloured(_moved(picture, manner, rng), manner, rng)
    picture += rng.normal(0, 1, picture.shape[:2])[..., None].astype(np.float32) * manner.noise
    answer = np.clip(picture + 0.5, 0, 255).astype(np.uint8)
    if manner.jpeg:
        answer = cv2.imdecode(cv2.imencode(".jpg", answer, [cv2.IMWRITE_JPEG_QUALITY, manner.jpeg])[1], 1)
    return answer


def _laid(picture: np.ndarray, frame: Frame, manner: Imitation, size: tuple[int, int]) -> np.ndarray:
    width, height = size
    scene_width, scene_height = frame.scene_size
    if manner.layout == "padded":
        box = frame.content_box_in(size)
    elif manner.layout == "stretched":
        box = (0.0, 0.0, float(width), float(height))
    else:
        scales = sorted((width / scene_width, height / scene_height))
        # Cropped in one direction and extended in the other, as real answers of another shape are.
        scale = {"fitted": scales[0], "filling": scales[1]}.get(manner.layout, math.sqrt(scales[0] * scales[1]))
        box = (
            (width - scene_width * scale) / 2,
            (height - scene_height * scale) / 2,
            scene_width * scale,
            scene_height * scale,
        )
    small_size = max(1, round(box[2])), max(1, round(box[3]))
    small = cv2.resize(picture, small_size, interpolation=cv2.INTER_AREA)
    matrix = np.float32([[box[2] / small_size[0], 0, box[0]], [0, box[3] / small_size[1], box[1]]])
    matrix[:, 2] += [matrix[0, 0] / 2 - 0.5, matrix[1, 1] / 2 - 0.5]
    border = cv2.BORDER_REFLECT_101 if manner.layout == "reshaped" else cv2.BORDER_REPLICATE
    return cv2.warpAffine(small, matrix, size, flags=cv2.INTER_CUBIC, borderMode=border)


def _smooth(rng: np.random.Generator, shape: tuple[int, ...], width_px: float, rms: float) -> np.ndarray:
    """A smooth random field (h, w) float32 of the given correlation width and root mean square."""
    step = max(1, int(width_px / 3))
    coarse = rng.standard_normal((shape[0] // step + 3, shape[1] // step + 3)).astype(np.float32)
    coarse = cv2.GaussianBlur(coarse, (0, 0), width_px / step)
    field = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return field * (rms / max(float(field.std()), 1e-9))


def _displaced(picture: np.ndarray, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(picture, x + dx, y + dy, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)


def _remade(picture: np.ndarray, manner: Imitation, rng: np.random.Generator) -> np.ndarray:
    """Detail that the model could not see is partly lost and partly put elsewhere."""
    height, width = picture.shape[:2]
    scale = manner.seen_px / max(width, height)
    if scale >= 1 or manner.kept_detail >= 1:
        return picture
    seen = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    seen = cv2.resize(seen, (width, height), interpolation=cv2.INTER_CUBIC)
    detail = picture - seen
    guessed = _displaced(detail, _smooth(rng, picture.shape, 5, 1.2), _smooth(rng, picture.shape, 5, 1.2))
    # What is repainted is as strong as what is lost.
    strength = math.sqrt(1 - manner.kept_detail**2) if manner.likeness < 1 else 0.5 * (1 - manner.kept_detail)
    return seen + manner.kept_detail * detail + strength * guessed


def _wobbled(picture: np.ndarray, manner: Imitation, rng: np.random.Generator) -> np.ndarray:
    if manner.wobble_px:
        fields = [_smooth(rng, picture.shape, width_px, manner.wobble_px) for width_px in (3.5, 14, 3.5, 14)]
        picture = _displaced(picture, fields[0] + fields[1], fields[2] + fields[3])
    return cv2.GaussianBlur(picture, (0, 0), manner.blur_px) if manner.blur_px else picture


def _moved(picture: np.ndarray, manner: Imitation, rng: np.random.Generator) -> np.ndarray:
    height, width = picture.shape[:2]
    # A crop only ever shows the scene larger; small drifts go either way.
    sign = 1 if manner.zoom > 0.02 else rng.choice([-1, 1])
    zoom = 1 + sign * manner.zoom * rng.uniform(0.6, 1)
    turn = math.radians(manner.turn_deg * rng.uniform(-1, 1))
    shift = manner.shift_px * rng.uniform(0.5, 1, 2) * rng.choice([-1, 1], 2)
    linear = zoom * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    matrix = np.column_stack([linear, centre + shift - linear @ centre])
    if zoom != 1 or turn or shift.any():
        picture = cv2.warpAffine(
            picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
        )
    if manner.warp_px:
        dx, dy = (_smooth(rng, picture.shape, manner.warp_width_px, manner.warp_px) for _ in range(2))
        picture = _displaced(picture, dx, dy)
    return picture


def _recoloured(picture: np.ndarray, manner: Imitation, rng: np.random.Generator) -> np.ndarray:
    gains = manner.level * (1 + manner.gain * rng.uniform(-1, 1, 3))
    gamma, contrast = 1 + manner.gamma * rng.uniform(-1, 1), 1 + 1.5 * manner.gain * rng.uniform(-1, 1)
    saturation = 1 + 3 * manner.gain * rng.uniform(-1, 1)
    tone = np.clip(picture, 0, 255) / 255
    tone = (tone**gamma * gains - 0.5) * contrast + 0.5
    grey = tone.mean(axis=2, keepdims=True)
    tone = grey + (tone - grey) * saturation
    if manner.cast:
        tone *= 1 + _smooth(rng, picture.shape, 220, manner.cast)[..., None]
    return (tone * 255).astype(np.float32)
