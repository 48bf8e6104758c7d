"""AVIF and HEIC as containers: every size that a decoder would allocate for, found before it is called.

Boxes follow ISO/IEC 14496-12 (8.11) and 23008-12 (6.5, 6.6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from function.imaging.coded_size import av1_units, hevc_begins_picture, hevc_size
from function.imaging.frame import Size
from function.imaging.icc import MAX_PROFILE_BYTES
from function.imaging.opened import CheckSize

_CODED = ("av01", "hvc1")
_GRID = "grid"
_OTHER_PICTURES = {"iovl", "unci", "tili", "mski", "grpl"}  # overlays, raw pixels, pyramids: no camera writes them
_MAX_BOXES = 20_000
_MAX_ENTRIES = 100_000  # of places, properties and references of all items; a picture of 1,000 tiles has a few thousand
_MAX_PROPERTY_BYTES = MAX_PROFILE_BYTES + (1 << 20)  # libheif copies them for each item that has them
_MAX_EXIF_BYTES = 1 << 19  # JPEG has room for 64 KiB; Pillow reads every entry of it
_MAX_ITEMS = 5_000  # 64 megapixels in tiles of 256 pixels are 1,000
_MAX_FRAMES = 8  # of an item's code: a still picture is one, layers of quality are four at the most
_MAX_UNITS = 100_000  # a picture of 1,000 tiles has a few thousand
_TILES_SHARE = 2  # of the pixels allowed, all tiles together: they may overhang the picture's edges
_CUT = "the file ends too early"


@dataclass
class _Container:
    """What the meta box says. `extents`: where an item's bytes are; `properties` of an item, as positions in `boxes`,
    counted from 1."""

    primary: int = 0
    types: dict[int, str] = field(default_factory=dict)
    extents: dict[int, list[tuple[int, int, bool]]] = field(default_factory=dict)
    boxes: list[tuple[str, memoryview]] = field(default_factory=list)
    properties: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    tiles: dict[int, list[int]] = field(default_factory=dict)
    inner: memoryview = field(default_factory=lambda: memoryview(b""))


def check_sizes(content: bytes, codec: str, check_size: CheckSize) -> None:
    """Look at all sizes in the file: of items, of grids, and of their code.

    `codec` is the one that is decoded ("av01", "hvc1"). Raises what `check_size` raises, ValueError at damaged data or
    at a picture of another kind.
    """
    view = memoryview(content)
    container = _read(view)
    if container.types.get(container.primary) not in (codec, _GRID):
        raise ValueError(f"its picture is of kind {container.types.get(container.primary, 'none')!r}")
    if other := _OTHER_PICTURES.intersection(container.types.values()):
        raise ValueError(f"it holds a picture of kind {sorted(other)[0]!r}")
    budget = _Budget(_MAX_UNITS)
    for kind, body in container.boxes:
        for size in _stated(kind, body, budget):
            check_size(size)
    read_bytes = 0
    for item, kind in container.types.items():
        item_bytes = _bytes_of(container, item, view)
        if kind == "Exif" and item_bytes > _MAX_EXIF_BYTES:
            raise ValueError(f"its EXIF has {item_bytes:,} bytes; at most {_MAX_EXIF_BYTES:,} are allowed")
        read_bytes += item_bytes
        if read_bytes > 2 * len(content):
            raise ValueError("its items overlap")
        if kind == _GRID:
            _check_grid(container, item, _data_of(container, item, view), check_size)
        elif kind in _CODED:
            _check_code(kind, _data_of(container, item, view), check_size, budget)


@dataclass
class _Budget:
    """How many parts there may be, all together."""

    left: int

    def spend(self, count: int = 1) -> None:
        """Raises ValueError when there are too many."""
        self.left -= count
        if self.left < 0:
            raise ValueError("it has too many parts")


def _check_code(kind: str, data: memoryview, check_size: CheckSize, budget: _Budget) -> None:
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
    container = _read(memoryview(content))
    found = {bytes(body[:4]): body for body in _of(container, container.primary, "colr")}
    if b"nclx" not in found or found.keys() - {b"nclx"}:
        return None
    return _number(found[b"nclx"], 4, 2), _number(found[b"nclx"], 6, 2)


def _read(view: memoryview) -> _Container:
    container = _Container()
    budget = _Budget(_MAX_ENTRIES)
    for kind, body in _directory(view):
        if kind == "pitm":
            container.primary = _number(body, 4, 4 if body[0] else 2)
        elif kind == "iinf":
            _read_types(body, container)
        elif kind == "iloc":
            container.extents = dict(_locations(body, budget))
        elif kind == "iref":
            _read_references(body, container, budget)
        elif kind == "idat":
            container.inner = body
        elif kind == "iprp":
            _read_properties(body, container, budget)
    return container


def _directory(view: memoryview) -> list[tuple[str, memoryview]]:
    """The boxes in the file's meta box. Raises ValueError unless there is one meta box, and one box of each kind."""
    metas = [body for kind, body in boxes(view) if kind == "meta"]
    if len(metas) != 1:
        raise ValueError("it has no picture items" if not metas else "its directory is there twice")
    inside = list(boxes(metas[0][4:]))
    kinds = [kind for kind, _ in inside if kind not in ("free", "skip", "uuid")]
    if len(set(kinds)) < len(kinds):
        raise ValueError("a part of its directory is there twice")  # decoders differ in which of them they take
    return inside


def boxes(view: memoryview) -> Iterator[tuple[str, memoryview]]:
    """(type, body) of every box. Raises ValueError where one does not fit into `view`."""
    position = number = 0
    while position + 8 <= len(view):
        number += 1
        if number > _MAX_BOXES:
            raise ValueError("it has too many parts")
        size, kind, head = _number(view, position, 4), str(view[position + 4 : position + 8], "latin-1"), 8
        if size == 1:
            size, head = _number(view, position + 8, 8), 16
        elif size == 0:
            size = len(view) - position
        if size < head or position + size > len(view):
            raise ValueError(_CUT)
        yield kind, view[position + head : position + size]
        position += size


def _number(view: memoryview, place: int, size: int) -> int:
    if place + size > len(view):
        raise ValueError(_CUT)
    return int.from_bytes(view[place : place + size], "big")


def _locations(body: memoryview, budget: _Budget) -> Iterator[tuple[int, list[tuple[int, int, bool]]]]:
    """(item, [(offset, length, whether in the idat box)]) of an iloc box."""
    version, sizes = body[0], _number(body, 4, 2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    wide = 4 if version == 2 else 2
    count, place = _number(body, 6, wide), 6 + wide
    for _ in range(count):
        item, place = _number(body, place, wide), place + wide
        inside = False
        if version:
            method, place = _number(body, place, 2) & 15, place + 2
            if method > 1:
                raise ValueError("an item is made of another one's bytes")
            inside = method == 1
        place += 2  # data reference index
        base, place = _number(body, place, base_size), place + base_size
        extents, place = _number(body, place, 2), place + 2
        budget.spend(1 + extents)
        found = []
        for _ in range(extents):
            place += index_size
            offset, place = _number(body, place, offset_size), place + offset_size
            length, place = _number(body, place, length_size), place + length_size
            found.append((base + offset, length, inside))
        yield item, found


def _read_types(body: memoryview, container: _Container) -> None:
    """What kind each item is, from an iinf box."""
    for kind, entry in boxes(body[6 if body[0] == 0 else 8 :]):
        if kind == "infe" and entry[0] >= 2:
            wide = 4 if entry[0] >= 3 else 2
            if len(container.types) == _MAX_ITEMS:
                raise ValueError("it has too many parts")
            container.types[_number(entry, 4, wide)] = str(entry[6 + wide : 10 + wide], "latin-1")


def _read_references(body: memoryview, container: _Container, budget: _Budget) -> None:
    wide = 4 if body[0] else 2
    for kind, reference in boxes(body[4:]):
        if kind == "dimg":
            count = _number(reference, wide, 2)
            budget.spend(1 + count)
            to = [_number(reference, wide + 2 + wide * place, wide) for place in range(count)]
            container.tiles[_number(reference, 0, wide)] = to


def _read_properties(body: memoryview, container: _Container, budget: _Budget) -> None:
    """The properties of all items, and which item has which of them, from an iprp box."""
    for kind, properties in boxes(body):
        if kind == "ipco":
            if len(properties) > _MAX_PROPERTY_BYTES:
                raise ValueError(f"its colour profile and other properties have {len(properties):,} bytes")
            container.boxes = list(boxes(properties))
        elif kind == "ipma":
            _read_associations(properties, container, budget)


def _read_associations(body: memoryview, container: _Container, budget: _Budget) -> None:
    wide, index = 4 if body[0] else 2, 2 if body[3] & 1 else 1
    place = 8
    for _ in range(_number(body, 4, 4)):
        item, count, place = _number(body, place, wide), _number(body, place + wide, 1), place + wide + 1
        budget.spend(1 + count)
        for _ in range(count):
            container.properties[item].append(_number(body, place, index) & (0x7FFF if index == 2 else 0x7F))
            place += index


def _of(container: _Container, item: int, wanted: str) -> list[memoryview]:
    """An item's properties of one kind."""
    places = (place for place in container.properties[item] if 0 < place <= len(container.boxes))
    return [body for kind, body in (container.boxes[place - 1] for place in places) if kind == wanted]


def _stated(kind: str, body: memoryview, budget: _Budget) -> Iterator[Size]:
    """The sizes in a property: of an item, or of its code."""
    if kind == "ispe":
        yield _number(body, 4, 4), _number(body, 8, 4)
    elif kind == "av1C":
        for size, _ in av1_units(body[4:]):
            budget.spend()
            if size is not None:
                yield size
    elif kind == "hvcC":
        if _number(body, 21, 1) & 3 != 3:
            raise ValueError("its code units are not delimited as usual")
        place = 23
        for _ in range(_number(body, 22, 1)):
            units, place = _number(body, place + 1, 2), place + 3
            for _ in range(units):
                budget.spend()
                length, place = _number(body, place, 2), place + 2
                if size := hevc_size(bytes(body[place : place + length])):
                    yield size
                place += length


def _hevc_units(data: memoryview) -> Iterator[tuple[Size | None, bool]]:
    """For each unit the size that it states, and whether it begins a picture."""
    place = 0
    while place + 4 <= len(data):
        length = _number(data, place, 4)
        if place + 4 + length > len(data):
            raise ValueError(_CUT)
        unit = bytes(data[place + 4 : place + 4 + min(length, 256)])
        yield hevc_size(unit), hevc_begins_picture(unit)
        place += 4 + length


def _bytes_of(container: _Container, item: int, view: memoryview) -> int:
    """How many bytes an item has, added up before they are joined."""
    return sum(
        length or len(container.inner if inside else view) for _, length, inside in container.extents.get(item, [])
    )


def _data_of(container: _Container, item: int, view: memoryview) -> memoryview:
    parts = []
    for offset, length, inside in container.extents.get(item, []):
        source = container.inner if inside else view
        end = offset + length if length else len(source)
        if end > len(source):
            raise ValueError(_CUT)
        parts.append(source[offset:end])
    return parts[0] if len(parts) == 1 else memoryview(b"".join(parts))


def _check_grid(container: _Container, item: int, data: memoryview, check_size: CheckSize) -> None:
    """A grid's own size, and that of all its tiles together (23008-12, 6.6.2.3)."""
    wide = 4 if _number(data, 1, 1) & 1 else 2
    rows, columns = _number(data, 2, 1) + 1, _number(data, 3, 1) + 1
    check_size((_number(data, 4, wide), _number(data, 4 + wide, wide)))
    tiles = container.tiles.get(item, [])
    if len(tiles) != rows * columns:
        raise ValueError(f"it has {len(tiles)} of {rows * columns} tiles")
    area = 0
    for tile in tiles:
        if container.types.get(tile) not in _CODED:
            raise ValueError("its tiles are not pictures")
        area += max((_number(body, 4, 4) * _number(body, 8, 4) for body in _of(container, tile, "ispe")), default=0)
    check_size((-(-area // _TILES_SHARE), 1))
