"""Batch jobs over HTTP as Vertex AI and the Gemini API have them, and the latter's files.

Shapes follow what google-genai 3.4 sends and reads, ai.google.dev/api/batch-api and Vertex AI's
`projects.locations.batchPredictionJobs`.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Mapping
from email.message import Message
from typing import Any
from urllib.parse import parse_qs

from google.cloud import storage

from function.storage.names import split_gs_uri
from function.tools.emulator.batch_jobs import AT_CREATION, ENDED, BatchJobs, EmulatedJob
from function.tools.emulator.faults import http_error
from function.tools.emulator.models import ModelCard
from function.tools.emulator.protocol import ApiError, authorise, invalid
from function.tools.local.storage_emulator import gcs_client

VERTEX = re.compile(
    r"/v1(?:beta1)?/(?P<parent>projects/[^/]+/locations/[^/]+)/batchPredictionJobs(?:/(?P<id>[^/:]+))?(?P<cancel>:cancel)?"
)
KEY_CREATE = re.compile(r"/v1(?:beta)?/models/(?P<model>[^/:]+):batchGenerateContent")
KEY_JOBS = re.compile(r"/v1(?:beta)?/batches(?:/(?P<id>[^/:]+))?(?P<cancel>:cancel)?")
UPLOAD = re.compile(r"/upload/v1(?:beta)?/files")
DOWNLOAD = re.compile(r"/(?:download/)?v1(?:beta)?/files/(?P<id>[^/:]+):download")
GET_FILE = re.compile(r"/v1(?:beta)?/files/(?P<id>[^/:]+)")

Headers = Mapping[str, str] | Message


class ConnectionBrokenError(Exception):
    """The call was accepted, but its caller gets no response."""


class Reply:
    """An answer that is not JSON, or has headers of its own."""

    def __init__(self, body: bytes, headers: dict[str, str] | None = None):
        self.body, self.headers = body, headers or {}


class BatchProtocol:
    """The calls of both services that concern batches. `storage_url`: of the storage emulator, for Vertex AI."""

    def __init__(self, jobs: BatchJobs, models: dict[str, ModelCard], base_url: str, storage_url: str | None):
        self._jobs, self._models, self._base_url = jobs, models, base_url
        self._storage_url = storage_url
        self._client: storage.Client | None = None
        self._files: dict[str, bytes] = {}
        self._uploads: dict[str, bytearray] = {}
        self.twins: set[str] = set()  # jobs that were made of a creation beside the one that was asked for

    @property
    def storage(self) -> storage.Client:
        """A client of the storage emulator. Raises ApiError without one."""
        if self._storage_url is None:
            raise invalid("this emulator was not told where Cloud Storage is (--storage)")
        if self._client is None:
            self._client = gcs_client(self._storage_url)
        return self._client

    def answer(
        self, method: str, path: str, query: str, headers: Headers, body: bytes
    ) -> dict[str, Any] | Reply | None:
        """The answer to a call that concerns batches or files, None for others. Raises ApiError,
        ConnectionBrokenError."""
        asked = parse_qs(query)
        if match := VERTEX.fullmatch(path):
            authorise(True, headers, asked)
            return self._vertex(method, match, asked, body)
        if match := KEY_CREATE.fullmatch(path):
            authorise(False, headers, asked)
            return self._create_by_key(match["model"], json.loads(body))
        if match := KEY_JOBS.fullmatch(path):
            authorise(False, headers, asked)
            return self._key(method, match)
        if UPLOAD.fullmatch(path):
            return self._upload(headers, asked, body)
        if match := DOWNLOAD.fullmatch(path):
            authorise(False, headers, asked)
            return Reply(self._file(match["id"]))
        if match := GET_FILE.fullmatch(path):
            authorise(False, headers, asked)
            return {"name": f"files/{match['id']}", "sizeBytes": str(len(self._file(match["id"])))}
        return None

    # --- Vertex AI

    def _vertex(
        self, method: str, match: re.Match[str], asked: dict[str, list[str]], body: bytes
    ) -> dict[str, Any] | Reply:
        prefix = f"{match['parent']}/batchPredictionJobs/"
        if method == "POST" and match["id"] is None:
            return self._create_on_vertex(prefix, json.loads(body))
        if match["id"] is None:
            wanted = re.fullmatch(r'display_name="([^"]*)"', asked.get("filter", ['display_name=""'])[0])
            jobs = [job for job in self._jobs.all() if not wanted or job.display_name == wanted[1]]
            return {"batchPredictionJobs": [_on_vertex(job) for job in jobs]}
        job = self._job(prefix + match["id"])
        if match["cancel"]:
            _cancel(job)
            return {}
        return _on_vertex(job)

    def _create_on_vertex(self, prefix: str, fields: dict[str, Any]) -> dict[str, Any]:
        model = str(fields["model"]).rpartition("/")[2]
        dest = str(fields["outputConfig"]["gcsDestination"]["outputUriPrefix"])
        if (
            fields["inputConfig"]["instancesFormat"] != "jsonl"
            or fields["outputConfig"]["predictionsFormat"] != "jsonl"
        ):
            raise invalid("only jsonl is supported")
        (uri,) = fields["inputConfig"]["gcsSource"]["uris"]
        bucket, name = split_gs_uri(uri)
        lines = _lines(self.storage.bucket(bucket).blob(name).download_as_bytes())

        def write(job: EmulatedJob, content: bytes) -> None:
            into, folder = split_gs_uri(dest.rstrip("/"))
            job.results = f"prediction-model-{time.strftime('%Y-%m-%dT%H:%M:%S')}.{time.time_ns() % 10**6:06}Z"
            blob = self.storage.bucket(into).blob(f"{folder}/{job.results}/predictions.jsonl")
            blob.upload_from_string(content, "application/octet-stream")

        return _on_vertex(self._create(prefix, fields["displayName"], model, lines, write))

    # --- the Gemini API

    def _create_by_key(self, model: str, fields: dict[str, Any]) -> dict[str, Any]:
        batch = fields["batch"]
        content = self._file(str(batch["inputConfig"]["fileName"]).removeprefix("files/"))

        def write(job: EmulatedJob, results: bytes) -> None:
            job.results = f"files/batch-{uuid.uuid4().hex[:20]}"
            self._files[job.results.removeprefix("files/")] = results

        return _by_key(self._create("batches/", batch["displayName"], model, _lines(content), write))

    def _key(self, method: str, match: re.Match[str]) -> dict[str, Any]:
        if match["id"] is None:
            return {"operations": [_by_key(job) for job in self._jobs.all()]}
        job = self._job(f"batches/{match['id']}")
        if match["cancel"] and method == "POST":
            _cancel(job)
            return {}
        return _by_key(job)

    def _upload(self, headers: Headers, asked: dict[str, list[str]], body: bytes) -> dict[str, Any] | Reply:
        command = headers.get("X-Goog-Upload-Command", "")
        if command == "start":
            authorise(False, headers, asked)
            upload = uuid.uuid4().hex[:20]
            self._uploads[upload] = bytearray()
            return Reply(b"{}", {"X-Goog-Upload-URL": f"{self._base_url}/upload/v1beta/files?upload_id={upload}"})
        upload = asked.get("upload_id", [""])[0]
        if upload not in self._uploads:
            raise ApiError(404, "NOT_FOUND", "Requested entity was not found.")
        self._uploads[upload] += body
        if "finalize" not in command:
            return Reply(b"", {"X-Goog-Upload-Status": "active"})
        self._files[upload] = bytes(self._uploads.pop(upload))
        described = {"file": {"name": f"files/{upload}", "sizeBytes": str(len(self._files[upload])), "state": "ACTIVE"}}
        return Reply(json.dumps(described).encode(), {"X-Goog-Upload-Status": "final"})

    def _file(self, name: str) -> bytes:
        if name not in self._files:
            raise ApiError(404, "NOT_FOUND", f"File files/{name} was not found.")
        return self._files[name]

    # --- both

    def _create(
        self, prefix: str, display_name: str, model: str, lines: list[dict[str, Any]], write: Any
    ) -> EmulatedJob:
        kind = self._jobs.take(AT_CREATION)
        if kind in ("429", "403", "404"):
            raise http_error(kind)
        if model not in self._models:
            raise ApiError(404, "NOT_FOUND", f"models/{model} is not found, or is not supported in batches.")
        job = self._jobs.start(prefix, display_name, model, lines, write)
        if kind == "twice":
            self.twins.add(self._jobs.start(prefix, display_name, model, lines, write).name)
        if kind in ("twice", "unanswered"):
            raise ConnectionBrokenError
        return job

    def _job(self, name: str) -> EmulatedJob:
        job = self._jobs.find(name)
        if job is None:
            raise ApiError(404, "NOT_FOUND", f"{name} was not found.")
        return job


def _lines(content: bytes) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in content.splitlines() if line.strip()]
    for number, line in enumerate(lines, start=1):
        if not isinstance(line.get("request"), dict):
            raise invalid(f"line {number} holds no request")
    return lines


def _cancel(job: EmulatedJob) -> None:
    if job.state not in ENDED:
        job.state = "CANCELLING"
        job.cancelled.set()


def _on_vertex(job: EmulatedJob) -> dict[str, Any]:
    described = {
        "name": job.name,
        "displayName": job.display_name,
        "model": f"publishers/google/models/{job.model}",
        "state": f"JOB_STATE_{job.state}",
        "createTime": job.created,
    }
    return described | ({"error": {"code": 13, "message": job.message}} if job.message else {})


def _by_key(job: EmulatedJob) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "displayName": job.display_name,
        "model": f"models/{job.model}",
        # The Gemini API knows neither; what its SDK calls them is another matter.
        "state": "BATCH_STATE_"
        + {"PARTIALLY_SUCCEEDED": "SUCCEEDED", "CANCELLING": "RUNNING"}.get(job.state, job.state),
        "createTime": job.created,
    }
    if job.results and job.state in ENDED:
        metadata["output"] = {"responsesFile": job.results}
    return {"name": job.name, "metadata": metadata, "done": job.state in ENDED}
