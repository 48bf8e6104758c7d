"""Slopes get steeper, and nothing leaves the range that was there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.restoration.sharpening import is_softened, sharpen, sharpening_margin

ENLARGEMENT = 3.0


def enlarged(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cubic and linear."""
    cubic, linear = (
        cv2.resize(picture, None, fx=ENLARGEMENT, fy=ENLARGEMENT, interpolation=way)
        for way in (cv2.INTER_CUBIC, cv2.INTER_LINEAR)
    )
    return cubic, linear


def blobs() -> np.ndarray:
    small = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    return cv2.GaussianBlur(small, (0, 0), 0.8)


def slope_width(row: np.ndarray) -> int:
    """Pixels between a tenth and nine tenths of a row's rise from its first value to its last."""
    rise = (row.astype(float) - row[0]) / (float(row[-1]) - row[0])
    return int(((rise > 0.1) & (rise < 0.9)).sum())


def test_an_enlarged_edge_is_crossed_in_half_as_many_pixels_and_stays_in_its_place():
    step = np.full((10, 40), 60, np.uint8)
    step[:, 20:] = 200
    soft, linear = enlarged(cv2.GaussianBlur(step, (0, 0), 0.6))
    sharp = sharpen(soft, linear, ENLARGEMENT)
    assert slope_width(sharp[15]) <= slope_width(soft[15]) / 2
    assert abs(int((sharp[15] > 130).sum()) - int((soft[15] > 130).sum())) <= 1


def test_an_edge_has_no_halo_although_the_cubic_enlargement_has_one():
    step = np.full((10, 40), 60, np.uint8)
    step[:, 20:] = 200
    soft, linear = enlarged(step)
    sharp = sharpen(soft, linear, ENLARGEMENT)
    assert soft.min() < 60 and soft.max() > 200
    assert sharp.min() == 60 and sharp.max() == 200


def test_no_pixel_leaves_the_range_of_the_pixels_around_it():
    small = blobs()
    sharp = sharpen(*enlarged(small), ENLARGEMENT)
    # Within the clamp's radius there are the four nearest pixels of the small picture, and one more to each side.
    least, most = (way(small, np.ones((5, 5), np.uint8)) for way in (cv2.erode, cv2.dilate))
    size = sharp.shape[1], sharp.shape[0]
    assert (sharp >= cv2.resize(least, size, interpolation=cv2.INTER_NEAREST)).all()
    assert (sharp <= cv2.resize(most, size, interpolation=cv2.INTER_NEAREST)).all()


def test_more_strength_is_sharper_and_none_changes_nothing():
    soft, linear = enlarged(blobs())
    energy = [
        float((cv2.Laplacian(sharpen(soft, linear, ENLARGEMENT, strength), cv2.CV_32F) ** 2).mean())
        for strength in (0, 0.3, 0.6, 1)
    ]
    assert energy == sorted(energy) and len(set(energy)) == len(energy)
    assert np.array_equal(sharpen(soft, linear, ENLARGEMENT, 0), soft)


@pytest.mark.parametrize("enlargement", [0.5, 1.0])
def test_what_was_not_enlarged_stays(enlargement):
    assert np.array_equal(sharpen(blobs(), blobs(), enlargement), blobs())
    assert not is_softened(enlargement) and is_softened(1.5)


@pytest.mark.parametrize("enlargement", [1.3, 2.0, 3.0, 4.7])
def test_a_part_with_its_margin_is_sharpened_as_the_whole_is(enlargement):
    margin, (soft, linear) = sharpening_margin(enlargement), enlarged(blobs())
    whole = sharpen(soft, linear, enlargement)
    rows = slice(40 - margin, 50 + margin)
    assert np.array_equal(sharpen(soft[rows], linear[rows], enlargement)[margin:-margin], whole[40:50])


def test_a_faint_trace_of_compression_is_not_made_steeper():
    trace = np.full((10, 40), 118, np.uint8)
    trace[:, 20:] = 127
    soft, linear = enlarged(cv2.GaussianBlur(trace, (0, 0), 0.6))
    assert np.array_equal(sharpen(soft, linear, ENLARGEMENT), soft)
