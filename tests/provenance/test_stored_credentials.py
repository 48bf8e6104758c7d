"""Credentials are taken out of a file as they lie in it, without the library that reads them."""

from __future__ import annotations

import io
import json

import c2pa
import pytest

from function.imaging.xmp import DIGITAL_SOURCE_TYPE
from function.provenance.signer import KeySigner
from function.provenance.stored_credentials import STORE, stored_credentials
from tests.provenance.samples import MIME_TYPES, OFFLINE, camera_jpeg, encoded, signed, signed_png

LARGE = 2**20


def manifests_in(mime_type, content):
    with c2pa.Reader(mime_type, io.BytesIO(content), context=OFFLINE) as reader:
        return json.loads(reader.json())["manifests"]


def of_many_segments() -> bytes:
    """A JPEG whose store has 200 KB."""
    created = {"action": "c2pa.created", "digitalSourceType": DIGITAL_SOURCE_TYPE}
    assertions = [
        {"label": "c2pa.actions.v2", "created": True, "data": {"actions": [created]}},
        {"label": "org.example.note", "data": {"words": "x" * 200_000}},
    ]
    signer, target = KeySigner.for_tests(), io.BytesIO()
    by = c2pa.Signer.from_callback(lambda data: signer.sign(data, 9), c2pa.C2paSigningAlg.ES256, signer.certificates)
    stated = {"claim_generator_info": [{"name": "large"}], "assertions": assertions}
    c2pa.Builder(stated).sign(by, "image/jpeg", io.BytesIO(encoded("JPEG", 6)), target)
    return target.getvalue()


@pytest.mark.parametrize("kind", MIME_TYPES)
def test_of_each_format(kind):
    content, _ = signed(kind)
    store = stored_credentials(content, LARGE)
    assert manifests_in("application/c2pa", store).keys() == manifests_in(MIME_TYPES[kind], content).keys()


def test_of_a_jpeg_in_several_segments():
    content = of_many_segments()
    store = stored_credentials(content, LARGE)
    assert len(store) > 3 * 2**16 and store not in content
    assert manifests_in("application/c2pa", store).keys() == manifests_in("image/jpeg", content).keys()
    assert stored_credentials(content[: len(store) // 2], LARGE) is None  # cut off
    assert stored_credentials(content, len(store) - 1) is None


def test_what_may_tell_a_place_or_is_no_store_is_left():
    assert stored_credentials(camera_jpeg(), LARGE) is None
    assert stored_credentials(encoded("PNG"), LARGE) is None
    for damaged in (STORE, b"\0" * 12 + STORE, b"\xff\xd8\xff" + b"\0\0\x10\0" * 4 + STORE, signed_png()[:2000]):
        assert stored_credentials(damaged, LARGE) is None
