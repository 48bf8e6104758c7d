"""Whether the doctor says of a signer what its pairs would meet."""

from __future__ import annotations

import pytest

from function.settings import Settings
from function.tools.doctor.signing import check_signing
from tests.provenance.fake_services import FakeServices


@pytest.fixture(scope="module")
def services():
    """Cloud KMS."""
    with FakeServices() as running:
        yield running


def settings(**more):
    return Settings.from_environment({"OUTPUT_BUCKET": "results", "GEMINI_API_KEY": "k", **more})


def test_without_a_signer_and_with_one_for_tests_it_is_said():
    assert (check_signing(settings()).status, check_signing(settings(SIGNING_KEY="test")).status) == ("ok", "warning")


def test_a_certificate_that_ends_soon_is_a_warning(services):
    services.reset()
    found = check_signing(settings(**services.environment()))
    assert found.status == "warning" and 28 <= found.measures["days"] <= 30 and "the key signs" in found.found


def test_a_key_that_does_not_sign_is_a_problem(services):
    services.kms = "403"
    found = check_signing(settings(**services.environment()))
    assert found.status == "problem" and "403" in found.found and "own rights" in found.advice


def test_a_certificate_that_is_none_is_a_problem(services):
    found = check_signing(settings(**services.environment() | {"SIGNING_CERTIFICATE": "-----BEGIN NOTHING-----"}))
    assert found.status == "problem" and "holds no certificate" in found.found
