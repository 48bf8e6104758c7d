"""The product is found wherever it stands, its own print comes back, and nothing is invented where it is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching.match import match_product
from function.matching.photometric_refine import sample
from function.matching.plane_parallax import surface_of_revolution_depth
from function.matching.reference_template import ReferenceTemplate
from function.restoration.product_reference import ProductReference
from tests.matching.samples import HEIGHT, WIDTH, cut_out, flat_pose, label, room, stand
from tests.support import product_array, scene_array

# How far a photograph pixel may be misplaced (answer pixels): a third of a stroke of the smallest print.
CONVERGED_PX = 0.6


def misplaced_px(match, photograph_shape, margin: int, truth) -> float:
    """95th percentile distance (px) of the match's mapping from the `truth` positions of a margined front."""
    x, y, width, height = match.box
    rows, columns = photograph_shape[:2]
    u, v = match.mapping[..., 0] * columns - margin - 0.5, match.mapping[..., 1] * rows - margin - 0.5
    there_x, there_y = (cv2.remap(axis, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR) for axis in truth)
    here_x, here_y = np.meshgrid(np.arange(width) + x + 0.5, np.arange(height) + y + 0.5)
    sure = match.weight > 128
    assert sure.any()
    return float(np.percentile(np.hypot(there_x - here_x, there_y - here_y)[sure], 95))


def test_a_front_in_perspective_is_placed_to_a_fraction_of_a_pixel():
    photograph = cut_out(label())
    answer, truth = stand(room(), label(), flat_pose())
    match = match_product(ReferenceTemplate.of(photograph), answer)
    assert not match.mirrored
    assert match.instances == 1
    x, y, width, height = match.box
    inside = match.coverage[y : y + height, x : x + width] > 127
    assert (match.weight[inside] > 127).mean() > 0.75  # the print ends before the rim
    assert misplaced_px(match, photograph.shape, 60, truth) < CONVERGED_PX


def test_a_turned_can_is_placed_by_its_round_shape():
    front = label(5, (300, 420))
    depth = surface_of_revolution_depth(front[..., 3])
    pose = flat_pose(270)
    pose[:2], pose[8:10] = [270 * 0.95, 0], [270 * 0.26, 270 * 0.12]  # turned by 15 degrees, seen from above
    photograph = cut_out(front)
    answer, truth = stand(room(2), front, pose, depth)
    match = match_product(ReferenceTemplate.of(photograph), answer)
    assert match.kind == "round"
    assert misplaced_px(match, photograph.shape, 60, truth) < CONVERGED_PX


def test_a_bent_front_is_followed_where_neither_plane_nor_roundness_fits():
    front = label()
    bend = np.sin(np.linspace(0, 2 * np.pi, front.shape[0], dtype=np.float32))[:, None] * np.float32(10)
    columns, rows = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in front.shape[1::-1]))
    bent = cv2.remap(front, columns + bend, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    answer, (x, y) = stand(room(), bent, flat_pose())
    truth = [sample(axis, columns + np.float32(0.5) - bend, rows + np.float32(0.5)) for axis in (x, y)]
    match = match_product(ReferenceTemplate.of(cut_out(front)), answer)
    assert misplaced_px(match, cut_out(front).shape, 60, truth) < 4 * CONVERGED_PX  # half of what the rigid pose misses


def test_the_outline_of_the_match_is_the_product_s_own():
    answer, truth = stand(room(), label(), flat_pose())
    match = match_product(ReferenceTemplate.of(cut_out(label())), answer)
    corners = np.float32(
        [[axis[row, column] for axis in truth] for row, column in ((0, 0), (0, -1), (-1, -1), (-1, 0))]
    )
    expected = cv2.fillConvexPoly(np.zeros((HEIGHT, WIDTH), np.uint8), np.round(corners).astype(int), 255)
    both = np.minimum(expected, match.coverage).sum() / np.maximum(expected, match.coverage).sum()
    assert both > 0.96


def test_a_product_that_is_not_there_is_not_found():
    answer, _ = stand(room(), label(), flat_pose())
    assert match_product(ReferenceTemplate.of(cut_out(label(99))), answer) is None
    assert match_product(ReferenceTemplate.of(cut_out(label())), room()) is None


def test_a_mirrored_product_is_called_mirrored():
    answer, _ = stand(room(), np.ascontiguousarray(label()[:, ::-1]), flat_pose())
    assert match_product(ReferenceTemplate.of(cut_out(label())), answer).mirrored


def test_a_product_that_stands_twice_is_counted_twice():
    answer, _ = stand(room(), label(), flat_pose(200, 200))
    answer, _ = stand(answer, label(), flat_pose(200, 520))
    assert match_product(ReferenceTemplate.of(cut_out(label())), answer).instances == 2


def test_only_what_the_prior_allows_is_searched():
    answer, _ = stand(room(), label(), flat_pose())
    prior = np.zeros((HEIGHT, WIDTH), np.uint8)
    assert match_product(ReferenceTemplate.of(cut_out(label())), answer, prior) is None
    prior[:, :120] = 255
    assert match_product(ReferenceTemplate.of(cut_out(label())), answer, prior) is None
    prior[60:430, 180:500] = 255
    assert match_product(ReferenceTemplate.of(cut_out(label())), answer, prior) is not None


def test_print_that_is_not_where_the_prior_is_is_searched_wherever_something_changed():
    answer, _ = stand(room(), label(), flat_pose())
    corner, changed = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    corner[400:430, 200:260] = 255
    changed[60:430, 180:500] = 255
    template = ReferenceTemplate.of(cut_out(label()))
    assert match_product(template, answer, corner) is None
    assert match_product(template, answer, corner, changed) is not None
    assert match_product(template, answer, np.zeros_like(corner), changed) is None


def test_a_photograph_on_white_is_found_as_a_cut_out_is():
    photograph = cut_out(label())
    on_white = np.where(photograph[..., 3:] > 0, photograph[..., :3], 255).astype(np.uint8)
    answer, truth = stand(room(), label(), flat_pose())
    match = match_product(ReferenceTemplate.of(on_white), answer)
    assert misplaced_px(match, on_white.shape, 60, truth) < CONVERGED_PX


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (40, 40)])
@pytest.mark.parametrize("fill", [0, 255, None])
def test_no_picture_content_raises(shape, fill):
    rng = np.random.default_rng(7)
    make = lambda *s: (rng.integers(0, 256, s) if fill is None else np.full(s, fill)).astype(np.uint8)  # noqa: E731
    assert match_product(ReferenceTemplate.of(make(*shape, 4)), room()) is None
    assert match_product(ReferenceTemplate.of(cut_out(label())), make(*shape, 3)) is None


def test_a_hand_before_the_label_keeps_the_answer_s_pixels():
    photograph = cut_out(label())
    answer, _ = stand(room(), label(), flat_pose())
    cv2.ellipse(answer, (360, 300), (60, 42), 20, 0, 360, (205, 160, 130), -1, cv2.LINE_AA)
    match = match_product(ReferenceTemplate.of(photograph), answer)
    weight = np.zeros((HEIGHT, WIDTH), np.uint8)
    x, y, width, height = match.box
    weight[y : y + height, x : x + width] = match.weight
    assert weight[290:310, 345:375].mean() < 0.1 * 255
    assert weight[130:200, 260:400].mean() > 0.7 * 255


@pytest.mark.parametrize("seed", [0, 1])
def test_a_label_that_is_small_in_the_answer_is_found_in_the_enlarged_one(seed):
    answer, _ = stand(room(seed), label(seed), flat_pose(110))
    match = match_product(ReferenceTemplate.of(cut_out(label(seed))), answer)
    assert match is not None and match.correlation > 0.9
    x, y, width, height = match.box
    assert abs(x + width / 2 - 340) < 6 and abs(y + height / 2 - 240) < 6


def test_another_label_is_not_found_in_the_enlarged_answer_either():
    answer, _ = stand(room(), label(8), flat_pose(110))
    assert match_product(ReferenceTemplate.of(cut_out(label(9))), answer) is None


@pytest.mark.parametrize(("levels", "found"), [(30, True), (55, False)])
def test_a_view_that_the_picture_hardly_bears_out_is_none(levels, found):
    """Features still agree under so much grain; the pixels correlate by .65 and by .33."""
    product, answer = product_array(460), scene_array(1344, 768).astype(np.float32)
    grain = cv2.GaussianBlur(np.random.default_rng(1).normal(0, 1, (460, 460, 1)).astype(np.float32), (0, 0), 2.5)
    share, spot = product[..., 3:] / 255, answer[250:710, 500:960]
    spot[:] = spot * (1 - share) + (product[..., :3] + levels * (grain / grain.std())[..., None]) * share
    match = match_product(ProductReference.of(product).template, np.clip(answer, 0, 255).astype(np.uint8))
    assert (match is not None) is found
