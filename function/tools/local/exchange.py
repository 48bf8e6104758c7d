"""The folder's two ends: files of the inbox become objects, new objects of the output bucket become files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY

from function.delivery.cloud_event import is_manifest
from function.delivery.persons_request import is_of
from function.storage.client import crc32c
from function.storage.names import OWN_PREFIXES
from function.tools.local.folder import LocalFolder
from function.tools.local.stack import INPUT_BUCKET, OUTPUT_BUCKET

RETRY = DEFAULT_RETRY.with_timeout(15.0)  # the emulator is on this machine: what fails for so long is the disk
State = tuple[int, int]  # a file's size and when it was changed, in ns


@dataclass(frozen=True)
class Settled:
    """A sidecar that has come: its object's name, and how the pair went, with the reason where it did not go well."""

    name: str
    said: str


class Exchange:
    """Carries files in and out of one folder. What an earlier session carried is left alone."""

    def __init__(self, client: storage.Client, folder: LocalFolder):
        self._client, self._folder = client, folder
        self._uploaded: dict[Path, State] = {}
        self._growing: dict[Path, State] = {}
        self._fetched: dict[str, int] = {}

    def take_in(self) -> list[str]:
        """Upload files that have stopped growing, images before manifests → their names. Raises OSError, and what the
        client raises when storage cannot keep them."""
        inbox = self._folder.inbox
        seen = {path: state for path in inbox.rglob("*") if (state := _state(path))}
        ready = [p for p, state in seen.items() if self._growing.get(p) == state and self._uploaded.get(p) != state]
        self._growing = seen
        names = []
        for path in sorted(ready, key=lambda path: (is_manifest(path.relative_to(inbox).as_posix()), path)):
            name = path.relative_to(inbox).as_posix()
            if self._is_new(path, name):
                self._client.bucket(INPUT_BUCKET).blob(name).upload_from_filename(path, retry=RETRY)
                names.append(name)
            self._uploaded[path] = seen[path]
        return names

    def _is_new(self, path: Path, name: str) -> bool:
        """Whether a file that this session has not uploaded yet says other than the object of an earlier one."""
        if path in self._uploaded:
            return True
        stored = self._client.bucket(INPUT_BUCKET).get_blob(name)
        content = path.read_bytes()
        if stored is None or is_of(content, stored.metadata or {}):  # a person wants another picture of it
            return stored is None
        return bool(stored.crc32c != crc32c(content))

    def bring_out(self) -> list[Settled]:
        """Copy new outputs → what was settled since the last time. Raises OSError."""
        results = self._folder.results
        settled = []
        for blob in self._client.list_blobs(OUTPUT_BUCKET):
            if blob.name.startswith(OWN_PREFIXES) or self._fetched.get(blob.name) == blob.generation:
                continue
            target = (results / blob.name).resolve()
            if not target.is_relative_to(results.resolve()):
                continue  # an object's name may hold '..'; it stays in the bucket
            known = target.is_file() and target.stat().st_size == blob.size and _same(target, blob.crc32c)
            if not known:
                target.parent.mkdir(parents=True, exist_ok=True)
                blob.download_to_filename(target)
                if blob.name.endswith(".json"):
                    settled.append(Settled(blob.name, outcome(json.loads(target.read_bytes()))))
            self._fetched[blob.name] = blob.generation
        return settled


def outcome(sidecar: dict[str, Any]) -> str:
    """How a pair or a catalogue went, in one line, with the reason where it did not go well."""
    status, error = sidecar.get("status", "?"), sidecar.get("error")
    if error:
        return f"{status}: {error['message']}"
    if "rows_written" in sidecar:
        refused = [f"row {row['row']}: {row['reason']}" for row in sidecar["refused"][:1]]
        more = sidecar["rows_refused"] - len(refused)
        why = f"; refused {refused[0]}{f', and {more:,} more' if more else ''}" if refused else ""
        return f"{status}: {sidecar['rows_written']:,} rows written{why}"
    failed = [check["reason"] or name for name, check in sidecar.get("checks", {}).items() if not check["passed"]]
    return f"{status}: {'; '.join(failed)}" if failed else status


def _state(path: Path) -> State | None:
    """None of what is no file, hidden, or gone again."""
    if path.name.startswith("."):
        return None
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return (found.st_size, found.st_mtime_ns) if path.is_file() else None


def _same(path: Path, checksum: str) -> bool:
    return crc32c(path.read_bytes()) == checksum
