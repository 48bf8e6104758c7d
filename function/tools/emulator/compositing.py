"""A product stood into a scene: light and colour adapted, contact and cast shadow, reflection, soft edge.

Light is multiplied onto display values: a factor f in linear light is f ** (1 / 2.2) there.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.tools.emulator.placement import DEPTH, Spot, content_box, light_slope

GAMMA = 2.2
# Product's brightness = AMBIENT + EXPOSURE * the scene's bright end, both in linear light; fitted to rendered
# scenes in which the same products really stand.
AMBIENT, EXPOSURE = 0.32, 1.05
BRIGHT_END = 90  # percentile of linear luminance
TINT = 0.45  # how far the product takes the colour of the scene's light; from the same pairs
SIDE_LIGHT = 0.16  # linear brightness gained on the lit side and lost on the other
FOOT_DARK = 0.42  # linear brightness lost at the very foot, where the surface hides light
FOOT_REACH = 0.10  # of the product's height
BOUNCE = 0.05  # share of the surface's colour thrown back onto the product's lower half
CONTACT = 0.80  # linear light lost right under the foot's rim
AMBIENT_SHADOW = 0.46  # linear light lost in the soft pool around the foot
CAST = (0.66, 0.50, 0.30)  # linear light lost in the cast shadow of the lower, middle and upper part
CAST_BANDS = (0.0, 0.30, 0.62, 1.0)  # of the product's height
CAST_BLUR = (0.035, 0.075, 0.14)  # of the product's height: the penumbra widens with the distance
CAST_LENGTH = (0.40, 0.95)  # sideways, per height: light that is undecided, light clearly from one side
CAST_BACK = 0.10  # away from the camera, per height
SHADOW_SCALE = 0.25  # shadows are soft: drawn at a quarter of the size
REFLECTION = 0.085  # mix of the mirrored product into the surface at the foot
REFLECTION_REACH = 0.22  # of the product's height
FEATHER = 0.7  # px, standard deviation of the edge's softness


@dataclass(frozen=True)
class Light:
    """How a scene is lit: `slope` from light_slope, `tint` per channel and `gain` in linear light."""

    slope: float
    tint: np.ndarray
    gain: float


def read_light(scene: np.ndarray) -> Light:
    """Light of a scene, uint8 RGB."""
    x, y, width, height = content_box(scene)
    content = scene[y : y + height, x : x + width]
    thumb = cv2.resize(content, (96, 64), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    linear = (thumb / 255.0) ** GAMMA + 1e-3
    # Shades of grey (Finlayson and Trezzi 2004): a high mean of each channel is the colour of the light.
    shades = (linear**4).mean(0) ** 0.25

    bright = float(np.percentile(linear @ np.array([0.2126, 0.7152, 0.0722]), BRIGHT_END))
    gain = float(np.clip(AMBIENT + EXPOSURE * bright, 0.4, 1.05))
    return Light(light_slope(content), (shades / shades.mean()) ** TINT, gain)


def stand(
    canvas: np.ndarray,
    product: np.ndarray,
    spot: Spot,
    light: Light,
    *,
    shadow: float = 1.0,
    lift: float = 0.0,
) -> None:
    """Draw `product` (uint8 RGBA, trimmed) into `canvas` (float32 RGB 0..255), in place.

    `shadow` scales every shadow; `lift` raises the product, but not its shadow, by pixels.
    """
    sprite = _resized(product, spot.height)
    tall, wide = sprite.shape[:2]
    left, top = round(spot.foot_x - wide / 2), round(spot.foot_y) - tall
    foot = _foot(sprite[..., 3])
    if shadow > 0:
        _cast(canvas, sprite[..., 3], (left, top), foot, light, shadow)
    y0, y1 = max(0, top + tall), min(len(canvas), top + tall + max(2, round(0.3 * wide)))
    x0, x1 = max(0, left), min(canvas.shape[1], left + wide)
    ground = canvas[y0:y1, x0:x1].mean((0, 1)) if y1 > y0 and x1 > x0 else np.full(3, 128.0)
    colour = _relit(sprite, light, ground)
    alpha = cv2.GaussianBlur(sprite[..., 3], (0, 0), FEATHER)
    # A blurred edge spreads outwards; pulled in by its own width it shows no fringe of what was around it.
    alpha = np.clip((alpha - 0.12) / 0.88, 0, 1)
    if lift == 0:
        _reflect(canvas, colour, alpha, (left, top))
    _blend(canvas, colour, alpha, (left, top - round(lift)))


def _resized(product: np.ndarray, height: float) -> np.ndarray:
    """`product` at `height` pixels, float32 RGBA: colours 0..255, filled in where alpha (0..1) hides them."""
    scale = height / product.shape[0]
    size = max(2, round(product.shape[1] * scale)), max(2, round(height))
    alpha = product[..., 3:].astype(np.float32) / 255
    weighted = np.dstack([product[..., :3] * alpha, alpha])
    small = cv2.resize(weighted, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    # Blurred colours reach beyond the edge, so that a feathered rim takes the product's own colour.
    spread = cv2.GaussianBlur(small, (0, 0), 2.0)
    inside = np.clip(small[..., 3:], 0, 1)
    own = small[..., :3] / np.maximum(small[..., 3:], 1e-3)
    near = spread[..., :3] / np.maximum(spread[..., 3:], 1e-3)
    return np.dstack([np.clip(own * inside + near * (1 - inside), 0, 255), inside])


def _foot(alpha: np.ndarray) -> tuple[float, float]:
    """First and last column of what touches the ground: covered within 5 % of the height from below."""
    low = alpha[int(0.95 * len(alpha)) :].max(0) > 0.5
    columns = np.nonzero(low)[0]
    return (float(columns[0]), float(columns[-1] + 1)) if columns.size else (0.0, float(alpha.shape[1]))


def _relit(sprite: np.ndarray, light: Light, ground: np.ndarray) -> np.ndarray:
    """The product's colours under the scene's light, float32 0..255."""
    tall, wide = sprite.shape[:2]
    across = np.linspace(1, -1, wide, dtype=np.float32)[None, :, None]
    up = np.linspace(1, 0, tall, dtype=np.float32)[:, None, None]
    linear = light.gain * light.tint * (1 + SIDE_LIGHT * light.slope * across)
    linear = linear * (1 - FOOT_DARK * np.exp(-up / (FOOT_REACH / 2)))
    bounce = BOUNCE * (1 - np.clip(up * 2, 0, 1)) * (1 - np.exp(-up / (FOOT_REACH / 2)))
    colour = sprite[..., :3] * (linear ** (1 / GAMMA)).astype(np.float32)
    result: np.ndarray = np.clip(colour * (1 - bounce) + ground.astype(np.float32) * bounce, 0, 255)
    return result


def _cast(
    canvas: np.ndarray,
    alpha: np.ndarray,
    corner: tuple[int, int],
    foot: tuple[float, float],
    light: Light,
    strength: float,
) -> None:
    """Darken the ground: contact line, soft pool, and the shadow cast away from the light."""
    tall, wide = alpha.shape
    reach = round(1.3 * tall)
    x0, y0 = corner[0] - reach, corner[1] + round(0.35 * tall)
    width, height = wide + 2 * reach, round(0.65 * tall) + round(0.4 * wide) + 8
    small_size = max(8, round(width * SHADOW_SCALE)), max(8, round(height * SHADOW_SCALE))
    k = np.array([small_size[0] / width, small_size[1] / height], np.float32)
    foot_wide = foot[1] - foot[0]
    depth = DEPTH * foot_wide
    middle = (corner[0] + (foot[0] + foot[1]) / 2 - x0, corner[1] + tall - depth / 2 - y0)

    lost = np.zeros(small_size[::-1], np.float32)
    side = 1.0 if light.slope >= 0 else -1.0
    along = side * (CAST_LENGTH[0] + (CAST_LENGTH[1] - CAST_LENGTH[0]) * abs(light.slope))
    # (column, row) of the silhouette → ground: rows above the foot move sideways and a little back.
    shear = np.array(
        [
            [k[0], -along * k[0], (corner[0] - x0 + along * tall) * k[0]],
            [0, CAST_BACK * k[1], (middle[1] - CAST_BACK * tall) * k[1]],
        ],
        np.float32,
    )
    rows = np.arange(tall)[::-1] / tall
    for index, share in enumerate(CAST):
        band = alpha * ((rows >= CAST_BANDS[index]) & (rows < CAST_BANDS[index + 1]))[:, None]
        thrown = cv2.warpAffine(band, shear, small_size, flags=cv2.INTER_AREA)
        sigma = CAST_BLUR[index] * tall * SHADOW_SCALE
        # A body has depth: what it throws is as deep as its foot, far deeper than the sheared silhouette.
        thrown = cv2.blur(thrown, (1, max(1, int(0.8 * depth * k[1]))))
        thrown = cv2.GaussianBlur(thrown, (0, 0), sigma, sigmaY=max(0.6, 0.45 * sigma))
        peak = float(thrown.max())
        if peak > 0:
            lost = 1 - (1 - lost) * (1 - share * strength * thrown / peak)
    pool = np.zeros_like(lost)
    axes = (0.58 * foot_wide, 0.72 * depth)
    _ellipse(pool, (middle[0] + 0.05 * side * foot_wide, middle[1]), axes, k)
    pool = cv2.GaussianBlur(pool, (0, 0), max(0.6, 0.12 * foot_wide * k[0]), sigmaY=max(0.6, 0.07 * foot_wide * k[1]))
    lost = 1 - (1 - lost) * (1 - AMBIENT_SHADOW * strength * pool)
    lost = cv2.resize(lost, (width, height), interpolation=cv2.INTER_CUBIC)

    rim = np.zeros((height, width), np.float32)
    bottom = round(0.12 * tall)
    row, column = corner[1] + tall - bottom - y0, corner[0] - x0
    drop = max(1, round(0.010 * tall))
    rim[row + drop : row + drop + bottom, column : column + wide] = alpha[-bottom:]
    rim = cv2.GaussianBlur(rim, (0, 0), max(0.8, 0.011 * tall))
    lost = 1 - (1 - lost) * (1 - CONTACT * strength * rim)
    _darken(canvas, lost, (x0, y0))


def _ellipse(mask: np.ndarray, middle: tuple[float, float], axes: tuple[float, float], k: np.ndarray) -> None:
    """Fill an ellipse given in unscaled pixels, with sub-pixel accuracy."""
    shift = 4
    one = 1 << shift
    centre = (round(middle[0] * k[0] * one), round(middle[1] * k[1] * one))
    radii = (max(one, round(axes[0] * k[0] * one)), max(one, round(axes[1] * k[1] * one)))
    cv2.ellipse(mask, centre, radii, 0, 0, 360, 1.0, -1, cv2.LINE_8, shift)


def _darken(canvas: np.ndarray, lost: np.ndarray, corner: tuple[int, int]) -> None:
    """Multiply `canvas` by 1 - `lost` (linear light) where they overlap."""
    view, part = _overlap(canvas, lost, corner)
    view *= (np.clip(1 - part, 0, 1) ** (1 / GAMMA))[..., None]


def _reflect(canvas: np.ndarray, colour: np.ndarray, alpha: np.ndarray, corner: tuple[int, int]) -> None:
    """Mix the mirrored product into the surface below its foot, fading out."""
    tall = len(alpha)
    reach = max(2, round(REFLECTION_REACH * tall))
    fade = np.linspace(1, 0, reach, dtype=np.float32)[:, None] ** 1.5
    blur = max(0.8, 0.008 * tall)
    mirrored = cv2.GaussianBlur(colour[::-1][:reach], (0, 0), blur, sigmaY=2 * blur)
    weight = cv2.GaussianBlur(alpha[::-1][:reach], (0, 0), blur) * fade * REFLECTION
    _blend(canvas, mirrored, weight, (corner[0], corner[1] + tall - 2))


def _blend(canvas: np.ndarray, colour: np.ndarray, alpha: np.ndarray, corner: tuple[int, int]) -> None:
    view, weight = _overlap(canvas, alpha, corner)
    _, part = _overlap(canvas, colour, corner)
    view += (part - view) * weight[..., None]


def _overlap(canvas: np.ndarray, part: np.ndarray, corner: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Views of `canvas` and `part` where they overlap, when part's first pixel lies at `corner` (x, y)."""
    x, y = corner
    x0, y0 = max(0, x), max(0, y)
    x1, y1 = min(canvas.shape[1], x + part.shape[1]), min(canvas.shape[0], y + part.shape[0])
    x1, y1 = max(x0, x1), max(y0, y1)
    return canvas[y0:y1, x0:x1], part[y0 - y : y1 - y, x0 - x : x1 - x]
