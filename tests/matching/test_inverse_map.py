"""From photograph to picture and back is where one began, and the outline is that of the cells."""

from __future__ import annotations

import numpy as np
import pytest

from function.matching.inverse_map import invert_map, rasterise_coverage
from function.matching.photometric_refine import sample
from function.matching.plane_parallax import project, reference_grid
from tests.matching.samples import flat_pose


def converged(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    return project(flat_pose(120, 100, 90), *reference_grid(shape), np.zeros(shape, np.float32))


def test_the_inverse_of_a_view_leads_back_to_every_pixel():
    x, y = converged((160, 120))
    box = (40, 20, 110, 130)
    u, v, found = invert_map(x, y, box)
    assert found.mean() > 0.5
    there_x, there_y = sample(x, u, v), sample(y, u, v)
    want_x, want_y = np.meshgrid(np.arange(40, 150) + 0.5, np.arange(20, 150) + 0.5)
    assert np.hypot(there_x - want_x, there_y - want_y)[found].max() < 0.25
    assert not found[0, 0]  # outside of the photograph


@pytest.mark.parametrize("left", [0, 30])
def test_the_outline_covers_what_the_alpha_covers(left):
    x, y = converged((160, 120))
    alpha = np.full((160, 120), 255, np.uint8)
    alpha[:, :left] = 0
    coverage = rasterise_coverage([(x, y)], alpha, (0, 0, 200, 180))
    corners = [
        (float(x[row, column]), float(y[row, column])) for row, column in ((0, left), (0, -1), (-1, -1), (-1, left))
    ]
    area = 0.5 * abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, corners[1:] + corners[:1], strict=True)))
    assert coverage.sum() / 255 == pytest.approx(area, rel=0.04)
