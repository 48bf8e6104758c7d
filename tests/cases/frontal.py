"""A case whose truth shows the product as it was photographed: laid into the scene, under an estimated light."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from function.generation.models import FALLBACK_PROFILE, model_table
from function.imaging.frame import Frame, plan_letterbox
from function.matching.place import Place, outline_box
from function.restoration.classical import composite_classically
from function.restoration.placed_reference import PlacedReference
from function.restoration.product_reference import ProductReference
from function.restoration.restore import restore
from tests.cases.cases import SHIPPED, Case, load_case, small_case

WIDTH_PX, SENT_PX = 960, 768


def frontal_case(name: str) -> tuple[Case, Frame, Place]:
    """The shipped case `name`, the frame it is sent in, and the place of the product."""
    case = small_case(load_case(SHIPPED / name), WIDTH_PX)
    height, width = case.scene.shape[:2]
    frame = plan_letterbox((width, height), model_table().find(FALLBACK_PROFILE).native_sizes, SENT_PX)
    place = Place.standing(0.45, 0.85, 0.4, outline_box(np.ascontiguousarray(case.product[..., 3])), (width, height))
    analysis = composite_classically(case.scene, ProductReference.of(case.product), place)
    truth = restore(case.scene, case.product, analysis, frame).image
    coverage = PlacedReference.of(case.product, place, (width, height)).coverage((0, 0, width, height))
    change = cv2.max(analysis.scene.change, coverage)
    return replace(case, truth=truth, product_mask=coverage, change_mask=change), frame, place
