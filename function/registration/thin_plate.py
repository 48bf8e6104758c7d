"""Thin-plate smoothing spline through scattered values: it continues their slope and curvature across holes."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from function.imaging.array_ops import downsample2
from function.imaging.photometry import masked_mean

# Nodes of the plate: cells of about 45 analysis pixels, half of what a warp of an answer spans at the least.
NODES = 500
# A cell counts in full when this share of it holds values.
FULL_SHARE = 0.15
# Bending costs this much against a full cell's misfit: a cell's mean is known to about half of what the field
# bends from one cell to the next. Ten times more or less places a product half as much worse again.
STIFFNESS = 0.2
# Ridge term: a weak pull to zero that ends the slope where no data is near.
RIDGE = 0.001


def thin_plate(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(h, w, n) float32, smooth: near `values` (h, w, n) where `weight` (h, w) 0..1 has any, continued elsewhere.

    Least squares on a grid of nodes with the bending energy of a thin plate (Duchon, 1977).
    """
    height, width = weight.shape
    step = np.sqrt(height * width / NODES)
    columns, rows = max(3, round(width / step)), max(3, round(height / step))

    def cells(image: np.ndarray) -> np.ndarray:
        return cv2.resize(downsample2(image), (columns, rows), interpolation=cv2.INTER_AREA)

    mean = masked_mean(weight, cells, least=1e-6)(values)
    held: np.ndarray = np.clip(cells(weight) / FULL_SHARE, 0, 1)
    system = STIFFNESS * _bending(columns, rows)
    system[np.diag_indices_from(system)] += held.ravel() + RIDGE
    wanted = (mean * held[..., None]).reshape(rows * columns, -1).astype(float)
    _, nodes = cv2.solve(system, wanted, flags=cv2.DECOMP_CHOLESKY)
    nodes = nodes.reshape(rows, columns, -1).astype(np.float32)
    return cv2.resize(nodes, (width, height), interpolation=cv2.INTER_CUBIC)


@lru_cache(maxsize=8)
def _bending(columns: int, rows: int) -> np.ndarray:
    """(columns * rows)^2, not to be changed: squared second differences along, down and across a grid."""
    twice_along, twice_down = (np.diff(np.eye(count), 2, axis=0) for count in (columns, rows))
    along, down = (np.diff(np.eye(count), axis=0) for count in (columns, rows))
    bending = np.kron(np.eye(rows), twice_along.T @ twice_along)
    bending += np.kron(twice_down.T @ twice_down, np.eye(columns))
    return bending + 2 * np.kron(down.T @ down, along.T @ along)
