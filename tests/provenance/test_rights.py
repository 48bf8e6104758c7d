"""Whose a picture is stays with what is made of it; where it was taken does not."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from function.imaging.encode import encode
from function.imaging.xmp import Rights, xmp_packet
from function.provenance.rights import MAX_CHARACTERS, joined_rights, read_rights
from tests.imaging.samples import photo

RIGHTS = Rights(("A & B <c>", "D"), 'Ours "2026"', "Ask first", "https://example.com/l?a=1&b=2", "Agency")


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "avif"])
def test_what_is_written_is_read_again_in_every_format(kind):
    content = encode(photo(64, 48), kind, xmp=xmp_packet(RIGHTS))
    assert read_rights(content) == RIGHTS
    assert read_rights(encode(photo(64, 48), kind)) == Rights()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_exif_is_read_in_every_format(kind):
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x013B], exif[0x8298] = "A Photographer", "(c) A Photographer"
    Image.new("RGB", (40, 30)).save(buffer, kind, exif=exif)
    assert read_rights(buffer.getvalue()) == Rights(("A Photographer",), "(c) A Photographer")


def test_iptc_s_older_records_are_read():
    said = ((80, "Zoë"), (80, "Ann"), (116, "© Zoë"), (110, "Agency"), (92, "a place"))
    packed = [(kind, text.encode()) for kind, text in said]
    records = b"".join(b"\x1c\x02" + struct.pack(">BH", kind, len(text)) + text for kind, text in packed)
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(records)) + records
    segment = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30)).save(buffer, "JPEG")
    content = buffer.getvalue()
    rights = read_rights(content[:2] + segment + content[2:])
    assert rights == Rights(("Zoë", "Ann"), "© Zoë", credit="Agency")
    assert read_rights(content[:2] + segment[:40] + content[2:]).licence == ""  # cut off


@pytest.mark.parametrize(
    "packet",
    [
        "<x:xmpmeta",
        "<x:xmpmeta></x:xmpmeta>",
        "<x:xmpmeta xmlns:x='a'><rdf:RDF></x:xmpmeta>",
        "<x:xmpmeta xmlns:x='a'><!DOCTYPE a [<!ENTITY b 'c'>]>&b;</x:xmpmeta>",
        "<x:xmpmeta xmlns:x='a'>" + "<a>" * 20_000 + "</a>" * 20_000 + "</x:xmpmeta>",
    ],
)
def test_a_broken_packet_says_nothing(packet):
    assert read_rights(b"\x89PNG" + packet.encode()) == Rights()


def test_long_and_unprintable_words_are_cut():
    hostile = Rights(("x" * 5000,) * 50, "a\x00b\x1b[31m\nc", licence="javascript:alert(1)")
    packet = xmp_packet(hostile).replace("\x00", " ").replace("\x1b", " ")
    found = read_rights(packet.encode())
    assert found.creators == ("x" * MAX_CHARACTERS,) * 10
    assert (found.copyright, found.licence) == ("a b [31m c", "")


def test_of_two_pictures_both_are_named():
    scene, product = Rights(("A", "B"), "© A", licence="https://a"), Rights(("B", "C"), "© C", licence="https://c")
    assert joined_rights(scene, [product]) == Rights(
        ("A", "B", "C"), "Scene: © A; product: © C", "https://c", "https://a"
    )
    assert joined_rights(scene, [scene]) == scene and joined_rights(Rights(), [product]) == product


def test_of_several_products_each_is_named_and_the_same_words_once():
    scene = Rights(("A",), "© A", credit="Agency")
    first = Rights(("B",), "© B", "Ask B", "https://b", "Agency")
    second = Rights(("A",), "© A", licence="https://a")
    third = Rights(("C",), "© C", "Ask C", "https://b", "Agency")
    assert joined_rights(scene, [first, second, third, Rights()]) == Rights(
        creators=("A", "B", "C"),
        copyright="Scene and product 2: © A; product 1: © B; product 3: © C",
        terms="Product 1: Ask B; product 2: https://a; product 3: Ask C",
        licence="https://b",
        credit="Agency",
    )
