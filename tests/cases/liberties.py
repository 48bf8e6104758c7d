"""Liberties that real models take: what they add, remove, turn, redraw, replace and relight, with nobody asking.

Seen in real answers: lamps and pictures that are new, things that made room, products turned, re-posed and drawn from
memory, a hall for an office, a sunset. faults.py spoils pictures so that the judge has to see it; these are drawn well.
An answer that was cropped and extended into another shape is a manner of manners.py: `reshaped`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from function.tools.emulator.liberties import vase
from function.tools.emulator.repainting import smooth_field
from tests.cases.cases import Case
from tests.cases.composed import compose
from tests.cases.shot import Shot, shot_of

THING_HEIGHT = 0.2  # of the picture's height
TURNED = 0.16  # share by which the far side of a turned product is lower, and the product narrower
BENT = 0.10  # sideways reach of the bend, of the product's height
# Of print: capitals of 12 px in the answer are still read, those of 8 px are not.
SMALL_PRINT_PX, SMALL_PRINT_SIGMA = 1.4, 4.0
SUNSET = (1.08, 0.72, 0.48)  # gains of red, green and blue


@dataclass(frozen=True)
class Liberty:
    """One liberty.

    drawn  the case as the model drew it: its truth has the liberty
    right  the case with the result that would be right as its truth; None where there is none
    where  (H, W) bool, what the liberty changed
    """

    drawn: Case
    right: Case | None
    where: np.ndarray


def take(case: Case, liberty: str, seed: int) -> Liberty:
    """`case` with one of LIBERTIES; the same for the same seed."""
    return LIBERTIES[liberty](case, np.random.default_rng(seed))


def thing_added(case: Case, rng: np.random.Generator) -> Liberty:
    """A green vase stands where nothing stood."""
    truth, mask = _with_vase(case, case.truth, rng)
    return Liberty(replace(case, truth=truth), case, mask)


def thing_removed(case: Case, rng: np.random.Generator) -> Liberty:
    """A green vase of the scene is gone."""
    state = rng.bit_generator.state
    scene, mask = _with_vase(case, case.scene, rng)
    rng.bit_generator.state = state
    truth, _ = _with_vase(case, case.truth, rng)
    return Liberty(replace(case, scene=scene), replace(case, scene=scene, truth=truth), mask)


def product_turned(case: Case, rng: np.random.Generator) -> Liberty:
    """The product seen from another side: one edge nearer, the other farther."""
    x, y, width, height = shot_of(case).box
    drop, inset = TURNED * height / 2, TURNED * width / 2
    source = np.float32([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    move = np.float32([[inset, 0], [-inset, drop], [-inset, -drop / 2], [inset, 0]])
    if rng.random() < 0.5:
        move = move[[1, 0, 3, 2]] * np.float32([-1, 1])
    matrix = cv2.getPerspectiveTransform(source, source + move)
    size = case.truth.shape[1], case.truth.shape[0]
    return _redone(case, lambda picture: cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_CUBIC))


def product_reposed(case: Case, rng: np.random.Generator) -> Liberty:
    """The product bent to one side, as cloth and leather are."""
    _, y, _, height = shot_of(case).box
    rows, columns = case.truth.shape[:2]
    xs, ys = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    up = np.clip((y + height - ys) / height, 0, 1.2)
    xs += rng.choice([-1, 1]) * np.float32(BENT * height) * up * up
    return _redone(case, lambda picture: cv2.remap(picture, xs, ys, cv2.INTER_CUBIC))


def product_redrawn(case: Case, rng: np.random.Generator) -> Liberty:
    """The product drawn from memory: large print right, small print nonsense."""
    rows, columns = case.truth.shape[:2]
    larger = columns / 1344  # lengths are those of an answer
    xs, ys = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    xs += smooth_field(rng, (rows, columns), SMALL_PRINT_SIGMA * larger, SMALL_PRINT_PX * larger)
    ys += smooth_field(rng, (rows, columns), SMALL_PRINT_SIGMA * larger, SMALL_PRINT_PX * larger)
    bent = cv2.remap(case.truth, xs, ys, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    inner = cv2.erode(case.product_mask, np.ones((9, 9), np.uint8))
    weight = cv2.GaussianBlur(inner, (0, 0), 2.0)[..., None] / np.float32(255)
    truth = _as_bytes(case.truth * (1 - weight) + bent * weight)
    return Liberty(replace(case, truth=truth), case, inner > 127)


def background_replaced(case: Case, rng: np.random.Generator) -> Liberty:
    """Another wall behind the product, with its own windows; what it stands on is the scene's."""
    shot = shot_of(case)
    _, y, _, height = shot.box
    rows, columns = case.truth.shape[:2]
    edge = y + round(0.6 * height)
    wall = np.empty_like(shot.truth)
    wall[:] = rng.uniform(60, 200, 3)
    for left in np.arange(rng.uniform(0, 0.1), 1, 0.2):
        corner, other = (round(left * columns), round(0.1 * edge)), (round((left + 0.12) * columns), round(0.8 * edge))
        cv2.rectangle(wall, corner, other, rng.uniform(0, 255, 3).tolist(), -1, cv2.LINE_AA)
    wall += smooth_field(rng, (rows, columns), 1.5, 4.0)[..., None]
    behind = np.clip((edge - np.arange(rows, dtype=np.float32)) / 6, 0, 1)[:, None] * (1 - shot.mask)
    truth = shot.truth * (1 - behind[..., None]) + wall * behind[..., None]
    return Liberty(replace(case, truth=_as_bytes(truth)), None, behind > 0.5)


def scene_relit(case: Case, rng: np.random.Generator) -> Liberty:
    """Sunset: warm, darker, and darker still away from the sun."""
    across = np.linspace(1.1, 0.6, case.truth.shape[1], dtype=np.float32)[None, :, None]
    across = across[:, ::-1] if rng.random() < 0.5 else across
    truth = _as_bytes(case.truth * across * np.float32(SUNSET))
    return Liberty(replace(case, truth=truth), None, np.ones(truth.shape[:2], bool))


def _with_vase(case: Case, picture: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`picture` with a vase away from the product, and where it stands (H, W) bool."""
    x, _, width, _ = cv2.boundingRect((case.change_mask > 0).astype(np.uint8))
    columns = picture.shape[1]
    free = [(0, x), (x + width, columns)]
    left, right = max(free, key=lambda span: span[1] - span[0])
    middle = (left + right) / 2 + rng.uniform(-0.1, 0.1) * (right - left)
    x, y, width, height = shot_of(case).box
    put = compose(
        "vase",
        picture,
        vase(),
        centre_x=middle / columns,
        base_y=(y + height) / picture.shape[0],
        height=THING_HEIGHT,
        light=(1.0, 1.0, 1.0),
    )
    return put.truth, put.product_mask > 127


def _redone(case: Case, change: Callable[[np.ndarray], np.ndarray]) -> Liberty:
    """The product changed in its place, over the scene with its shadow."""
    shot: Shot = shot_of(case)
    mask = np.clip(change(shot.mask), 0, 1)
    # Colours are carried past the outline, so that no background comes along.
    over = change(shot.truth * shot.mask[..., None]) / np.maximum(change(shot.mask), 1e-2)[..., None]
    truth = _as_bytes(shot.shadowed * (1 - mask[..., None]) + np.clip(over, 0, 255) * mask[..., None])
    product_mask = _as_bytes(255 * mask)
    change_mask = np.maximum(case.change_mask, product_mask)
    drawn = replace(case, truth=truth, product_mask=product_mask, change_mask=change_mask)
    return Liberty(drawn, drawn, (mask > 0.5) | (shot.mask > 0.5))


def _as_bytes(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


LIBERTIES: dict[str, Callable[[Case, np.random.Generator], Liberty]] = {
    liberty.__name__: liberty
    for liberty in (
        thing_added,
        thing_removed,
        product_turned,
        product_reposed,
        product_redrawn,
        background_replaced,
        scene_relit,
    )
}
# Those with a right result, which the restoration can be measured against.
MEASURABLE = ("thing_added", "thing_removed", "product_turned", "product_reposed", "product_redrawn")
