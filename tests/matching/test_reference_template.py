"""What is searched for: the photograph at the finest size that is aligned, and keypoints of its product alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching.reference_template import FEATURE_PX, FINEST_PX, ReferenceTemplate
from tests.matching.samples import cut_out, label


@pytest.fixture(scope="module")
def template():
    return ReferenceTemplate.of(cut_out(label()))


def test_keypoints_lie_on_the_product(template):
    rows, columns = template.reference.alpha.shape
    assert (rows, columns) == (480, 360)
    x, y = template.features.points.T
    assert len(x) > 200 and x.min() > 0 and y.min() > 0 and x.max() < columns and y.max() < rows
    # The lower lines of print are there too: neither axis is cut short.
    assert x.max() > 0.8 * 300 and y.max() > 0.9 * rows


@pytest.fixture(scope="module")
def large():
    return ReferenceTemplate.of(cut_out(cv2.resize(label(), (864, 1152), interpolation=cv2.INTER_CUBIC)))


def test_a_large_photograph_is_searched_small_and_aligned_fine(large):
    assert large.reference.alpha.shape == (FINEST_PX, 768) and large.height == FEATURE_PX
    assert large.features.points[:, 1].max() <= FEATURE_PX and large.features.points[:, 0].max() <= 480


def test_what_the_cut_out_hides_has_no_keypoints():
    front = label()
    y, x = np.indices(front.shape[:2]) // 60
    front[(x + y) % 2 == 1, 3] = 0
    found = ReferenceTemplate.of(front)
    columns, rows = found.features.points.astype(int).T
    assert len(rows) > 500 and (found.reference.alpha[rows, columns] > 127).all()


def test_a_mirrored_template_has_its_keypoints_on_the_other_side(template):
    turned = template.mirrored()
    assert np.array_equal(turned.reference.rgb, template.reference.rgb[:, ::-1])
    assert turned.height == template.height
    both = turned.features.points[:, 0] + template.features.points[:, 0]
    assert both == pytest.approx(360, abs=1e-2)
    assert np.array_equal(turned.features.points[:, 1], template.features.points[:, 1])


def test_of_a_large_photograph_the_mirrored_keypoints_are_in_its_search_size(large):
    both = large.mirrored().features.points[:, 0] + large.features.points[:, 0]
    assert both == pytest.approx(480, abs=1e-2)


def test_mirrored_twice_is_the_photograph_again(template):
    again = template.mirrored().mirrored()
    assert np.array_equal(again.reference.rgb, template.reference.rgb)
    assert np.abs(again.features.points - template.features.points).max() < 1e-3
    assert np.array_equal(again.features.descriptors, template.features.descriptors)


@pytest.mark.parametrize("shape", [(3, 400, 4), (10, 10, 4)])
def test_a_photograph_of_a_few_pixels_shows_nothing_to_look_for(shape):
    assert ReferenceTemplate.of(np.full(shape, 255, np.uint8)) is None


def test_neither_does_one_that_covers_nothing():
    assert ReferenceTemplate.of(np.zeros((200, 200, 4), np.uint8)) is None
