"""Another size than the scene's: undistorted, and with what changed inside."""

import cv2
import numpy as np
import pytest

from function.imaging.resize import cover_window, crop_and_resize, outside_share, target_size
from tests.imaging.samples import photo


def covering(picture, size, preferred=None, required=None):
    return crop_and_resize(picture, size, cover_window(picture.shape[1::-1], size, preferred, required))


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (None, None, (1600, 900)),
        (800, None, (800, 450)),
        (None, 450, (800, 450)),
        (9, 500, (9, 500)),
        (1, None, (1, 1)),
    ],
)
def test_a_side_not_asked_for_follows(width, height, expected):
    assert target_size((1600, 900), width, height) == expected


def test_the_same_size_is_the_same_picture():
    picture = photo()
    assert covering(picture, (48, 32)) is picture


@pytest.mark.parametrize("size", [(300, 300), (600, 100), (100, 600), (1200, 800), (37, 1000), (1, 1), (5000, 3)])
def test_the_size_is_exact(size):
    resized = covering(photo(400, 300), size)
    assert (resized.shape[1], resized.shape[0]) == size


@pytest.mark.parametrize("size", [(300, 300), (640, 200), (200, 640), (900, 700)])
def test_a_circle_stays_a_circle(size):
    picture = np.zeros((600, 800, 3), np.uint8)
    cv2.circle(picture, (400, 300), 60, (255, 255, 255), -1, cv2.LINE_AA)
    resized = covering(picture, size, (340, 240, 120, 120))
    disc = np.argwhere(resized[..., 0] > 127)
    height, width = disc.max(axis=0) - disc.min(axis=0) + 1
    assert abs(height - width) <= 1
    assert width == pytest.approx(121 * max(size[0] / 800, size[1] / 600), abs=2)


@pytest.mark.parametrize("corner", [(0, 0), (760, 0), (0, 560), (760, 560), (380, 280)])
@pytest.mark.parametrize("size", [(300, 300), (200, 640), (640, 100)])
def test_what_changed_stays_inside(corner, size):
    x, y = corner
    picture = np.zeros((600, 800, 3), np.uint8)
    picture[y : y + 40, x : x + 40] = 255
    resized = covering(picture, size, (x, y, 40, 40))
    scale = max(size[0] / 800, size[1] / 600)
    assert (resized[..., 0] / 255).sum() == pytest.approx((40 * scale) ** 2, rel=0.05)


def test_what_does_not_fit_is_centred():
    picture = np.zeros((100, 1000, 3), np.uint8)
    picture[:, 600:1000] = 255
    picture[:, 795:805] = 0, 0, 255  # the middle of what is to be kept
    resized = covering(picture, (100, 100), (600, 0, 400, 100))
    blue = np.argwhere((resized[..., 0] < 60) & (resized[..., 2] > 200))
    assert blue[:, 1].mean() == pytest.approx(49.5, abs=1)


def test_without_a_box_the_middle_is_kept():
    picture = np.zeros((100, 300, 3), np.uint8)
    picture[:, 100:200] = 255
    assert covering(picture, (100, 100)).min() >= 250


def test_the_product_comes_before_its_long_shadow():
    """What changed is longer than the window: the product at its end is inside all the same."""
    shadow, product = (100, 0, 800, 100), (100, 10, 80, 80)
    window = cover_window((1000, 100), (100, 100), shadow, product)
    assert outside_share(product, window) == 0
    assert outside_share(shadow, window) == pytest.approx(7 / 8)
