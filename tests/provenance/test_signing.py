"""What is signed verifies with C2PA's own reader, says how it was made, and holds for that very file alone."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image

from function.provenance.credentials import Credentials, SigningSettings
from function.provenance.failures import SigningError
from function.provenance.signer import KeySigner
from tests.provenance import samples
from tests.provenance.samples import CREDENTIALS, MIME_TYPES, PLACE, encoded, signed, time_left, verdict

MAX_ADDED_BYTES = 60_000
COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


@pytest.mark.parametrize("kind", MIME_TYPES)
def test_each_format_verifies_keeps_its_pixels_and_breaks_with_one_byte(kind):
    content, found = signed(kind)
    state, manifest = verdict(content, MIME_TYPES[kind])
    assert state == "Valid" and found.state == "valid" and found.test
    assert np.array_equal(
        np.asarray(Image.open(io.BytesIO(content))), np.asarray(Image.open(io.BytesIO(encoded(kind))))
    )
    assert 0 < len(content) - len(encoded(kind)) == found.bytes <= MAX_ADDED_BYTES
    assert manifest["signature_info"]["issuer"].startswith("TEST")

    at = content.index(encoded(kind)[-600:-550])  # of the coded pixels
    broken = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    assert verdict(broken, MIME_TYPES[kind])[0] == "Invalid"


def test_it_says_what_was_done_by_which_model_with_what():
    _, manifest = verdict(signed("JPEG")[0], "image/jpeg")
    made_of = {one["title"]: one for one in manifest["ingredients"]}
    assert {title: one["relationship"] for title, one in made_of.items()} == {
        "scene": "parentOf", "product": "componentOf", "the model's answer": "componentOf",
    }  # fmt: skip
    assert all(one["description"].startswith("SHA-256 ") for one in made_of.values())
    actions = {one["action"]: one for one in manifest["assertions"][0]["data"]["actions"]}
    assert list(actions) == ["c2pa.opened", "c2pa.placed", "c2pa.edited", "c2pa.resized"]
    assert len(actions["c2pa.opened"]["parameters"]["ingredients"]) == 1
    placed, edited = actions["c2pa.placed"], actions["c2pa.edited"]
    assert len(placed["parameters"]["ingredients"]) == 2
    assert placed["softwareAgent"] == {"name": "gemini-test-image", "version": "test-001"}
    assert placed["digitalSourceType"] == edited["digitalSourceType"] == COMPOSITE
    stated = {
        name: edited["parameters"][name] for name in ("promptVersion", "manifestGeneration", "judged", "restoredShare")
    }
    assert stated == {
        "promptVersion": "7", "manifestGeneration": "1234567890123456", "judged": "accepted", "restoredShare": "0.8700",
    }  # fmt: skip


def test_every_photograph_of_the_products_is_an_ingredient_of_its_own():
    """The second one has credentials, which are carried on under its name."""
    scene, first, answer = samples.plain_parts()
    further = [
        samples.CREDENTIALS.read(content, "image/png", "product", samples.time_left(), number)
        for number, content in ((2, samples.signed_png()), (3, encoded("PNG", 4)))
    ]
    state, manifest = verdict(signed("PNG", [scene, first, *further, answer])[0], "image/png")
    assert state == "Valid"
    titles = [one["title"] for one in manifest["ingredients"]]
    assert sorted(titles) == ["product", "product 2", "product 3", "scene", "the model's answer"]
    assert [one["title"] for one in manifest["ingredients"] if one.get("active_manifest")] == ["product 2"]
    placed = next(one for one in manifest["assertions"][0]["data"]["actions"] if one["action"] == "c2pa.placed")
    assert len(placed["parameters"]["ingredients"]) == 4


@pytest.mark.parametrize("kind", ["JPEG", "AVIF"])
def test_the_credentials_of_scene_and_answer_are_carried_on(kind):
    scene, answer = signed(kind)[0], samples.signed_png()
    parts = samples.ingredients(scene, encoded("PNG", 2), answer, (MIME_TYPES[kind], "image/png", "image/png"))
    state, manifest = verdict(signed(kind, parts)[0], MIME_TYPES[kind])
    assert state == "Valid" and len(manifest["store"]) == 3
    with_own = {one["title"] for one in manifest["ingredients"] if one.get("active_manifest") in manifest["store"]}
    assert with_own == {"scene", "the model's answer"}


def test_where_a_camera_was_is_not_told():
    """Of credentials that are carried on, the assertions that say it are left out, however deep they lie."""
    camera = samples.camera_jpeg()
    part = CREDENTIALS.read(camera, "image/jpeg", "scene", time_left())
    assert part.archive is not None and part.found.state == "valid" and "not carried on" in part.found.note
    parts = [part, *samples.plain_parts()[1:]]
    once, found = signed("PNG", parts)
    twice, _ = signed("JPEG", [CREDENTIALS.read(once, "image/png", "scene", time_left()), *parts[1:]])
    assert PLACE in camera and not any(PLACE in content for content in (once, twice))
    for content, mime_type in ((once, "image/png"), (twice, "image/jpeg")):
        state, manifest = verdict(content, mime_type)
        assert state == "Valid" and any(one["title"] == "from a camera" for one in manifest["store"].values())
    assert "c2pa.redacted" in found.claims and found.note == ""


def test_credentials_that_the_library_does_not_take_cost_themselves_alone():
    part = CREDENTIALS.read(samples.signed_png(), "image/png", "scene", time_left())
    parts = [replace(part, archive=part.archive[:-3000]), *samples.plain_parts()[1:]]
    content, found = signed("PNG", parts)
    state, manifest = verdict(content, "image/png")
    assert state == "Valid" and len(manifest["store"]) == 1 and len(manifest["ingredients"]) == 3
    assert found.note.startswith("without the credentials of what it was made of: ")


@pytest.mark.parametrize("at", [-500, 0])
def test_a_source_whose_credentials_do_not_hold_is_carried_with_that_verdict(at):
    scene = samples.signed_png()
    changed = scene[:at] + bytes([scene[at] ^ 1]) + scene[at + 1 :]
    broken = changed if at else scene.replace(b"c2pa.placed", b"c2pa.pxaced")
    part = CREDENTIALS.read(broken, "image/png", "scene", time_left())
    assert part.found.state == "invalid"
    assert signed("PNG", [part, *samples.plain_parts()[1:]])[1].state == "valid"


def test_a_key_and_a_certificate_in_files(tmp_path):
    made = KeySigner.for_tests()
    (tmp_path / "key.pem").write_bytes(pem(made._key))
    (tmp_path / "chain.pem").write_text(made.certificates)
    key, chain = str(tmp_path / "key.pem"), str(tmp_path / "chain.pem")
    for certificate in (chain, made.certificates):
        content, _ = signed("PNG", by=Credentials(SigningSettings(key, certificate)))
        assert verdict(content, "image/png")[0] == "Valid"

    (tmp_path / "other.pem").write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    (tmp_path / "old.pem").write_bytes(expired(made._key))
    for settings, said in (
        (SigningSettings(str(tmp_path / "other.pem"), chain), "does not match SIGNING_KEY"),
        (SigningSettings(key, str(tmp_path / "old.pem")), "is valid from"),
        (SigningSettings(chain, chain), "cannot be read as a private key"),
        (SigningSettings(key, key), "holds no certificate"),
    ):
        with pytest.raises(SigningError, match=said):
            signed("PNG", by=Credentials(settings))


def pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def expired(key) -> bytes:
    """A certificate whose time is over."""
    name, now = x509.Name([]), datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now - timedelta(days=2))
    )
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
