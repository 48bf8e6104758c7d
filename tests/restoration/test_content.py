"""What is opaque is shown as the model drew it, whatever it stands before; what is only light is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.restoration.analyse import analyse
from function.restoration.restore import restore
from tests.cases.answers import frame_of

WIDTH, HEIGHT = 1344, 768
NO_PRODUCT = np.dstack([np.full((64, 64, 3), 90, np.uint8), np.full((64, 64), 255, np.uint8)])


def wall(rng, level=232.0):
    """A plain pale wall, lit from the left, with a textured floor below it and a door frame to hold on to."""
    across = np.linspace(1.0, 0.9, WIDTH, dtype=np.float32)[None, :, None]
    room = np.full((HEIGHT, WIDTH, 3), level, np.float32) * across * np.float32([1, 0.99, 0.97])
    room[560:] = floor(rng)[560:]
    for x in (60, 1180):
        cv2.rectangle(room, (x, 120), (x + 110, 560), (150, 140, 130), 3)
        cv2.circle(room, (x + 90, 350), 5, (90, 80, 70), -1)
    cv2.rectangle(room, (0, 552), (WIDTH, 560), (205, 203, 200), -1)
    return room


def floor(rng):
    """Carpet: texture of a few pixels."""
    grain = cv2.GaussianBlur(rng.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 1.6)
    return np.clip(118 + 26 * grain / grain.std(), 20, 235)[..., None] * np.float32([1, 0.9, 0.78])


def repainted(rng, scene, likeness=0.8):
    """The scene as real models return it: in place, a little brighter, its texture as strong as it was but not the
    same: correlated with the scene's by `likeness`."""
    coarse = cv2.GaussianBlur(scene, (0, 0), 2.5)
    detail = scene - coarse
    other = np.roll(detail, (int(rng.integers(9, 20)), int(rng.integers(9, 20))), (0, 1))
    answer = coarse + likeness * detail + np.sqrt(1 - likeness**2) * other
    return np.clip(0.99 * answer + 1.5 + rng.normal(0, 0.6, scene.shape), 0, 255).astype(np.float32)


def analysed(scene, answer):
    scene, answer = (np.clip(picture + 0.5, 0, 255).astype(np.uint8) for picture in (scene, answer))
    frame = frame_of(scene)
    return scene, answer, analyse(scene, NO_PRODUCT, answer, frame), frame


def drawn(analysis):
    """(h, w) bool: what is shown as the model drew it."""
    return np.maximum(analysis.product.mask, analysis.scene.content) > 127


def lamp(picture, tone, cord):
    """A lamp shade on a stem, hung on a cord of 3 px; returns its coverage."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    shade = np.int32([[600, 250], [720, 250], [760, 380], [560, 380]])
    cv2.fillPoly(mask, [shade], 255, cv2.LINE_AA)
    cv2.line(mask, (660, 0), (660, 250), 255, cord, cv2.LINE_AA)
    cover = (mask / np.float32(255))[..., None]
    return picture * (1 - cover) + np.float32(tone) * cover, mask


@pytest.mark.parametrize(
    ("tone", "name"),
    [((246, 244, 240), "pale on pale"), ((205, 198, 190), "grey on pale"), ((40, 40, 44), "dark on pale")],
)
def test_an_opaque_thing_on_a_plain_wall_is_no_light(tone, name):
    """A pale lamp on a pale wall came out as a blurred, see-through ghost."""
    rng = np.random.default_rng(5)
    scene = wall(rng)
    answer, mask = lamp(repainted(rng, scene), tone, cord=3)
    scene, answer, analysis, frame = analysed(scene, answer)
    result = restore(scene, NO_PRODUCT, analysis, frame).image.astype(np.float32)
    edge = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 127
    shown = analysis.scene.generated.astype(np.float32)
    step = np.abs(cv2.Laplacian(shown, cv2.CV_32F)).max(axis=2)[edge].mean()
    assert np.abs(result - shown).max(axis=2)[mask > 200].mean() < 2.5, name
    assert np.abs(cv2.Laplacian(result, cv2.CV_32F)).max(axis=2)[edge].mean() > 0.85 * step, "its outline is blurred"


def test_a_thing_on_textured_ground_does_not_let_it_shine_through():
    rng = np.random.default_rng(6)
    scene = wall(rng)
    answer = repainted(rng, scene)
    rug = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(rug, [np.int32([[300, 620], [900, 620], [980, 740], [220, 740]])], 255, cv2.LINE_AA)
    own = cv2.GaussianBlur(rng.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 2.2)
    pattern = (cv2.GaussianBlur(scene, (0, 0), 9) + 12 + 22 * (own / own.std())[..., None]).astype(np.float32)
    answer = np.where(rug[..., None] > 127, pattern, answer)  # as light as the carpet, and as strongly textured
    _, _, analysis, _ = analysed(scene, answer)
    inner = cv2.erode(rug, np.ones((25, 25), np.uint8)) > 0
    assert drawn(analysis)[inner].mean() > 0.97


@pytest.mark.parametrize("ground", ["wall", "floor"])
@pytest.mark.parametrize("likeness", [0.4, 0.8])
def test_a_soft_shadow_is_light_on_any_ground(ground, likeness):
    rng = np.random.default_rng(7)
    scene = wall(rng)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    centre = (620, 300) if ground == "wall" else (620, 670)
    falloff = np.exp(-(((x - centre[0]) / 130) ** 2 + ((y - centre[1]) / 45) ** 2))
    answer = repainted(rng, scene, likeness) * (1 - 0.45 * falloff)[..., None]
    _, _, analysis, _ = analysed(scene, answer)
    assert (analysis.scene.change > 127)[falloff > 0.6].mean() > 0.9, "the shadow was not seen"
    assert drawn(analysis)[falloff > 0.15].mean() < 0.06


@pytest.mark.parametrize("likeness", [0.3, 0.8])
def test_repainted_texture_alone_is_nothing(likeness):
    rng = np.random.default_rng(8)
    scene = wall(rng)
    _, _, analysis, _ = analysed(scene, repainted(rng, scene, likeness))
    assert drawn(analysis).mean() < 0.002


@pytest.mark.parametrize("level", [0.0, 9.0, 128.0, 250.0])
def test_a_small_thing_counts_beside_a_large_one_on_any_backdrop(level):
    """A pure backdrop has no texture at all: everyday in a shop."""
    rng = np.random.default_rng(9)
    scene = np.full((HEIGHT, WIDTH, 3), level, np.float32)
    answer = scene + rng.normal(0, 0.5, scene.shape).astype(np.float32)
    tone = (200, 60, 50)
    large, small = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.rectangle(large, (300, 200), (700, 700), 255, -1)
    cv2.circle(small, (1000, 640), 16, 255, -1)
    for mask in (large, small):
        answer[mask > 0] = tone
    _, _, analysis, _ = analysed(scene, answer)
    assert analysis.scene.registration.drift.registered
    assert drawn(analysis)[large > 0].mean() > 0.97
    assert drawn(analysis)[cv2.erode(small, np.ones((5, 5), np.uint8)) > 0].mean() > 0.9
