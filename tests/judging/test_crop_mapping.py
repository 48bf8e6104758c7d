"""Pixels of the crop lead to the places of the photograph that lie there, and on where no match knows them."""

from __future__ import annotations

import numpy as np
import pytest

from function.judging.crop_mapping import (
    box_mapping,
    extrapolate_affine,
    padded_box,
    regular_jacobian,
)


def affine(shape: tuple[int, int], matrix: np.ndarray) -> np.ndarray:
    """(h, w, 2) float32: the places to which `matrix` (2, 3) takes each pixel."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    return (np.dstack([x, y, np.ones_like(x)]) @ matrix.T).astype(np.float32)


TURNED = np.array([[0.8, -0.3, 12.0], [0.25, 1.1, -7.0]])


@pytest.mark.parametrize(
    ("box", "padded"),
    [
        ((100, 150, 40, 80), (80, 130, 80, 120)),
        ((5, 10, 40, 80), (0, 0, 65, 110)),
        ((340, 250, 50, 40), (324, 234, 76, 66)),
    ],
)
def test_a_padded_box_has_as_much_room_on_every_side_as_the_image_leaves(box, padded):
    assert padded_box(box, (300, 400)) == padded


def test_the_silhouette_of_the_photograph_fills_the_fitted_box():
    alpha = np.zeros((100, 200), np.uint8)
    alpha[10:61, 20:121] = 255
    fitted, box = (30.0, 40.0, 101.0, 51.0), (10, 25, 150, 90)
    mapping = box_mapping(fitted, box, alpha)
    assert mapping.shape == (90, 150, 2) and mapping.dtype == np.float32
    # The centres of the fitted box's first, middle and last pixel lie on those of the silhouette's.
    for x, y in ((0, 0), (50, 25), (100, 50)):
        here = mapping[int(fitted[1]) - box[1] + y, int(fitted[0]) - box[0] + x]
        assert here == pytest.approx([(20.5 + x) / 200, (10.5 + y) / 100], abs=1e-6)


def test_a_fitted_box_of_twice_the_size_moves_half_as_fast_through_the_photograph():
    alpha = np.full((60, 60), 255, np.uint8)
    once, twice = (np.diff(box_mapping((0, 0, 60 * k, 60 * k), (0, 0, 50, 50), alpha), axis=1) for k in (1, 2))
    assert once[..., 0] == pytest.approx(2 * twice[..., 0], abs=1e-5)


def test_an_affine_map_is_carried_on_exactly_from_a_part_of_it():
    mapping = affine((60, 90), TURNED)
    known = np.zeros((60, 90), bool)
    known[20:40, 30:70] = True
    found = extrapolate_affine(np.where(known[..., None], mapping, np.float32(0)), known)
    assert found.dtype == np.float32 and np.abs(found - mapping).max() < 0.01


def test_of_too_few_places_no_map_is_told():
    mapping, known = affine((20, 20), TURNED), np.zeros((20, 20), bool)
    known[0:2, 0:5] = True
    assert (extrapolate_affine(mapping, known) == -1).all()


@pytest.mark.parametrize(("speed", "regular"), [(1.0, True), (2.5, True), (0.5, True), (6.0, False), (0.1, False)])
def test_where_the_photograph_is_stretched_otherwise_than_where_it_is_seen_it_is_not_visible(speed, regular):
    mapping = affine((40, 100), TURNED)
    beyond = np.maximum(0, np.arange(100) - 60)[None, :, None] * (speed - 1) * TURNED[:, 0]
    known = np.zeros((40, 100), np.float32)
    known[:, :60] = 1
    found = regular_jacobian((mapping + beyond).astype(np.float32), known)
    assert found[:, :58].all()
    assert (found[:, 64:] == regular).all()


def test_a_photograph_that_lies_askew_is_visible_all_over():
    mapping = affine((40, 60), np.array([[0.7, -0.7, 0], [0.7, 0.7, 0]]))
    assert regular_jacobian(mapping, np.ones((40, 60), np.float32)).all()


def test_the_line_along_which_a_mapping_folds_is_not_visible():
    mapping = affine((40, 100), np.array([[1.0, 0, 0], [0, 1.0, 0]]))
    mapping[:, 60:, 0] = 120 - mapping[:, 60:, 0]
    found = regular_jacobian(mapping, np.ones((40, 100), np.float32))
    assert not found[:, 60].any() and found[:, :57].all()
