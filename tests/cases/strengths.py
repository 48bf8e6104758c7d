"""Every kind of fault in three strengths: what a person might let pass, would send back, and laughs at.

Each takes a shot, a random generator, another shot and its strength, and returns what the model meant to draw,
(h, w, 3) float32 RGB at the shot's size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from function.tools.emulator.liberties import vase
from tests.cases.cases import Case
from tests.cases.composed import compose
from tests.cases.faults import doubled, other_label, other_product, scaled, scene_half_replaced, scene_replaced
from tests.cases.shot import Shot, bend, inner_part, laid, shifted, shot_of

STRENGTHS = ("small", "middle", "gross")
GHOST_OPACITY = 0.3
# Kinds that are no fault of a product without print: a chair seen from the other side is a chair.
OF_PRINT = ("mirrored", "label_garbled")
PRINTED = ("jar", "tube", "pump", "pale_box", "bag", "box", "can", "mug", "bottle")

Fault = Callable[[Shot, np.random.Generator, Shot, int], np.ndarray]


def spoiled_by(case: Case, kind: str, strength: str, seed: int, other: Case) -> Case:
    """`case` with a truth that has the fault; the same for the same seed."""
    rng = np.random.default_rng(seed)
    picture = KINDS[kind](shot_of(case), rng, shot_of(other), STRENGTHS.index(strength))
    return replace(case, truth=np.clip(picture + 0.5, 0, 255).astype(np.uint8))


def missing(shot, rng, other, strength):
    """A ghost, a shadow without a product, nothing."""
    ghost = laid(shot.scene, shot.truth, GHOST_OPACITY * shot.mask)
    return (ghost, shot.shadowed, shot.scene.copy())[strength]


def doubled_at(shot, rng, other, strength):
    """A second one beside it, smaller or as large."""
    return doubled(shot, (0.35, 0.6, 1.0)[strength])


def leaning(shot, rng, other, strength):
    """Turned about the corner that it would stand on, by 4, 8, 14 degrees; the shadow stays."""
    x, y, w, h = shot.box
    angle = math.radians((4, 8, 14)[strength]) * rng.choice([-1, 1])
    corner = np.array([x + (0.85 if angle > 0 else 0.15) * w, y + 0.99 * h])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return laid(shot.shadowed, *shifted(shot, np.column_stack([turn, corner - turn @ corner]).tolist()))


def floating(shot, rng, other, strength):
    """Lifted off its shadow, with bare surface where it stood."""
    lift = (0.05, 0.1, 0.2)[strength] * shot.box[3]
    bare = cv2.GaussianBlur(cv2.dilate(shot.mask, np.ones((7, 7), np.uint8)), (0, 0), 1.0)
    return laid(laid(shot.shadowed, shot.scene, bare), *shifted(shot, [[1, 0, 0], [0, 1, -lift]]))


def no_shadow(shot, rng, other, strength):
    """Three tenths of the shadow, a tenth, none; half of it is a good picture."""
    left = (0.3, 0.1, 0.0)[strength]
    return laid(left * shot.shadowed + (1 - left) * shot.scene, shot.truth, shot.mask)


def wrong_colour(shot, rng, other, strength):
    """The product's colours moved in Lab, at the same lightness, by 10, 20 and 40."""
    angle, far = rng.uniform(0, 2 * math.pi), (10, 20, 40)[strength]
    lab = cv2.cvtColor(np.clip(shot.truth, 0, 255) / np.float32(255), cv2.COLOR_RGB2LAB)
    lab[..., 1:] += np.float32([far * math.cos(angle), far * math.sin(angle)])
    return laid(shot.truth, np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1) * 255, shot.mask)


def wrong_size(shot, rng, other, strength):
    """A dwarf or a giant, with its shadow; the grossest giant fills the picture's height."""
    _, y, _, h = shot.box
    most = 0.92 * (y + h) / h
    small = rng.random() < 0.5
    scale = (0.6, 0.35, 0.16)[strength] if small else min(most, (1.4, 1.8, 9.0)[strength])
    return scaled(shot, scale, scale, shadow=True)


def stretched(shot, rng, other, strength):
    """Wider or taller than it is."""
    share = (1.12, 1.25, 1.5)[strength]
    wide, tall = (share, 1.0) if rng.random() < 0.5 else (1.0, share)
    return scaled(shot, wide, tall, shadow=True)


def mirrored(shot, rng, other, strength):
    """A part of the print, the front, all of the product."""
    x, _, w, _ = shot.box
    flipped, mask = shifted(shot, [[-1, 0, 2 * x + w], [0, 1, 0]])
    if strength == 2:
        return laid(shot.shadowed, flipped, mask)
    part = inner_part(shot, 0.1, 0.1, 0.9, 0.9) if strength else inner_part(shot, 0.25, 0.3, 0.75, 0.6)
    return laid(shot.truth, flipped, part * mask)


def label_garbled(shot, rng, other, strength):
    """Letters bent to and fro by 1.2, 2.4 and 4.8 percent of the product's width."""
    reach = (0.012, 0.024, 0.048)[strength] * shot.box[2]
    bent = bend(shot.truth, rng, 2 + 0.03 * shot.box[2], reach)
    return laid(shot.truth, bent, inner_part(shot, 0.03, 0.1, 0.97, 0.97))


def cut_off(shot, rng, other, strength):
    """A tenth, a quarter, nearly half of it missing at one side."""
    x, y, w, h = shot.box
    cut, keep = (0.1, 0.25, 0.45)[strength], np.ones_like(shot.mask)
    side = rng.choice(["left", "right", "top"])
    if side == "top":
        keep[: round(y + cut * h)] = 0
    elif side == "left":
        keep[:, : round(x + cut * w)] = 0
    else:
        keep[:, round(x + (1 - cut) * w) :] = 0
    return laid(shot.shadowed, shot.truth, shot.mask * cv2.GaussianBlur(keep, (0, 0), 0.7))


def halo(shot, rng, other, strength):
    """A white rim on one side, a rim all around, a white card."""
    x, y, w, h = shot.box
    if strength == 2:
        card, room = np.zeros_like(shot.mask), round(0.08 * max(w, h))
        card[max(0, y - room) : y + h + room // 3, max(0, x - room) : x + w + room] = 1
        return laid(laid(shot.truth, np.full_like(shot.truth, 240), card), shot.truth, shot.mask)
    ring = cv2.dilate(shot.mask, np.ones((7, 7))) - cv2.erode(shot.mask, np.ones((3, 3)))
    ring = cv2.GaussianBlur(ring, (0, 0), 0.8) * 0.85
    if strength == 0:
        ring[:, x + w // 3 :] = 0
    return laid(shot.truth, np.full_like(shot.truth, 246), np.clip(ring, 0, 1))


def redrawn(shot, rng, other, strength):
    """Another form, another article's print, another article."""
    if strength:
        return (other_label, other_product)[strength - 1](shot, rng, other)
    x, y, w, h = shot.box
    rows, columns = shot.mask.shape
    xs, ys = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    up = np.clip((ys - y) / h, 0, 1)
    bulge = 1 + 0.18 * np.sin(2 * math.pi * up)
    xs = (xs - x - w / 2) / bulge + x + w / 2
    mask = cv2.remap(shot.mask, xs, ys, cv2.INTER_LINEAR)
    return laid(shot.shadowed, cv2.remap(shot.truth, xs, ys, cv2.INTER_CUBIC), mask)


def object_added(shot, rng, other, strength):
    """A vase beside it: 8, 15, 25 percent of the picture's height."""
    x, y, w, h = shot.box
    rows, columns = shot.mask.shape
    middle = x / 2 if x > columns - x - w else (x + w + columns) / 2
    picture = np.clip(shot.truth + 0.5, 0, 255).astype(np.uint8)
    put = compose(
        "vase",
        picture,
        vase(),
        centre_x=middle / columns,
        base_y=(y + h) / rows,
        height=(0.08, 0.15, 0.25)[strength],
        light=(1.0, 1.0, 1.0),
    )
    return put.truth.astype(np.float32)


def scene_altered(shot, rng, other, strength):
    """A patch of another room, half of another room, another room."""
    if strength:
        return (scene_half_replaced, scene_replaced)[strength - 1](shot, rng, other)
    rows, columns = shot.mask.shape
    x, _, w, _ = shot.box
    left = 0.05 * columns if x > columns - x - w else 0.7 * columns
    part = np.zeros_like(shot.mask)
    part[round(0.08 * rows) : round(0.33 * rows), round(left) : round(left + 0.25 * columns)] = 1
    part = cv2.GaussianBlur(part, (0, 0), 2.0) * (1 - shot.mask)
    return laid(shot.truth, cv2.resize(other.scene, (columns, rows)), part)


def exposure(shot, rng, other, strength):
    """Brighter or darker by a factor of 1.25, 1.6 and 2.2 in 8-bit levels."""
    factor = (1.25, 1.6, 2.2)[strength]
    return np.clip(shot.truth * (factor if rng.random() < 0.5 else 1 / factor), 0, 255)


KINDS: dict[str, Fault] = {
    "missing": missing,
    "doubled": doubled_at,
    "leaning": leaning,
    "floating": floating,
    "no_shadow": no_shadow,
    "wrong_colour": wrong_colour,
    "wrong_size": wrong_size,
    "stretched": stretched,
    "mirrored": mirrored,
    "label_garbled": label_garbled,
    "cut_off": cut_off,
    "halo": halo,
    "redrawn": redrawn,
    "object_added": object_added,
    "scene_altered": scene_altered,
    "exposure": exposure,
}
