"""The whole thing on this machine: storage, model, function and event delivery, in real processes."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from google.cloud import storage

from function.delivery.cloud_event import is_manifest
from function.delivery.output_metadata import GENERATION_KEY, MANIFEST_KEY
from function.settings import API_KEYS, TEST_SIGNER, Settings
from function.storage.names import gs_uri
from function.tools.local.batches import GATHER_S, Sweeper
from function.tools.local.event_relay import FIRST_BACKOFF_S, Relay, Report
from function.tools.local.folder import FolderLock, LocalFolder
from function.tools.local.function_log import FunctionLog
from function.tools.local.orphan_guard import OrphanGuard
from function.tools.local.processes import Process, check_port_is_free, free_port, function_server
from function.tools.local.stop_request import StopRequest
from function.tools.local.storage_emulator import PROJECT, gcs_client, gcs_server

INPUT_BUCKET = "composite-input"
OUTPUT_BUCKET = "composite-output"
BATCH_BUCKET = "composite-batch"
EMULATED_BATCH_S = 10.0  # a real job takes hours
EMULATOR_KEY = "local-emulator-key"
HURRIED_STOP_S = 1.0  # a server that is asked to end hands on what it is at within a moment


@dataclass(frozen=True)
class ModelAccess:
    """Which model answers: the emulator, or the real one when the environment has credentials for it.

    `settings` are those that the function will read; `said` is a sentence's end, for people.
    """

    real: bool
    said: str
    settings: Settings

    @classmethod
    def from_environment(cls) -> ModelAccess:
        """A key or Vertex AI in the environment means the real model. Raises InvalidSettingsError as the function
        would."""
        stated = {**os.environ, "OUTPUT_BUCKET": OUTPUT_BUCKET}
        has_key = any(stated.get(name, "").strip() for name in API_KEYS)
        settings = Settings.from_environment(stated if has_key else {**stated, "GEMINI_API_KEY": EMULATOR_KEY})
        if settings.use_vertexai:
            return cls(True, f"Vertex AI in project {settings.project}", settings)
        if has_key:
            return cls(True, "the Gemini API with the key from the environment", settings)
        return cls(False, "the Gemini emulator (no key in the environment): nothing is spent", settings)


class StoppedError(Exception):
    """Somebody has asked to end while things were still starting."""


class LocalSession:
    """Storage emulator, model and function server with buckets made and events relayed. A context manager.

    Objects lie in the folder's own part, so that the next session finds them, with what was paid for.
    `storage_port` is a free one where it is None. Raises UnusableFolderError, StartError, OSError, and StoppedError
    when `stop` was asked meanwhile.
    """

    def __init__(
        self,
        folder: LocalFolder,
        model: ModelAccess,
        report: Report = lambda delivery, status, seconds: None,
        first_backoff_s: float = FIRST_BACKOFF_S,
        stop: StopRequest | None = None,
        storage_port: int | None = None,
        event_port: int | None = None,
    ):
        self._folder, self._model, self._report = folder, model, report
        self._first_backoff_s, self._storage_port, self._event_port = first_backoff_s, storage_port, event_port
        self._stop = stop or StopRequest()
        self._stack = contextlib.ExitStack()
        self._servers: list[Process] = []
        self._guard = OrphanGuard()
        self._environment: dict[str, str] = {}
        self.client: storage.Client
        self.relay: Relay
        self.log: FunctionLog
        self.storage_url = self.event_url = ""

    def __enter__(self) -> LocalSession:
        folder = self._folder
        folder.prepare()
        for bucket in (INPUT_BUCKET, OUTPUT_BUCKET, BATCH_BUCKET):
            (folder.objects / bucket).mkdir(exist_ok=True)  # before storage answers, so that no client finds it without
        with contextlib.ExitStack() as stack:
            stack.enter_context(FolderLock(folder))
            if self._storage_port:
                check_port_is_free(self._storage_port)
            guard = stack.enter_context(self._guard)
            gcs = self._start(stack, gcs_server(folder.logs / "storage.log", folder.objects, self._storage_port, guard))
            environment = {
                "OUTPUT_BUCKET": OUTPUT_BUCKET,
                "STORAGE_EMULATOR_HOST": gcs.url,
                "TMPDIR": str(folder.temporary),
                "SIGNING_KEY": os.environ.get("SIGNING_KEY", "").strip() or TEST_SIGNER,
            }
            if not self._model.settings.use_vertexai:  # which could not read a bucket of this machine
                environment |= {"BATCH_BUCKET": BATCH_BUCKET, "BATCH_GATHER_S": str(GATHER_S)}
            if not self._model.real:
                emulator = self._start(stack, model_emulator(folder.logs / "model.log", guard, gcs.url))
                environment |= {
                    "GOOGLE_GEMINI_BASE_URL": emulator.url,
                    "GEMINI_API_KEY": EMULATOR_KEY,
                    "GOOGLE_CLOUD_PROJECT": self._model.settings.project or PROJECT,
                }
            self.storage_url = gcs.url
            self.client = gcs_client(gcs.url)
            log = folder.logs / "function.log"
            self.log = FunctionLog(log)
            self._environment = environment
            server = self._start(stack, function_server(log, environment, port=self._event_port, guard=guard))
            self._servers.append(server)
            self.event_url = server.url
            settled = settled_already(self.client)
            self.relay = stack.enter_context(
                Relay(self.client, INPUT_BUCKET, server.url, self._report, self._first_backoff_s, settled)
            )
            stack.enter_context(Relay(self.client, BATCH_BUCKET, server.url, first_backoff_s=self._first_backoff_s))
            stack.enter_context(Sweeper(self.client, BATCH_BUCKET, server.url))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def hurry(self) -> None:
        """End the servers without waiting for what they are at; the next session picks it up."""
        for server in self._servers:
            server.stop_timeout_s = HURRIED_STOP_S

    def serve_http(self, port: int | None = None) -> Process:
        """Start `composite_http` beside it; it ends with this session. Raises StartError, StoppedError."""
        log = self._folder.logs / "http.log"
        server = function_server(log, self._environment, target="composite_http", port=port, guard=self._guard)
        self._servers.append(self._start(self._stack, server))
        return server

    def _start(self, stack: contextlib.ExitStack, process: Process) -> Process:
        if self._stop.asked:
            raise StoppedError
        return stack.enter_context(process)


def model_emulator(log_file: Path, guard: OrphanGuard | None = None, storage_url: str | None = None) -> Process:
    """The Gemini emulator as a child process; with the storage emulator's URL it takes batch jobs of Vertex AI too."""
    port = free_port()
    command = [sys.executable, "-m", "function.tools.emulator.server", "--port", str(port)]
    command += ["--batch-seconds", str(EMULATED_BATCH_S)]
    command += ["--storage", storage_url] if storage_url else []
    return Process(command, port, log_file, {"PYTHONPATH": str(Path(__file__).parents[3])}, guard)


def settled_already(client: storage.Client) -> set[tuple[str, int]]:
    """(name, generation) of what needs no event: images, and manifests whose sidecar stands."""
    settled = {}
    for blob in client.list_blobs(OUTPUT_BUCKET):
        stated = blob.metadata or {}
        if blob.name.endswith(".json") and {MANIFEST_KEY, GENERATION_KEY} <= stated.keys():
            settled[stated[MANIFEST_KEY], stated[GENERATION_KEY]] = True
    return {
        (blob.name, int(blob.generation))
        for blob in client.list_blobs(INPUT_BUCKET)
        if not is_manifest(blob.name) or (gs_uri(INPUT_BUCKET, blob.name), str(blob.generation)) in settled
    }
