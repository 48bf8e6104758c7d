"""The photograph composited without any model: where it stands by default, and the shadows that it throws."""

from __future__ import annotations

import numpy as np
import pytest

from function.matching.place import Place
from function.restoration.classical import composite_classically, default_place
from function.restoration.product_reference import ProductReference

PLACE = Place(0.4, 0.3, 0.2, 0.4)


def scene(left: int = 160, right: int = 160) -> np.ndarray:
    """(200, 320, 3) uint8, from one brightness to another across."""
    tone = np.linspace(left, right, 320)
    return np.repeat(np.broadcast_to(tone, (200, 320))[..., None], 3, axis=2).astype(np.uint8)


def composited(*sides: int):
    product = np.full((100, 80, 4), (60, 90, 170, 255), np.uint8)
    return composite_classically(scene(*sides), ProductReference(product, None), PLACE)


@pytest.mark.parametrize("outline", [(0, 0, 40, 100), (0, 0, 100, 100), (0, 0, 300, 50)])
def test_by_default_it_stands_in_the_middle_in_front_in_its_own_proportions_and_not_too_large(outline):
    place = default_place((1600, 900), outline)
    assert place.left + place.width / 2 == pytest.approx(0.5, abs=0.001)
    assert place.top + place.height == pytest.approx(0.82, abs=0.001)
    assert place.width * 1600 / (place.height * 900) == pytest.approx(outline[2] / outline[3], rel=0.001)
    assert place.height <= 0.401 and place.width <= 0.501
    assert place.height == pytest.approx(0.4, abs=0.001) or place.width == pytest.approx(0.5, abs=0.01)


def test_the_product_is_at_its_place_and_the_analysis_says_so():
    analysis = composited()
    mask = analysis.product.mask
    assert mask.shape == (200, 320) and mask.dtype == np.uint8
    assert (mask[62:138, 130:190] == 255).all() and mask.sum() / 255 == pytest.approx(64 * 80, rel=0.05)
    assert analysis.product.composited.place == PLACE and analysis.product.match.correlation == 1
    assert (analysis.scene.change >= mask).all()
    assert analysis.scene.registration.inside.all() and analysis.scene.registration.drift.registered
    shown = analysis.scene.generated[80, 160].astype(int)
    assert shown[2] > shown[1] > shown[0]


def test_shadows_only_darken_and_most_where_it_stands():
    light = composited().scene.light
    assert light.shape == (100, 160, 3) and light.max() <= 0
    assert light[70, 80].max() < -0.5
    # Beside the foot, under which no light from around comes, and not beside the top.
    assert (light[68, [61, 98]] < light[34, [61, 98]] - 0.04).all()
    assert abs(light[10, 10]).max() < 0.01 and abs(light[95, 10]).max() < 0.05


@pytest.mark.parametrize(("sides", "dark", "lit"), [((220, 90), 110, 50), ((90, 220), 50, 110)])
def test_the_cast_shadow_falls_away_from_the_brighter_side(sides, dark, lit):
    light = composited(*sides).scene.light[..., 0]
    assert light[66:70, dark - 5 : dark + 5].mean() < light[66:70, lit - 5 : lit + 5].mean() - 0.05


def test_the_product_darkens_towards_its_base():
    gain = composited().product.composited.log_gain
    assert gain.shape[1:] == (gain.shape[1], 3) and gain.dtype == np.float32
    rows = gain[..., 0].mean(axis=1)
    assert (np.diff(rows) <= 1e-6).all() and rows[-3] < rows[5] - 0.1
