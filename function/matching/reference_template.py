"""What is searched for: the product's photograph and its keypoints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from function.matching import features
from function.matching.print_detection import bears_print
from function.matching.reference_image import ReferenceImage, prepare_reference

# Longest side (px) of the photograph when keypoints are detected: more than the product spans in most images.
FEATURE_PX = 640
# Longest side (px) of the finest photograph that is aligned: as it is analysed, downscaled once and not twice.
FINEST_PX = 1024
# A photograph with a shorter side than this (px) shows no print.
MIN_PX = 16


@dataclass(frozen=True)
class ReferenceTemplate:
    """The photograph at the finest size that alignment asks for, and its keypoints.

    height  px of the photograph in which the keypoints were detected
    """

    reference: ReferenceImage
    features: features.Features
    height: int

    @classmethod
    def of(cls, product: np.ndarray) -> ReferenceTemplate | None:
        """`product` (h, w, 3 or 4) uint8, with or without cut-out; None when it is too small or covers nothing."""
        reference = prepare_reference(product, FINEST_PX) if min(product.shape[:2]) >= MIN_PX else None
        if reference is None:
            return None
        small = reference.downscaled(FEATURE_PX)
        mask = cv2.inRange(small.alpha, 128, 255)
        found = features.detect(cv2.cvtColor(small.rgb, cv2.COLOR_RGB2GRAY), mask)
        return cls(reference, found, small.alpha.shape[0])

    @cached_property
    def bears_print(self) -> bool:
        """Whether the photograph shows letters or marks."""
        return bears_print(self.reference)

    def mirrored(self) -> ReferenceTemplate:
        """With left and right exchanged."""
        rows, columns = self.reference.alpha.shape
        width = columns * self.height / rows
        return ReferenceTemplate(self.reference.mirrored(), features.mirrored(self.features, width), self.height)
