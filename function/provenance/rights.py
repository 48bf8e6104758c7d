"""Copyright, creator and licence in a file's metadata → the same of a result. Nothing else of it is carried: no place,
no camera, no time.

Whoever holds the rights has written them as XMP, as IPTC's older records (IIM), or as EXIF; they are asked in this
order. The packet is found by scanning, as the XMP specification has it (part 3, 1), so that one reader serves every
format; what is compressed or split is not found.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from function.imaging.exif import exif_text
from function.imaging.formats import TIFF_MAGICS
from function.imaging.metadata_bytes import metadata_bytes
from function.imaging.xmp import Rights

MAX_PACKET_BYTES = 2**18  # of XMP; editors' histories take most of a large one
MAX_CHARACTERS, MAX_CREATORS, MAX_RECORDS = 500, 10, 500
_IPTC_BLOCK = b"8BIM\x04\x04"  # Photoshop's image resource 0x0404
_BYLINE, _CREDIT, _COPYRIGHT = 80, 110, 116  # IIM 4.2, record 2
_ARTIST, _COPYRIGHT_TAG = 0x013B, 0x8298  # EXIF 2.32, 4.6.4
# A block's head, with the first directory right behind it as every writer has it: it marks the block in any format.
_EXIF_HEADS = (b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08")
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC, _RIGHTS = "{http://purl.org/dc/elements/1.1/}", "{http://ns.adobe.com/xap/1.0/rights/}"
_CREDIT_NAME, _LICENCE = "{http://ns.adobe.com/photoshop/1.0/}Credit", "{http://creativecommons.org/ns#}license"


def read_rights(content: bytes) -> Rights:
    """Of a file, whatever its format; empty where it says nothing, or is damaged."""
    searched = metadata_bytes(content)
    found = [_of_xmp(searched), _of_iptc(searched), _of_exif(searched)]
    return Rights(
        creators=next((one.creators for one in found if one.creators), ()),
        **{
            name: next((value for one in found if (value := getattr(one, name))), "")
            for name in ("copyright", "terms", "licence", "credit")
        },
    )


def joined_rights(scene: Rights, products: Sequence[Rights]) -> Rights:
    """Of a picture in which they all are. Who says the same is named together; a result has room for one licence's
    address: the first, and the others stand among the terms."""
    parts = [scene, *products]
    licence = next((one.licence for one in parts if one.licence), "")
    terms = [" ".join(filter(None, (one.terms, one.licence if one.licence != licence else ""))) for one in parts]
    return Rights(
        creators=tuple(dict.fromkeys(creator for one in parts for creator in one.creators)),
        copyright=_each_named([one.copyright for one in parts]),
        terms=_each_named(terms),
        licence=licence,
        credit=_each_named([one.credit for one in parts]),
    )


def _each_named(said: list[str]) -> str:
    """What scene and products say: `Scene and product 2: © A; product 1: © B`; where it is one thing alone, that."""
    names = ["scene", "product"] if len(said) == 2 else ["scene", *(f"product {n}" for n in range(1, len(said)))]
    by_words: dict[str, list[str]] = {}
    for name, words in zip(names, said, strict=True):
        if words:
            by_words.setdefault(words, []).append(name)
    if len(by_words) < 2:
        return "".join(by_words)
    listed = "; ".join(f"{' and '.join(named)}: {words}" for words, named in by_words.items())
    return listed[0].upper() + listed[1:]


def _of_xmp(content: bytes) -> Rights:
    begin = content.find(b"<x:xmpmeta")
    end = content.find(b"</x:xmpmeta>", begin, begin + MAX_PACKET_BYTES) if begin >= 0 else -1
    packet = content[begin : end + len(b"</x:xmpmeta>")] if end >= 0 else b""
    if not packet or b"<!" in packet:  # a document type could define entities
        return Rights()
    try:
        described = ElementTree.fromstring(packet).findall(f"{_RDF}RDF/{_RDF}Description")
    except ElementTree.ParseError:
        return Rights()
    licence = _first(described, f"{_RIGHTS}WebStatement") or _first(described, _LICENCE)
    return Rights(
        creators=tuple(_values(described, f"{_DC}creator"))[:MAX_CREATORS],
        copyright=_first(described, f"{_DC}rights"),
        terms=_first(described, f"{_RIGHTS}UsageTerms"),
        licence=licence if licence.startswith(("http://", "https://")) else "",
        credit=_first(described, _CREDIT_NAME),
    )


def _first(described: list[ElementTree.Element], name: str) -> str:
    return next(_values(described, name), "")


def _values(described: list[ElementTree.Element], name: str) -> Iterator[str]:
    """What a property says: in an attribute, as text, as a resource, or in the items of a list."""
    for description in described:
        for element in description.findall(name):
            items = element.findall(f"{_RDF}Seq/{_RDF}li") + element.findall(f"{_RDF}Alt/{_RDF}li")
            items += element.findall(f"{_RDF}Bag/{_RDF}li")
            said = [item.text or "" for item in items] or [element.get(f"{_RDF}resource") or element.text or ""]
            yield from filter(None, map(_clean, said))
        if value := _clean(description.get(name, "")):
            yield value


def _of_iptc(content: bytes) -> Rights:
    begin = content.find(_IPTC_BLOCK)
    if begin < 0:
        return Rights()
    records = content[begin + len(_IPTC_BLOCK) : begin + MAX_PACKET_BYTES]
    place = records.find(b"\x1c\x02", 0, 300)  # after the block's name and size
    said: dict[int, list[str]] = {}
    for _ in range(MAX_RECORDS):
        if place < 0 or records[place : place + 2] != b"\x1c\x02" or len(records) < place + 5:
            break
        kind, size = struct.unpack_from(">BH", records, place + 2)
        if text := _clean(_decoded(records[place + 5 : place + 5 + size])):
            said.setdefault(kind, []).append(text)
        place += 5 + size
    return Rights(
        creators=tuple(said.get(_BYLINE, ()))[:MAX_CREATORS],
        copyright=next(iter(said.get(_COPYRIGHT, ())), ""),
        credit=next(iter(said.get(_CREDIT, ())), ""),
    )


def _of_exif(content: bytes) -> Rights:
    if content.startswith(TIFF_MAGICS):
        block = content
    else:
        begins = [at for head in _EXIF_HEADS if (at := content.find(head)) >= 0]
        block = content[min(begins) : min(begins) + MAX_PACKET_BYTES] if begins else b""
    creator, owner = (_clean(_decoded(exif_text(block, tag))) for tag in (_ARTIST, _COPYRIGHT_TAG))
    return Rights(creators=(creator,) if creator else (), copyright=owner)


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _clean(text: str) -> str:
    """One line, without what no XML holds."""
    printable = "".join(one if one.isprintable() else " " for one in text[: 2 * MAX_CHARACTERS])
    return " ".join(printable.split())[:MAX_CHARACTERS]
