"""AVIF and HEIC files put together from coded pictures: grids, turned ones, and such as no program writes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

from function.imaging.heif_container import boxes

DATA = Path(__file__).parents[1] / "data" / "heic"


def heic(name: str = "plain") -> bytes:
    """A shipped HEIC."""
    return (DATA / f"{name}.heic").read_bytes()


@dataclass
class Item:
    """One item of a container. `tiles`, and those that it `describes`, are numbers of items, counted from 1."""

    kind: str
    data: bytes
    properties: list[bytes] = field(default_factory=list)
    tiles: list[int] = field(default_factory=list)
    describes: list[int] = field(default_factory=list)


def box(kind: str, *parts: bytes) -> bytes:
    """One box."""
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind.encode() + body


def full(kind: str, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    """One box with a version."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def ispe(width: int, height: int) -> bytes:
    """The property of an item's size."""
    return full("ispe", struct.pack(">II", width, height))


def nclx(primaries: int, transfer: int) -> bytes:
    """The property of an item's colours by numbers of ITU-T H.273."""
    return box("colr", b"nclx", struct.pack(">HHHB", primaries, transfer, 6, 0x80))


def container(items: list[Item], *, primary: int = 1, brand: str = "heic", extra: bytes = b"") -> bytes:
    """A file of these items; their bytes stand behind the directory. `extra` goes into it."""
    properties = list(dict.fromkeys(one for item in items for one in item.properties))  # items share them
    associations = b""
    for index, item in enumerate(items, start=1):
        associations += struct.pack(">HB", index, len(item.properties))
        for one in item.properties:
            associations += struct.pack(">H", 0x8001 + properties.index(one))
    entries = b"".join(
        full("infe", struct.pack(">HH", index, 0), item.kind.encode(), b"\0", version=2)
        for index, item in enumerate(items, start=1)
    )
    references = b"".join(
        box(kind, struct.pack(f">HH{len(to)}H", index, len(to), *to))
        for index, item in enumerate(items, start=1)
        for kind, to in (("dimg", item.tiles), ("cdsc", item.describes))
        if to
    )

    def meta(start: int) -> bytes:
        locations = b""
        for index, item in enumerate(items, start=1):
            locations += struct.pack(">HHHII", index, 0, 1, start, len(item.data))
            start += len(item.data)
        return full(
            "meta",
            full("hdlr", b"\0" * 4 + b"pict" + b"\0" * 13),
            full("pitm", struct.pack(">H", primary)),
            full("iloc", struct.pack(">HH", 0x4400, len(items)), locations),
            full("iinf", struct.pack(">H", len(items)), entries),
            box(
                "iprp",
                box("ipco", *properties),
                full("ipma", struct.pack(">I", len(items)), associations, flags=1),
            ),
            full("iref", references) if references else b"",
            extra,
        )

    head = box("ftyp", brand.encode(), b"\0" * 4, b"mif1", brand.encode())
    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + box("mdat", *(item.data for item in items))


def coded_picture(content: bytes, kind: str, *, width: int, height: int) -> Item:
    """The primary picture of a file with one item, as an item that is said to be that large."""
    meta = next(body for name, body in boxes(memoryview(content)) if name == "meta")
    parts = dict(boxes(meta[4:]))
    properties = dict(boxes(next(body for name, body in boxes(parts["iprp"]) if name == "ipco")))
    config = {"hvc1": "hvcC", "av01": "av1C"}[kind]
    data = next(body for name, body in boxes(memoryview(content)) if name == "mdat")
    return Item(kind, bytes(data), [box(config, bytes(properties[config])), ispe(width, height)])


def grid(rows: int, columns: int, width: int, height: int) -> bytes:
    """What a grid's item holds (ISO/IEC 23008-12, 6.6.2.3.2), with 32 bits for a side."""
    return bytes([0, 1, rows - 1, columns - 1]) + struct.pack(">II", width, height)


def heic_grid(
    rows: int, columns: int, width: int, height: int, *, name: str = "plain", side: int = 64, brand: str = "heic"
) -> bytes:
    """A picture of tiles, each a shipped picture of `side` pixels."""
    tile = coded_picture(heic(name), "hvc1", width=side, height=side)
    count = rows * columns
    whole = Item("grid", grid(rows, columns, width, height), [ispe(width, height)], list(range(2, count + 2)))
    return container([whole, *[tile] * count], brand=brand)


def heic_with(*properties: bytes, width: int = 64, height: int = 64) -> bytes:
    """The shipped picture with more properties."""
    item = coded_picture(heic(), "hvc1", width=width, height=height)
    item.properties += properties
    return container([item])
