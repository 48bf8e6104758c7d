"""The boxes of AVIF and HEIC: what a file's directory says of its items, their bytes and their properties.

Boxes follow ISO/IEC 14496-12 (8.11) and 23008-12 (6.5, 6.6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from function.imaging.icc import MAX_PROFILE_BYTES

_MAX_BOXES = 20_000
_MAX_ENTRIES = 100_000  # of places, properties and references of all items; a picture of 1,000 tiles has a few thousand
_MAX_PROPERTY_BYTES = MAX_PROFILE_BYTES + (1 << 20)  # libheif copies them for each item that has them
_MAX_ITEMS = 5_000  # 64 megapixels in tiles of 256 pixels are 1,000
CUT_OFF = "the file ends too early"


@dataclass
class Container:
    """What the meta box says. `extents`: where an item's bytes are; `properties` of an item, as positions in `boxes`,
    counted from 1."""

    primary: int = 0
    types: dict[int, str] = field(default_factory=dict)
    extents: dict[int, list[tuple[int, int, bool]]] = field(default_factory=dict)
    boxes: list[tuple[str, memoryview]] = field(default_factory=list)
    properties: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    tiles: dict[int, list[int]] = field(default_factory=dict)
    inner: memoryview = field(default_factory=lambda: memoryview(b""))


@dataclass
class Budget:
    """How many parts there may be, all together."""

    left: int

    def spend(self, count: int = 1) -> None:
        """Raises ValueError when there are too many."""
        self.left -= count
        if self.left < 0:
            raise ValueError("it has too many parts")


def read_container(view: memoryview) -> Container:
    """The directory of a whole file. Raises ValueError at damaged data, and above the limits on parts."""
    container = Container()
    budget = Budget(_MAX_ENTRIES)
    for kind, body in _directory(view):
        if kind == "pitm":
            container.primary = uint(body, 4, 4 if body[0] else 2)
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
        size, kind, head = uint(view, position, 4), str(view[position + 4 : position + 8], "latin-1"), 8
        if size == 1:
            size, head = uint(view, position + 8, 8), 16
        elif size == 0:
            size = len(view) - position
        if size < head or position + size > len(view):
            raise ValueError(CUT_OFF)
        yield kind, view[position + head : position + size]
        position += size


def uint(view: memoryview, place: int, size: int) -> int:
    """The big-endian number of `size` bytes at `place`. Raises ValueError where the data ends before."""
    if place + size > len(view):
        raise ValueError(CUT_OFF)
    return int.from_bytes(view[place : place + size], "big")


def _locations(body: memoryview, budget: Budget) -> Iterator[tuple[int, list[tuple[int, int, bool]]]]:
    """(item, [(offset, length, whether in the idat box)]) of an iloc box."""
    version, sizes = body[0], uint(body, 4, 2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    wide = 4 if version == 2 else 2
    count, place = uint(body, 6, wide), 6 + wide
    for _ in range(count):
        item, place = uint(body, place, wide), place + wide
        inside = False
        if version:
            method, place = uint(body, place, 2) & 15, place + 2
            if method > 1:
                raise ValueError("an item is made of another one's bytes")
            inside = method == 1
        place += 2  # data reference index
        base, place = uint(body, place, base_size), place + base_size
        extents, place = uint(body, place, 2), place + 2
        budget.spend(1 + extents)
        found = []
        for _ in range(extents):
            place += index_size
            offset, place = uint(body, place, offset_size), place + offset_size
            length, place = uint(body, place, length_size), place + length_size
            found.append((base + offset, length, inside))
        yield item, found


def _read_types(body: memoryview, container: Container) -> None:
    """What kind each item is, from an iinf box."""
    for kind, entry in boxes(body[6 if body[0] == 0 else 8 :]):
        if kind == "infe" and entry[0] >= 2:
            wide = 4 if entry[0] >= 3 else 2
            if len(container.types) == _MAX_ITEMS:
                raise ValueError("it has too many parts")
            container.types[uint(entry, 4, wide)] = str(entry[6 + wide : 10 + wide], "latin-1")


def _read_references(body: memoryview, container: Container, budget: Budget) -> None:
    wide = 4 if body[0] else 2
    for kind, reference in boxes(body[4:]):
        if kind == "dimg":
            count = uint(reference, wide, 2)
            budget.spend(1 + count)
            to = [uint(reference, wide + 2 + wide * place, wide) for place in range(count)]
            container.tiles[uint(reference, 0, wide)] = to


def _read_properties(body: memoryview, container: Container, budget: Budget) -> None:
    """The properties of all items, and which item has which of them, from an iprp box."""
    for kind, properties in boxes(body):
        if kind == "ipco":
            if len(properties) > _MAX_PROPERTY_BYTES:
                raise ValueError(f"its colour profile and other properties have {len(properties):,} bytes")
            container.boxes = list(boxes(properties))
        elif kind == "ipma":
            _read_associations(properties, container, budget)


def _read_associations(body: memoryview, container: Container, budget: Budget) -> None:
    wide, index = 4 if body[0] else 2, 2 if body[3] & 1 else 1
    place = 8
    for _ in range(uint(body, 4, 4)):
        item, count, place = uint(body, place, wide), uint(body, place + wide, 1), place + wide + 1
        budget.spend(1 + count)
        for _ in range(count):
            container.properties[item].append(uint(body, place, index) & (0x7FFF if index == 2 else 0x7F))
            place += index


def properties_of(container: Container, item: int, wanted: str) -> list[memoryview]:
    """An item's properties of one kind."""
    places = (place for place in container.properties[item] if 0 < place <= len(container.boxes))
    return [body for kind, body in (container.boxes[place - 1] for place in places) if kind == wanted]


def bytes_of(container: Container, item: int, view: memoryview) -> int:
    """How many bytes an item has, added up before they are joined."""
    return sum(
        length or len(container.inner if inside else view) for _, length, inside in container.extents.get(item, [])
    )


def data_of(container: Container, item: int, view: memoryview) -> memoryview:
    """An item's bytes, joined. Raises ValueError where the file ends before."""
    parts = []
    for offset, length, inside in container.extents.get(item, []):
        source = container.inner if inside else view
        end = offset + length if length else len(source)
        if end > len(source):
            raise ValueError(CUT_OFF)
        parts.append(source[offset:end])
    return parts[0] if len(parts) == 1 else memoryview(b"".join(parts))
