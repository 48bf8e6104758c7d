"""The places that a manifest asks for: for the judge and the sketch, in the model's words, and in the sidecar."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from function.errors import InvalidManifestError
from function.generation.facing import Facing
from function.generation.pose import Pose
from function.generation.spot_words import Mark, Spot
from function.imaging.frame import Frame, Size
from function.manifest.model import Manifest
from function.manifest.placement import Placement, mask_field
from function.matching.asked_place import AskedPlace, areas, best_point
from function.sidecar.request import AskedPlaceRecord

MAX_SHAPE_RATIO = 1.02  # a mask that was scaled by hand is a pixel or two off the scene's shape


def asked_places(
    manifest: Manifest, scene_size: Size, grounds: Mapping[str, np.ndarray]
) -> tuple[AskedPlace | None, ...]:
    """Of each of several products, as `asked_place`; none at all of one product. `grounds` are the masks by field."""
    return tuple(
        asked_place(
            one.exact_placement,
            manifest.pose,
            scene_size,
            grounds.get(mask_field(one.name)),
            field=f"products.{one.name}.placement",
        )
        for one in manifest.products or ()
    )


def asked_place(
    asked: Placement, pose: Pose, scene_size: Size, ground: np.ndarray | None = None, field: str = "placement"
) -> AskedPlace | None:
    """None where nothing is asked that can be measured. `ground` (h, w) uint8 is the mask. Raises InvalidManifestError
    for a product that would be taller than the scene, which names the `field`."""
    if not asked.is_measured:
        return None
    height = None
    if asked.height_cm is not None and asked.reference is not None:
        height = asked.height_cm / asked.reference.height_cm * asked.reference.box[3]
    elif asked.height_cm is not None and asked.scene_cm_per_px is not None:
        height = asked.height_cm / asked.scene_cm_per_px / scene_size[1]
    if height is not None and height > 1:
        raise InvalidManifestError(
            f"{field}.height_cm: the product would be {height:.2f} times as tall as the scene; check the scale"
        )
    box = None if asked.box is None else (asked.box[0], asked.box[1], asked.box[2], asked.box[3])
    return AskedPlace(box, ground, height, pose == "hang", asked.tolerance)


def check_mask(field: str, size: Size, ground: np.ndarray, scene_size: Size) -> None:
    """Raises InvalidManifestError, which names the `field`, for a mask of another shape than the scene's, and for one
    that allows nothing."""
    shapes = sorted((size[0] / size[1], scene_size[0] / scene_size[1]))
    if shapes[1] / shapes[0] > MAX_SHAPE_RATIO:
        raise InvalidManifestError(
            f"{field}: it has {size[0]} x {size[1]} pixels, which is not the shape of the scene "
            f"({scene_size[0]} x {scene_size[1]})"
        )
    if not areas(ground):
        raise InvalidManifestError(f"{field}: it has no white pixels, so there is no place for the product")


def spot_in(frame: Frame, asked: AskedPlace | None, facing: Facing | None, mark: Mark | None = None) -> Spot | None:
    """What the model is told, in shares of the picture that it is sent, or shown where there is a `mark`; None where
    nothing is asked."""
    if asked is None:
        return None if facing is None else Spot(facing=facing)
    left, top, width, height = (side / frame.sent_size[number % 2] for number, side in enumerate(frame.content_box))

    def at(point: tuple[float, float]) -> tuple[float, float]:
        return left + point[0] * width, top + point[1] * height

    box = None
    if asked.box is not None:
        box = *at(asked.box[:2]), asked.box[2] * width, asked.box[3] * height
    return Spot(
        box,
        () if asked.ground is None else tuple(tuple(at(point) for point in area) for area in areas(asked.ground)),
        None if asked.ground is None else at(best_point(asked.ground)),
        None if asked.height is None else asked.height * height,
        facing,
        mark,
    )


def asked_record(asked: AskedPlace | None, facing: Facing | None, scene_size: Size) -> AskedPlaceRecord | None:
    """What the sidecar says of it; None where nothing is asked besides words."""
    if asked is None:
        return None if facing is None else AskedPlaceRecord(facing=facing)
    width, height = scene_size
    box = None
    if asked.box is not None:
        x, y, wide, tall = asked.box
        box = round(x * width), round(y * height), round(wide * width), round(tall * height)
    return AskedPlaceRecord(
        box=box,
        areas=[
            [(round(x * width), round(y * height)) for x, y in area]
            for area in (() if asked.ground is None else areas(asked.ground))
        ],
        height=None if asked.height is None else round(asked.height * height),
        facing=facing,
        tolerance=asked.tolerance,
    )
