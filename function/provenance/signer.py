"""Who signs: a key in a file, or one that is made for tests. Cloud KMS is in `kms`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from function.provenance.reading import TEST_ISSUER

TEST = "test"  # as a setting: a key and a certificate that are made at the first signature, and say so
TEST_DAYS = 30
# C2PA 2.2, 13.2.1: the elliptic curves with their digests.
ALGORITHMS: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    "secp256r1": ("ES256", hashes.SHA256()),
    "secp384r1": ("ES384", hashes.SHA384()),
}


class UnusableSignerError(Exception):
    """The key or the certificate is not what can sign; the message says why."""


class Signer(Protocol):
    """A key somewhere. certificates: PEM, the signer's own first, without the root. algorithm: of ALGORITHMS."""

    certificates: str
    algorithm: str

    def sign(self, data: bytes, within_s: float) -> bytes:
        """The signature as COSE wants it: r and s, one after the other. Raises SigningError."""


class KeySigner:
    """A private key in this process."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificates: str):
        self.certificates, self._key = certificates, key
        self.algorithm, self._digest = algorithm_of(key.public_key())

    @classmethod
    def from_files(cls, key: Path, certificates: str) -> KeySigner:
        """A PEM file without a password. Raises UnusableSignerError."""
        try:
            loaded = serialization.load_pem_private_key(key.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise UnusableSignerError(f"SIGNING_KEY: {key} cannot be read as a private key: {error}") from None
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise UnusableSignerError(f"SIGNING_KEY: {key} is not an elliptic-curve key")
        if loaded.public_key() != public_key_of(certificates):
            raise UnusableSignerError("SIGNING_CERTIFICATE does not match SIGNING_KEY")
        return cls(loaded, certificates)

    @classmethod
    def for_tests(cls) -> KeySigner:
        """A new key, with a certificate that no reader trusts and that says so."""
        root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, TEST_ISSUER)])
        now = datetime.now(UTC)
        # What C2PA 2.2, 14.5.1 wants of a signer's certificate; one that has signed itself is refused.
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([*root, x509.NameAttribute(NameOID.COMMON_NAME, "test")]))
            .issuer_name(root)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=TEST_DAYS))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_may_sign(), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
            .sign(root_key, hashes.SHA256())
        )
        return cls(key, certificate.public_bytes(serialization.Encoding.PEM).decode())

    def sign(self, data: bytes, within_s: float) -> bytes:
        """At once."""
        return raw_signature(self._key.sign(data, ec.ECDSA(self._digest)), self._key.curve)


def _may_sign() -> x509.KeyUsage:
    names = (
        "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
        "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(digital_signature=True, **dict.fromkeys(names, False))


def read_certificates(stated: str) -> str:
    """PEM text, or the path of a file that holds it → the text. Raises UnusableSignerError."""
    if stated.lstrip().startswith("-----BEGIN"):
        return stated
    try:
        return Path(stated).read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise UnusableSignerError(f"SIGNING_CERTIFICATE cannot be read: {error}") from None


def public_key_of(certificates: str) -> ec.EllipticCurvePublicKey:
    """Of the first certificate. Raises UnusableSignerError, also where its time is over or has not begun."""
    try:
        first = x509.load_pem_x509_certificates(certificates.encode())[0]
    except (ValueError, IndexError) as error:
        raise UnusableSignerError(f"SIGNING_CERTIFICATE holds no certificate: {error}") from None
    if not first.not_valid_before_utc <= datetime.now(UTC) <= first.not_valid_after_utc:
        begins, ends = first.not_valid_before_utc, first.not_valid_after_utc
        raise UnusableSignerError(f"SIGNING_CERTIFICATE is valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}")
    key = first.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise UnusableSignerError("SIGNING_CERTIFICATE does not belong to an elliptic-curve key")
    return key


def algorithm_of(key: ec.EllipticCurvePublicKey) -> tuple[str, hashes.HashAlgorithm]:
    """COSE's name, and the digest. Raises UnusableSignerError."""
    if key.curve.name not in ALGORITHMS:
        raise UnusableSignerError(f"a key of the curve {key.curve.name} is not used for signing; P-256 and P-384 are")
    return ALGORITHMS[key.curve.name]


def raw_signature(der: bytes, curve: ec.EllipticCurve) -> bytes:
    """DER → r and s, each as long as the curve's numbers (RFC 9053, 2.1)."""
    size = (curve.key_size + 7) // 8
    return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(der))
