"""What is settled under a prefix of the output bucket, and what of the input bucket is not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from function.deadline import Deadline
from function.delivery.cloud_event import is_catalogue, is_manifest
from function.delivery.output_metadata import ERROR_KEY, GENERATION_KEY, MANIFEST_KEY, STATUS_KEY, USD_KEY
from function.delivery.outputs import MAX_SIDECAR_BYTES
from function.manifest.flat_fields import short
from function.sidecar.pair import Sidecar
from function.storage.client import ObjectNotFoundError, ObjectTooLargeError, Storage, StoredObject
from function.storage.content_encoding import DamagedContentError
from function.storage.names import OWN_PREFIXES, gs_uri, is_object_uri, split_gs_uri
from function.tools.cli.odd_objects import OddObjects
from function.tools.review.pair import DECISION_KEY
from function.tools.timeouts import CALL_S, LISTING_S

READERS = 16
STATUSES = get_args(Sidecar.model_fields["status"].annotation)
GENERATION = re.compile(r"[0-9]{1,19}")
USD = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")

Part = TypeVar("Part", bound=BaseModel)


class NotASidecarError(Exception):
    """It has a sidecar's metadata, and is none of this function; the message says why not."""


@dataclass(frozen=True)
class Settled:
    """One sidecar. `manifest` is the gs:// name of what it settles; `usd` is None when no price was known."""

    manifest: str
    generation: int
    status: str
    usd: float | None
    error_code: str | None
    rows: tuple[int, int] | None = None  # of a catalogue: written, refused

    @property
    def input_bucket(self) -> str:
        """Where the manifest is."""
        return split_gs_uri(self.manifest)[0]

    @property
    def is_catalogue(self) -> bool:
        """Whether it settles a catalogue; else a pair."""
        return is_catalogue(self.manifest)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Cost(_Part):
    usd: float | None = Field(None, ge=0, allow_inf_nan=False)


class _Error(_Part):
    code: str | None = None


class _Body(_Part):
    """What is read of a sidecar where its metadata does not tell."""

    cost: _Cost | None = None
    error: _Error | None = None
    rows_written: int | None = Field(None, ge=0)
    rows_refused: int = Field(0, ge=0)


class SettledReader:
    """Lists sidecars again and again; what a listing does not tell is read once. What is odd is named in `odd`."""

    def __init__(self, storage: Storage, odd: OddObjects):
        self._storage, self._odd = storage, odd
        self._read: dict[tuple[str, int], Settled] = {}
        self.results: dict[str, StoredObject] = {}  # the pictures of the last listing by their manifest's gs:// name

    def list(self, bucket: str, prefix: str) -> dict[str, Settled]:
        """The newest sidecar of every manifest under the prefix, by the manifest's gs:// name."""
        outputs = list(_outputs(self._storage, bucket, prefix))
        sidecars = [stored for stored in outputs if stored.name.endswith(".json")]
        self.results = {}
        for stored in outputs:  # of several the one that a person has decided on
            manifest = stored.metadata[MANIFEST_KEY]
            if not stored.name.endswith(".json") and (manifest not in self.results or DECISION_KEY in stored.metadata):
                self.results[manifest] = stored
        with ThreadPoolExecutor(READERS) as pool:
            found: dict[str, Settled] = {}
            for settled in pool.map(self._settled, sidecars):
                known = found.get(settled.manifest) if settled else None
                if settled and (known is None or known.generation <= settled.generation):
                    found[settled.manifest] = settled
        return found

    def _settled(self, stored: StoredObject) -> Settled | None:
        """What the object says; None, and named, when that is nothing."""
        try:
            return self._said(stored)
        except NotASidecarError as problem:
            self._odd.name(stored.bucket, stored.name, str(problem))
            return None

    def _said(self, stored: StoredObject) -> Settled:
        metadata = stored.metadata
        manifest, status, usd = metadata[MANIFEST_KEY], metadata[STATUS_KEY], metadata.get(USD_KEY)
        if not is_object_uri(manifest):
            raise NotASidecarError(f"its manifest is {short(manifest)}, which is not gs://bucket/name")
        if not GENERATION.fullmatch(metadata[GENERATION_KEY]):
            raise NotASidecarError(f"its manifest-generation is {short(metadata[GENERATION_KEY])}, which is no number")
        generation = int(metadata[GENERATION_KEY])
        if status not in STATUSES:
            self._odd.name(stored.bucket, stored.name, f"its status is {short(status)}; it counts as settled")
        if usd is not None and USD.fullmatch(usd) and not is_catalogue(manifest):
            return Settled(manifest, generation, status, float(usd), metadata.get(ERROR_KEY))
        key = (stored.name, stored.generation)
        if key not in self._read:
            body = self._body(stored)
            rows = None if body.rows_written is None else (body.rows_written, body.rows_refused)
            spent = body.cost.usd if body.cost else None
            self._read[key] = Settled(
                manifest, generation, status, spent, body.error.code if body.error else None, rows
            )
        return self._read[key]

    def _body(self, stored: StoredObject) -> _Body:
        """What the sidecar itself says; nothing, and named, where it cannot be read: its metadata says the rest."""
        try:
            return read_sidecar(self._storage, stored, _Body)
        except ObjectNotFoundError:
            pass
        except NotASidecarError as problem:
            self._odd.name(stored.bucket, stored.name, f"{problem}; its cost is not known")
        return _Body()


def read_sidecar(storage: Storage, stored: StoredObject, as_part: type[Part]) -> Part:
    """Of a sidecar what `as_part` holds. Raises NotASidecarError, ObjectNotFoundError, StorageUnavailableError,
    AccessDeniedError."""
    try:
        body = storage.read(
            stored.bucket, stored.name, Deadline(CALL_S), generation=stored.generation, limit=MAX_SIDECAR_BYTES
        )
        return as_part.model_validate_json(body)
    except ObjectTooLargeError:
        raise NotASidecarError(f"it is larger than the {MAX_SIDECAR_BYTES:,} bytes of any sidecar") from None
    except DamagedContentError as error:
        raise NotASidecarError(f"it is stored as gzip and cannot be unpacked: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise NotASidecarError(f"it is not a valid sidecar{f', at {where}' if where else ''}: {first['msg']}") from None


def pair_sidecars(storage: Storage, bucket: str, prefix: str) -> Iterator[StoredObject]:
    """What says in its metadata that it is the sidecar of a pair."""
    return (one for one in _sidecars(storage, bucket, prefix) if not is_catalogue(one.metadata[MANIFEST_KEY]))


def _sidecars(storage: Storage, bucket: str, prefix: str) -> Iterator[StoredObject]:
    return (stored for stored in _outputs(storage, bucket, prefix) if stored.name.endswith(".json"))


def _outputs(storage: Storage, bucket: str, prefix: str) -> Iterator[StoredObject]:
    """Sidecars and results: what says its status and whose it is."""
    for stored in storage.list(bucket, prefix, Deadline(LISTING_S)):
        says = {STATUS_KEY, MANIFEST_KEY, GENERATION_KEY} <= stored.metadata.keys()
        if says and not stored.name.startswith(OWN_PREFIXES):
            yield stored


def list_manifests(storage: Storage, bucket: str, prefix: str) -> list[StoredObject]:
    """The pair manifests and catalogues under a prefix of an input bucket."""
    return [stored for stored in storage.list(bucket, prefix, Deadline(LISTING_S)) if is_manifest(stored.name)]


def unsettled(manifests: Iterable[StoredObject], settled: dict[str, Settled]) -> list[tuple[StoredObject, str]]:
    """Those whose present generation has no sidecar, each with the reason in words."""
    waiting = []
    for stored in manifests:
        known = settled.get(gs_uri(stored.bucket, stored.name))
        if known is None:
            waiting.append((stored, "it has no sidecar"))
        elif known.generation < stored.generation:
            waiting.append((stored, "its sidecar is that of an earlier upload"))
    return waiting
