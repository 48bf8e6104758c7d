"""Places in a picture as shares of its width and height, as far as a sidecar states them."""

from __future__ import annotations

from typing import Any

from function.tools.review.values import as_dict, as_list, as_number

MAX_CORNER = 100.0  # a photograph that many times larger than the picture shows nothing


def size_of(record: dict[str, Any]) -> tuple[float | None, float | None]:
    """Width and height of a picture, each None where the sidecar does not state it."""
    return as_number(record.get("width")), as_number(record.get("height"))


def is_same_shape(size: tuple[float | None, float | None], scene: tuple[float | None, float | None]) -> bool:
    """Whether two sizes are one shape to a pixel of the smaller one; what is not known is taken for that."""
    (width, height), (across, down) = size, scene
    if not (width and height and across and down):
        return True
    return abs(width * down - height * across) <= max(across, down, width, height)


def shares_of(box: object, size: tuple[float | None, float | None]) -> list[float] | None:
    """A box of pixels in a picture of `size` as shares of it; None where that is no box, or no size."""
    sides = [as_number(side) for side in as_list(box)]
    if len(sides) != 4 or not all(side is not None for side in (*sides, *size)) or not (size[0] and size[1]):
        return None
    return [round(float(side or 0) / (size[k % 2] or 1), 4) for k, side in enumerate(sides)]


def _shares(box: list[float], width: float, height: float) -> list[float]:
    shares = [box[0] / width, box[1] / height, box[2] / width, box[3] / height]
    return [round(min(max(share, 0.0), 1.0), 4) for share in shares]


def changed_box(sidecar: dict[str, Any]) -> list[float] | None:
    """Where the picture changed: [left, top, width, height] as shares of the scene, 0..1."""
    given = as_list(as_dict(sidecar.get("change")).get("box"))
    box = [number for value in given if (number := as_number(value)) is not None]
    width, height = size_of(as_dict(as_dict(sidecar.get("inputs")).get("scene")))
    if len(given) != 4 or len(box) != 4 or not width or not height:
        return None
    return _shares(box, width, height)


def undone_boxes(sidecar: dict[str, Any]) -> list[list[float]]:
    """Where the scene's own pixels were put back: [left, top, width, height] as shares of the scene."""
    scene = as_dict(as_dict(sidecar.get("inputs")).get("scene"))
    width, height = as_number(scene.get("width")), as_number(scene.get("height"))
    boxes = [as_list(as_dict(one).get("box")) for one in as_list(sidecar.get("undone"))]
    if not width or not height:
        return []
    return [
        _shares(box, width, height)
        for box in boxes
        if len(box) == 4 and all(as_number(side) is not None for side in box)
    ]


def corners_of(sidecar: dict[str, Any]) -> list[list[float]] | None:
    """Where the photograph's top left, top right and bottom left corners lie, as shares of the result."""
    result = as_dict(sidecar.get("result"))
    width, height = as_number(result.get("width")), as_number(result.get("height"))
    given = as_list(as_dict(sidecar.get("restoration")).get("corners"))
    points = [[as_number(at) for at in as_list(point)] for point in given]
    if not width or not height or [len(point) for point in points] != [2, 2, 2]:
        return None
    shares = [[x / width, y / height] for x, y in points if x is not None and y is not None]
    if len(shares) != 3 or not all(abs(share) < MAX_CORNER for point in shares for share in point):
        return None
    return [[round(share, 5) for share in point] for point in shares]
