"""Writes a result and its sidecar so that a late or doubled run can never undo a newer one.

Every object written carries the manifest generation it was made for. A write replaces only an object of an older
generation, or of the same one that is not settled yet; storage preconditions make each such decision atomic.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from function.deadline import Deadline
from function.delivery.cloud_event import Upload
from function.errors import OutputConflict, Superseded
from function.sidecar import ManifestIdentity
from function.storage.client import Changed, NotFound, Storage, StoredObject

GENERATION_KEY = "manifest-generation"
MANIFEST_KEY = "manifest"  # gs:// name of the manifest; two input buckets may share an output bucket
STATUS_KEY = "status"
USD_KEY, ERROR_KEY = "usd", "error-code"  # of a sidecar, so that a listing is enough to count thousands
RESULT_ENDINGS = (".png", ".jpg", ".webp")
MAX_WRITES = 5  # each further one means that somebody else wrote in between
MAX_SIDECAR_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Outputs:
    """Where the outputs of a manifest go."""

    bucket: str
    stem: str

    @classmethod
    def of(cls, bucket: str, manifest_name: str) -> Outputs:
        """`a/b/pair.json` → `a/b/pair.png` and `a/b/pair.json` in the output bucket."""
        return cls(bucket, manifest_name.removesuffix(".json"))

    @property
    def sidecar(self) -> str:
        """Object name of the sidecar."""
        return f"{self.stem}.json"

    def result(self, ending: str) -> str:
        """Object name of the result; `ending` with its dot."""
        return self.stem + ending


class Committer:
    """Writes the outputs of one upload."""

    def __init__(self, storage: Storage, bucket: str, upload: Upload, deadline: Deadline):
        self._storage, self._bucket = storage, bucket
        self._upload, self._deadline = upload, deadline
        self.saw_older = False

    def is_settled(self, sidecar_name: str) -> bool:
        """Whether this generation's sidecar stands.

        Raises Superseded when a newer one's does, OutputConflict when something that is not ours stands there.
        """
        there = self._storage.stat(self._bucket, sidecar_name, self._deadline)
        if there is None:
            return False
        stands = self._generation_of(there)
        self.saw_older = stands < self._upload.generation
        return stands == self._upload.generation

    def write(
        self, name: str, content: bytes, content_type: str, metadata: dict[str, str], *, once: bool = False
    ) -> bool:
        """Write one object; `once` leaves one of the same generation alone → whether it was written.

        Raises Superseded, OutputConflict, StorageUnavailable.
        """
        metadata = {
            **metadata,
            GENERATION_KEY: str(self._upload.generation),
            MANIFEST_KEY: self._upload.uri,
        }
        replaces = 0  # the usual case: nothing stands there
        for _ in range(MAX_WRITES):
            try:
                self._storage.write(
                    self._bucket, name, content, content_type, self._deadline,
                    if_generation=replaces, metadata=metadata,
                )  # fmt: skip
                return True
            except Changed:
                there = self._storage.stat(self._bucket, name, self._deadline)
                replaces = 0
                if there is not None:
                    if self._generation_of(there) == self._upload.generation and once:
                        return False
                    replaces = there.generation
        raise OutputConflict(f"gs://{self._bucket}/{name} is being written by something else all the time")

    def remove_results(self, outputs: Outputs, *, keep: str | None = None, older: bool = True) -> None:
        """Delete this generation's results but `keep`, and with `older` those of older generations."""
        for ending in RESULT_ENDINGS:
            name = outputs.result(ending)
            there = self._storage.stat(self._bucket, name, self._deadline) if name != keep else None
            if there is None or there.metadata.get(MANIFEST_KEY) != self._upload.uri:
                continue
            stands = self._identity(there) or 0
            if stands == self._upload.generation or (older and stands < self._upload.generation):
                self._storage.delete(self._bucket, name, self._deadline, generation=there.generation)

    def _generation_of(self, there: StoredObject) -> int:
        """The manifest generation an output was made for. Raises Superseded when it is newer than ours,
        OutputConflict when it is not an output of this manifest."""
        identity = self._identity(there)
        if identity is None:
            raise OutputConflict(
                f"gs://{there.bucket}/{there.name} was not written for {self._upload.uri}; it is left alone. "
                "Rename the manifest, or remove that object"
            )
        if identity > self._upload.generation:
            raise Superseded("a newer generation of this manifest is settled")
        return identity

    def _identity(self, there: StoredObject) -> int | None:
        try:
            stated = int(there.metadata[GENERATION_KEY])
        except (KeyError, ValueError):
            return self._identity_from_body(there)
        return stated if there.metadata.get(MANIFEST_KEY, self._upload.uri) == self._upload.uri else None

    def _identity_from_body(self, there: StoredObject) -> int | None:
        """Somebody may have rewritten a sidecar's metadata; its body still says what it is."""
        if not there.name.endswith(".json") or there.size > MAX_SIDECAR_BYTES:
            return None
        try:
            body = self._storage.read(
                there.bucket, there.name, self._deadline, generation=there.generation, limit=MAX_SIDECAR_BYTES
            )
            stated = _SidecarHead.model_validate_json(body).manifest
        except (NotFound, ValidationError):
            return None
        same = (stated.bucket, stated.name) == (self._upload.bucket, self._upload.name)
        return stated.generation if same else None


class _SidecarHead(BaseModel):
    model_config = ConfigDict(extra="ignore")

    manifest: ManifestIdentity = Field(validation_alias=AliasChoices("manifest", "catalogue"))
