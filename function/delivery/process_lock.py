"""Tells whether a run on this machine is still alive: a file lock that the system frees with its process."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import socket
import tempfile
import uuid
from pathlib import Path


class ProcessLivenessLock:
    """A file lock that tells other deliveries on this machine that a run is alive.

    The system releases it with the process, however that ends. It is released with the run too, so that a lease
    that could neither be written nor be released, because storage failed, does not block the next delivery.
    """

    def __init__(self, run: str):
        self._path = _lock_path(run)
        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def release(self) -> None:
        """The run is over."""
        self._path.unlink(missing_ok=True)
        self._file.close()

    @staticmethod
    def is_held(run: str) -> bool:
        """Whether the run is alive. The file of a dead one is removed."""
        path = _lock_path(run)
        try:
            with path.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        path.unlink(missing_ok=True)
        return False


def machine_identity() -> str:
    """Host, boot and process namespace, or "" where they cannot be read: then no run is ever known to be dead."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
    return f"{socket.gethostname()}|{boot}|{namespace}|{_instance_id()}"


def _instance_id() -> str:
    """A random id in the temporary folder: containers that share host name and boot still differ in it."""
    path = _scratch_folder() / "instance"
    if not path.exists():
        fresh = _scratch_folder() / uuid.uuid4().hex
        fresh.write_text(uuid.uuid4().hex, encoding="ascii")
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)  # whole at once, and by one process only
        fresh.unlink()
    return path.read_text(encoding="ascii")


def _lock_path(run: str) -> Path:
    return _scratch_folder() / f"run-{hashlib.sha256(run.encode()).hexdigest()[:32]}"


def _scratch_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"composite-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    return folder
