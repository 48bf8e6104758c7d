"""Writes a result and its sidecar so that a late or doubled run can never undo a newer one.

Every object written carries the manifest generation it was made for. A write replaces only an object of an older
generation, or of the same one that is not settled yet; storage preconditions make each such decision atomic.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from function.delivery.cloud_event import MANIFEST_SUFFIX
from function.delivery.output_metadata import GENERATION_KEY, MANIFEST_KEY
from function.delivery.services import Delivery
from function.errors import LeaseHeldError, OutputConflictError, SupersededError
from function.imaging.formats import FORMATS
from function.sidecar.pair import Sidecar
from function.sidecar.record import ManifestIdentity
from function.storage.client import ObjectNotFoundError, ObjectTooLargeError, StoredObject
from function.storage.compare_and_swap import WriteContentionError, compare_and_swap
from function.storage.names import gs_uri

logger = logging.getLogger(__name__)

RESULT_SUFFIXES = tuple(image_format.suffix for image_format in FORMATS.values() if image_format.writing)
Leftovers = dict[str, int]  # object generation by name
MAX_SIDECAR_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Picture:
    """A result as it is, or was, or is to be stored; `metadata` is the custom one."""

    name: str
    content: bytes
    content_type: str
    metadata: dict[str, str]


@dataclass(frozen=True)
class Outputs:
    """Where the outputs of a manifest go."""

    bucket: str
    stem: str

    @classmethod
    def of(cls, bucket: str, manifest_name: str) -> Outputs:
        """`a/b/pair.json`, or `pair.JSON`, → `a/b/pair.png` and `a/b/pair.json` in the output bucket."""
        return cls(bucket, manifest_name[: -len(MANIFEST_SUFFIX)])

    @property
    def sidecar(self) -> str:
        """Object name of the sidecar."""
        return f"{self.stem}.json"

    def result(self, suffix: str) -> str:
        """Object name of the result; `suffix` with its dot."""
        return self.stem + suffix

    def named_result(self, name: str | None, suffix: str) -> str:
        """Object name of one of the manifest's outputs, `a/b/pair/NAME.png`; of the only one without a name."""
        return self.result(suffix) if name is None else f"{self.named_results}{name}{suffix}"

    @property
    def named_results(self) -> str:
        """What the names of a manifest's outputs begin with: `a/b/pair/`."""
        return f"{self.stem}/"


class OutputWriter:
    """Writes the outputs of one upload."""

    def __init__(self, delivery: Delivery):
        self._storage, self._bucket = delivery.storage, delivery.output_bucket
        self._upload, self._deadline = delivery.upload, delivery.deadline
        self.saw_older = False

    def is_settled(self, sidecar_name: str) -> bool:
        """Whether this generation's sidecar is stored.

        Raises SupersededError when a newer one's is, OutputConflictError when something that is not ours has its name.
        """
        return self.settled(sidecar_name) is not None

    def settled(self, sidecar_name: str) -> StoredObject | None:
        """This generation's sidecar, None before it is stored. Raises as `is_settled`."""
        stored = self._storage.stat(self._bucket, sidecar_name, self._deadline)
        if stored is None:
            return None
        generation = self._generation_of(stored)
        self.saw_older = generation < self._upload.generation
        return stored if generation == self._upload.generation else None

    def read_sidecar(self, sidecar_name: str) -> Sidecar | None:
        """What is stored of an earlier generation; None where nothing is, or nothing that can be read."""
        try:
            body = self._storage.read(self._bucket, sidecar_name, self._deadline, limit=MAX_SIDECAR_BYTES)
            return Sidecar.model_validate_json(body)
        except (ObjectNotFoundError, ObjectTooLargeError, ValidationError):
            return None

    def write(
        self, name: str, content: bytes, content_type: str, metadata: dict[str, str], *, skip_if_current: bool = False
    ) -> bool:
        """Write one object; `skip_if_current` leaves one of the same generation alone → whether it was written.

        Raises SupersededError, OutputConflictError, StorageUnavailableError.
        """

        def may_replace(existing: StoredObject) -> bool:
            return not (self._generation_of(existing) == self._upload.generation and skip_if_current)

        return self._swap(name, content, content_type, self._own(metadata), may_replace)

    def _swap(
        self,
        name: str,
        content: bytes,
        content_type: str,
        metadata: dict[str, str],
        may_replace: Callable[[StoredObject], bool],
    ) -> bool:
        try:
            return compare_and_swap(
                self._storage, self._bucket, name, content, content_type, self._deadline,
                metadata=metadata, may_replace=may_replace,
            )  # fmt: skip
        except WriteContentionError as contention:
            raise OutputConflictError(str(contention)) from None

    def write_result(self, picture: Picture, leftovers: Leftovers) -> None:
        """Write a result over none, one of an older generation, or one of `leftovers`.

        Raises LeaseHeldError when another delivery has written one meanwhile, and what `write` raises.
        """

        def may_replace(existing: StoredObject) -> bool:
            self._assert_replaceable(existing, leftovers)
            return True

        self._swap(picture.name, picture.content, picture.content_type, self.own(picture).metadata, may_replace)

    def replaceable(self, name: str, leftovers: Leftovers | None) -> StoredObject | None:
        """What stands in the place of a result, None: nothing; without `leftovers` any of this generation may.

        Raises as `write_result`.
        """
        existing = self._storage.stat(self._bucket, name, self._deadline)
        if existing is not None:
            self._assert_replaceable(existing, leftovers)
        return existing

    def own(self, picture: Picture) -> Picture:
        """With what is said of every object of this upload."""
        return replace(picture, metadata=self._own(picture.metadata))

    def find_leftovers(self, outputs: Outputs) -> Leftovers:
        """Results of this generation that earlier deliveries have left behind."""
        return {
            stored.name: stored.generation
            for stored, made_for in self.results(outputs)
            if made_for == self._upload.generation
        }

    def remove_results(
        self,
        outputs: Outputs,
        *,
        keep: Collection[str] = (),
        older: bool = True,
        leftovers: Leftovers | None = None,
    ) -> None:
        """Delete this generation's results but `keep`, and with `older` those of older generations.

        With `leftovers` those of this generation stay, for they may be what a sidecar describes that is on its way;
        raises LeaseHeldError when another delivery has written one meanwhile.
        """
        for stored, made_for in self.results(outputs):
            if stored.name in keep:
                continue
            if made_for == self._upload.generation and leftovers is not None:
                _assert_left_over(stored, leftovers)
                continue
            if made_for == self._upload.generation or (older and made_for < self._upload.generation):
                self._storage.delete(self._bucket, stored.name, self._deadline, generation=stored.generation)

    def results(self, outputs: Outputs) -> Iterator[tuple[StoredObject, int]]:
        """The stored results of this manifest, and which generation of it each was made for."""
        single = (self._storage.stat(self._bucket, outputs.result(one), self._deadline) for one in RESULT_SUFFIXES)
        named = self._storage.list(self._bucket, outputs.named_results, self._deadline)
        for stored in (*single, *named):
            if stored is not None and stored.metadata.get(MANIFEST_KEY) == self._upload.uri:
                yield stored, self._stated_generation(stored) or 0

    def _own(self, metadata: dict[str, str]) -> dict[str, str]:
        return {**metadata, GENERATION_KEY: str(self._upload.generation), MANIFEST_KEY: self._upload.uri}

    def _assert_replaceable(self, existing: StoredObject, leftovers: Leftovers | None) -> None:
        if self._generation_of(existing) == self._upload.generation and leftovers is not None:
            _assert_left_over(existing, leftovers)

    def _generation_of(self, stored: StoredObject) -> int:
        """The manifest generation an output was made for. Raises SupersededError when it is newer than ours,
        OutputConflictError when it is not an output of this manifest."""
        generation = self._stated_generation(stored)
        if generation is None:
            raise OutputConflictError(
                f"{gs_uri(stored.bucket, stored.name)} was not written for {self._upload.uri}; it is left alone. "
                "Rename the manifest, or remove that object"
            )
        if generation > self._upload.generation:
            raise SupersededError("a newer generation of this manifest is settled")
        return generation

    def _stated_generation(self, stored: StoredObject) -> int | None:
        try:
            generation = int(stored.metadata[GENERATION_KEY])
        except (KeyError, ValueError):
            return self._generation_from_body(stored)
        return generation if stored.metadata.get(MANIFEST_KEY, self._upload.uri) == self._upload.uri else None

    def _generation_from_body(self, stored: StoredObject) -> int | None:
        """A person may have rewritten a sidecar's metadata; its body still says what it is."""
        if not stored.name.endswith(".json") or stored.size > MAX_SIDECAR_BYTES:
            return None
        try:
            body = self._storage.read(
                stored.bucket, stored.name, self._deadline, generation=stored.generation, limit=MAX_SIDECAR_BYTES
            )
            stated = _SidecarHead.model_validate_json(body).manifest
        except (ObjectNotFoundError, ValidationError):
            return None
        same = (stated.bucket, stated.name) == (self._upload.bucket, self._upload.name)
        return stated.generation if same else None


def _assert_left_over(stored: StoredObject, leftovers: Leftovers) -> None:
    """A result that was not there when this run took its lease is that of a run which holds it, or has settled."""
    if leftovers.get(stored.name) != stored.generation:
        raise LeaseHeldError("another delivery of this manifest has written a result")


class _SidecarHead(BaseModel):
    model_config = ConfigDict(extra="ignore")

    manifest: ManifestIdentity = Field(validation_alias=AliasChoices("manifest", "catalogue"))


def log_settled(sidecar: Sidecar, age_s: float) -> None:
    """The line that metrics and dashboards are made from. `age_s`: of the event."""
    error = sidecar.error
    logger.log(
        logging.ERROR if error else logging.INFO,
        "settled",
        extra={
            "stage": error.stage if error else "done",
            "status": sidecar.status,
            "usd": sidecar.cost.usd,
            "attempts": len(sidecar.attempts),
            "prompt_tokens": sidecar.cost.prompt_tokens,
            "output_tokens": sidecar.cost.output_tokens,
            "error_code": error.code.value if error else None,
            "error": error.message if error else None,
            "age_s": round(age_s, 3),
            "duration_ms": sidecar.timings_ms.total,
            "timings_ms": sidecar.timings_ms.model_dump(),
        },
    )
