"""The folder that the local emulation lives in: where its parts are, and whether they can be written."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

MIN_FREE_BYTES = 64 * 2**20  # a pair of 4K pictures is stored twice, with its sources and its review: about 40 MB


class UnusableFolderError(Exception):
    """The emulation cannot live in this folder; the message says why, and what to do."""


@dataclass(frozen=True)
class LocalFolder:
    """`inbox` is uploaded and `results` and `review` are for people; the rest is the emulation's own."""

    root: Path

    @property
    def inbox(self) -> Path:
        """What is dropped here is uploaded."""
        return self.root / "inbox"

    @property
    def results(self) -> Path:
        """Copies of what came out."""
        return self.root / "results"

    @property
    def review(self) -> Path:
        """The page."""
        return self.root / "review"

    @property
    def logs(self) -> Path:
        """What the processes print."""
        return self.root / "logs"

    @property
    def own(self) -> Path:
        """The emulation's memory."""
        return self.root / ".composite"

    @property
    def objects(self) -> Path:
        """What is in the buckets, a folder each."""
        return self.own / "objects"

    @property
    def temporary(self) -> Path:
        """The children's TMPDIR, so that a full one of the system's does not matter."""
        return self.own / "tmp"

    def prepare(self) -> None:
        """Make the folders and see that they can be written. Raises UnusableFolderError, OSError."""
        for folder in (self.logs, self.objects, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.temporary) as probe:
            try:
                probe.write(b"x")
                probe.flush()
            except OSError as error:
                error.filename = str(self.root)
                raise
            if hasattr(os, "setxattr"):
                try:
                    os.setxattr(probe.name, "user.metadata", b"x")
                except OSError:
                    raise UnusableFolderError(
                        f"{self.root}: its disk keeps no extended attributes, where the emulator puts the objects' "
                        "metadata; name another folder on another disk"
                    ) from None
        free = shutil.disk_usage(self.root).free
        if free < MIN_FREE_BYTES:
            raise UnusableFolderError(
                f"{self.root}: its disk has {free / 2**20:.0f} MiB free, and {MIN_FREE_BYTES // 2**20} are "
                "needed; free some space, or name another folder on another disk"
            )


class FolderLock:
    """Held while an emulation lives in a folder: two of them would write each other's objects. A context manager."""

    def __init__(self, folder: LocalFolder):
        self._folder = folder
        self._file: IO[str] | None = None

    def __enter__(self) -> FolderLock:
        """Raises UnusableFolderError when another one lives there."""
        self._file = (self._folder.own / "lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise UnusableFolderError(
                f"{self._folder.root} is in use by process {holder}; end that one, or name another folder"
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()
