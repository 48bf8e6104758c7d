"""SIGNING_KEY and SIGNING_CERTIFICATE → who signs."""

from __future__ import annotations

from pathlib import Path

from function.provenance.failures import SigningError
from function.provenance.kms import KmsSigner
from function.provenance.signer import TEST, KeySigner, Signer, UnusableSignerError, read_certificates

KMS = "projects/"  # what the name of a key version begins with


def signer_of(key: str, certificate: str, kms_emulator: str | None) -> Signer:
    """Raises SigningError where they cannot sign: a person may fix that while the picture waits."""
    try:
        if key == TEST:
            return KeySigner.for_tests()
        certificates = read_certificates(certificate)
        if key.startswith(KMS):
            return KmsSigner(key, certificates, kms_emulator)
        return KeySigner.from_files(Path(key), certificates)
    except UnusableSignerError as problem:
        raise SigningError(f"the picture was not signed: {problem}") from None
