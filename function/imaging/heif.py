"""AVIF and HEIC: every size that a decoder would allocate for, found before it is called.

Grids follow ISO/IEC 23008-12 (6.6.2.3).
"""

from __future__ import annotations

from collections.abc import Iterator

from function.imaging.coded_size import av1_units, hevc_begins_picture, hevc_size
from function.imaging.frame import Size
from function.imaging.heif_container import (
    CUT_OFF,
    Budget,
    Container,
    bytes_of,
    data_of,
    properties_of,
    read_container,
    uint,
)
from function.imaging.opened import CheckSize

_CODED = ("av01", "hvc1")
_GRID = "grid"
_OTHER_PICTURES = {"iovl", "unci", "tili", "mski", "grpl"}  # overlays, raw pixels, pyramids: no camera writes them
_MAX_EXIF_BYTES = 1 << 19  # JPEG has room for 64 KiB; Pillow reads every entry of it
_MAX_FRAMES = 8  # of an item's code: a still picture is one, layers of quality are four at the most
_MAX_UNITS = 100_000  # a picture of 1,000 tiles has a few thousand
_TILES_SHARE = 2  # of the pixels allowed, all tiles together: they may overhang the picture's edges


def check_sizes(content: bytes, codec: str, check_size: CheckSize) -> None:
    """Look at all sizes in the file: of items, of grids, and of their code.

    `codec` is the one that is decoded ("av01", "hvc1"). Raises what `check_size` raises, ValueError at damaged data or
    at a picture of another kind.
    """
    view = memoryview(content)
    container = read_container(view)
    if container.types.get(container.primary) not in (codec, _GRID):
        raise ValueError(f"its picture is of kind {container.types.get(container.primary, 'none')!r}")
    if other := _OTHER_PICTURES.intersection(container.types.values()):
        raise ValueError(f"it holds a picture of kind {sorted(other)[0]!r}")
    budget = Budget(_MAX_UNITS)
    for kind, body in container.boxes:
        for size in _stated(kind, body, budget):
            check_size(size)
    read_bytes = 0
    for item, kind in container.types.items():
        item_bytes = bytes_of(container, item, view)
        if kind == "Exif" and item_bytes > _MAX_EXIF_BYTES:
            raise ValueError(f"its EXIF has {item_bytes:,} bytes; at most {_MAX_EXIF_BYTES:,} are allowed")
        read_bytes += item_bytes
        if read_bytes > 2 * len(content):
            raise ValueError("its items overlap")
        if kind == _GRID:
            _check_grid(container, item, data_of(container, item, view), check_size)
        elif kind in _CODED:
            _check_code(kind, data_of(container, item, view), check_size, budget)


def _check_code(kind: str, data: memoryview, check_size: CheckSize, budget: Budget) -> None:
    """The sizes in an item's code, and that it is of one picture: decoders decode all that come before the last."""
    pictures = 0
    for unit in av1_units(data) if kind == "av01" else _hevc_units(data):
        budget.spend()
        size, begins_picture = unit
        pictures += begins_picture
        if pictures > _MAX_FRAMES:
            raise ValueError("one of its pictures has several frames")
        if size is not None:
            check_size(size)


def colour_code(content: bytes) -> tuple[int, int] | None:
    """(primaries, transfer) of the primary picture as ITU-T H.273 numbers them; None where it has an ICC profile, or
    says nothing."""
    container = read_container(memoryview(content))
    found = {bytes(body[:4]): body for body in properties_of(container, container.primary, "colr")}
    if b"nclx" not in found or found.keys() - {b"nclx"}:
        return None
    return uint(found[b"nclx"], 4, 2), uint(found[b"nclx"], 6, 2)


def _stated(kind: str, body: memoryview, budget: Budget) -> Iterator[Size]:
    """The sizes in a property: of an item, or of its code."""
    if kind == "ispe":
        yield uint(body, 4, 4), uint(body, 8, 4)
    elif kind == "av1C":
        for size, _ in av1_units(body[4:]):
            budget.spend()
            if size is not None:
                yield size
    elif kind == "hvcC":
        if uint(body, 21, 1) & 3 != 3:
            raise ValueError("its code units are not delimited as usual")
        place = 23
        for _ in range(uint(body, 22, 1)):
            units, place = uint(body, place + 1, 2), place + 3
            for _ in range(units):
                budget.spend()
                length, place = uint(body, place, 2), place + 2
                if size := hevc_size(bytes(body[place : place + length])):
                    yield size
                place += length


def _hevc_units(data: memoryview) -> Iterator[tuple[Size | None, bool]]:
    """For each unit the size that it states, and whether it begins a picture."""
    place = 0
    while place + 4 <= len(data):
        length = uint(data, place, 4)
        if place + 4 + length > len(data):
            raise ValueError(CUT_OFF)
        unit = bytes(data[place + 4 : place + 4 + min(length, 256)])
        yield hevc_size(unit), hevc_begins_picture(unit)
        place += 4 + length


def _check_grid(container: Container, item: int, data: memoryview, check_size: CheckSize) -> None:
    """A grid's own size, and that of all its tiles together (23008-12, 6.6.2.3)."""
    wide = 4 if uint(data, 1, 1) & 1 else 2
    rows, columns = uint(data, 2, 1) + 1, uint(data, 3, 1) + 1
    check_size((uint(data, 4, wide), uint(data, 4 + wide, wide)))
    tiles = container.tiles.get(item, [])
    if len(tiles) != rows * columns:
        raise ValueError(f"it has {len(tiles)} of {rows * columns} tiles")
    area = 0
    for tile in tiles:
        if container.types.get(tile) not in _CODED:
            raise ValueError("its tiles are not pictures")
        area += max((uint(body, 4, 4) * uint(body, 8, 4) for body in properties_of(container, tile, "ispe")), default=0)
    check_size((-(-area // _TILES_SHARE), 1))
