"""Where products were asked to stand, as the page draws it: outlines in shares of the scene and of the result.

A sidecar is not trusted to be as it should: what makes no sense is left out.
"""

from __future__ import annotations

MAX_OUTLINES, MAX_CORNERS = 8, 64
MAX_SHARE = 100.0  # of a picture that shows a small part of the scene; farther away is not meant

JsonDict = dict[str, object]
Point = list[float]


def asked_place(sidecar: JsonDict) -> JsonDict | None:
    """Outlines for `scene` and `result` (empty where the result does not show the scene's shape), and the height, in
    pixels of the scene, and direction that were asked for; None where nothing was. Of several products the outlines
    of all, and nothing else."""
    record, each = sidecar.get("asked_place"), _of_products(sidecar)
    if not isinstance(record, dict):
        if not each:
            return None
        record = {}
    given = [one for place in (record, *each) for one in _given(place)]
    outlines = [outline for one in given[:MAX_OUTLINES] if (outline := _outline(one))]
    scene = _size(_part(sidecar, "inputs", "scene"))
    result = _part(sidecar, "result")
    shown = _numbers(result.get("shown"), 4) or (
        [0.0, 0.0, *scene] if scene and _is_same_shape(result, scene) else None
    )
    height = record.get("height")
    return {
        "scene": [] if scene is None else _shares(outlines, [0.0, 0.0, *scene]),
        "result": [] if shown is None else _shares(outlines, shown),
        "height": height if type(height) is int else None,
        "facing": str(record.get("facing") or "")[:20],
    }


def _of_products(sidecar: JsonDict) -> list[JsonDict]:
    products = sidecar.get("products")
    places = [one.get("asked_place") for one in products if isinstance(one, dict)] if isinstance(products, list) else []
    return [place for place in places if isinstance(place, dict)]


def _given(record: JsonDict) -> list[object]:
    box, areas = _numbers(record.get("box"), 4), record.get("areas")
    if box is None:
        return areas if isinstance(areas, list) else []
    x, y, width, height = box
    return [[[x, y], [x + width, y], [x + width, y + height], [x, y + height]]]


def _outline(corners: object) -> list[Point]:
    points = [_numbers(point, 2) for point in corners[:MAX_CORNERS]] if isinstance(corners, list) else []
    return [] if None in points else [point for point in points if point is not None]


def _shares(outlines: list[list[Point]], shown: Point) -> list[list[Point]]:
    left, top, width, height = shown
    if width <= 0 or height <= 0:
        return []
    found = [[[round((x - left) / width, 5), round((y - top) / height, 5)] for x, y in outline] for outline in outlines]
    return [one for one in found if all(abs(share) <= MAX_SHARE for point in one for share in point)]


def _is_same_shape(result: JsonDict, scene: Point) -> bool:
    size = _size(result)
    return size is not None and abs(size[0] * scene[1] - size[1] * scene[0]) <= max(*scene, *size)


def _size(record: JsonDict) -> Point | None:
    size = _numbers([record.get("width"), record.get("height")], 2)
    return size if size is not None and min(size) > 0 else None


def _part(sidecar: JsonDict, *names: str) -> JsonDict:
    part: object = sidecar
    for name in names:
        part = part.get(name) if isinstance(part, dict) else None
    return part if isinstance(part, dict) else {}


def _numbers(value: object, count: int) -> Point | None:
    """So many numbers of a pixel's kind; None for anything else."""
    if not isinstance(value, list | tuple) or len(value) != count:
        return None
    if not all(isinstance(one, int | float) and not isinstance(one, bool) and abs(one) < 1e6 for one in value):
        return None
    return [float(one) for one in value]
