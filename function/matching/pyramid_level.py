"""Photograph and generated image at one resolution, and a pose refined and scored there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.matching import plane_parallax
from function.matching.photometric_refine import NccMap, grey, ncc_map, refine_pose, sample, visibility
from function.matching.reference_image import ReferenceImage

# Levels with a shorter side than this (px) are not built; the photograph is not downscaled below the second.
MIN_SIDE_PX, MIN_REFERENCE_PX = 16, 32
# The pose's parameters that are lengths in the image: they scale with it.
LENGTHS = [0, 1, 2, 3, 4, 5, 8, 9]


@dataclass(frozen=True)
class PyramidLevel:
    """Both images at a scale at which a pixel of the photograph spans about a pixel of the generated image.

    luma       (h, w) float32, of the photograph
    generated  (H, W) float32, luma of the generated image
    scale      pixels of this level per pixel of the image given
    """

    reference: ReferenceImage
    luma: np.ndarray
    generated: np.ndarray
    scale: float

    @classmethod
    def of(cls, reference: ReferenceImage, generated: np.ndarray, size: float, scale: float) -> PyramidLevel | None:
        """Of a photograph whose longest side spans `size` pixels of `generated` (H, W, 3) uint8, both at `scale`; None
        where that is too small."""
        reference = reference.downscaled(max(MIN_REFERENCE_PX, round(size * scale)))
        shape = round(generated.shape[0] * scale), round(generated.shape[1] * scale)
        if min(reference.alpha.shape) < MIN_SIDE_PX or min(shape) < MIN_SIDE_PX:
            return None
        small = generated
        if scale != 1:
            small = cv2.resize(generated, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return cls(reference, grey(reference.rgb), grey(small), scale)

    def refine(self, pose: np.ndarray, free_parameters: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """`pose` (11,), in pixels of the image given, refined at this level."""
        scaling = np.ones(plane_parallax.PARAMETER_COUNT)
        scaling[LENGTHS] = self.scale
        refined = refine_pose(pose * scaling, self.luma, self.reference.alpha, depth, self.generated, free_parameters)
        return refined / scaling

    def surface_map(self, pose: np.ndarray, depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """x and y (h, w) float32 of each pixel of the photograph under `pose`, in pixels of this level."""
        x, y = plane_parallax.project(pose, *plane_parallax.reference_grid(self.luma.shape), depth)
        return x * np.float32(self.scale), y * np.float32(self.scale)

    def compare(self, x: np.ndarray, y: np.ndarray) -> NccMap:
        """Correlation of both images, the photograph at `x`, `y` of this level."""
        visible = visibility(x, y, self.reference.alpha, self.generated.shape)
        return ncc_map(self.luma, sample(self.generated, x, y), visible)
