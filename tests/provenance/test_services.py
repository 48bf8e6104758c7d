"""Cloud KMS and the time-stamp authority: asked once a picture, with deadlines of their own, and checked."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from function.provenance import credentials as credentials_module
from function.provenance import kms as kms_module
from function.provenance.credentials import Credentials, SigningSettings
from function.provenance.failures import SigningError
from tests.provenance.fake_services import KEY_VERSION, FakeServices
from tests.provenance.samples import signed, verdict

SHORT_S = 0.5
FAR_LONGER_S = 30.0  # than a call with the short limits takes on any machine; what is slow here takes a minute


@pytest.fixture(scope="module")
def running():
    """Both services."""
    with FakeServices() as services:
        yield services


@pytest.fixture
def services(running):
    """Both, well, with nothing asked of them."""
    running.reset()
    return running


def by(services, *, stamped=True):
    settings = SigningSettings(KEY_VERSION, services.signer.certificates, f"{services.url}/time", services.url)
    return Credentials(settings if stamped else replace(settings, timestamp_url=None))


def test_one_call_each_and_the_time_is_signed(services):
    content, found = signed("JPEG", by=by(services))
    state, manifest = verdict(content, "image/jpeg")
    assert (state, found.state, found.note) == ("Valid", "valid", "")
    assert manifest["signature_info"]["time"] == found.time
    assert services.calls == [f"/v1/{KEY_VERSION}:asymmetricSign", "/time"]


@pytest.mark.parametrize("how", ["429", "503", "garbage", "lies"])
def test_kms_that_fails_for_a_moment_is_asked_again(services, how):
    services.kms, services.kms_faults = how, 1
    assert signed("PNG", by=by(services, stamped=False))[1].state == "valid"
    assert services.count("asymmetricSign") == 2


@pytest.mark.parametrize(
    ("how", "asked", "said"),
    [
        ("500", kms_module.TRIES, "500"),
        ("403", 1, "403"),
        ("lies", kms_module.TRIES, "does not match"),
        ("garbage", 3, ""),
    ],
)
def test_kms_that_does_not_sign_is_said_so(services, how, asked, said):
    services.kms = how
    with pytest.raises(SigningError, match=f"Cloud KMS has not signed: .*{said}"):
        signed("PNG", by=by(services))
    assert services.count("asymmetricSign") == asked and services.count("/time") == 0


@pytest.mark.parametrize("how", ["slow", "drips"])
def test_slow_kms_has_its_deadline(services, monkeypatch, how):
    monkeypatch.setattr(kms_module, "TRY_S", SHORT_S)
    services.kms, began = how, time.monotonic()
    with pytest.raises(SigningError, match=r"Cloud KMS has not signed: .*(time|slow)"):
        signed("PNG", by=by(services))
    assert time.monotonic() - began < FAR_LONGER_S


@pytest.mark.parametrize("how", ["500", "garbage", "lies", "slow", "drips"])
def test_without_the_time_stamp_authority_the_picture_is_signed_and_says_so(services, monkeypatch, how):
    monkeypatch.setattr(credentials_module, "STAMP_S", 4 * SHORT_S)
    services.time, began = how, time.monotonic()
    signer = by(services)
    content, found = signed("PNG", by=signer)
    assert verdict(content, "image/png")[0] == "Valid" and found.time is None
    assert found.note.startswith("without a time stamp: ")
    assert services.count("/time") == 1 and services.count("asymmetricSign") == 2
    # The next one does not wait for it, until the pause is over.
    services.time = "well"
    assert "has just failed" in signed("PNG", by=signer)[1].note and services.count("/time") == 1
    signer._stamps_from = 0.0
    assert signed("PNG", by=signer)[1].time and services.count("/time") == 2
    assert time.monotonic() - began < 2 * FAR_LONGER_S
