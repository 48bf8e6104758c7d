"""Ways in which the picture itself goes wrong, for judging: what a model is seen to do now and then."""

from __future__ import annotations

import cv2
import numpy as np

from function.tools.emulator.liberties import LIBERTIES
from function.tools.emulator.placement import Spot

PICTURE_FAULTS = LIBERTIES | frozenset(
    {
        "product_missing",
        "product_duplicated",
        "wrong_colour",
        "mirrored_product",
        "other_label",
        "floating_product",
        "no_shadow",
        "cutout_halo",
        "clipped_product",
        "scene_replaced",
        "cropped_scene",
        "zoomed_scene",
        "black_image",
        "wrong_scale",
        "other_picture",
    }
)
HUE_TURN = 70  # of OpenCV's 180
APART = 1.35  # product widths between twins
FLOAT = 0.16  # of the product's height
CLIPPED = (0.26, 0.14)  # share of the width and of the height that is cut away
CROPPED, ZOOMED = 0.16, 0.10  # share of the scene that is lost
SCALED = 1.6
OTHER_WORDS = (("NORDVIK", 0.62), ("sparkling", 0.4), ("FRESH No 7", 0.5), ("est. 1964", 0.34), ("100 g", 0.3))
HALO_PX = 5


def spoil_product(product: np.ndarray, fault: str | None) -> np.ndarray:
    """`product` (uint8 RGBA, trimmed) as a model that gets it wrong draws it; the same where `fault` is not its."""
    rgb, alpha = product[..., :3], product[..., 3]
    if fault == "wrong_colour":
        hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV).astype(np.int16)
        hsv[..., 0] = (hsv[..., 0] + HUE_TURN) % 180
        hsv[..., 1] = np.clip(hsv[..., 1] * 1.2 + 25, 0, 255)
        return np.dstack([cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB), alpha])
    if fault == "mirrored_product":
        return product[:, ::-1]
    if fault == "other_label":
        return np.dstack([_other_print(rgb, alpha), alpha])
    if fault == "clipped_product":
        out = product.copy()
        out[:, : int(CLIPPED[0] * product.shape[1]), 3] = 0
        out[: int(CLIPPED[1] * product.shape[0]), :, 3] = 0
        return out
    if fault == "cutout_halo":
        thick = max(HALO_PX, len(product) // 50) | 1
        pad = thick
        wide = cv2.copyMakeBorder(product, pad, 0, pad, pad, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
        grown = cv2.dilate(wide[..., 3], np.ones((thick, thick), np.uint8))
        inner = cv2.erode(wide[..., 3], np.ones((thick // 2 | 1, thick // 2 | 1), np.uint8))[..., None] / 255
        colour = wide[..., :3] * inner + 248 * (1 - inner)
        return np.dstack([colour.astype(np.uint8), grown])
    return product


def _other_print(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The product's colours (h, w, 3) with its print wiped along the rows and other words put in its place."""
    height, width = alpha.shape
    foot = np.nonzero(alpha[int(0.95 * height) :].max(0) > 127)[0]
    inset = int(0.04 * width)
    left, right = (foot[0] + inset, foot[-1] + 1 - inset) if len(foot) > 4 * inset else (0, width)
    top, bottom = int(0.3 * height), int(0.9 * height)
    block = rgb[top:bottom, left:right]
    if block.size == 0:
        return rgb
    ground = np.median(block, axis=1).astype(np.uint8)
    out = rgb.copy()
    out[top:bottom, left:right] = cv2.blur(ground[:, None], (1, 9))[:, :1].reshape(-1, 1, 3)
    for number, (word, share) in enumerate(OTHER_WORDS):
        y = top + int((0.22 + 0.16 * number) * (bottom - top))
        ink = 25 if rgb[y, left:right].mean() > 110 else 235
        font = cv2.FONT_HERSHEY_DUPLEX
        (long, _), _ = cv2.getTextSize(word, font, 1.0, 1)
        scale = share * 1.2 * (right - left) / long
        start = ((left + right) // 2 - int(scale * long / 2), y)
        cv2.putText(out, word, start, font, scale, (ink,) * 3, max(1, round(2 * scale)), cv2.LINE_AA)
    return out


def spots(spot: Spot, product_wide: float, canvas_size: tuple[int, int], fault: str | None) -> list[Spot]:
    """Where the product is drawn: once at `spot`, unless the fault says otherwise."""
    if fault == "product_missing":
        return []
    if fault == "wrong_scale":
        return [Spot(spot.foot_x, spot.foot_y, spot.height * SCALED)]
    if fault == "product_duplicated":
        step = APART * product_wide
        fits = spot.foot_x + step + product_wide / 2 < canvas_size[0]
        return [spot, Spot(spot.foot_x + (step if fits else -step), spot.foot_y, spot.height)]
    return [spot]


def spoil_picture(picture: np.ndarray, fault: str | None, rng: np.random.Generator) -> np.ndarray:
    """The finished picture (float32 RGB) after faults that concern all of it."""
    if fault == "black_image":
        return np.zeros_like(picture)
    lost = {"cropped_scene": CROPPED, "zoomed_scene": ZOOMED}.get(fault or "")
    if lost is None:
        return picture
    height, width = picture.shape[:2]
    where = rng.uniform(0.1, 0.9, 2) if fault == "cropped_scene" else (0.5, 0.5)
    x, y = int(lost * width * where[0]), int(lost * height * where[1])
    part = picture[y : y + round((1 - lost) * height), x : x + round((1 - lost) * width)]
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC)
