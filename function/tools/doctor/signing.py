"""Whether results can be signed: the certificate, its last day, and a signature of the key."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509

from function.provenance.choose_signer import signer_of
from function.provenance.failures import SigningError
from function.settings import TEST_SIGNER, Settings
from function.tools.doctor.finding import Finding, ok, problem, warning

NOTICE_DAYS = 30  # a certificate takes days to come by
SIGN_S = 20.0
SAID = b"signed by doctor"


def check_signing(settings: Settings) -> Finding:
    """One signature, which is thrown away; Cloud KMS takes a thousandth of a cent for it."""
    key = settings.signing_key
    if key is None:
        return ok("signing", "results are not signed (SIGNING_KEY is not set)")
    if key == TEST_SIGNER:
        return warning("signing", "results are signed with a test certificate, which no reader trusts")
    advice = "see infra/README.md, Signed results; until then pairs wait, and come unsigned"
    try:
        signer = signer_of(key, settings.signing_certificate or "", settings.kms_emulator_host)
    except SigningError as failed:
        return problem("signing", failed.message, advice)
    try:
        signer.sign(SAID, SIGN_S)
    except SigningError as failed:
        return problem("signing", failed.message, f"it was tried with your own rights; {advice}")
    certificate = x509.load_pem_x509_certificates(signer.certificates.encode())[0]
    days = (certificate.not_valid_after_utc - datetime.now(UTC)).days
    found = f"the key signs; its certificate ends on {certificate.not_valid_after_utc:%Y-%m-%d}, in {days:,} days"
    if days < NOTICE_DAYS:
        return warning("signing", found, "have a new one issued, and rotate", days=days)
    return ok("signing", found, days=days)
