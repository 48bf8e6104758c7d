"""Where each pixel of the scene lies in the model's answer: an affine fit, then a smooth local warp."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from function.fidelity.warp import local_warp
from function.imaging.frame import Frame, Size

Box = tuple[float, float, float, float]

# Sides of the pictures that the affine fit is made at. The coarse one swallows drifts of several percent, the
# fine one settles to about a tenth of an answer pixel.
COARSE_SIDE_PX = 160
FINE_SIDE_PX = 480
# A scene block counts as found when its pattern correlates this well with the answer's. Unrelated textures of
# this window reach .3 by chance.
BLOCK_CORRELATION = 0.5
BLOCK_PX = 25
# Blocks with less contrast than this (standard deviation, 8-bit levels) carry sensor or JPEG noise only.
BLOCK_CONTRAST = 2.5
# Share of the scene's textured area that must be found again. A product and its shadow cover at most about
# half a scene; an unrelated picture finds under a tenth.
REGISTERED_SHARE = 0.4
# From this share on the nominal layouts are good enough and no features are looked for.
CONVINCING_SHARE = 0.6
# A scene with less textured area than this cannot be registered by pattern; its colours decide instead.
PLAIN_SCENE_SHARE = 0.02
PLAIN_SCENE_DIFFERENCE = 24.0
# In a smooth scene, or one of stripes, a refinement finds no hold and slides: it has done so when it loses so much of
# what was found, or moves a corner by this share of the diagonal without finding so much more.
SLID_LOSS, SLID_SHARE = 0.1, 0.04
# Zooms beyond this are no drift but another picture.
MAX_ZOOM = 1.7


@dataclass(frozen=True)
class Drift:
    """How far the answer's geometry strays from the layout that it follows.

    scale_x, scale_y  size of the scene in the answer over its nominal size (1.01: shown one percent larger)
    shift_px          distance between the scene's centre and its nominal place, in answer pixels
    residual_px       root mean square of the local warp that the affine fit leaves, in answer pixels
    registered        whether enough of the scene was found again for the numbers to mean anything
    The nominal layout is the one the answer follows best, see `layouts`.
    """

    scale_x: float
    scale_y: float
    shift_px: float
    residual_px: float
    registered: bool


@dataclass(frozen=True)
class Registration:
    """`mapping` (h, w, 2) float32: answer x and y of each analysis pixel; `inside` (h, w) bool."""

    mapping: np.ndarray
    inside: np.ndarray
    drift: Drift
    layout_box: Box
    found_share: float


def layouts(frame: Frame, answer_size: Size) -> list[Box]:
    """Nominal places (x, y, width, height) of the scene in an answer, most expected first, in answer pixels.

    The padding kept; the scene stretched over the whole answer; the scene fitted into it undistorted; the
    scene filling it undistorted, its sides cut.
    """
    width, height = answer_size
    scene_width, scene_height = frame.scene_size
    boxes: list[Box] = [frame.content_box_in(answer_size), (0.0, 0.0, float(width), float(height))]
    for choose in (min, max):
        scale = choose(width / scene_width, height / scene_height)
        fitted = scene_width * scale, scene_height * scale
        boxes.append(((width - fitted[0]) / 2, (height - fitted[1]) / 2, *fitted))
    distinct: list[Box] = []
    for box in boxes:
        if all(max(abs(a - b) for a, b in zip(box, other, strict=True)) > 1.0 for other in distinct):
            distinct.append(box)
    return distinct


def register(scene: np.ndarray, answer: np.ndarray, frame: Frame) -> Registration:
    """Register `answer` (h', w', 3) uint8 RGB to `scene` (h, w, 3) uint8 RGB at analysis size.

    Never raises on picture content: what cannot be registered comes back with the most expected layout and
    `drift.registered` False.
    """
    size, answer_size = (scene.shape[1], scene.shape[0]), (answer.shape[1], answer.shape[0])
    scene_grey = cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY)
    answer_grey = cv2.cvtColor(answer, cv2.COLOR_RGB2GRAY)
    boxes = layouts(frame, answer_size)
    fit, share, plain = _best_affine(scene_grey, _Shrinking(answer_grey), boxes)
    if fit is None:
        return unregistered(scene, answer, frame, share)
    mapping, inside = _affine_mapping(fit, size, answer_size)
    warp = np.zeros_like(mapping) if plain else local_warp(scene_grey, answer_grey, mapping, inside)
    # The flow is counted in analysis pixels; the affine part turns it into answer pixels.
    mapping += cv2.transform(warp, fit[:, :2])
    drift, box = _drift(mapping, inside, boxes, size)
    return Registration(mapping, inside, drift, box, share)


def unregistered(scene: np.ndarray, answer: np.ndarray, frame: Frame, found_share: float = 0.0) -> Registration:
    """The most expected layout, for an answer that shows something else."""
    size, answer_size = (scene.shape[1], scene.shape[0]), (answer.shape[1], answer.shape[0])
    box = layouts(frame, answer_size)[0]
    mapping, inside = _affine_mapping(_box_matrix(box, size), size, answer_size)
    return Registration(mapping, inside, Drift(1.0, 1.0, 0.0, 0.0, False), box, found_share)


def _box_matrix(box: Box, size: Size) -> np.ndarray:
    """(2, 3) float64 that takes pixel centres of a picture of `size` to where `box` puts them."""
    x, y, width, height = box
    scale_x, scale_y = width / size[0], height / size[1]
    return np.array([[scale_x, 0, x + scale_x / 2 - 0.5], [0, scale_y, y + scale_y / 2 - 0.5]])


def _rescaled(matrix: np.ndarray, from_size: Size, to_size: Size) -> np.ndarray:
    """`matrix`, made for scene pixels of `from_size`, for scene pixels of `to_size`."""
    inner = np.vstack([_box_matrix((0, 0, *from_size), to_size), [0, 0, 1]])
    return matrix @ inner


def _affine_mapping(matrix: np.ndarray, size: Size, answer_size: Size) -> tuple[np.ndarray, np.ndarray]:
    x = np.arange(size[0], dtype=np.float32)[None, :]
    y = np.arange(size[1], dtype=np.float32)[:, None]
    m = matrix.astype(np.float32)
    across, down = (m[k, 0] * x + m[k, 1] * y + m[k, 2] for k in (0, 1))
    inside = (across > -0.5) & (across < answer_size[0] - 0.5) & (down > -0.5) & (down < answer_size[1] - 0.5)
    mapping = cv2.merge([across, down])
    return mapping, inside


def _best_affine(scene: np.ndarray, answer: _Shrinking, boxes: list[Box]) -> tuple[np.ndarray | None, float, bool]:
    """The affine fit for analysis pixels, the share found, whether the scene is plain."""
    size = scene.shape[1], scene.shape[0]
    if min(*size, *answer.picture.shape) < BLOCK_PX:
        return None, 0.0, False
    scale = min(1.0, FINE_SIDE_PX / max(size))
    small_size = max(8, round(size[0] * scale)), max(8, round(size[1] * scale))
    small = cv2.resize(scene, small_size, interpolation=cv2.INTER_AREA)
    texture = _contrast(small)
    textured = texture > BLOCK_CONTRAST
    if textured.mean() < PLAIN_SCENE_SHARE:
        return _plain_fit(small, answer, boxes[0], size), 0.0, True

    candidates = [(_found_share(small, answer, _box_matrix(b, small_size), textured), b) for b in boxes]
    candidates.sort(key=lambda pair: pair[0], reverse=True)
    best: tuple[float, np.ndarray | None] = (0.0, None)
    for nominal_share, box in candidates:
        nominal = _box_matrix(box, small_size)
        fit = _refine(small, answer, nominal, COARSE_SIDE_PX)
        share = _found_share(small, answer, fit, textured)
        if _slid(nominal, nominal_share, fit, share, small_size, boxes):
            share, fit = nominal_share, nominal
        if share > best[0]:
            best = share, fit
        if best[0] >= CONVINCING_SHARE:
            break
    if best[0] < CONVINCING_SHARE:
        fit = _feature_fit(small, answer.picture)
        if fit is not None:
            share = _found_share(small, answer, fit, textured)
            if share > best[0]:
                best = share, fit
    share, fit = best
    if fit is not None:
        finer = _refine(small, answer, fit, FINE_SIDE_PX)
        finer_share = _found_share(small, answer, finer, textured)
        if finer_share >= share and not _slid(fit, share, finer, finer_share, small_size, boxes):
            share, fit = finer_share, finer
    if fit is None or share < REGISTERED_SHARE or not _plausible(fit, small_size, boxes):
        return None, share, False
    return _rescaled(fit, small_size, size), share, False


def _plain_fit(small: np.ndarray, answer: _Shrinking, box: Box, size: Size) -> np.ndarray | None:
    """A scene without texture (a studio sweep): the expected layout, if the tones agree with it at all."""
    small_size = small.shape[1], small.shape[0]
    seen = _sample(answer, _box_matrix(box, small_size), small_size)
    difference = float(np.median(cv2.absdiff(small, seen)))
    return _box_matrix(box, size) if difference < PLAIN_SCENE_DIFFERENCE else None


class _Shrinking:
    """A picture (h, w) uint8 that is looked at in several sizes: each is made once."""

    def __init__(self, picture: np.ndarray):
        self.picture = picture
        self._shrunk = {1: picture}

    def by(self, step: int) -> np.ndarray:
        """The picture with sides `step` times shorter, by area."""
        if step not in self._shrunk:
            height, width = self.picture.shape
            size = max(1, round(width / step)), max(1, round(height / step))
            self._shrunk[step] = cv2.resize(self.picture, size, interpolation=cv2.INTER_AREA)
        return self._shrunk[step]


def _sample(answers: _Shrinking, matrix: np.ndarray, size: Size) -> np.ndarray:
    """The answer seen through `matrix` at `size`, shrunk without aliasing."""
    step = round(math.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    answer = answers.picture
    if step > 1:
        answer = answers.by(step)
        scale_x, scale_y = answer.shape[1] / answers.picture.shape[1], answer.shape[0] / answers.picture.shape[0]
        matrix = matrix.copy()
        matrix[:, 2] += 0.5
        matrix *= [[scale_x], [scale_y]]
        matrix[:, 2] -= 0.5
    return cv2.warpAffine(
        answer, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )


def _contrast(grey: np.ndarray) -> np.ndarray:
    """Local standard deviation over blocks, 8-bit levels, float32."""
    values = grey.astype(np.float32)
    mean = cv2.blur(values, (BLOCK_PX, BLOCK_PX))
    return np.sqrt(np.maximum(cv2.blur(values * values, (BLOCK_PX, BLOCK_PX)) - mean * mean, 0))


def _found_share(scene: np.ndarray, answer: _Shrinking, matrix: np.ndarray, textured: np.ndarray) -> float:
    """Share 0..1 of the textured scene whose pattern stands at the same place in the answer.

    Scene outside the answer counts as not asked, but at least a third of it has to be inside.
    """
    size = scene.shape[1], scene.shape[0]
    _, inside = _affine_mapping(matrix, size, answer.picture.shape[::-1])
    asked = textured & inside
    if asked.sum() < textured.sum() / 3:
        return 0.0
    a = cv2.GaussianBlur(scene, (0, 0), 1.0).astype(np.float32)
    b = cv2.GaussianBlur(_sample(answer, matrix, size), (0, 0), 1.0).astype(np.float32)
    blur = lambda values: cv2.blur(values, (BLOCK_PX, BLOCK_PX))  # noqa: E731
    mean_a, mean_b = blur(a), blur(b)
    covariance = blur(a * b) - mean_a * mean_b
    variance = (blur(a * a) - mean_a**2) * (blur(b * b) - mean_b**2)
    correlation = covariance / np.sqrt(np.maximum(variance, 1.0))
    return float((correlation[asked] > BLOCK_CORRELATION).mean())


def _refine(scene: np.ndarray, answer: _Shrinking, matrix: np.ndarray, side_px: int) -> np.ndarray:
    """`matrix` bettered by maximising the enhanced correlation coefficient; unchanged where that diverges.

    Evangelidis and Psarakis, "Parametric image alignment using enhanced correlation coefficient", 2008.
    """
    size = scene.shape[1], scene.shape[0]
    scale = min(1.0, side_px / max(size))
    small_size = max(8, round(size[0] * scale)), max(8, round(size[1] * scale))
    template = cv2.resize(scene, small_size, interpolation=cv2.INTER_AREA)
    start = _rescaled(matrix, size, small_size)
    seen = _sample(answer, start, small_size)
    residual = np.eye(2, 3, dtype=np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    try:
        _, residual = cv2.findTransformECC(template, seen, residual, cv2.MOTION_AFFINE, criteria, None, 5)
    except cv2.error:  # raised where it does not converge, flat pictures among them
        return matrix
    if not np.isfinite(residual).all():
        return matrix
    bettered = start @ np.vstack([residual, [0, 0, 1]])
    return _rescaled(bettered, small_size, size)


def _slid(start: np.ndarray, start_share: float, fit: np.ndarray, share: float, size: Size, boxes: list[Box]) -> bool:
    """Whether the refinement `fit` of `start` has lost its hold; the shares say how much of the scene each finds."""
    if share < start_share - SLID_LOSS:
        return True
    diagonal = float(np.hypot(*(start[:, :2] @ np.array(size, float))))
    moved = float(np.hypot(*(_corners(fit, size) - _corners(start, size)).T).max())
    if moved <= SLID_SHARE * diagonal or start_share < REGISTERED_SHARE:
        return False
    return share < start_share + SLID_LOSS or not _plausible(fit, size, boxes)


def _feature_fit(scene: np.ndarray, answer: np.ndarray) -> np.ndarray | None:
    """An affine fit from matched features: finds crops, zooms and layouts that nobody listed."""
    sift = cv2.SIFT_create(1500)
    scale = min(1.0, 1.5 * FINE_SIDE_PX / max(answer.shape))
    reduced = cv2.resize(answer, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    scale_x, scale_y = reduced.shape[1] / answer.shape[1], reduced.shape[0] / answer.shape[0]
    scene_points, scene_features = sift.detectAndCompute(scene, None)
    answer_points, answer_features = sift.detectAndCompute(reduced, None)
    if scene_features is None or answer_features is None or min(len(scene_points), len(answer_points)) < 12:
        return None
    pairs = cv2.BFMatcher().knnMatch(scene_features, answer_features, k=2)
    good = [p[0] for p in pairs if len(p) == 2 and p[0].distance < 0.8 * p[1].distance]  # Lowe's ratio
    if len(good) < 12:
        return None
    source = np.array([scene_points[m.queryIdx].pt for m in good])
    target = (np.array([answer_points[m.trainIdx].pt for m in good]) + 0.5) / [scale_x, scale_y] - 0.5
    matrix, inliers = cv2.estimateAffine2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=3 / scale_x)
    if matrix is None or inliers.sum() < 12:
        return None
    return matrix


def _nearest_layout(fit: np.ndarray, boxes: list[Box], size: Size) -> Box:
    def distance(box: Box) -> float:
        return float(np.abs(_corners(fit, size) - _corners(_box_matrix(box, size), size)).mean())

    return min(boxes, key=distance)


def _corners(matrix: np.ndarray, size: Size) -> np.ndarray:
    corners = np.array([[0, 0, 1], [size[0], 0, 1], [0, size[1], 1], [size[0], size[1], 1]], float)
    return corners @ matrix.T


def _plausible(fit: np.ndarray, size: Size, boxes: list[Box]) -> bool:
    """No mirror, no strong turn or shear, and a zoom inside the limit for some layout."""
    for box in boxes:
        nominal = _box_matrix(box, size)
        a = fit[:, :2] @ np.linalg.inv(nominal[:, :2])
        if all(1 / MAX_ZOOM < a[k, k] < MAX_ZOOM for k in (0, 1)) and max(abs(a[0, 1]), abs(a[1, 0])) < 0.2:
            return True
    return False


def _drift(mapping: np.ndarray, inside: np.ndarray, boxes: list[Box], size: Size) -> tuple[Drift, Box]:
    """The affine part of `mapping` against the nearest of `boxes`, and that box; what it leaves is the residual."""
    step = max(1, min(size) // 100)
    y, x = np.nonzero(inside[::step, ::step])
    places = np.column_stack([x * step, y * step, np.ones(len(x))])
    targets = mapping[::step, ::step][y, x]
    fit = np.linalg.lstsq(places, targets, rcond=None)[0].T
    # Not the layout that the search began at: fit and local warp may have moved to another.
    box = _nearest_layout(fit, boxes, size)
    nominal = _box_matrix(box, size)
    residual = math.sqrt(float(((places @ fit.T - targets) ** 2).sum(axis=1).mean()))
    centre = np.array([size[0] / 2 - 0.5, size[1] / 2 - 0.5, 1.0])
    shift = float(np.hypot(*(fit @ centre - nominal @ centre)))
    scale_x = float(np.hypot(*fit[:, 0]) / nominal[0, 0])
    scale_y = float(np.hypot(*fit[:, 1]) / nominal[1, 1])
    return Drift(round(scale_x, 5), round(scale_y, 5), round(shift, 2), round(residual, 2), True), box
