"""Changes to sound files: of single bytes, and of the parts that their formats are made of."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Iterator

from function.imaging.formats import PNG_MAGIC

MAX_BYTES = 40 * 2**20  # of a mutated file
_EXTREMES = (0, 1, 2, 7, 8, 255, 256, 65_535, 65_536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
_CONTAINERS = {"meta": 4, "iprp": 0, "ipco": 0, "dinf": 0, "iinf": 6, "iref": 4, "moov": 0, "trak": 0}
_TOKENS = (
    b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\n", b";", b" ", b"\xef\xbb\xbf", b"\xe2\x80\x8b", b"%41",
    b"data:", b"../", b"1", b'{"a":', b'"a",', b"[],", b'"labels.x",', b"\xff", b"\xf0\x9f\x98\x80",
)  # fmt: skip
Span = tuple[int, int]


def spans(content: bytes) -> list[Span]:
    """Where the parts of a picture are: chunks, segments, boxes with those inside of them, entries of a directory."""
    if content.startswith(PNG_MAGIC):
        return list(_png_spans(content))
    if content.startswith(b"\xff\xd8"):
        return list(_jpeg_spans(content))
    if content.startswith(b"RIFF"):
        return list(_riff_spans(content))
    if content[4:8] == b"ftyp":
        return list(_box_spans(content, 0, len(content)))
    return list(_tiff_spans(content))


def _png_spans(content: bytes) -> Iterator[Span]:
    place = 8
    while place + 12 <= len(content):
        end = place + 12 + int.from_bytes(content[place : place + 4])
        yield place, end
        place = end


def _jpeg_spans(content: bytes) -> Iterator[Span]:
    place = 2
    while place + 4 <= len(content) and content[place] == 0xFF:
        kind, end = content[place + 1], place + 2 + int.from_bytes(content[place + 2 : place + 4])
        if kind == 0xDA:
            while end + 1 < len(content) and not (
                content[end] == 0xFF and content[end + 1] not in (0, *range(0xD0, 0xD8))
            ):
                end += 1
        yield place, end
        place = end


def _riff_spans(content: bytes) -> Iterator[Span]:
    place = 12
    while place + 8 <= len(content):
        size = int.from_bytes(content[place + 4 : place + 8], "little")
        end = place + 8 + size + (size & 1)
        yield place, end
        place = end


def _box_spans(content: bytes, place: int, end: int) -> Iterator[Span]:
    while place + 8 <= end:
        size, kind = int.from_bytes(content[place : place + 4]), content[place + 4 : place + 8].decode("latin-1")
        if not 8 <= size <= end - place:
            return
        yield place, place + size
        if kind in _CONTAINERS:
            yield from _box_spans(content, place + 8 + _CONTAINERS[kind], place + size)
        place += size


def _tiff_spans(content: bytes) -> Iterator[Span]:
    order = "<" if content[:1] == b"I" else ">"
    start = struct.unpack_from(order + "I", content, 4)[0]
    for number in range(struct.unpack_from(order + "H", content, start)[0]):
        yield start + 2 + 12 * number, start + 14 + 12 * number


# --- changes; each takes the file and chance, and gives another file


def changed_bytes(content: bytes, chance: random.Random) -> bytes:
    """Some bytes set, inserted, taken out or repeated."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(data) + 1)
        some = chance.randbytes(chance.randint(1, 8))
        kind = chance.randrange(4)
        if kind == 0:
            data[place : place + len(some)] = some
        elif kind == 1:
            data[place:place] = some
        elif kind == 2:
            del data[place : place + chance.randint(1, 40)]
        else:
            data[place:place] = data[place : place + 60]
    return mended(bytes(data))


def changed_numbers(content: bytes, chance: random.Random) -> bytes:
    """Numbers of one to four bytes near the parts' beginnings set to extremes."""
    data = bytearray(content)
    places = spans(content)
    for _ in range(chance.randint(1, 4)):
        start, end = chance.choice(places)
        place = chance.randrange(start, min(max(end, start + 1), start + 40))
        size = chance.choice((1, 2, 4))
        value = chance.choice(_EXTREMES) & (1 << 8 * size) - 1
        data[place : place + size] = value.to_bytes(size, chance.choice(("big", "little")))
    return mended(bytes(data))


def places_swapped(content: bytes, chance: random.Random) -> bytes:
    """A number set to where a part begins: loops, and parts that overlap."""
    data, places = bytearray(content), spans(content)
    for _ in range(chance.randint(1, 3)):
        start, end = chance.choice(places)
        place = chance.randrange(start, max(end - 3, start + 1))
        data[place : place + 4] = chance.choice(places)[0].to_bytes(4, chance.choice(("big", "little")))
    return mended(bytes(data))


def repeated_part(content: bytes, chance: random.Random) -> bytes:
    """A part again and again, up to as often as fits."""
    start, end = chance.choice(spans(content))
    part = content[start:end]
    most = max(1, (MAX_BYTES - len(content)) // max(1, len(part)))
    return _inserted(content, end, part * min(most, int(2 ** chance.uniform(0, 23))))


def emptied_part(content: bytes, chance: random.Random) -> bytes:
    """A part without what is in it, again and again."""
    start, end = chance.choice(spans(content))
    head = content[start:end][:8]
    empty = {
        b"\x89P": bytes(4) + head[4:8] + zlib.crc32(head[4:8]).to_bytes(4),
        b"\xff\xd8": head[:2] + b"\0\2",
        b"RI": head[:4] + bytes(4),
    }.get(content[:2], b"\0\0\0\x08" + head[4:8])
    return _inserted(content, chance.choice((start, end)), empty * int(2 ** chance.uniform(0, 22)))


def nested_part(content: bytes, chance: random.Random) -> bytes:
    """A part in a part of its kind, and so on; of a format without such parts, the file in one of its own parts."""
    start, end = chance.choice(spans(content))
    inner = content[start:end]
    kind = inner[4:8]
    for _ in range(int(2 ** chance.uniform(0, 12))):
        inner = (8 + len(inner)).to_bytes(4) + kind + inner
    return _inserted(content[:start] + content[end:], start, inner)


def moved_part(content: bytes, chance: random.Random) -> bytes:
    """A part at another's place, or a second time there."""
    places = spans(content)
    start, end = chance.choice(places)
    to = chance.choice(places)[0]
    return _inserted(content, to, content[start:end])


def lengthened_part(content: bytes, chance: random.Random) -> bytes:
    """A part with many bytes more in it, its length as it should be."""
    start, end = chance.choice(spans(content))
    more = chance.choice((b"\0", b"\xff", b";", chance.randbytes(7), content[start:end])) * int(
        2 ** chance.uniform(0, 22)
    )
    more = more[: MAX_BYTES - len(content)]
    data = bytearray(_inserted(content, end if content[:2] != b"\x89P" else end - 4, more))
    size = end - start + len(more)
    if content.startswith(PNG_MAGIC):
        data[start : start + 4] = (size - 12).to_bytes(4)
    elif content.startswith(b"RIFF"):
        data[start + 4 : start + 8] = (size - 8).to_bytes(4, "little")
    elif content[4:8] == b"ftyp":
        data[start : start + 4] = size.to_bytes(4)
    return mended(bytes(data))


def cut(content: bytes, chance: random.Random) -> bytes:
    """The file up to somewhere."""
    return content[: chance.randrange(len(content))]


def _inserted(content: bytes, place: int, more: bytes) -> bytes:
    """`more` at `place`, the lengths of what is around it as they should be."""
    data = bytearray(content[:place] + more + content[place:])
    if content.startswith(b"RIFF"):
        data[4:8] = min(len(data) - 8, 2**32 - 1).to_bytes(4, "little")
    elif content[4:8] == b"ftyp":
        for start, end in spans(content):
            if start < place < end:
                data[start : start + 4] = min(end - start + len(more), 2**32 - 1).to_bytes(4)
    return mended(bytes(data))


def mended(content: bytes) -> bytes:
    """A PNG's checksums as they should be, so that what is behind them is reached; others are left alone."""
    if not content.startswith(PNG_MAGIC):
        return content
    data, place = bytearray(content), 8
    for _ in range(20_000):
        end = place + 8 + int.from_bytes(data[place : place + 4])
        if place + 12 > len(data) or end + 4 > len(data):
            break
        data[end : end + 4] = zlib.crc32(data[place + 4 : end]).to_bytes(4)
        place = end + 4
    return bytes(data)


PICTURE_CHANGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bytes": changed_bytes,
    "numbers": changed_numbers,
    "places": places_swapped,
    "part repeated": repeated_part,
    "part emptied": emptied_part,
    "part nested": nested_part,
    "part moved": moved_part,
    "part lengthened": lengthened_part,
    "cut": cut,
}


def changed_text(content: bytes, chance: random.Random) -> bytes:
    """A token of a manifest or a catalogue replaced, repeated, wrapped or moved."""
    data = content
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(data) + 1)
        token = chance.choice([*_TOKENS, data[place : place + chance.randint(1, 60)]])
        many = token * int(2 ** chance.uniform(0, 24))
        taken = chance.choice((0, 0, 1, 5))
        data = data[:place] + many[: max(1, 30 * 2**20 - len(data))] + data[place + taken :]
    return data


def changed_characters(content: bytes, chance: random.Random) -> bytes:
    """Some bytes of a text."""
    return changed_bytes(content, chance)


TEXT_CHANGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "tokens": changed_text,
    "bytes": changed_characters,
    "cut": cut,
}
