"""The one door to content credentials: what others say is read, what we make is signed."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from function.deadline import Deadline
from function.errors import Transient
from function.provenance.ingredient import Ingredient, Role
from function.provenance.reading import read_ingredient, record_of
from function.provenance.sandbox import ChildFailed, Sandbox
from function.sidecar import ProvenanceRecord

if TYPE_CHECKING:  # the library of keys is loaded for the first signature
    from function.provenance.signer import Signer

SIGN_S = 20.0  # of one picture, its reading included; without anybody who is slow it takes 0.02


class SigningFailed(Transient):
    """Nobody signed: the key's service, the time-stamp authority or the certificate is at fault, not the picture."""

    stage = "sign"


@dataclass(frozen=True)
class SigningSettings:
    """Who signs. key: a file, or `test`; None: nobody. certificate: PEM, or the file that holds it."""

    key: str | None = None
    certificate: str | None = None


class Credentials:
    """Reads and signs. Thread-safe; nothing is loaded or started before it is needed."""

    def __init__(self, settings: SigningSettings | None = None):
        self._settings = settings or SigningSettings()
        self._sandbox = Sandbox()
        self._signer: Signer | None = None
        self._lock = threading.Lock()

    @property
    def signs(self) -> bool:
        """Whether results are signed."""
        return self._settings.key is not None

    def read(self, content: bytes, mime_type: str, role: Role, deadline: Deadline) -> Ingredient:
        """A source or an answer with what its credentials say."""
        return read_ingredient(content, mime_type, role, self._sandbox, deadline.remaining())

    def sign(
        self, content: bytes, definition: dict[str, Any], ingredients: list[Ingredient], deadline: Deadline
    ) -> tuple[bytes, ProvenanceRecord]:
        """The picture with its credentials, and what they say. Raises SigningFailed, DeadlineExceeded."""
        signer, mime_type = self._load_signer(), definition["format"]
        within = Deadline(deadline.within(SIGN_S, "sign"))
        request = {
            "do": "sign", "mime": mime_type, "definition": definition,
            "algorithm": signer.algorithm, "certificates": signer.certificates,
        }  # fmt: skip
        files = {"path": content, "to": b""}
        files |= {f"archives.{number}": one.archive for number, one in enumerate(ingredients) if one.archive}
        try:
            answer, signed = self._sandbox.run(
                request, files, within.remaining(),
                sign=lambda data: signer.sign(data, within.remaining()), returns="to",
            )  # fmt: skip
        except ChildFailed as failed:
            raise SigningFailed(f"the picture was not signed: {failed}") from None
        record = record_of(answer["found"], len(signed) - len(content))
        if record.state != "valid":
            raise SigningFailed(f"the picture was signed, but that {record.note}")
        return signed, record

    def _load_signer(self) -> Signer:
        from function.provenance.signer import TEST, KeySigner, SignerUnusable, read_certificates  # noqa: PLC0415

        with self._lock:
            if self._signer is None:
                try:
                    if self._settings.key == TEST:
                        self._signer = KeySigner.for_tests()
                    else:
                        certificates = read_certificates(self._settings.certificate or "")
                        self._signer = KeySigner.from_files(Path(self._settings.key or ""), certificates)
                except SignerUnusable as problem:
                    raise SigningFailed(f"the picture was not signed: {problem}") from None
            return self._signer
