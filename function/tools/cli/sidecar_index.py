"""What is settled under a prefix of the output bucket, and what of the input bucket is not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from function.deadline import Deadline
from function.delivery.cloud_event import is_catalogue, is_manifest
from function.delivery.outputs import ERROR_KEY, GENERATION_KEY, MANIFEST_KEY, MAX_SIDECAR_BYTES, STATUS_KEY, USD_KEY
from function.storage.client import NotFound, Storage, StoredObject, TooLarge
from function.storage.names import OWN_PREFIXES, gs_uri, split_gs_uri
from function.tools.timeouts import CALL_S, LISTING_S

READERS = 16


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


class SettledReader:
    """Lists sidecars again and again; what a listing does not tell is read once."""

    def __init__(self, storage: Storage):
        self._storage = storage
        self._read: dict[tuple[str, int], Settled] = {}

    def list(self, bucket: str, prefix: str) -> dict[str, Settled]:
        """The newest sidecar of every manifest under the prefix, by the manifest's gs:// name."""
        sidecars = [
            stored
            for stored in self._storage.list(bucket, prefix, Deadline(LISTING_S))
            if stored.name.endswith(".json")
            and not stored.name.startswith(OWN_PREFIXES)
            and {STATUS_KEY, MANIFEST_KEY, GENERATION_KEY} <= stored.metadata.keys()
        ]
        with ThreadPoolExecutor(READERS) as pool:
            found: dict[str, Settled] = {}
            for settled in pool.map(self._settled, sidecars):
                known = found.get(settled.manifest)
                if known is None or known.generation <= settled.generation:
                    found[settled.manifest] = settled
        return found

    def _settled(self, stored: StoredObject) -> Settled:
        metadata = stored.metadata
        manifest, status = metadata[MANIFEST_KEY], metadata[STATUS_KEY]
        generation = int(metadata[GENERATION_KEY])
        if USD_KEY in metadata and not is_catalogue(manifest):
            return Settled(manifest, generation, status, float(metadata[USD_KEY]), metadata.get(ERROR_KEY))
        key = (stored.name, stored.generation)
        if key not in self._read:
            body = self._body(stored)
            error = body.get("error") or {}
            rows = (body["rows_written"], body["rows_refused"]) if "rows_written" in body else None
            usd = (body.get("cost") or {}).get("usd")
            self._read[key] = Settled(manifest, generation, status, usd, error.get("code"), rows)
        return self._read[key]

    def _body(self, stored: StoredObject) -> dict:
        try:
            body = json.loads(
                self._storage.read(
                    stored.bucket, stored.name, Deadline(CALL_S),
                    generation=stored.generation, limit=MAX_SIDECAR_BYTES,
                )
            )  # fmt: skip
        except (NotFound, TooLarge, ValueError):
            return {}
        return body if isinstance(body, dict) else {}


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
