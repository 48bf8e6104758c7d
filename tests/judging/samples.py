"""A small picture that passes every check, built by hand: each test spoils one thing of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from function.judging.inspection import Inspection
from function.judging.product_crop import ProductCrop
from function.matching.match import ProductMatch
from function.registration.register import Drift, Registration
from function.restoration.analysis import ProductAnalysis, SceneAnalysis
from function.restoration.colour_transfer import IDENTITY_COLOURS

WIDTH, HEIGHT = 480, 360
PRODUCT = (190, 90, 100, 180)  # x, y, width, height
CROP = (150, 50, 180, 270)


def room() -> np.ndarray:
    """(HEIGHT, WIDTH, 3) uint8: a softly textured wall and table."""
    coarse = np.random.default_rng(0).normal(0, 7, (HEIGHT // 6, WIDTH // 6, 1)).astype(np.float32)
    grain = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)[..., None]
    tone = np.where(np.arange(HEIGHT)[:, None, None] < 200, 165, 140) * np.float32([1.0, 0.95, 0.9])
    return np.clip(tone + grain, 0, 255).astype(np.uint8)


def label(seed: int = 0) -> np.ndarray:
    """(180, 100, 3) uint8: lettering on blue."""
    rng = np.random.default_rng(seed)
    front = np.full((PRODUCT[3], PRODUCT[2], 3), (60, 90, 170), np.uint8)
    for row in range(24, PRODUCT[3], 26):
        word = "".join(rng.choice(list("ABCDEFGHKLMNPRSTUVXYZ2345678"), 5))
        cv2.putText(front, word, (8, row), cv2.FONT_HERSHEY_DUPLEX, 0.8, (235, 225, 200), 2, cv2.LINE_AA)
    return front


def other_label() -> np.ndarray:
    """Other words, at other heights."""
    return np.roll(label(9), 13, axis=0)


def photograph(front: np.ndarray | None = None) -> np.ndarray:
    """(220, 140, 4) uint8 RGBA: the product cut out, 20 pixels of room around."""
    rgba = cv2.cvtColor(label() if front is None else front, cv2.COLOR_RGB2RGBA)
    return cv2.copyMakeBorder(rgba, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=(255, 255, 255, 0))


def outline() -> np.ndarray:
    """(HEIGHT, WIDTH) uint8: 255 where the product is."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    x, y, width, height = PRODUCT
    mask[y : y + height, x : x + width] = 255
    return mask


def shadow() -> np.ndarray:
    """(HEIGHT, WIDTH) float32: share of the light that the product takes: most where it stands."""
    spot = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.ellipse(spot, (PRODUCT[0] + PRODUCT[2] // 2, PRODUCT[1] + PRODUCT[3]), (64, 14), 0, 0, 360, 1.0, -1)
    return 0.45 * cv2.GaussianBlur(spot, (0, 0), 5)


def composite(front: np.ndarray | None = None, shade: np.ndarray | None = None) -> np.ndarray:
    """(HEIGHT, WIDTH, 3) uint8: the product in the room, with its shadow."""
    shade = shadow() if shade is None else shade
    picture = room() * (1 - shade[..., None])
    x, y, width, height = PRODUCT
    picture[y : y + height, x : x + width] = label() if front is None else front
    return np.clip(picture, 0, 255).astype(np.uint8)


def cropped(picture: np.ndarray) -> np.ndarray:
    """The part of a picture that the crop shows."""
    x, y, width, height = CROP
    return picture[y : y + height, x : x + width]


def match(**changes: Any) -> ProductMatch:
    """The photograph found by its print, upright."""
    _, _, width, height = PRODUCT
    u, v = np.meshgrid((np.arange(width) + 20.5) / 140, (np.arange(height) + 20.5) / 220)
    found = ProductMatch(
        kind="plane",
        correlation=0.9,
        mirrored=False,
        instances=1,
        box=PRODUCT,
        coverage=outline(),
        mapping=np.dstack([u, v]).astype(np.float32),
        weight=np.full((height, width), 255, np.uint8),
    )
    return replace(found, **changes)


def crop_of(answer: np.ndarray, *, matched: bool = True, **changes: Any) -> ProductCrop:
    """The product in `answer` (HEIGHT, WIDTH, 3) beside its photograph."""
    mask = cropped(outline()).astype(np.float32) / 255
    expected = np.full((HEIGHT, WIDTH, 3), (60, 90, 170), np.uint8)
    x, y, width, height = PRODUCT
    expected[y : y + height, x : x + width] = label()
    whole = ProductCrop(
        box=CROP,
        generated=cropped(answer),
        scene=cropped(room()),
        product_mask=mask,
        inserted_mask=mask,
        expected=cropped(expected),
        reference_map=np.dstack(np.meshgrid(np.arange(CROP[2]), np.arange(CROP[3]))).astype(np.float32)
        + np.float32([CROP[0] - PRODUCT[0] + 20, CROP[1] - PRODUCT[1] + 20]),
        reference_mask=mask,
        visible_mask=mask,
        find_palette=lambda: label().reshape(-1, 3)[::100],
        matched=matched,
        fitted=True,
        height=float(height),
        openings=np.zeros_like(mask),
        backdrop=cropped(expected),
        drop_shadow=np.zeros_like(mask),
    )
    return replace(whole, **changes)


def scene(answer: np.ndarray, shade: np.ndarray | None = None, **changes: Any) -> SceneAnalysis:
    """What is found out about `answer`, under the light that `shade` leaves."""
    shade = shadow() if shade is None else shade
    light = np.log(1 - cv2.resize(shade, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA))
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    drift = Drift(1.0, 1.0, 0.0, 0.0, True)
    box = (0.0, 0.0, float(WIDTH), float(HEIGHT))
    found = SceneAnalysis(
        given=room(),
        image=room(),
        relighting=None,
        generated=answer,
        generated_plain=answer,
        generated_raw=answer,
        registration=Registration(np.dstack([x, y]), np.ones((HEIGHT, WIDTH), bool), drift, box, 0.95, False),
        colours=IDENTITY_COLOURS,
        light=np.repeat(light[..., None], 3, axis=2).astype(np.float32),
        content=np.zeros((HEIGHT, WIDTH), np.uint8),
        change=np.maximum(outline(), np.where(shade > 0.02, 255, 0).astype(np.uint8)),
    )
    return replace(found, **changes)


def inspection(
    answer: np.ndarray | None = None,
    *,
    matched: ProductMatch | str | None = "found",
    product_mask: np.ndarray | None = None,
    crop: ProductCrop | None = None,
    of_scene: SceneAnalysis | None = None,
) -> Inspection:
    """Of `answer`, by default the good one; `matched` None for a product that was not found by its print."""
    answer = composite() if answer is None else answer
    found = match() if isinstance(matched, str) else matched
    return Inspection(
        scene(answer) if of_scene is None else of_scene,
        ProductAnalysis(photograph(), found, outline() if product_mask is None else product_mask),
        crop_of(answer, matched=found is not None) if crop is None else crop,
    )


def registered(of_scene: SceneAnalysis, *, drift: dict[str, Any] | None = None, **changes: Any) -> SceneAnalysis:
    """`of_scene` with another registration."""
    whole = replace(of_scene.registration, drift=replace(of_scene.registration.drift, **(drift or {})), **changes)
    return replace(of_scene, registration=whole)


ORANGE = np.full((PRODUCT[3], PRODUCT[2], 3), (220, 120, 30), np.uint8)


def piece(answer: np.ndarray, mask: np.ndarray, **changes):
    """The crop when only `mask` (HEIGHT, WIDTH) uint8 is known to have been put in."""
    cover = cropped(mask).astype(np.float32) / 255
    return crop_of(answer, matched=False, fitted=False, product_mask=cover, inserted_mask=cover, **changes)


def with_a_thing_beside(second: tuple[int, int, int, int], *, dark: bool = False):
    """The crop of an orange product with another thing in the box `second` of the crop; what lies low between them, or
    all of it where `dark`, was put in as shadow."""
    crop = piece(composite(ORANGE), outline())
    answer, cover = crop.generated.copy(), crop.product_mask.copy()
    x, y, wide, tall = second
    left, top, across, down = cv2.boundingRect((cover > 0.5).astype(np.uint8))
    between = np.s_[top if dark else top + down - 12 : top + down, min(x, left) : max(x + wide, left + across)]
    free = cover[between] < 0.5
    answer[between][free] = (crop.scene[between][free] * 0.55).astype(np.uint8)
    cover[between] = 1
    answer[y : y + tall, x : x + wide], cover[y : y + tall, x : x + wide] = (30, 140, 60), 1
    return replace(crop, generated=answer, product_mask=cover, inserted_mask=cover)
