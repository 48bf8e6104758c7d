"""A time-stamp authority after RFC 3161, small enough for tests: a request's DER in, a signed answer's DER out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SEQUENCE, SET, INTEGER, OCTETS, OID, TIME, CHOICE_0 = 0x30, 0x31, 0x02, 0x04, 0x06, 0x18, 0xA0
SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
TST_INFO = bytes.fromhex("2a864886f70d0109100104")
CONTENT_TYPE, MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010903"), bytes.fromhex("2a864886f70d010904")
SIGNING_CERTIFICATE_V2 = bytes.fromhex("2a864886f70d010910022f")
SHA256, ECDSA_SHA256 = bytes.fromhex("608648016503040201"), bytes.fromhex("2a8648ce3d040302")
POLICY = bytes.fromhex("2a030405")


def der(tag: int, *parts: bytes) -> bytes:
    """One element."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def elements(body: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """(tag, whole element, its body) of what stands one after the other."""
    while body:
        head, size = 2, body[1]
        if size & 0x80:
            head = 2 + (size & 0x7F)
            size = int.from_bytes(body[2:head], "big")
        yield body[0], body[: head + size], body[head : head + size]
        body = body[head + size :]


class Authority:
    """With a key and a certificate of its own, which nobody trusts."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        root = ec.generate_private_key(ec.SECP256R1())
        self._issuer = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "TEST time")])
        now = datetime.now(UTC)
        usage = [False] * 9
        usage[0] = True
        self._certificate = (
            x509.CertificateBuilder(
                self._issuer, x509.Name([*self._issuer, x509.NameAttribute(NameOID.COMMON_NAME, "stamps")])
            )
            .public_key(self._key.public_key())
            .serial_number(4711)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=9))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(*usage), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), critical=False)
            .sign(root, hashes.SHA256())
        )

    def answer(self, request: bytes, *, other_digest: bool = False) -> bytes:
        """TimeStampResp; with `other_digest` it is signed well, and of something else."""
        [(_, _, body)] = elements(request)
        fields = list(elements(body))
        imprint = next(whole for tag, whole, _ in fields if tag == SEQUENCE)
        if other_digest:
            imprint = imprint[:-32] + bytes(32)
        nonce = [whole for tag, whole, _ in fields[1:] if tag == INTEGER]
        when = datetime.now(UTC).strftime("%Y%m%d%H%M%SZ").encode()
        info = der(
            SEQUENCE, der(INTEGER, b"\1"), der(OID, POLICY), imprint, der(INTEGER, b"\7"), der(TIME, when), *nonce
        )
        certificate = self._certificate.public_bytes(serialization.Encoding.DER)
        sha256 = der(SEQUENCE, der(OID, SHA256))
        hashed = der(SEQUENCE, der(SEQUENCE, der(SEQUENCE, der(OCTETS, hashlib.sha256(certificate).digest()))))
        attributes = sorted(
            der(SEQUENCE, der(OID, kind), der(SET, value))
            for kind, value in (
                (CONTENT_TYPE, der(OID, TST_INFO)),
                (MESSAGE_DIGEST, der(OCTETS, hashlib.sha256(info).digest())),
                (SIGNING_CERTIFICATE_V2, hashed),
            )
        )
        signature = self._key.sign(der(SET, *attributes), ec.ECDSA(hashes.SHA256()))
        signer = der(
            SEQUENCE,
            der(INTEGER, b"\1"),
            der(SEQUENCE, self._issuer.public_bytes(), der(INTEGER, (4711).to_bytes(2, "big"))),
            sha256,
            der(CHOICE_0, *attributes),
            der(SEQUENCE, der(OID, ECDSA_SHA256)),
            der(OCTETS, signature),
        )
        content = der(SEQUENCE, der(OID, TST_INFO), der(CHOICE_0, der(OCTETS, info)))
        signed = der(
            SEQUENCE, der(INTEGER, b"\3"), der(SET, sha256), content, der(CHOICE_0, certificate), der(SET, signer)
        )
        return der(
            SEQUENCE,
            der(SEQUENCE, der(INTEGER, b"\0")),
            der(SEQUENCE, der(OID, SIGNED_DATA), der(CHOICE_0, signed)),
        )
