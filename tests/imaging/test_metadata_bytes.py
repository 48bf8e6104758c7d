"""What a search for metadata looks at: all of a file but its pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from function.imaging.metadata_bytes import metadata_bytes
from tests.imaging.samples import png_chunk, png_with

NOISE = np.random.default_rng(5).integers(0, 256, (300, 400, 3)).astype(np.uint8)
PACKET = b"<x:xmpmeta a='b'>what an editor wrote</x:xmpmeta>"


def noise(kind: str, **how: object) -> bytes:
    """A picture whose pixels take nearly all of it, with a packet of XMP."""
    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, kind, xmp=PACKET, **how)
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "how"), [("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True}), ("WEBP", {})])
def test_pixels_are_left_out_and_the_packet_is_there(kind, how):
    content = noise(kind, **how)
    if kind == "PNG":
        content = png_with(content, png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + PACKET), before=b"IEND")
    found = metadata_bytes(content)
    assert PACKET in found
    assert len(found) < len(content) / 20


def test_lossless_webp_too():
    assert len(metadata_bytes(noise("WEBP", lossless=True))) < 1000


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.99])
def test_what_does_not_fit_together_is_searched_whole(kind, share):
    """Whoever hides a packet behind a broken part does not lose it; nothing is raised."""
    content = noise(kind)
    cut = content[: max(1, round(share * len(content)))]
    found = metadata_bytes(cut + PACKET) if kind != "JPEG" else metadata_bytes(cut[:30] + PACKET)
    assert PACKET in found


def test_another_file_is_searched_whole():
    content = b"II*\0" + bytes(500) + PACKET
    assert metadata_bytes(content) == content


def test_a_file_of_empty_parts_ends():
    parts = (b"\0\0\0\0teXt" + bytes(4)) * 150_000
    content = b"\x89PNG\r\n\x1a\n" + parts
    assert metadata_bytes(content) == parts
