"""A key in Cloud KMS, by REST: it never leaves there, and this process holds nothing that could sign without it.

https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys.cryptoKeyVersions/asymmetricSign
"""

from __future__ import annotations

import base64
import threading
import time
from typing import Any

import google.auth
import google_crc32c
import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from function.deadline import Deadline
from function.provenance.failures import SigningError
from function.provenance.signer import algorithm_of, public_key_of, raw_signature
from function.storage.read_deadline import DeadlineAdapter, read_deadline

ENDPOINT = "https://cloudkms.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/cloudkms"
TRY_S = 5.0  # of one call, which takes a tenth of a second
TRIES, FIRST_WAIT_S = 3, 0.2
RETRYABLE_STATUS = frozenset({408, 429, 500, 502, 503, 504})
MAX_WORDS = 200  # of what the service says is wrong


class KmsSigner:
    """A key version of Cloud KMS. Thread-safe."""

    def __init__(self, key_version: str, certificates: str, emulator: str | None = None):
        """`emulator`: the address of one, which is asked without credentials. Raises UnusableSignerError."""
        self.certificates, self._name = certificates, key_version
        self._public_key = public_key_of(certificates)
        self.algorithm, self._digest = algorithm_of(self._public_key)
        self._endpoint, self._emulated = (emulator or ENDPOINT).rstrip("/"), emulator is not None
        self._session: requests.Session | None = None
        self._lock = threading.Lock()

    def sign(self, data: bytes, within_s: float) -> bytes:
        """One call; more where it fails in a way that may pass. Raises SigningError."""
        hasher = hashes.Hash(self._digest)
        hasher.update(data)
        digest = hasher.finalize()
        body: dict[str, Any] = {
            "digest": {self._digest.name: base64.b64encode(digest).decode()},
            "digestCrc32c": str(google_crc32c.value(digest)),
        }
        deadline, why = Deadline(within_s), "there is no time left"
        for tried in range(TRIES):
            left = deadline.remaining()
            if left <= 0:
                break
            try:
                with read_deadline(min(TRY_S, left)):
                    answer = self._ask().post(
                        f"{self._endpoint}/v1/{self._name}:asymmetricSign", json=body, timeout=min(TRY_S, left)
                    )
                if answer.status_code == requests.codes.ok:
                    return self._checked(answer.json(), data)
                why = f"{answer.status_code} {_words(answer)}"
                if answer.status_code not in RETRYABLE_STATUS:
                    break
            except (requests.RequestException, GoogleAuthError, OSError, ValueError) as error:
                why = f"{type(error).__name__}: {error}"[:MAX_WORDS]
            time.sleep(min(FIRST_WAIT_S * 2**tried, deadline.remaining()))
        raise SigningError(f"Cloud KMS has not signed: {why}")

    def _checked(self, answer: dict[str, Any], data: bytes) -> bytes:
        """The signature, after it was held against the certificate. Raises ValueError."""
        signature = base64.b64decode(answer["signature"]) if isinstance(answer.get("signature"), str) else b""
        try:
            self._public_key.verify(signature, data, ec.ECDSA(self._digest))
        except InvalidSignature:
            raise ValueError("its signature does not match SIGNING_CERTIFICATE") from None
        return raw_signature(signature, self._public_key.curve)

    def _ask(self) -> requests.Session:
        """The connection, made once. Raises GoogleAuthError."""
        with self._lock:
            if self._session is None:
                if self._emulated:
                    self._session = requests.Session()
                else:
                    credentials, _ = google.auth.default(scopes=[SCOPE])
                    self._session = AuthorizedSession(credentials, refresh_timeout=TRY_S)
                for scheme in ("http://", "https://"):
                    self._session.mount(scheme, DeadlineAdapter())
            return self._session


def _words(answer: requests.Response) -> str:
    """Of an error, as Google's services tell it."""
    try:
        return str(answer.json()["error"]["message"])[:MAX_WORDS]
    except (ValueError, LookupError, TypeError):
        return answer.reason or ""
