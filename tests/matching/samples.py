"""A printed front, a room, and the front standing in it under a known pose."""

from __future__ import annotations

import cv2
import numpy as np

from function.matching.inverse_map import invert_map
from function.matching.plane_parallax import PARAMETER_COUNT, project, reference_grid

WIDTH, HEIGHT = 720, 480


def label(seed: int = 3, size: tuple[int, int] = (360, 480)) -> np.ndarray:
    """A printed front (h, w, 4) uint8: words, rules and an emblem on a ground of one colour; opaque rectangle."""
    rng = np.random.default_rng(seed)
    width, height = size
    front = np.empty((height, width, 3), np.uint8)
    front[:] = rng.integers(120, 220, 3)
    ink = tuple(int(value) for value in rng.integers(0, 70, 3))
    for row in range(30, height - 20, 34):
        word = "".join(rng.choice(list("ABCDEFGHKLMNPRSTUVXYZ2345678"), 11))
        cv2.putText(front, word, (24, row), cv2.FONT_HERSHEY_DUPLEX, float(rng.uniform(0.7, 1.25)), ink, 2, cv2.LINE_AA)
    cv2.circle(front, (width // 3, height // 3), 40, (200, 60, 40), 5, cv2.LINE_AA)
    return np.dstack([front, np.full((height, width), 255, np.uint8)])


def faint(words: tuple[str, ...] = ("ALBINE", "KEFTON", "MILDER"), ink: int = 80) -> np.ndarray:
    """A dark front (h, w, 4) uint8 with three words and a rule in faint `ink`, 8-bit levels."""
    front = np.full((480, 360, 3), 60, np.uint8)
    for row, word in zip((130, 200, 340), words, strict=True):
        cv2.putText(front, word, (60, row), cv2.FONT_HERSHEY_DUPLEX, 1.9, (ink, ink, ink), 3, cv2.LINE_AA)
    cv2.rectangle(front, (60, 380), (200, 388), (ink, ink, ink), -1)
    return np.dstack([front, np.full(front.shape[:2], 255, np.uint8)])


def cut_out(front: np.ndarray, margin: int = 60) -> np.ndarray:
    """`front` in the middle of a transparent photograph."""
    return cv2.copyMakeBorder(front, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(255, 255, 255, 0))


def room(seed: int = 0) -> np.ndarray:
    """A scene (HEIGHT, WIDTH, 3) uint8 with structure of its own."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 200, (24, 36, 3)).astype(np.uint8)
    return cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def stand(scene: np.ndarray, front: np.ndarray, pose: np.ndarray, depth: np.ndarray | None = None):
    """`scene` with `front` laid by `pose` (11,) and softened, and where each pixel of `front` then lies."""
    depth = np.zeros(front.shape[:2], np.float32) if depth is None else depth
    x, y = project(pose, *reference_grid(front.shape[:2]), depth)
    u, v, placed = invert_map(x, y, (0, 0, WIDTH, HEIGHT))
    solid = (placed & (u > 1) & (v > 1) & (u < front.shape[1] - 1) & (v < front.shape[0] - 1)).astype(np.float32)
    mean = cv2.GaussianBlur(front[..., :3], (0, 0), 0.9)
    seen = cv2.remap(mean, u - np.float32(0.5), v - np.float32(0.5), cv2.INTER_LINEAR)
    alpha = cv2.GaussianBlur(solid, (0, 0), 0.7)[..., None]
    picture = scene * (1 - alpha) + seen * alpha
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 0.7) + 0.5, 0, 255).astype(np.uint8), (x, y)


def flat_pose(size: float = 260, x: float = 340, y: float = 240, **terms: float) -> np.ndarray:
    """A front of `size` pixels height around (x, y), slightly turned and in perspective."""
    pose = np.zeros(PARAMETER_COUNT)
    pose[:6] = size * 0.94, -0.04 * size, x, 0.05 * size, size, y
    pose[6:8] = 0.10, -0.03
    for place, value in terms.items():
        pose["abcdefgk".index(place)] = value
    return pose
