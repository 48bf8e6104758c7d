"""An emulator of the Gemini API on this machine: the real REST protocol, pictures made with OpenCV, no bill.

    python -m function.tools.emulator.server --port 8090 [--host 127.0.0.1] [--latency SECONDS]

`GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8090` sends the SDK here, with any key. Beside the API it answers
`GET /__control` (what was asked and answered) and `POST /__control` with any of
`{"faults": […], "latency_s": …, "drift": …, "batch_faults": […], "batch_s": …, "reset": true}`; see faults.py and
batch_jobs.py. `drift` scales how far an answer departs from its scene: 1 is as real answers do, 0 not at all;
`batch_s` is how long a batch job takes. Batch jobs of Vertex AI read and write Cloud Storage at `--storage`.
"""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
import numpy as np
from google.api_core.exceptions import NotFound

from function.storage.names import split_gs_uri
from function.tools.emulator.batch_jobs import BatchJobs
from function.tools.emulator.batch_protocol import BatchProtocol, ConnectionBrokenError, Reply
from function.tools.emulator.faults import (
    HTTP_FAULTS,
    INTERNAL,
    WIRE_FAULTS,
    Fault,
    FaultQueue,
    http_error,
)
from function.tools.emulator.free_calls import answer_models_call, count_tokens
from function.tools.emulator.http_base import QuietHandler, QuietServer
from function.tools.emulator.models import load_models
from function.tools.emulator.protocol import (
    PATH,
    ApiError,
    GenerateRequest,
    authorise,
    find_model,
    invalid,
    model_not_found,
    read_request,
)
from function.tools.emulator.responses import respond

CONTROL_PATH = "/__control"
TOKEN_PATH = "/token"  # of a service account's key file that names this server: Vertex AI's calls carry a token
TOKEN = {"access_token": "emulated", "expires_in": 3600, "token_type": "Bearer"}
MAX_BODY_BYTES = 100 * 1024 * 1024  # documented limit of one request with inline data
TRICKLE_BYTES, TRICKLE_S = 2000, 0.3  # a piece of a trickling answer, and the pause after it
STALL_S = 30.0  # silence of a stall that names no length
# Pixels of less alpha (0..255) count as transparent in the request log.
TRANSPARENT_ALPHA = 16
HTML = b"<!DOCTYPE html><html><head><title>Error</title></head><body><p>That's an error.</p></body></html>"
HTML_TYPE = "text/html; charset=UTF-8"


class GeminiEmulator:
    """The server and its state. A context manager: serves on entry, is gone on exit.

    `requests` lists every generateContent call: number, api ("key" or "vertex"), version, model, seed,
    aspect_ratio, text, images ({mime_type, width, height, mode, bytes}), digest, fault, code.
    """

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        latency_s: float = 0.0,
        drift: float = 1.0,
        storage_url: str | None = None,
    ):
        self.models = load_models()
        self.faults = FaultQueue()
        self._initial = latency_s, drift
        self.latency_s, self.drift = self._initial
        self.requests: list[dict[str, Any]] = []
        self.answered: Counter[tuple[str, str, int | None]] = Counter()
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server((host, port), _Handler)
        self._server.emulator = self
        self.url = f"http://{host}:{self._server.server_port}"
        self.batch_jobs = BatchJobs(self._answer_in_batch, self.stopping)
        self.batches = BatchProtocol(self.batch_jobs, self.models, self.url, storage_url)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> GeminiEmulator:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def control(
        self,
        *,
        faults: list[dict[str, Any]] | None = None,
        latency_s: float | None = None,
        drift: float | None = None,
        batch_faults: list[dict[str, Any]] | None = None,
        batch_s: float | None = None,
        reset: bool = False,
    ) -> None:
        """Change behaviour; `reset` first goes back to how it started, without faults, requests and counts."""
        if reset:
            self.latency_s, self.drift = self._initial
            self.faults.clear()
            self.batch_jobs.clear()
            with self._lock:
                self.requests.clear()
                self.answered.clear()
        self.faults.add(faults or [])
        self.batch_jobs.add_faults(batch_faults or [])
        self.batch_jobs.time_s = self.batch_jobs.time_s if batch_s is None else batch_s
        self.latency_s = self.latency_s if latency_s is None else latency_s
        self.drift = self.drift if drift is None else drift

    def report(self) -> dict[str, Any]:
        """Counters as `GET /__control` gives them."""
        with self._lock:
            answered = [
                {"model": model, "digest": digest, "seed": seed, "count": count}
                for (model, digest, seed), count in self.answered.items()
            ]
            requests = list(self.requests)
        return {
            "requests": len(requests),
            "answers": sum(entry["count"] for entry in answered),
            "answered": answered,
            "faults": self.faults.report(),
            "batch_faults": dict(self.batch_jobs.fired),
            "batch_jobs": [
                {"name": job.name, "state": job.state, "lines": len(job.lines), "answered": job.answered}
                for job in self.batch_jobs.all()
            ],
            "latency_s": self.latency_s,
            "drift": self.drift,
            "log": requests,
        }

    def _answer_in_batch(self, model: str, asked: dict[str, Any], job: str) -> dict[str, Any]:
        """One line of a batch job → its response, or {"error": …}."""
        entry = self.note(
            {"api": "batch", "job": job, "model": model, "time_s": time.time(), "fault": None, "code": None}
        )
        try:
            request = read_request(json.dumps(asked).encode(), self.models[model], self._read_file)
            entry.update(_described(request))
            fault = self.faults.take(request)
            entry["fault"] = fault.kind if fault else None
            if fault and fault.kind in HTTP_FAULTS:
                raise http_error(fault.kind)
            response = respond(request, None if fault and fault.kind in WIRE_FAULTS else fault, self.drift)
        except ApiError as error:
            entry["code"] = error.code
            return {"error": {"code": error.code, "message": error.message, "status": error.status}}
        self.count(request)
        entry["code"] = 200
        return response

    def _read_file(self, uri: str) -> bytes:
        bucket, name = split_gs_uri(uri)
        blob = self.batches.storage.bucket(bucket).blob(name)
        try:
            found: bytes = blob.download_as_bytes()
            return found
        except NotFound:
            raise invalid(f"The file {uri} was not found.") from None

    def note(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Add a request to the log."""
        with self._lock:
            entry["number"] = len(self.requests) + 1
            self.requests.append(entry)
        return entry

    def count(self, request: GenerateRequest) -> None:
        """Count an answer that the model gave, whether or not it arrived."""
        with self._lock:
            self.answered[request.model.id, request.digest, request.seed] += 1


class _Server(QuietServer):
    emulator: GeminiEmulator


class _Handler(QuietHandler):
    server: _Server

    def do_GET(self) -> None:
        if self.path == CONTROL_PATH:
            self._send(200, json.dumps(self.server.emulator.report()).encode())
            return
        emulator = self.server.emulator
        try:
            if self._batch(b""):
                return
            found = answer_models_call(urlsplit(self.path), self.headers, emulator.models, emulator.faults)
        except ApiError as error:
            self._send_error(error)
        else:
            self._send(200, json.dumps(found).encode())

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            self._send_error(invalid(f"Request payload size exceeds the limit: {MAX_BODY_BYTES} bytes."))
            return
        body = self.rfile.read(length)
        try:
            if self.path == CONTROL_PATH:
                self._control(body)
            elif not self._batch(body):
                self._call(body)
        except ApiError as error:
            self._send_error(error)
        except OSError:
            raise  # the caller has gone
        except Exception as error:  # noqa: BLE001 (as the service does; the message says why)
            self._send_error(ApiError(500, "INTERNAL", f"{INTERNAL} {error!r}"))

    def _control(self, body: bytes) -> None:
        try:
            self.server.emulator.control(**json.loads(body or b"{}"))
        except (ValueError, TypeError) as error:
            raise invalid(str(error)) from error
        self._send(200, json.dumps(self.server.emulator.report()).encode())

    def _batch(self, body: bytes) -> bool:
        """Answer a call that concerns batches, files or a token for them → whether it was one. Raises ApiError."""
        if self.path == TOKEN_PATH:
            self._send(200, json.dumps(TOKEN).encode())
            return True
        url = urlsplit(self.path)
        try:
            found = self.server.emulator.batches.answer(self.command, url.path, url.query, self.headers, body)
        except ConnectionBrokenError:
            self.reset()
            return True
        if isinstance(found, Reply):
            self._send(200, found.body, headers=found.headers)
        elif found is not None:
            self._send(200, json.dumps(found).encode())
        return found is not None

    def _call(self, body: bytes) -> None:
        emulator = self.server.emulator
        url = urlsplit(self.path)
        match = PATH.match(url.path)
        if match is not None and match["method"] == "countTokens":
            counted = count_tokens(match, url, self.headers, body, emulator.models, emulator.faults)
            self._send(200, json.dumps(counted).encode())
            return
        if match is None or match["method"] != "generateContent":
            raise ApiError(404, "NOT_FOUND", "Requested entity was not found.")
        entry = emulator.note(
            {
                "api": "vertex" if match["vertex"] else "key",
                "version": match["version"],
                "model": match["model"],
                "time_s": time.time(),
                "fault": None,
                "code": None,
            }
        )
        try:
            authorise(bool(match["vertex"]), self.headers, parse_qs(url.query))
            request = read_request(body, find_model(match, emulator.models))
            entry.update(_described(request))
            fault = emulator.faults.take(request)
            entry["fault"] = fault.kind if fault else None
            if emulator.stopping.wait(emulator.latency_s):
                self.reset()  # a picture that is still being drawn when the process ends would abort it
            else:
                self._answer(request, fault, match, entry)
        except ApiError as error:
            entry["code"] = error.code
            raise

    def _answer(
        self, request: GenerateRequest, fault: Fault | None, match: re.Match[str], entry: dict[str, Any]
    ) -> None:
        emulator = self.server.emulator
        kind = fault.kind if fault else ""
        if kind == "404":
            raise model_not_found(match)
        if kind == "502":  # comes from a proxy before the service
            entry["code"] = 502
            self._send(502, HTML, HTML_TYPE)
        elif kind in HTTP_FAULTS:
            raise http_error(kind)
        elif kind == "reset":
            self.reset()
        elif kind == "stall":
            self._stall(fault.value if fault else None)
        elif kind == "garbage_body":
            self._send(200, HTML, HTML_TYPE)
        elif kind == "empty_body":
            self._send(200, b"")
        else:
            response = respond(request, None if kind in WIRE_FAULTS else fault, emulator.drift)
            emulator.count(request)
            entry["code"] = 200
            self._deliver(json.dumps(response, indent=2).encode(), fault)

    def _deliver(self, body: bytes, fault: Fault | None) -> None:
        """Send a body, or as much of it as the wire fault lets through."""
        kind, value = (fault.kind, fault.value) if fault else ("", None)
        half = body[: len(body) // 2]
        if kind == "truncated_json":
            self._send(200, half)
        elif kind in {"reset_midway", "broken_stream", "stall_midway"}:
            self._send(200, half, length=len(body))
            if kind == "reset_midway":
                self.reset()
            elif kind == "stall_midway":
                self._stall(value)
            self.close_connection = True
        elif kind == "trickle":
            self._send(200, b"", length=len(body))
            for start in range(0, len(body), TRICKLE_BYTES):
                self.wfile.write(body[start : start + TRICKLE_BYTES])
                if self.server.emulator.stopping.wait(float(value or TRICKLE_S)):
                    return
        else:
            self._send(200, body)

    def _stall(self, seconds: Any) -> None:
        self.close_connection = True
        self.server.emulator.stopping.wait(float(seconds or STALL_S))

    def _send_error(self, error: ApiError) -> None:
        self._send(error.code, error.body())

    def _send(
        self,
        code: int,
        body: bytes,
        content_type: str = "application/json",
        length: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _described(request: GenerateRequest) -> dict[str, Any]:
    """What the request log keeps: everything but the pictures."""
    images = [
        {
            "mime_type": image.mime_type,
            "width": image.pixels.shape[1],
            "height": image.pixels.shape[0],
            "mode": "RGBA" if image.pixels.shape[2] == 4 else "RGB",
            "transparent": _transparent_share(image.pixels),
            "bytes": len(image.data),
        }
        for image in request.images
    ]
    return {
        "seed": request.seed,
        "aspect_ratio": request.aspect_ratio,
        "image_size": request.image_size,
        "thinking_level": request.thinking_level,
        "mime_type": request.mime_type,
        "text": request.text,
        "images": images,
        "digest": request.digest,
    }


ENDED_BY = (signal.SIGINT, signal.SIGTERM)


@click.command(help=__doc__.split("\n")[0])
@click.option("--host", metavar="HOST", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, required=True, help="0 takes a free one")
@click.option("--storage", metavar="URL", help="of the storage emulator, for batch jobs of Vertex AI")
@click.option("--batch-seconds", type=float, default=0.0, help="how long a batch job takes")
@click.option("--latency", type=float, default=0.0, help="seconds added to every answer")
def main(host: str, port: int, storage: str | None, batch_seconds: float, latency: float) -> None:
    """Serve until SIGINT or SIGTERM."""
    # Waited for, not handled: a handler may come while its own thread holds the lock that it wants.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDED_BY)
    with GeminiEmulator(port, host, latency, storage_url=storage) as emulator:
        emulator.control(batch_s=batch_seconds)
        print(f"Gemini emulator on {emulator.url}", flush=True)
        signal.sigwait(ENDED_BY)


def _transparent_share(pixels: np.ndarray) -> float:
    """Share 0..1 of a picture (h, w, 3 or 4) uint8 that is (nearly) transparent."""
    return round(float((pixels[..., 3] < TRANSPARENT_ALPHA).mean()), 4) if pixels.shape[2] == 4 else 0.0


if __name__ == "__main__":
    main()
