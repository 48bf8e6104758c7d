"""Ways in which a model spoils the picture.

Each takes a shot, a random generator and another shot, and returns what the model meant to draw, (h, w, 3)
float32 RGB at the shot's size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from tests.cases.cases import Case
from tests.cases.shot import Shot, about, bend, hue_turned, inner_part, laid, shifted, shot_of

Fault = Callable[[Shot, np.random.Generator, Shot], np.ndarray]


def spoiled(case: Case, fault: str, seed: int, other: Case) -> Case:
    """`case` with a truth that has the `fault`; `other`, of any size, lends its pictures to some faults."""
    rng = np.random.default_rng(seed)
    picture = (FAULTS | GOOD)[fault](shot_of(case), rng, shot_of(other))
    return replace(case, truth=np.clip(picture + 0.5, 0, 255).astype(np.uint8))


def product_missing(shot, rng, other):
    return shot.scene.copy()


def doubled(shot: Shot, scale: float) -> np.ndarray:
    x, y, w, h = shot.box
    step = (1.0 + scale) / 2 * 1.15 * w
    room_right = x + w / 2 + step + scale * w / 2 < shot.mask.shape[1]
    matrix = about(scale, scale, x + w / 2, y + h)
    matrix[0][2] += step if room_right else -step
    copy, mask = shifted(shot, matrix)
    return laid(shot.truth, copy, mask)


def product_doubled(shot, rng, other):
    return doubled(shot, 1.0)


def doubled_small(shot, rng, other):
    return doubled(shot, rng.uniform(0.45, 0.6))


def wrong_colour(shot, rng, other):
    return laid(shot.truth, hue_turned(shot.truth, int(rng.integers(25, 156))), shot.mask)


def recoloured_part(shot, rng, other):
    top = rng.choice([0.0, 0.5])
    part = inner_part(shot, 0, top, 1, top + 0.5)
    return laid(shot.truth, hue_turned(shot.truth, int(rng.integers(40, 140))), part)


def bleached(shot, rng, other):
    grey = shot.truth.mean(axis=2, keepdims=True)
    return laid(shot.truth, grey + 0.15 * (shot.truth - grey), shot.mask)


def mirrored_product(shot, rng, other):
    x, _, w, _ = shot.box
    flipped, mask = shifted(shot, [[-1, 0, 2 * x + w], [0, 1, 0]])
    return laid(shot.shadowed, flipped, mask)


def other_product(shot, rng, other):
    """Another article of about the same place and size."""
    x, y, w, h = shot.box
    ox, oy, ow, oh = other.box
    scale = h / oh
    size = shot.truth.shape[1], shot.truth.shape[0]
    m = np.float32([[scale, 0, x + w / 2 - scale * (ox + ow / 2)], [0, scale, y + h - scale * (oy + oh)]])
    over, mask = cv2.warpAffine(other.truth, m, size), cv2.warpAffine(other.mask, m, size)
    return laid(shot.shadowed, over, mask)


def other_label(shot, rng, other):
    """The right body with another article's print."""
    x, y, w, h = shot.box
    ox, oy, ow, oh = other.box
    cut = other.truth[oy + oh // 4 : oy + oh * 9 // 10, ox + ow // 6 : ox + ow * 5 // 6]
    patch = shot.truth.copy()
    rows, columns = slice(y + h * 3 // 10, y + h * 9 // 10), slice(x + w // 8, x + w * 7 // 8)
    shape = patch[rows, columns].shape
    patch[rows, columns] = cv2.resize(cut, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return laid(shot.truth, patch, inner_part(shot, 0.12, 0.3, 0.88, 0.9))


def other_words(shot, rng, other):
    """The print wiped away and other words set in its ink."""
    part = inner_part(shot, 0.08, 0.3, 0.92, 0.92)
    x, y, w, h = shot.box
    picture = np.clip(shot.truth, 0, 255).astype(np.uint8)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    stands_out = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 0.06 * h)) > 14
    ink = np.median(picture[stands_out & (part > 0.5)], axis=0) if (stands_out & (part > 0.5)).any() else [60] * 3
    wipe = cv2.dilate((stands_out & (part > 0.1)).astype(np.uint8), np.ones((5, 5)))
    clean = cv2.inpaint(picture, wipe, 5, cv2.INPAINT_TELEA)
    text = clean.copy()
    words = [
        "MERVO",
        "Salted Plum",
        "No. 47 - fine blend",
        "since 1902",
        "TALGO 9%",
        "mixed and bottled",
        "Oulu",
    ]
    line = y + 0.38 * h
    for word in rng.permutation(words)[:6]:
        scale = rng.uniform(0.0035, 0.008) * 0.3 * w
        cv2.putText(
            text,
            str(word),
            (round(x + 0.14 * w), round(line)),
            cv2.FONT_HERSHEY_SIMPLEX,
            scale * 0.6,
            tuple(float(v) for v in ink),
            max(1, round(scale * 2)),
            cv2.LINE_AA,
        )
        line += rng.uniform(0.07, 0.11) * h
    return laid(shot.truth, text.astype(np.float32), part)


def blurred_label(shot, rng, other):
    soft = cv2.GaussianBlur(shot.truth, (0, 0), 0.035 * shot.box[2] + 2)
    return laid(shot.truth, soft, inner_part(shot, 0.03, 0.1, 0.97, 0.97))


def garbled_label(shot, rng, other):
    """Letters that are none: the print bent to and fro."""
    width = 0.035 * shot.box[2]
    bent = bend(shot.truth, rng, width + 2, width)
    return laid(shot.truth, bent, inner_part(shot, 0.03, 0.1, 0.97, 0.97))


def scene_replaced(shot, rng, other):
    size = shot.truth.shape[1], shot.truth.shape[0]
    return laid(cv2.resize(other.scene, size), shot.truth, shot.mask)


def scene_reimagined(shot, rng, other):
    """The same kind of room, everything a little elsewhere."""
    shape = shot.mask.shape
    away = 1 - cv2.GaussianBlur(cv2.dilate(shot.mask, np.ones((31, 31))), (0, 0), 20)
    return bend(shot.truth, rng, 0.05 * max(shape), 0.02 * max(shape) * away)


def scene_half_replaced(shot, rng, other):
    """Everything on one side of the product is another room."""
    size = shot.truth.shape[1], shot.truth.shape[0]
    x, _, w, _ = shot.box
    side = np.zeros_like(shot.mask)
    if x + w / 2 < size[0] / 2:
        side[:, x + w + w // 2 :] = 1
    else:
        side[:, : max(0, x - w // 2)] = 1
    return laid(shot.truth, cv2.resize(other.scene, size), cv2.GaussianBlur(side, (0, 0), 6))


def scene_relit(shot, rng, other):
    """Night falls from one side, in another colour."""
    width = shot.mask.shape[1]
    across = np.linspace(1.25, 0.35, width, dtype=np.float32)[None, :, None]
    across = across[:, ::-1] if rng.random() < 0.5 else across
    return np.clip(shot.truth * across * np.float32([1.05, 0.95, 0.8]), 0, 255)


def cropped_scene(shot, rng, other):
    height, width = shot.mask.shape
    cut = rng.uniform(0.10, 0.2)
    left, top = (int(side * cut * rng.uniform(0.3, 0.7)) for side in (width, height))
    part = shot.truth[top : top + int(height * (1 - cut)), left : left + int(width * (1 - cut))]
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC)


def zoomed_out(shot, rng, other):
    """More of the room than was given: its border is invented."""
    height, width = shot.mask.shape
    zoom = rng.uniform(0.8, 0.9)
    m = np.float32(about(zoom, zoom, width / 2, height / 2))
    return cv2.warpAffine(shot.truth, m, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101)


def cutout_halo(shot, rng, other, part: np.ndarray | None = None):
    wide = int(rng.choice([3, 5, 7]))
    m = shot.mask
    ring = cv2.GaussianBlur(cv2.dilate(m, np.ones((wide, wide))), (0, 0), 0.8) - cv2.erode(m, np.ones((3, 3)))
    ring = np.clip(ring, 0, 1) * rng.uniform(0.7, 0.95)
    return laid(shot.truth, np.full_like(shot.truth, 246), ring if part is None else ring * part)


def partial_halo(shot, rng, other):
    x, _, w, _ = shot.box
    side = np.zeros_like(shot.mask)
    if rng.random() < 0.5:
        side[:, : x + w // 3] = 1
    else:
        side[:, x + w * 2 // 3 :] = 1
    return cutout_halo(shot, rng, other, side)


def no_shadow(shot, rng, other):
    return laid(shot.scene, shot.truth, shot.mask)


def floating_product(shot, rng, other):
    """Lifted off its shadow: bare surface where it should stand."""
    lift = rng.uniform(0.1, 0.2) * shot.box[3]
    bare = cv2.GaussianBlur(cv2.dilate(shot.mask, np.ones((7, 7), np.uint8)), (0, 0), 1.0)
    over, mask = shifted(shot, [[1, 0, 0], [0, 1, -lift]])
    return laid(laid(shot.shadowed, shot.scene, bare), over, mask)


def floating_without_shadow(shot, rng, other):
    lift = rng.uniform(0.05, 0.2) * shot.box[3]
    over, mask = shifted(shot, [[1, 0, 0], [0, 1, -lift]])
    return laid(shot.scene, over, mask)


def detached_shadow(shot, rng, other):
    """The shadow begins beside the product, on the side that it falls to."""
    x, _, w, h = shot.box
    darkness = np.maximum(1 - shot.light.mean(axis=2), 0) * (shot.mask < 0.02)
    centre = float((darkness.sum(axis=0) * np.arange(darkness.shape[1])).sum() / max(1e-6, darkness.sum()))
    dx = (1 if centre > x + w / 2 else -1) * rng.uniform(1.4, 1.8) * w
    return laid(shot.shadow_moved([[1, 0, dx], [0, 1, 0.12 * h]]), shot.truth, shot.mask)


def clipped_edge(shot, rng, other):
    """A strip of the product is missing at one side."""
    x, y, w, h = shot.box
    keep = np.ones_like(shot.mask)
    cut = rng.uniform(0.18, 0.3)
    side = rng.choice(["left", "right", "top"])
    if side == "left":
        keep[:, : round(x + cut * w)] = 0
    elif side == "right":
        keep[:, round(x + (1 - cut) * w) :] = 0
    else:
        keep[: round(y + cut * h)] = 0
    keep = cv2.GaussianBlur(keep, (0, 0), 0.7)
    return laid(shot.shadowed, shot.truth, shot.mask * keep)


def clipped_by_frame(shot, rng, other):
    x, y, w, h = shot.box
    height, width = shot.mask.shape
    out = rng.uniform(0.15, 0.35)
    dx, dy = 0.0, 0.0
    if rng.random() < 0.5:
        dx = width - x - (1 - out) * w
    else:
        dy = height - y - (1 - out) * h
    matrix = [[1, 0, dx], [0, 1, dy]]
    return laid(shot.shadow_moved(matrix), *shifted(shot, matrix))


def scaled(shot: Shot, scale_x: float, scale_y: float, *, shadow: bool) -> np.ndarray:
    x, y, w, h = shot.box
    matrix = about(scale_x, scale_y, x + w / 2, y + h)
    return laid(shot.shadow_moved(matrix) if shadow else shot.scene, *shifted(shot, matrix))


def wrong_scale(shot, rng, other):
    return scaled(shot, 1.45, 1.45, shadow=False)


def giant(shot, rng, other):
    scale = 0.92 * (shot.box[1] + shot.box[3]) / shot.box[3]
    return scaled(shot, scale, scale, shadow=True)


def tiny(shot, rng, other):
    return scaled(shot, 0.16, 0.16, shadow=True)


def stretched_wide(shot, rng, other):
    return scaled(shot, rng.uniform(1.3, 1.5), 1.0, shadow=True)


def stretched_tall(shot, rng, other):
    return scaled(shot, 1.0, rng.uniform(1.3, 1.5), shadow=True)


def black_image(shot, rng, other):
    return np.zeros_like(shot.truth)


def white_image(shot, rng, other):
    return np.full_like(shot.truth, 255)


def noise_image(shot, rng, other):
    return rng.uniform(0, 255, shot.truth.shape).astype(np.float32)


def other_picture(shot, rng, other):
    size = shot.truth.shape[1], shot.truth.shape[0]
    return cv2.resize(other.truth, size, interpolation=cv2.INTER_AREA)


def overexposed(shot, rng, other):
    return np.clip(shot.truth * rng.uniform(1.7, 2.2), 0, 255)


def underexposed(shot, rng, other):
    return shot.truth * rng.uniform(0.25, 0.45)


def colour_cast(shot, rng, other):
    return np.clip(shot.truth * np.float32([1.3, 1.0, 0.55] if rng.random() < 0.5 else [0.6, 1.0, 1.35]), 0, 255)


FAULTS: dict[str, Fault] = {
    function.__name__: function
    for function in (
        product_missing,
        product_doubled,
        doubled_small,
        wrong_colour,
        recoloured_part,
        bleached,
        mirrored_product,
        other_product,
        other_label,
        other_words,
        blurred_label,
        garbled_label,
        scene_replaced,
        scene_reimagined,
        scene_half_replaced,
        scene_relit,
        cropped_scene,
        zoomed_out,
        cutout_halo,
        partial_halo,
        no_shadow,
        floating_product,
        floating_without_shadow,
        detached_shadow,
        clipped_edge,
        clipped_by_frame,
        wrong_scale,
        giant,
        tiny,
        stretched_wide,
        stretched_tall,
        black_image,
        white_image,
        noise_image,
        other_picture,
        overexposed,
        underexposed,
        colour_cast,
    )
}


def shaded(shot, rng, other):
    """A good picture: the edge of a shadow lies across the product."""
    width = shot.mask.shape[1]
    x, _, w, _ = shot.box
    edge = np.clip((np.arange(width, dtype=np.float32) - x - 0.5 * w) / (0.2 * w), 0, 1)
    return laid(shot.truth, shot.truth * (1 - 0.35 * edge)[None, :, None], shot.mask)


def brighter(shot, rng, other):
    """A good picture: the product takes more light, and shows it rounder."""
    width = shot.mask.shape[1]
    x, _, w, _ = shot.box
    across = 1.12 - 0.25 * ((np.arange(width, dtype=np.float32) - x - w / 2) / w) ** 2
    return laid(shot.truth, np.clip(shot.truth * across[None, :, None], 0, 255), shot.mask)


def faint_shadow(shot, rng, other):
    """A good picture: half the shadow, as on an overcast day."""
    return laid(0.5 * shot.scene + 0.5 * shot.shadowed, shot.truth, shot.mask)


GOOD = {"shaded": shaded, "brighter": brighter, "faint_shadow": faint_shadow}

# The check that has to see a fault; the others are seen by whichever check meets them first.
SEEN_BY = {
    "product_missing": "product_present",
    "product_doubled": "product_once",
    "doubled_small": "product_once",
    "wrong_colour": "product_colour",
    "recoloured_part": "product_colour",
    "bleached": "product_colour",
    "mirrored_product": "product_not_mirrored",
    "other_label": "label_kept",
    "other_words": "label_kept",
    "blurred_label": "label_kept",
    "garbled_label": "label_kept",
    "scene_replaced": "scene_kept",
    "scene_half_replaced": "scene_kept",
    "cropped_scene": "scene_kept",
    "zoomed_out": "scene_kept",
    "scene_relit": "exposure_sane",
    "overexposed": "exposure_sane",
    "underexposed": "exposure_sane",
    "colour_cast": "exposure_sane",
    "cutout_halo": "no_halo",
    "no_shadow": "contact_shadow",
    "clipped_by_frame": "product_whole",
    "stretched_wide": "scale_plausible",
    "stretched_tall": "scale_plausible",
    "giant": "scale_plausible",
    "tiny": "product_present",
    "partial_halo": "no_halo",
    "floating_product": "contact_shadow",
    "floating_without_shadow": "contact_shadow",
    "detached_shadow": "contact_shadow",
    "clipped_edge": "product_whole",
    "wrong_scale": "contact_shadow",
    "scene_reimagined": "scene_kept",
}
