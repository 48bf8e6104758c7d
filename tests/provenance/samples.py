"""Small pictures with and without credentials, and what C2PA's own reader says of one."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import Any

import c2pa
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from function.deadline import Deadline
from function.imaging.xmp import Rights, xmp_packet
from function.provenance.claim import Making
from function.provenance.credentials import Credentials, SigningSettings
from function.provenance.ingredient import Ingredient
from function.provenance.signer import KeySigner
from function.sidecar.files import ProvenanceRecord

MIME_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "TIFF": "image/tiff",
}
CREDENTIALS = Credentials(SigningSettings("test"))
OFFLINE = c2pa.Context.from_dict({"verify": {"remote_manifest_fetch": False}})


def time_left() -> Deadline:
    """Enough for anything."""
    return Deadline(240.0)


@cache
def encoded(kind: str, seed: int = 0) -> bytes:
    """320 x 240 of coarse noise."""
    noise = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((320, 240)).save(buffer, kind)
    return buffer.getvalue()


def ingredients(scene: bytes, product: bytes, answer: bytes, mime_types: tuple[str, str, str]) -> list[Ingredient]:
    """As the pipeline reads them."""
    roles = (("scene", scene), ("product", product), ("answer", answer))
    read = [
        CREDENTIALS.read(content, mime, role, time_left())
        for (role, content), mime in zip(roles, mime_types, strict=True)
    ]
    return list(read)


def made_of(parts: list[Ingredient]) -> Making:
    """As a pair that the model placed."""
    return Making(parts, "model", "gemini-test-image", "test-001", "7", 1234567890123456, "accepted", 0.87)


def signed(
    kind: str, parts: list[Ingredient] | None = None, by: Credentials = CREDENTIALS, content: bytes | None = None
) -> tuple[bytes, ProvenanceRecord]:
    """A picture (else `encoded`) with its credentials, and what they say."""
    parts = plain_parts() if parts is None else parts
    return by.sign(content or encoded(kind), made_of(parts), MIME_TYPES[kind], time_left(), cropped=False, resized=True)


def plain_parts() -> list[Ingredient]:
    """Of three files without credentials."""
    return ingredients(
        encoded("JPEG", 1), encoded("PNG", 2), encoded("PNG", 3), ("image/jpeg", "image/png", "image/png")
    )


@cache
def signed_png() -> bytes:
    """One, made once."""
    return signed("PNG")[0]


def verdict(content: bytes, mime_type: str) -> tuple[str, dict[str, Any]]:
    """The library's own: the state, and the active manifest."""
    with c2pa.Reader(mime_type, io.BytesIO(content), context=OFFLINE) as reader:
        store = json.loads(reader.json())
    return store["validation_state"], store["manifests"][store["active_manifest"]] | {"store": store["manifests"]}


PLACE = b"48,51.5N"


@cache
def camera_jpeg() -> bytes:
    """As a camera signs it, with the place where it was."""
    metadata = {"@context": {"exif": "http://ns.adobe.com/exif/1.0/"}, "exif:GPSLatitude": PLACE.decode()}
    created = {
        "action": "c2pa.created",
        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
    }
    stated = {
        "claim_generator_info": [{"name": "camera"}],
        "title": "from a camera",
        "assertions": [
            {"label": "c2pa.metadata", "data": metadata},
            {"label": "c2pa.actions.v2", "created": True, "data": {"actions": [created]}},
        ],
    }
    signer, target = KeySigner.for_tests(), io.BytesIO()
    by = c2pa.Signer.from_callback(lambda data: signer.sign(data, 9), c2pa.C2paSigningAlg.ES256, signer.certificates)
    c2pa.Builder(stated).sign(by, "image/jpeg", io.BytesIO(encoded("JPEG", 5)), target)
    return target.getvalue()


def png_with_rights(content: bytes, rights: Rights) -> bytes:
    """The picture with what an editor writes of whose it is."""
    info, buffer = PngInfo(), io.BytesIO()
    info.add_itxt("XML:com.adobe.xmp", xmp_packet(rights))
    Image.open(io.BytesIO(content)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()
