"""The whole thing on this machine: storage, model, function and event delivery, in real processes."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from google.cloud import storage

from function.settings import API_KEYS, Settings
from function.tools.local.batches import GATHER_S, Sweeper
from function.tools.local.event_relay import FIRST_BACKOFF_S, Relay, Report
from function.tools.local.processes import Process, free_port, function_server
from function.tools.local.storage_emulator import PROJECT, gcs_client, gcs_server

INPUT_BUCKET = "composite-input"
OUTPUT_BUCKET = "composite-output"
BATCH_BUCKET = "composite-batch"
EMULATED_BATCH_S = 10.0  # a real job takes hours
EMULATOR_KEY = "local-emulator-key"


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
        """A key or Vertex AI in the environment means the real model. Raises SettingsInvalid as the function would."""
        stated = {**os.environ, "OUTPUT_BUCKET": OUTPUT_BUCKET}
        has_key = any(stated.get(name, "").strip() for name in API_KEYS)
        settings = Settings.from_environment(stated if has_key else {**stated, "GEMINI_API_KEY": EMULATOR_KEY})
        if settings.use_vertexai:
            return cls(True, f"Vertex AI in project {settings.project}", settings)
        if has_key:
            return cls(True, "the Gemini API with the key from the environment", settings)
        return cls(False, "the Gemini emulator (no key in the environment): nothing is spent", settings)


class LocalSession:
    """Storage emulator, model and function server with buckets made and events relayed. A context manager."""

    def __init__(
        self,
        folder: Path,
        model: ModelAccess,
        report: Report = lambda delivery, status, seconds: None,
        first_backoff_s: float = FIRST_BACKOFF_S,
    ):
        self._folder, self._model, self._report = folder, model, report
        self._first_backoff_s = first_backoff_s
        self._stack = contextlib.ExitStack()
        self.client: storage.Client
        self.relay: Relay
        self.storage_url = ""

    def __enter__(self) -> LocalSession:
        logs = self._folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            objects = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            gcs = stack.enter_context(gcs_server(logs / "storage.log", objects))
            environment = {
                "OUTPUT_BUCKET": OUTPUT_BUCKET,
                "STORAGE_EMULATOR_HOST": gcs.url,
            }
            if not self._model.settings.use_vertexai:  # which could not read a bucket of this machine
                environment |= {"BATCH_BUCKET": BATCH_BUCKET, "BATCH_GATHER_S": str(GATHER_S)}
            if not self._model.real:
                port = free_port()
                command = [sys.executable, "-m", "function.tools.emulator.server", "--port", str(port)]
                command += ["--storage", gcs.url, "--batch-seconds", str(EMULATED_BATCH_S)]
                root = str(Path(__file__).parents[3])
                emulator = Process(command, port, logs / "model.log", {"PYTHONPATH": root})
                environment |= {
                    "GOOGLE_GEMINI_BASE_URL": stack.enter_context(emulator).url,
                    "GEMINI_API_KEY": EMULATOR_KEY,
                    "GOOGLE_CLOUD_PROJECT": self._model.settings.project or PROJECT,
                }
            self.storage_url = gcs.url
            self.client = gcs_client(gcs.url)
            for bucket in (INPUT_BUCKET, OUTPUT_BUCKET, BATCH_BUCKET):
                self.client.create_bucket(bucket)
            server = stack.enter_context(function_server(logs / "function.log", environment))
            self.relay = stack.enter_context(
                Relay(self.client, INPUT_BUCKET, server.url, self._report, self._first_backoff_s)
            )
            stack.enter_context(Relay(self.client, BATCH_BUCKET, server.url, first_backoff_s=self._first_backoff_s))
            stack.enter_context(Sweeper(self.client, BATCH_BUCKET, server.url))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
