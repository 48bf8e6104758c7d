"""The XMP packet of a result: where it comes from, and whose rights are in it (ISO 16684-1)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

# IPTC's term for a real picture into which something generated was put, and the packet that carries it
# (https://cv.iptc.org/newscodes/digitalsourcetype/, IPTC Photo Metadata Standard, "Digital Source Type").
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "composite": "urn:product-composites:xmp:1.0:",
}
# A packet has to fit into one JPEG segment with its name (part 3 of the XMP specification, 1.1.3); the other formats
# set no limit, and this is more than credentials without pictures of each step take.
MAX_BYTES = {"jpeg": 65_000, "png": 2**20, "webp": 2**20, "avif": 2**20}


@dataclass(frozen=True)
class Rights:
    """What people say of whose a picture is. licence: an address; terms, credit: in words."""

    creators: tuple[str, ...] = ()
    copyright: str = ""
    terms: str = ""
    licence: str = ""
    credit: str = ""


@dataclass(frozen=True)
class Carried:
    """Credentials of a source whose result is not signed: the source's role, and its manifest store unchanged."""

    role: str
    sha256: str
    store: bytes


def xmp_packet(rights: Rights | None = None, carried: Sequence[Carried] = ()) -> str:
    """The packet as text."""
    rights = rights or Rights()
    inner = _list("dc:creator", "Seq", rights.creators)
    inner += _alternative("dc:rights", rights.copyright) + _alternative("xmpRights:UsageTerms", rights.terms)
    inner += _text("xmpRights:WebStatement", rights.licence) + _text("photoshop:Credit", rights.credit)
    if carried:
        items = "".join(
            f"<rdf:li composite:role={quoteattr(one.role)} composite:sha256={quoteattr(one.sha256)} "
            f'composite:credentials="{base64.b64encode(one.store).decode()}"/>'
            for one in carried
        )
        inner += f"<xmpMM:Ingredients><rdf:Bag>{items}</rdf:Bag></xmpMM:Ingredients>"
    used = {name: uri for name, uri in NAMESPACES.items() if f"{name}:" in inner}
    declared = "".join(f'xmlns:{name}="{uri}" ' for name, uri in used.items())
    body = f">{inner}</rdf:Description>" if inner else "/>"
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {declared}xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f'Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE_TYPE}"{body}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )


def _text(name: str, value: str) -> str:
    return f"<{name}>{escape(value)}</{name}>" if value else ""


def _list(name: str, kind: str, values: Sequence[str]) -> str:
    items = "".join(f"<rdf:li>{escape(value)}</rdf:li>" for value in values)
    return f"<{name}><rdf:{kind}>{items}</rdf:{kind}></{name}>" if items else ""


def _alternative(name: str, value: str) -> str:
    if not value:
        return ""
    return f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{escape(value)}</rdf:li></rdf:Alt></{name}>'
