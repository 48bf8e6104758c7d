"""Local normalised cross-correlation, block by block, of the scene with the model's answer under an affine map."""

from __future__ import annotations

import math

import cv2
import numpy as np

from function.imaging.frame import Size
from function.imaging.photometry import LocalMoments, local_correlation
from function.registration.framings import affine_mapping

# A scene block counts as found when its normalised cross-correlation (NCC) with the answer's reaches this. Unrelated
# textures of this window reach .3 by chance.
BLOCK_CORRELATION = 0.5
BLOCK_PX = 25
# Blocks with less contrast than this (standard deviation, 8-bit levels) carry sensor or JPEG noise only.
BLOCK_CONTRAST = 2.5
# Smallest product of the variances of two blocks, 8-bit levels to the fourth power: flatter ones correlate by chance.
MIN_POWER = 1.0


class ImagePyramid:
    """A picture (h, w) uint8 at several sizes, each made once."""

    def __init__(self, picture: np.ndarray):
        self.picture = picture
        self._shrunk = {1: picture}

    def level(self, step: int) -> np.ndarray:
        """The picture with sides `step` times shorter, by area."""
        if step not in self._shrunk:
            height, width = self.picture.shape
            size = max(1, round(width / step)), max(1, round(height / step))
            self._shrunk[step] = cv2.resize(self.picture, size, interpolation=cv2.INTER_AREA)
        return self._shrunk[step]


def warp_answer(answers: ImagePyramid, matrix: np.ndarray, size: Size) -> np.ndarray:
    """The answer seen through `matrix` at `size`, shrunk without aliasing."""
    step = round(math.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    answer = answers.picture
    if step > 1:
        answer = answers.level(step)
        scale_x, scale_y = answer.shape[1] / answers.picture.shape[1], answer.shape[0] / answers.picture.shape[0]
        matrix = matrix.copy()
        matrix[:, 2] += 0.5
        matrix *= [[scale_x], [scale_y]]
        matrix[:, 2] -= 0.5
    return cv2.warpAffine(
        answer, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )


class BlockCorrelation:
    """The scene's texture, block by block. `grey` (h, w) uint8."""

    def __init__(self, grey: np.ndarray):
        self.size = grey.shape[1], grey.shape[0]
        self.textured = LocalMoments.of(grey.astype(np.float32), _block_mean).variance > BLOCK_CONTRAST**2
        self._scene = _moments(grey)

    def found_share(self, answer: ImagePyramid, matrix: np.ndarray) -> float:
        """Share 0..1 of the textured scene that is found where `matrix` (2, 3) puts it in the answer.

        Scene outside the answer counts as not asked, but at least a third of it has to be inside.
        """
        _, inside = affine_mapping(matrix, self.size, answer.picture.shape[::-1])
        asked = self.textured & inside
        if asked.sum() < self.textured.sum() / 3:
            return 0.0
        seen = _moments(warp_answer(answer, matrix, self.size))
        correlation = local_correlation(self._scene, seen, least=MIN_POWER)
        return float((correlation[asked] > BLOCK_CORRELATION).mean())


def _moments(grey: np.ndarray) -> LocalMoments:
    """Of `grey` (h, w) uint8, lightly smoothed, in the block around each pixel."""
    return LocalMoments.of(cv2.GaussianBlur(grey, (0, 0), 1.0).astype(np.float32), _block_mean)


def _block_mean(image: np.ndarray) -> np.ndarray:
    return cv2.blur(image, (BLOCK_PX, BLOCK_PX))
