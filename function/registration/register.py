"""Where each pixel of the scene lies in the model's answer: an affine fit, then a smooth local warp."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.frame import Frame, Size
from function.registration.affine import best_affine
from function.registration.block_correlation import ImagePyramid
from function.registration.dense_warp import local_warp
from function.registration.framings import Box, affine_mapping, box_matrix, nearest_layout, nominal_layouts


@dataclass(frozen=True)
class Drift:
    """How far the answer's geometry strays from the layout that it follows.

    scale_x, scale_y  size of the scene in the answer over its nominal size (1.01: shown one percent larger)
    shift_px          distance between the scene's centre and its nominal place, in answer pixels
    residual_px       root mean square of the local warp that the affine fit leaves, in answer pixels
    registered        whether enough of the scene was found again for the numbers to mean anything
    The nominal layout is the one the answer follows best, see `nominal_layouts`.
    """

    scale_x: float
    scale_y: float
    shift_px: float
    residual_px: float
    registered: bool


@dataclass(frozen=True)
class Registration:
    """Where the scene lies in the answer.

    mapping      (h, w, 2) float32, x and y in the answer of each analysis pixel
    inside       (h, w) bool, whether that lies inside the answer
    drift        how far the answer's geometry strays
    layout_box   (x, y, width, height) of the scene in the answer, the nominal layout that it follows
    found_share  share 0..1 of the scene's textured area that was found again in the answer
    plain        the scene has no texture to be found by (`found_share` is 0): its tones alone decided
    reshaped     the answer has another shape than was asked for: it crops or extends the scene
    """

    mapping: np.ndarray
    inside: np.ndarray
    drift: Drift
    layout_box: Box
    found_share: float
    plain: bool
    reshaped: bool = False


# Native shapes differ from the nominal ratio by up to two percent; that much is no other shape.
SAME_SHAPE = 0.02


def register(scene: np.ndarray, answer: np.ndarray, frame: Frame) -> Registration:
    """Register `answer` (h', w', 3) uint8 RGB to `scene` (h, w, 3) uint8 RGB at analysis size.

    Never raises on picture content: what cannot be registered comes back with the most expected layout and
    `drift.registered` False.
    """
    size, answer_size = (scene.shape[1], scene.shape[0]), (answer.shape[1], answer.shape[0])
    scene_grey = cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY)
    answer_grey = cv2.cvtColor(answer, cv2.COLOR_RGB2GRAY)
    boxes = nominal_layouts(frame, answer_size)
    fit, share, plain = best_affine(scene_grey, ImagePyramid(answer_grey), boxes)
    if fit is None:
        return unregistered(scene, answer, frame, share, plain=plain)
    mapping, inside = affine_mapping(fit, size, answer_size)
    warp = np.zeros_like(mapping) if plain else local_warp(scene_grey, answer_grey, mapping, inside)
    # The flow is counted in analysis pixels; the affine part turns it into answer pixels.
    mapping += cv2.transform(warp, fit[:, :2])
    drift, box = _drift(mapping, inside, boxes, size)
    return Registration(mapping, inside, drift, box, share, plain, _reshaped(frame, answer_size))


def unregistered(
    scene: np.ndarray, answer: np.ndarray, frame: Frame, found_share: float = 0.0, *, plain: bool = False
) -> Registration:
    """The most expected layout, for an answer that shows something else."""
    size, answer_size = (scene.shape[1], scene.shape[0]), (answer.shape[1], answer.shape[0])
    box = nominal_layouts(frame, answer_size)[0]
    mapping, inside = affine_mapping(box_matrix(box, size), size, answer_size)
    drift = Drift(1.0, 1.0, 0.0, 0.0, False)
    return Registration(mapping, inside, drift, box, found_share, plain, _reshaped(frame, answer_size))


def _reshaped(frame: Frame, answer_size: Size) -> bool:
    asked = frame.sent_size[0] / frame.sent_size[1]
    return abs(answer_size[0] / answer_size[1] / asked - 1) > SAME_SHAPE


def _drift(mapping: np.ndarray, inside: np.ndarray, boxes: list[Box], size: Size) -> tuple[Drift, Box]:
    """The affine part of `mapping` against the nearest of `boxes`, and that box; what it leaves is the residual."""
    step = max(1, min(size) // 100)
    y, x = np.nonzero(inside[::step, ::step])
    places = np.column_stack([x * step, y * step, np.ones(len(x))])
    targets = mapping[::step, ::step][y, x]
    fit = np.linalg.lstsq(places, targets, rcond=None)[0].T
    # Not the layout that the search began at: fit and local warp may have moved to another.
    box = nearest_layout(fit, boxes, size)
    nominal = box_matrix(box, size)
    residual = math.sqrt(float(((places @ fit.T - targets) ** 2).sum(axis=1).mean()))
    centre = np.array([size[0] / 2 - 0.5, size[1] / 2 - 0.5, 1.0])
    shift = float(np.hypot(*(fit @ centre - nominal @ centre)))
    scale_x = float(np.hypot(*fit[:, 0]) / nominal[0, 0])
    scale_y = float(np.hypot(*fit[:, 1]) / nominal[1, 1])
    return Drift(round(scale_x, 5), round(scale_y, 5), round(shift, 2), round(residual, 2), True), box
