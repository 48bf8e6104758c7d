"""Credentials of strangers' files: what they say is noted, what is broken is a note too, and nobody is asked."""

from __future__ import annotations

import io
import os
import random
import signal
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import c2pa
import pytest

from function.provenance import reading
from function.provenance.credentials import Credentials, SigningSettings
from function.provenance.failures import SigningError
from function.provenance.sandbox import ChildFailedError, Sandbox, _Child
from function.provenance.signer import KeySigner
from tests.provenance.samples import CREDENTIALS, camera_jpeg, encoded, signed, signed_png, time_left

DAMAGED = 40


def read(content, mime_type="image/png"):
    return CREDENTIALS.read(content, mime_type, "scene", time_left()).found


def test_what_they_say_is_noted():
    found = read(signed_png())
    assert (found.state, found.test, found.generator.split()[:2]) == ("valid", True, ["Product", "composites"])
    assert found.issuer == reading.TEST_ISSUER
    assert "c2pa.placed compositeWithTrainedAlgorithmicMedia" in found.claims
    assert found.ingredients[0] == "parentOf scene"


def test_a_file_without_any_costs_no_process():
    credentials = Credentials()
    assert credentials.read(encoded("JPEG"), "image/jpeg", "scene", time_left()).found is None
    assert not credentials._sandbox._idle


def test_a_changed_picture_and_a_damaged_store_are_notes():
    content = signed_png()
    changed = content[:-500] + bytes([content[-500] ^ 1]) + content[-499:]
    assert read(changed).state == "invalid" and "assertion.dataHash.mismatch" in read(changed).note
    begin = content.index(reading.STORE)
    chance = random.Random(5)
    states = []
    for _ in range(DAMAGED):
        damaged = bytearray(content)
        for _ in range(chance.choice([1, 3, 30])):
            damaged[chance.randrange(begin + len(reading.STORE), begin + 3000)] = chance.randrange(256)
        states.append(read(bytes(damaged)).state)
    # A signature's padding is not signed.
    assert set(states) <= {"valid", "invalid", "unreadable"} and states.count("valid") < DAMAGED / 4
    assert "invalid" in states and "unreadable" in states
    assert read(content[: begin + 2000]).state == "unreadable"
    assert read(b"\xff\xd8\xff" + reading.STORE * 50, "image/jpeg").state == "unreadable"


def test_nothing_is_fetched_from_an_address_in_a_file():
    asked = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        do_POST = do_GET

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        signer = KeySigner.for_tests()
        url = f"http://127.0.0.1:{server.server_port}/manifest.c2pa"
        for embedded in (True, False):
            builder = c2pa.Builder({"claim_generator_info": [{"name": "other"}]})
            builder.set_intent(c2pa.C2paBuilderIntent.CREATE, c2pa.C2paDigitalSourceType.DIGITAL_CAPTURE)
            builder.set_remote_url(url)
            if not embedded:
                builder.set_no_embed()
            target = io.BytesIO()
            by = c2pa.Signer.from_callback(
                lambda data: signer.sign(data, 9), c2pa.C2paSigningAlg.ES256, signer.certificates
            )
            builder.sign(by, "image/jpeg", io.BytesIO(encoded("JPEG")), target)
            found = read(target.getvalue(), "image/jpeg")
            assert (found.state == "elsewhere") != embedded
        # With the same settings as the child's own, and no sieve before it.
        with pytest.raises(ChildFailedError):
            Sandbox().run({"do": "read", "mime": "image/jpeg"}, {"path": target.getvalue()}, 60)
        server.shutdown()
    assert asked == []


def test_a_reader_that_hangs_or_dies_costs_one_file():
    credentials = Credentials(SigningSettings("test"))
    assert credentials.read(signed_png(), "image/png", "scene", time_left()).found.state == "valid"
    [child] = credentials._sandbox._idle
    os.kill(child._process.pid, signal.SIGSTOP)
    request = {"do": "read", "mime": "image/png"}
    with pytest.raises(ChildFailedError, match="too long"):
        credentials._sandbox.run(request, {"path": signed_png()}, 0.2)
    assert child._process.poll() is not None  # not left behind
    assert credentials.read(signed_png(), "image/png", "scene", time_left()).found.state == "valid"
    [child] = credentials._sandbox._idle
    os.kill(child._process.pid, signal.SIGSTOP)
    threading.Timer(0.2, child._process.kill).start()
    found = credentials.read(signed_png(), "image/png", "scene", time_left()).found
    assert found.state == "unreadable" and "has ended" in found.note
    assert signed("PNG", by=credentials)[1].state == "valid"


def test_a_reader_that_is_asked_to_end_with_its_group_or_has_died_idle_costs_no_file():
    credentials = Credentials()

    def state() -> str:
        found = credentials.read(signed_png(), "image/png", "scene", time_left()).found
        return f"{found.state} {found.note}".strip()

    assert state() == "valid"
    [child] = credentials._sandbox._idle
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(child._process.pid, number)
    assert state() == "valid" and credentials._sandbox._idle == [child]
    child._buffer += b"what a library prints\n"
    assert state() == "unreadable its answer cannot be read" and credentials._sandbox._idle == []
    assert state() == "valid"
    [child] = credentials._sandbox._idle
    child._process.kill()
    child._process.wait()
    assert state() == "valid"


def test_a_reader_has_no_keys_and_little_memory(monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "secret")
    child = _Child()
    try:
        process = Path(f"/proc/{child._process.pid}")
        assert b"secret" not in (process / "environ").read_bytes()
        assert b"Max address space         2147483648" in (process / "limits").read_bytes()
    finally:
        child.end()


def test_without_the_library_credentials_are_kept_unread(monkeypatch, tmp_path):
    (tmp_path / "c2pa.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(str(tmp_path))
    credentials = Credentials(SigningSettings("test"))
    part = credentials.read(signed_png(), "image/png", "scene", time_left())
    assert (part.found.state, part.found.note) == (
        "unreadable",
        "not read: c2pa-python is not installed; kept as they are",
    )
    assert part.archive is not None and part.archive in signed_png()
    with pytest.raises(SigningError, match="not installed"):
        signed("PNG", by=credentials)
    (tmp_path / "c2pa.py").unlink()  # one child has looked, and no other is started to look again
    assert credentials.read(signed_png(), "image/png", "scene", time_left()).found.state == "unreadable"
    camera = credentials.read(camera_jpeg(), "image/jpeg", "scene", time_left())
    assert camera.archive is None and "they may say where it was taken" in camera.found.note


def test_credentials_with_large_pictures_are_read_and_not_carried(monkeypatch):
    monkeypatch.setattr(reading, "MAX_ARCHIVE_BYTES", 1000)
    part = CREDENTIALS.read(signed_png(), "image/png", "scene", time_left())
    assert part.archive is None and part.found.state == "valid" and "are carried on" in part.found.note
