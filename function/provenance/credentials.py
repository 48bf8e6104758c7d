"""The one door to content credentials: what others say is read, what we make is signed."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from function.deadline import Deadline
from function.provenance.claim import Making, definition
from function.provenance.failures import SigningError
from function.provenance.ingredient import Ingredient, Role
from function.provenance.reading import read_ingredient, record_of
from function.provenance.sandbox import ChildFailedError, Sandbox
from function.sidecar.files import ProvenanceRecord

if TYPE_CHECKING:  # the library of keys is loaded for the first signature
    from function.provenance.signer import Signer

logger = logging.getLogger(__name__)

SIGN_S = 20.0  # of one picture; without anybody who is slow it takes 0.02
STAMP_S = 10.0  # for the time-stamp authority, which is asked once there is a signature
MAX_APART_S = 3600.0  # our clock and the authority's
STAMP_PAUSE_S = 300.0  # after it has failed, so that not every picture waits for it


@dataclass(frozen=True)
class SigningSettings:
    """Who signs.

    key            a file, a key version of Cloud KMS, or `test`; None: results are not signed
    certificate    PEM, or the file that holds it: the signer's own first, without the root
    timestamp_url  of an authority after RFC 3161; None: the time is not signed
    kms_emulator   address of an emulator of Cloud KMS
    """

    key: str | None = None
    certificate: str | None = None
    timestamp_url: str | None = None
    kms_emulator: str | None = None


class Credentials:
    """Reads and signs. Thread-safe; nothing is loaded or started before it is needed."""

    def __init__(self, settings: SigningSettings | None = None):
        self._settings = settings or SigningSettings()
        self._sandbox = Sandbox()
        self._signer: Signer | None = None
        self._stamps_from = 0.0  # on the monotonic clock
        self._lock = threading.Lock()

    @property
    def signs(self) -> bool:
        """Whether results are signed."""
        return self._settings.key is not None

    def read(self, content: bytes, mime_type: str, role: Role, deadline: Deadline, number: int = 1) -> Ingredient:
        """A source or an answer with what its credentials say; `number` among those of its role."""
        plain = Ingredient(role, mime_type, hashlib.sha256(content).hexdigest(), number)
        return read_ingredient(content, plain, self._sandbox, deadline.remaining())

    def sign(
        self, content: bytes, making: Making, mime_type: str, deadline: Deadline, *, cropped: bool, resized: bool
    ) -> tuple[bytes, ProvenanceRecord]:
        """The picture with its credentials, and what they say. A time-stamp authority that does not answer, or not
        rightly, costs the time stamp alone; credentials of a source that the library does not take, those alone.
        Raises SigningError, DeadlineExceededError."""
        try:
            return self._stamped(content, making, mime_type, deadline, cropped=cropped, resized=resized)
        except _NotTakenError as failed:
            if all(one.archive is None for one in making.ingredients):
                raise
            note = f"without the credentials of what it was made of: {failed.message}"
        logger.warning("signed %s", note, extra={"stage": "sign"})
        making = replace(making, ingredients=[one.without_credentials() for one in making.ingredients])
        content, record = self._stamped(content, making, mime_type, deadline, cropped=cropped, resized=resized)
        return content, record.model_copy(update={"note": "; ".join(filter(None, (note, record.note)))})

    def _stamped(
        self, content: bytes, making: Making, mime_type: str, deadline: Deadline, *, cropped: bool, resized: bool
    ) -> tuple[bytes, ProvenanceRecord]:
        stated = definition(making, mime_type, cropped=cropped, resized=resized)
        archives = [one.archive for one in making.ingredients if one.archive is not None]
        url, note = self._settings.timestamp_url, ""
        if url is not None and time.monotonic() < self._stamps_from:
            url, note = None, "without a time stamp: its authority has just failed"
        try:
            content, record = self._sign(content, stated, archives, deadline, url)
        except _NotStampedError as failed:
            self._stamps_from = time.monotonic() + STAMP_PAUSE_S
            note = f"without a time stamp: {failed}"
            logger.warning("signed %s", note, extra={"stage": "sign"})
            content, record = self._sign(content, stated, archives, deadline, None)
        return content, record.model_copy(update={"note": note}) if note else record

    def _sign(
        self,
        content: bytes,
        definition: dict[str, Any],
        archives: list[bytes],
        deadline: Deadline,
        timestamp_url: str | None,
    ) -> tuple[bytes, ProvenanceRecord]:
        signer = self._load_signer()
        within = Deadline(deadline.clamp(SIGN_S, "sign"))
        request = {
            "do": "sign", "mime": definition["format"], "definition": definition, "timestamp_url": timestamp_url,
            "algorithm": signer.algorithm, "certificates": signer.certificates,
        }  # fmt: skip
        files = {"path": content, "to": b""}
        files |= {f"archives.{number}": archive for number, archive in enumerate(archives)}
        has_signature = False

        def signature_of(data: bytes) -> bytes:
            nonlocal has_signature
            signature = signer.sign(data, within.remaining())
            has_signature = True
            return signature

        try:
            answer, signed = self._sandbox.run(
                request, files, within.remaining(), sign=signature_of, after_signature_s=STAMP_S, returns="to"
            )
        except ChildFailedError as failed:
            if timestamp_url and has_signature:
                raise _NotStampedError(str(failed)) from None
            raise _NotTakenError(f"the picture was not signed: {failed}") from None
        record = record_of(answer["found"], len(signed) - len(content))
        if timestamp_url and (answer["found"]["bad_time"] or not _is_about_now(record.time)):
            raise _NotStampedError(f"the time stamp of {timestamp_url} is not valid")
        if record.state != "valid":
            raise _NotTakenError(f"the picture was signed, but that {record.note}")
        return signed, record

    def _load_signer(self) -> Signer:
        from function.provenance.choose_signer import signer_of  # noqa: PLC0415

        with self._lock:
            if self._signer is None:
                settings = self._settings
                self._signer = signer_of(settings.key or "", settings.certificate or "", settings.kms_emulator)
            return self._signer


def _is_about_now(stamped: str | None) -> bool:
    try:
        apart = datetime.now(UTC) - datetime.fromisoformat(stamped or "")
    except (ValueError, TypeError):  # none, or one without its zone
        return False
    return abs(apart.total_seconds()) < MAX_APART_S


class _NotTakenError(SigningError):
    """The library refuses what it was given, or its own work."""


class _NotStampedError(Exception):
    """The time-stamp authority has failed; the message says how."""
