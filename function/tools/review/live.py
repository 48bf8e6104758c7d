"""A review that follows its bucket: what is settled, decided and asked for again shows a moment later."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from function.delivery.cloud_event import is_catalogue
from function.delivery.persons_request import persons_request
from function.errors import StorageUnavailableError
from function.storage.client import AccessDeniedError, Storage, StoredObject
from function.storage.names import gs_uri, split_gs_uri
from function.tools.cli.odd_objects import OddObjects
from function.tools.cli.sidecar_index import list_manifests
from function.tools.cli.spending import spending_today
from function.tools.review.cloud import CloudStore
from function.tools.review.page import FULL_SIZE_PAIRS, WORKERS, page_row
from function.tools.review.pair import Listed, load_pairs, uri_of
from function.tools.review.pictures import PictureFolder
from function.tools.review.values import JsonDict

POLL_S = 1.0  # between two looks at the buckets …
POLL_SHARE = 4  # … of which each takes at most a quarter of the time


@dataclass
class Live:
    """Rows of the page by sidecar name, each with the version at which it last changed. Thread-safe."""

    storage: Storage
    source: str
    folder: Path
    full: bool | None = None  # copy the originals; None: of the first FULL_SIZE_PAIRS
    rows: dict[str, JsonDict] = field(default_factory=dict)
    version: int = 0
    problem: str = ""

    def __post_init__(self) -> None:
        self.bucket, self.prefix = split_gs_uri(self.source)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._pictures = PictureFolder(self.folder / "pictures")
        self._store, self._odd = CloudStore(self.storage), OddObjects()
        self._seen: dict[str, tuple[object, ...]] = {}
        self._results: dict[str, str] = {}
        self._changed: dict[str, int] = {}
        self._to_come = 0
        self._spending = ""
        self._lock, self._looking = threading.Lock(), threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="live review", daemon=True)

    def __enter__(self) -> Live:
        self.refresh()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def changes(self, since: int) -> JsonDict:
        """The rows that have changed after version `since`, with what is known of the whole."""
        with self._lock:
            rows = [self.rows[name] for name, version in self._changed.items() if version > since]
            return {
                "version": self.version,
                "rows": rows,
                "to_come": self._to_come,
                "spending": self._spending,
                "problem": self.problem,
            }

    def refresh(self) -> None:
        """Look at the buckets once. Raises StorageUnavailableError, AccessDeniedError."""
        with self._looking:
            listed: dict[str, Listed] = {}

            def known(name: str, objects: Mapping[str, Listed]) -> bool:
                listed.update(objects) if not listed else None
                return self._seen.get(name) == self._state(name, objects)

            pairs = load_pairs(self._store, self.source, self._odd.name, known)
            with ThreadPoolExecutor(WORKERS) as workers:
                for pair, row in workers.map(
                    lambda pair: (pair, page_row(pair, self._pictures, self._copies_original())), pairs
                ):
                    result = uri_of(pair.sidecar.get("result"))
                    self._results[pair.name] = split_gs_uri(result)[1] if result else ""
                    self._seen[pair.name] = self._state(pair.name, listed)
                    self._put(pair.name, row | {"input": _manifest_of(pair.sidecar)})
            self._note_what_waits()
            self._spending = str(spending_today(self.storage, self.bucket) or "")

    def _copies_original(self) -> bool:
        return len(self.rows) < FULL_SIZE_PAIRS if self.full is None else self.full

    def _state(self, name: str, objects: Mapping[str, Listed]) -> tuple[object, ...]:
        """What of a listing would make the row another one: a new sidecar, a new picture, a new decision about it."""
        result = objects.get(self._results.get(name, ""))
        return objects[name].generation, result and (result.generation, tuple(sorted(result.metadata.items())))

    def _put(self, name: str, row: JsonDict) -> None:
        with self._lock:
            self.version += 1
            self.rows[name] = row
            self._changed[name] = self.version

    def _note_what_waits(self) -> None:
        """Mark the rows whose manifest has a newer generation than their sidecar, and count what has none yet."""
        manifests = self._manifests()
        to_come = 0
        rows = {row["input"]: (name, row) for name, row in self.rows.items()}
        for uri, stored in manifests.items():
            if uri not in rows:
                to_come += 1
                continue
            name, row = rows[uri]
            waits = int(str(row["generation"] or 0)) < stored.generation
            asked = persons_request(stored.metadata) if waits else None
            waiting = {"asked": asked.asked if asked else "upload", "by": asked.by if asked else ""} if waits else None
            if row.get("waiting") != waiting:
                self._put(name, row | {"waiting": waiting})
        self._to_come = to_come

    def _manifests(self) -> dict[str, StoredObject]:
        found = {}
        for bucket in {split_gs_uri(str(row["input"]))[0] for row in self.rows.values() if row["input"]}:
            try:
                for stored in list_manifests(self.storage, bucket, self.prefix):
                    if not is_catalogue(stored.name):
                        found[gs_uri(bucket, stored.name)] = stored
            except AccessDeniedError:  # a reader of results may lack access to their sources
                continue
        return found

    def _watch(self) -> None:
        wait_s = POLL_S
        while not self._stop.wait(wait_s):
            started = time.monotonic()
            try:
                self.refresh()
                self.problem = ""
            except (StorageUnavailableError, AccessDeniedError, OSError) as problem:
                self.problem = str(problem)
            wait_s = max(POLL_S, (time.monotonic() - started) * (POLL_SHARE - 1))


def _manifest_of(sidecar: dict[str, Any]) -> str:
    manifest = sidecar["manifest"]
    uri = f"gs://{manifest.get('bucket')}/{manifest.get('name')}"
    return uri if uri_of({"uri": uri}) else ""
