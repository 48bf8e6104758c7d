"""The light that was cast on a scene is found: shadow and reflection, and neither grain nor product."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.restoration.change_detection import find_evidence
from function.restoration.shading import estimate_shading, even_darkening, shading_stops, wiener_shrink

HEIGHT, WIDTH = 400, 600
NOTHING = np.zeros((HEIGHT // 2, WIDTH // 2), np.float32)


def textured() -> np.ndarray:
    """A scene (HEIGHT, WIDTH, 3) uint8 of soft texture around mid grey."""
    rng = np.random.default_rng(0)
    coarse = rng.normal(130, 18, (HEIGHT // 5, WIDTH // 5, 3)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), 30, 230).astype(np.uint8)


def shadow(depth: float) -> np.ndarray:
    """(HEIGHT, WIDTH) float32: the factor of a soft round shadow that takes the share `depth` of the light."""
    spot = cv2.circle(np.zeros((HEIGHT, WIDTH), np.float32), (300, 200), 70, 1.0, -1)
    return 1 - depth * cv2.GaussianBlur(spot, (0, 0), 20)


def grainy(picture: np.ndarray) -> np.ndarray:
    return picture + np.random.default_rng(1).normal(0, 1.0, picture.shape).astype(np.float32)


def evidence_of(answer: np.ndarray):
    return find_evidence(textured(), answer.astype(np.float32), np.ones((HEIGHT, WIDTH), bool))


def middle(picture: np.ndarray) -> np.ndarray:
    return picture[90:110, 140:160]


@pytest.mark.parametrize("depth", [0.25, 0.5])
def test_a_shadow_is_found_as_deep_as_it_is_and_ends_where_it_ends(depth):
    factor = shadow(depth)
    light = estimate_shading(evidence_of(grainy(textured() * factor[..., None])), NOTHING)
    true = cv2.resize(np.log(factor), (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    assert middle(light).mean() == pytest.approx(middle(true).mean(), abs=0.05)
    assert np.abs(light.mean(axis=2) - true).max() < 0.12
    assert not light[:10].any() and not light[:, :10].any()


def test_grain_alone_is_no_light():
    evidence = evidence_of(grainy(textured()))
    assert np.abs(estimate_shading(evidence, NOTHING)).max() < 0.02


def test_the_product_s_own_pixels_have_no_say():
    factor = shadow(0.4)
    answer = grainy(textured() * factor[..., None])
    product = np.zeros((HEIGHT // 2, WIDTH // 2), np.float32)
    product[85:115, 135:165] = 1
    painted = answer.copy()
    painted[170:230, 270:330] = 5
    plain, hidden = estimate_shading(evidence_of(answer), product), estimate_shading(evidence_of(painted), product)
    ring = np.s_[80:120, 122:132]
    assert np.abs(hidden[ring] - plain[ring]).max() < 0.06


def test_what_does_not_stand_above_the_noise_is_taken_out_and_what_does_is_kept():
    values = np.random.default_rng(2).normal(0, 0.1, (80, 80, 3)).astype(np.float32)
    weak, strong = (wiener_shrink(values, 5.0, np.full((80, 80), noise, np.float32)) for noise in (1.0, 0.001))
    assert not weak.any()
    assert np.abs(strong - values).max() < 0.001


def test_even_darkening_is_that_of_a_shadow_and_not_of_another_colour():
    scene = textured()
    darker = (scene * 0.5).astype(np.uint8)
    redder = darker.copy()
    redder[..., 0] = scene[..., 0]
    assert np.median(even_darkening(scene, darker)) == pytest.approx(0.92, abs=0.05)  # a stop, less for the offset
    assert not even_darkening(scene, redder).any()
    assert not even_darkening(darker, scene).any()


def test_a_shadow_outdoors_is_as_blue_as_the_sky():
    scene = textured()
    tints = np.float32([[0.4, 0.5, 0.6], [0.6, 0.5, 0.4]])
    sky, dusk = (np.clip(scene * tint, 0, 255).astype(np.uint8) for tint in tints)
    assert np.median(even_darkening(scene, sky)) > 0.5
    assert np.median(even_darkening(scene, dusk)) == 0


@pytest.mark.parametrize("box", [(0, 0, 40, 30), (7, 3, 12, 11), (8, 4, 12, 10)])
def test_stops_of_light_are_read_at_full_size_in_a_box(box):
    across = np.linspace(-1, 1, 20, dtype=np.float32)[None, :, None]
    light = np.log(2) * np.tile(across, (15, 1, 3))
    x, _, width, height = box
    stops = shading_stops(light, box)
    assert stops.shape == (height, width)
    expected = np.interp((np.arange(x, x + width) + 0.5) / 2 - 0.5, np.arange(20), across.ravel())
    assert np.abs(stops[height // 2] - expected)[1:-1].max() < 0.06
