"""The outline on the edges of the image tells how far a plain product leans and how wide it is; another shape tells
nothing, and a box nothing of its width."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from function.judging.outline_pose import outline_pose
from function.judging.product_upright import product_upright
from function.judging.scale_plausible import scale_plausible
from tests.judging.samples import HEIGHT, WIDTH, crop_of, inspection, room

KETTLE = [(60, 20), (120, 20), (150, 110), (195, 70), (205, 80), (160, 160), (20, 160)]
RED = (150, 40, 45)


def photograph(points: list[tuple[int, int]] = KETTLE) -> np.ndarray:
    """(180, 220, 4) uint8: a plain shape with a spout, cut out."""
    picture = np.zeros((180, 220, 4), np.uint8)
    cv2.fillPoly(picture, [np.array(points, np.int32)], (*RED, 255))
    return picture


def shown(lean_deg: float = 0.0, across: float = 1.0, points: list[tuple[int, int]] = KETTLE, shear_deg: float = 0.0):
    """What the judge sees of that shape, which leans to the right by `lean_deg` is `across` times as wide, and
    whose verticals alone lean by `shear_deg`."""
    angle = cv2.getRotationMatrix2D((110, 90), -lean_deg, 1.0)
    matrix = np.array([[across, 0, 0], [0, 1, 0], [0, 0, 1]]) @ np.vstack([angle, [0, 0, 1]])
    slope = np.tan(np.radians(shear_deg))
    matrix = np.array([[1, -slope, 90 * slope], [0, 1, 0], [0, 0, 1]]) @ matrix
    matrix[:2, 2] += 140, 80
    mask = cv2.warpAffine(photograph(points)[..., 3], matrix[:2], (WIDTH, HEIGHT))
    answer = room()
    answer[mask > 127] = RED
    cover = mask.astype(np.float32) / 255
    nothing = np.zeros_like(cover)
    return replace(
        crop_of(answer, matched=False),
        box=(0, 0, WIDTH, HEIGHT), generated=answer, scene=room(), product_mask=cover, inserted_mask=cover,
        expected=answer, reference_mask=nothing, visible_mask=nothing, openings=nothing, backdrop=answer,
        drop_shadow=nothing, fitted=False, height=140.0,
    )  # fmt: skip


@pytest.mark.parametrize("lean", [-14.0, 0.0, 8.0])
@pytest.mark.parametrize("across", [0.7, 1.0])
def test_lean_and_width_are_read_off_the_outline(lean, across):
    pose = outline_pose(photograph(), shown(lean if across == 1 else 0.0, across))
    assert pose.lean_deg == pytest.approx(lean if across == 1 else 0.0, abs=1.5)
    assert pose.aspect_change == pytest.approx(across, rel=0.04)


def test_another_shape_tells_nothing():
    other = [(30, 20), (60, 20), (60, 120), (190, 120), (190, 160), (30, 160)]
    assert outline_pose(photograph(), shown(points=other)) is None


def test_a_box_that_is_narrower_may_be_turned():
    box = [(40, 20), (140, 20), (140, 160), (40, 160)]
    pose = outline_pose(photograph(box), shown(across=0.8, points=box))
    assert pose.aspect_change is None and abs(pose.lean_deg) < 1.5


def test_a_shape_whose_verticals_alone_lean_leans_by_half_as_much():
    assert outline_pose(photograph(), shown(shear_deg=9.0)).lean_deg == pytest.approx(4.5, abs=1.5)


def test_the_narrow_side_of_a_product_is_not_drawn_too_narrow():
    assert outline_pose(photograph(), shown(across=0.5)).aspect_change is None


def test_a_shadow_that_was_put_in_with_it_does_not_count():
    crop = shown(lean_deg=14.0)
    shadow = cv2.ellipse(np.zeros((HEIGHT, WIDTH), np.uint8), (330, 235), (90, 30), 0, 0, 360, 1, -1) > 0
    shadow &= crop.product_mask < 0.5
    answer, cover = crop.generated.copy(), crop.product_mask.copy()
    answer[shadow] = (answer[shadow] * 0.6).astype(np.uint8)
    cover[shadow] = 1
    pose = outline_pose(photograph(), replace(crop, generated=answer, product_mask=cover, inserted_mask=cover))
    assert pose.lean_deg == pytest.approx(14.0, abs=1.5) and pose.aspect_change == pytest.approx(1.0, rel=0.04)


def test_a_photograph_without_an_outline_tells_nothing():
    assert outline_pose(np.zeros((180, 220, 4), np.uint8), shown()) is None


def inspected(**pose: float):
    """What the checks look at when that shape stands there."""
    crop = shown(**pose)
    whole = inspection(crop.generated, matched=None, crop=crop)
    return replace(whole, product=replace(whole.product, photograph=photograph()))


@pytest.mark.parametrize(("lean", "passes"), [(0.0, True), (14.0, False)])
def test_a_plain_product_that_leans_is_told_so(lean, passes):
    check = product_upright(inspected(lean_deg=lean))
    assert check.passed is passes and check.value == pytest.approx(lean, abs=1.5)


@pytest.mark.parametrize(("across", "passes"), [(1.0, True), (0.65, False)])
def test_a_plain_product_that_is_drawn_too_narrow_is_told_so(across, passes):
    assert scale_plausible(inspected(across=across)).passed is passes
