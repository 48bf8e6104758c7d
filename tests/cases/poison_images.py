"""Pictures that cost far more than their bytes and pixels, each a sound one with something repeated, nested or
overlapped as often as fits into a number of bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import cache

from PIL import Image

from function.imaging.heif_container import boxes
from tests.imaging.heif_files import Item, box, coded_picture, container, heic
from tests.imaging.samples import photo, png_chunk, png_with, saved, srgb_profile

_BYTES = 48 * 2**20  # of the 50 MiB that a source may have
_IFD_ENTRIES = 65_535  # as many as a directory's count can say
MANY_PIXELS_SIDE = 8000  # of as many pixels as a source may have


def exif_of_overlapping_values(size: int) -> bytes:
    """A TIFF whose first directory has 65,535 entries that all say to hold all of it: without "Exif" before it."""
    length = size - 8 - 2 - 12 * _IFD_ENTRIES - 4
    entries = b"".join(struct.pack("<HHII", tag, 7, length, 8) for tag in range(_IFD_ENTRIES))
    return (
        b"II*\0" + struct.pack("<I", 8 + length) + bytes(length) + struct.pack("<H", _IFD_ENTRIES) + entries + bytes(4)
    )


def exif_of_nested_directories(size: int) -> bytes:
    """A TIFF whose directories for EXIF and interoperability are the whole of it, in overlapping values."""
    length = size - 8 - 2 - 12 * _IFD_ENTRIES - 4 - 30
    place = 8 + length
    entries = b"".join(
        struct.pack("<HHII", tag, 4, 1, place)
        if tag in (0x8769, 0xA005)
        else struct.pack("<HHII", tag, 5, length // 8, 8)
        for tag in range(_IFD_ENTRIES)
    )
    return b"II*\0" + struct.pack("<I", place) + bytes(length) + struct.pack("<H", _IFD_ENTRIES) + entries + bytes(34)


def padded_profile(size: int) -> bytes:
    """LittleCMS's sRGB, with zeros behind it that its header counts."""
    profile = srgb_profile()
    profile += bytes(size - len(profile))
    return struct.pack(">I", len(profile)) + profile[4:]


LONGEST_CURVE = 0x7FFF  # entries that LittleCMS reads of a curve


def profile_with_curves(entries: int) -> bytes:
    """LittleCMS's sRGB with three curves of one level: to undo them it looks through all of their entries."""
    profile = srgb_profile()
    curve = b"curv" + bytes(4) + struct.pack(">I", entries) + b"\x75\x30" * entries + bytes(entries % 2 * 2)
    table = bytearray(profile[128 : 132 + 12 * struct.unpack_from(">I", profile, 128)[0]])
    for place in range(4, len(table), 12):
        if table[place : place + 4] in (b"rTRC", b"gTRC", b"bTRC"):
            struct.pack_into(">II", table, place + 4, len(profile), 12 + 2 * entries)
    whole = profile[4:128] + bytes(table) + profile[128 + len(table) :] + curve
    return struct.pack(">I", 4 + len(whole)) + whole


# --- PNG


@cache
def _png() -> bytes:
    return saved(photo(), "PNG")


def _png_repeated(kind: bytes, data: bytes, size: int, before: bytes = b"IDAT") -> bytes:
    chunk = png_chunk(kind, data)
    return png_with(_png(), chunk * (size // len(chunk)), before=before)


# --- JPEG


@cache
def _jpeg() -> bytes:
    return saved(photo(), "JPEG")


def segment(kind: int, body: bytes) -> bytes:
    """One segment with its marker and length."""
    return struct.pack(">BBH", 0xFF, kind, 2 + len(body)) + body


def _jpeg_with(one: bytes, size: int) -> bytes:
    content = _jpeg()
    return content[:2] + one * (size // len(one)) + content[2:]


def many_pixels(size: int, **options: object) -> bytes:
    """A plain JPEG of as many pixels as a source of `size` bytes may have, in proportion."""
    side = round(MANY_PIXELS_SIDE * (min(size, _BYTES) / _BYTES) ** 0.5)
    return saved(Image.new("RGB", (side, side), (90, 120, 150)), "JPEG", **options)


def progressive_of_scans(scans: int, size: int) -> bytes:
    """A progressive JPEG whose first scan, of all three colours, is repeated until there are so many."""
    content = many_pixels(size, progressive=True, subsampling=0)
    first, end = content.index(b"\xff\xda"), content.rindex(b"\xff\xd9")
    second = content.index(b"\xff\xc4", first)
    one = content[first:second]  # of all three colours
    return content[:first] + one * (scans - content.count(b"\xff\xda")) + content[first:end] + content[end:]


def _photoshop() -> bytes:
    return segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\0" * 5400)


def _tables() -> bytes:
    return segment(0xDB, (b"\0" + b"\1" * 64) * 1000)


def _jpeg_profile(size: int) -> bytes:
    profile, parts = padded_profile(min(size, 255 * 65_000)), []
    for number in range(0, len(profile), 65_000):
        parts.append(profile[number : number + 65_000])
    content = _jpeg()
    marked = [
        segment(0xE2, b"ICC_PROFILE\0" + bytes([number, len(parts)]) + part) for number, part in enumerate(parts, 1)
    ]
    return content[:2] + b"".join(marked) + content[2:]


def _jpeg_exif() -> bytes:
    """One segment of EXIF whose values overlap as far as 64 KiB go."""
    return segment(0xE1, b"Exif\0\0" + _small_exif(65_000))


def _small_exif(size: int) -> bytes:
    count = (size - 20_000) // 12
    entries = b"".join(struct.pack("<HHII", tag, 7, size - 12 * count - 20, 8) for tag in range(count))
    body = b"II*\0" + struct.pack("<I", size - len(entries) - 6) + b""
    return body.ljust(size - len(entries) - 6, b"\0") + struct.pack("<H", count) + entries + bytes(4)


# --- WebP


def webp_of(*chunks: tuple[bytes, bytes], flags: int, picture: bytes = b"") -> bytes:
    """An extended WebP with more chunks before its picture, and behind it those with small letters."""
    inner = (picture or saved(photo(), "WEBP"))[12:]
    canvas = (47).to_bytes(3, "little") + (31).to_bytes(3, "little")
    packed = [kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1) for kind, data in chunks]
    behind = b"".join(one for one in packed if one[:4] in (b"EXIF", b"XMP "))
    before = b"".join(one for one in packed if one[:4] not in (b"EXIF", b"XMP "))
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes([flags, 0, 0, 0]) + canvas + before + inner + behind
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _webp_frames(size: int) -> bytes:
    picture = saved(photo(2, 2), "WEBP", lossless=True)[12:]
    body = bytes(6) + (1).to_bytes(3, "little") * 2 + bytes(4) + picture
    frame = b"ANMF" + struct.pack("<I", len(body)) + body
    frames = frame * (size // len(frame))
    canvas = (47).to_bytes(3, "little") + (31).to_bytes(3, "little")
    inner = b"WEBPVP8X" + struct.pack("<I", 10) + b"\2\0\0\0" + canvas + b"ANIM\6\0\0\0" + bytes(6) + frames
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


# --- AVIF and HEIC


_NO_TEXT = box("free", b"\r\n")  # a file without such a pair is taken for one that was converted as text


def _still(brand: str) -> Item:
    """The picture of a shipped HEIC, or of an AVIF made here, as an item."""
    if brand == "heic":
        return coded_picture(heic(), "hvc1", width=64, height=64)
    return coded_picture(_avif(), "av01", width=48, height=32)


@cache
def _avif() -> bytes:
    return saved(photo(), "AVIF")


def _exif_item(size: int) -> Item:
    return Item("Exif", bytes(4) + exif_of_overlapping_values(size), describes=[1])


def _with_property(brand: str, *properties: bytes) -> bytes:
    item = _still(brand)
    item.properties += properties
    return container([item], brand=brand)


def _changed(brand: str, kind: str, change: Callable[[bytes], bytes]) -> bytes:
    """A file in which the body of one part of its directory was changed. Its picture's place then no longer fits."""
    content = container([_still(brand)], brand=brand)
    out = b""
    for name, body in boxes(memoryview(content)):
        inside = bytes(body)
        if name == "meta":
            parts = [
                box(inner, change(bytes(part)) if inner == kind else bytes(part)) for inner, part in boxes(body[4:])
            ]
            inside = inside[:4] + b"".join(parts)
        out += box(name, inside)
    return out


def _more_items(brand: str, size: int) -> bytes:
    item, other = _still(brand), Item("Exif", b"")
    return container([item, *[other] * min(20_000, size // 60)], brand=brand)


def _extents_without_bytes(size: int) -> Callable[[bytes], bytes]:
    """An iloc box whose items each have 65,535 extents that take no bytes of it."""
    count = min(65_535, size // 6)
    return lambda body: (
        bytes(4)
        + struct.pack(">HH", 0, count)
        + b"".join(struct.pack(">HHH", number, 0, 65_535) for number in range(count))
    )


def _associations(size: int) -> Callable[[bytes], bytes]:
    def changed(body: bytes) -> bytes:
        inner = dict(boxes(memoryview(body)))
        one = struct.pack(">HB", 1, 255) + b"\1" * 255
        many = bytes(4) + struct.pack(">I", size // len(one)) + one * (size // len(one))
        return box("ipco", bytes(inner["ipco"])) + box("ipma", many)

    return changed


def _hidden_frames(frames: int) -> bytes:
    """An AVIF whose code has so many frames in it."""
    item = _still("avif")
    item.data = item.data * frames
    return container([item], brand="avif", extra=_NO_TEXT)


def _hevc_pictures(pictures: int) -> bytes:
    item = _still("heic")
    item.data = item.data * pictures
    return container([item], brand="heic", extra=_NO_TEXT)


def _nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = box("iprp", inner)
        if len(inner) > 2**26:
            break
    return _changed("heic", "iprp", lambda body: body + inner)


# --- TIFF


def tiff_of(tags: dict[int, tuple[int, int, int | bytes]], *, data: bytes = b"", next_directory: int = 0) -> bytes:
    """A little-endian TIFF of one directory. Each tag has its type, count, and either its value or its bytes, which
    are stored behind the directory; `data` stands at its byte 8."""
    start = 8 + len(data)
    behind = start + 2 + 12 * len(tags) + 4
    entries = values = b""
    for tag, (kind, count, value) in sorted(tags.items()):
        if isinstance(value, bytes):
            entries += struct.pack("<HHII", tag, kind, count, behind + len(values))
            values += value
        else:
            entries += struct.pack("<HHII", tag, kind, count, value)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", next_directory)
    return b"II*\0" + struct.pack("<I", start) + data + directory + values


def tiff_tags(width: int = 48, height: int = 32, **changes: tuple[int, int, int | bytes]) -> dict:
    """The tags of a grey picture of one strip at byte 8; `changes` by names of `t` and the tag's number."""
    tags: dict[int, tuple[int, int, int | bytes]] = {
        256: (4, 1, width), 257: (4, 1, height), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1),
        273: (4, 1, 8), 277: (3, 1, 1), 278: (4, 1, height), 279: (4, 1, width * height),
    }  # fmt: skip
    return tags | {int(name[1:]): value for name, value in changes.items()}


def _packed(value: int, count: int) -> bytes:
    return struct.pack("<I", value) * count


def _tiff_strips(size: int, compression: int = 1) -> bytes:
    """As many strips of one pixel as fit."""
    count = size // 9
    strip = zlib.compress(b"\x50") if compression == 8 else b"\x50"
    starts, lengths = _packed(8, count), _packed(len(strip), count)
    tags = tiff_tags(
        1, count, t259=(3, 1, compression), t273=(4, count, starts), t278=(4, 1, 1), t279=(4, count, lengths)
    )
    return tiff_of(tags, data=strip)


def _tiff_overlapping(size: int, compression: int, strip: bytes, count: int) -> bytes:
    """Strips of one row that all say to hold most of the file."""
    room = size - 8 * count
    data = strip + bytes(room)
    lengths = struct.pack(f"<{count}I", *(len(data) - number for number in range(count)))
    tags = tiff_tags(
        48,
        count,
        t259=(3, 1, compression),
        t273=(4, count, _packed(8, count)),
        t278=(4, 1, 1),
        t279=(4, count, lengths),
    )
    return tiff_of(tags, data=data)


def _tiff_tag(tag: int, kind: int, width: int, size: int) -> bytes:
    picture = photo()[..., 0].tobytes()
    return tiff_of(tiff_tags(**{f"t{tag}": (kind, size // width, bytes(size))}), data=picture)


def _tiff_overlapping_tags(size: int) -> bytes:
    picture = photo()[..., 0].tobytes()
    tags = tiff_tags() | {tag: (7, size, 8) for tag in range(40_000, 44_000)}
    return tiff_of(tags, data=picture + bytes(size))


def _tiff_nested(size: int) -> bytes:
    picture = photo()[..., 0].tobytes()
    inner = exif_of_overlapping_values(size)[8:]
    place = 8 + len(picture) + len(inner) - 12 * _IFD_ENTRIES - 6
    return tiff_of(tiff_tags(t34665=(4, 1, place), t34853=(4, 1, place)), data=picture + inner)


def _tiff_loop() -> bytes:
    picture = photo()[..., 0].tobytes()
    start = 8 + len(picture)
    return tiff_of(tiff_tags(t34665=(4, 1, start), t330=(4, 1, start)), data=picture, next_directory=start)


def _wide_canvas() -> bytes:
    """Its pixels fit into the limit, and each of its rows takes as many bytes as a picture."""
    content = bytearray(webp_of(flags=0))
    content[24:30] = (1_966_080).to_bytes(3, "little") + (31).to_bytes(3, "little")
    return bytes(content)


IMAGES: dict[str, Callable[[int], bytes]] = {
    "png: empty chunks": lambda size: _png_repeated(b"abCd", b"", size),
    "png: empty chunks behind the pixels": lambda size: _png_repeated(b"abCd", b"", size, b"IEND"),
    "png: empty pixel data": lambda size: _png_repeated(b"IDAT", b"", size),
    "png: texts": lambda size: _png_repeated(b"tEXt", b"a\0b", size),
    "png: packed texts": lambda size: _png_repeated(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**6)), size),
    "png: profiles": lambda size: _png_repeated(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**6)), size),
    "png: a huge profile": lambda size: png_with(
        _png(), png_chunk(b"iCCP", b"a\0\0" + zlib.compress(padded_profile(size)))
    ),
    "png: a profile of curves that cannot be undone": lambda _: png_with(
        _png(), png_chunk(b"iCCP", b"a\0\0" + zlib.compress(profile_with_curves(LONGEST_CURVE)))
    ),
    "png: empty blocks": lambda size: png_with(
        _png(), png_chunk(b"IDAT", b"\x78\x01" + b"\0\0\0\xff\xff" * (size // 5))
    ),
    "png: exif of overlapping values": lambda size: png_with(
        _png(), png_chunk(b"eXIf", exif_of_overlapping_values(size))
    ),
    "png: exif of nested directories": lambda size: png_with(
        _png(), png_chunk(b"eXIf", exif_of_nested_directories(size))
    ),
    "jpeg: empty segments": lambda size: _jpeg_with(segment(0xE5, b""), size),
    "jpeg: empty comments": lambda size: _jpeg_with(segment(0xFE, b""), size),
    "jpeg: fill bytes": lambda size: _jpeg_with(b"\xff", size),
    "jpeg: restart markers": lambda size: _jpeg_with(b"\xff\xd0", size),
    "jpeg: zeros behind markers": lambda size: _jpeg_with(segment(0, b"\xff\0" * 32_000), size),
    "jpeg: quantisation tables": lambda size: _jpeg_with(_tables(), size),
    "jpeg: photoshop resources": lambda size: _jpeg_with(_photoshop(), size),
    "jpeg: exif of overlapping values": lambda size: _jpeg_with(_jpeg_exif(), 70_000),
    "jpeg: exif over and over": lambda size: _jpeg_with(_jpeg_exif(), size),
    "jpeg: a huge profile": _jpeg_profile,
    "jpeg: frame headers": lambda size: _jpeg_with(segment(0xC0, b"\x08\0\x20\0\x30\xff" + b"\1\x11\0" * 255), size),
    "jpeg: 12 scans of 64 megapixels": lambda size: progressive_of_scans(12, size),
    "jpeg: 99 scans of 64 megapixels": lambda size: progressive_of_scans(99, size),
    "jpeg: no end, 64 megapixels": lambda size: many_pixels(size)[:-2],
    "jpeg: no end, progressive, 64 megapixels": lambda size: many_pixels(size, progressive=True)[:-2],
    "webp: a huge profile": lambda size: webp_of((b"ICCP", padded_profile(size)), flags=0x20),
    "webp: a canvas wider than any frame": lambda _: _wide_canvas(),
    "webp: empty chunks": lambda size: webp_of(*[(b"abcd", b"")] * (size // 8), flags=0),
    "webp: exif of overlapping values": lambda size: webp_of((b"EXIF", exif_of_overlapping_values(size)), flags=8),
    "webp: frames": _webp_frames,
    "avif: a huge profile": lambda size: _with_property("avif", box("colr", b"prof", padded_profile(size))),
    "avif: exif of overlapping values": lambda size: container([_still("avif"), _exif_item(size)], brand="avif"),
    "avif: frames": lambda size: _hidden_frames(min(4000, size // 2000)),
    "avif: units in the configuration": lambda size: _with_property(
        "avif", box("av1C", b"\x81\0\0\0" + b"\x12\0" * (size // 2))
    ),
    "avif: empty boxes": lambda size: container([_still("avif")], brand="avif", extra=box("free") * (size // 8)),
    "avif: items": lambda size: _more_items("avif", size),
    "avif: extents without bytes": lambda size: _changed("avif", "iloc", _extents_without_bytes(size)),
    "avif: associations": lambda size: _changed("avif", "iprp", _associations(size)),
    "heic: a huge profile": lambda size: _with_property("heic", box("colr", b"prof", padded_profile(size))),
    "heic: exif of overlapping values": lambda size: container([_still("heic"), _exif_item(size)]),
    "heic: pictures in one item": lambda size: _hevc_pictures(min(20_000, size // 4000)),
    "heic: units in the configuration": lambda size: _with_property(
        "heic", box("hvcC", bytes(21) + b"\3\xff" + (b"\x20\xff\xff" + bytes(2 * 65_535)) * min(255, size // 131_073))
    ),
    "heic: empty boxes": lambda size: container([_still("heic")], extra=box("free") * (size // 8)),
    "heic: nested boxes": lambda size: _nested(min(size // 8, 3000)),
    "heic: items": lambda size: _more_items("heic", size),
    "heic: extents without bytes": lambda size: _changed("heic", "iloc", _extents_without_bytes(size)),
    "heic: associations": lambda size: _changed("heic", "iprp", _associations(size)),
    "tiff: strips of one pixel": _tiff_strips,
    "tiff: packed strips of one pixel": lambda size: _tiff_strips(size, 8),
    "tiff: overlapping strips": lambda size: _tiff_overlapping(size, 8, zlib.compress(bytes(48)), 30_000),
    "tiff: overlapping strips of JPEG": lambda size: _tiff_overlapping(
        size, 7, saved(photo(48, 8)[..., 0], "JPEG")[:-2] + b"\xff\xfe\0\2" * 1000, 5000
    ),
    "tiff: bits a sample": lambda size: _tiff_tag(258, 3, 2, size),
    "tiff: resolutions": lambda size: _tiff_tag(282, 5, 8, size),
    "tiff: descriptions": lambda size: _tiff_tag(270, 2, 1, size),
    "tiff: sample formats": lambda size: _tiff_tag(339, 3, 2, size),
    "tiff: extra samples": lambda size: _tiff_tag(338, 3, 2, size),
    "tiff: a huge profile": lambda size: tiff_of(
        tiff_tags(t34675=(7, size, padded_profile(size))), data=photo()[..., 0].tobytes()
    ),
    "tiff: overlapping tags": _tiff_overlapping_tags,
    "tiff: nested directories of overlapping values": _tiff_nested,
    "tiff: a loop of directories": lambda size: _tiff_loop(),
}


def image(name: str, size: int = _BYTES) -> bytes:
    """The poisonous picture `name` of about `size` bytes, or of as many as its kind can have."""
    return IMAGES[name](size)
