"""The emulator's state: its models and faults, the log of requests, the counts of answers, batch jobs."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from typing import Any

import numpy as np
from google.api_core.exceptions import NotFound

from function.storage.names import split_gs_uri
from function.tools.emulator.batch_jobs import BatchJobs
from function.tools.emulator.batch_protocol import BatchProtocol
from function.tools.emulator.faults import HTTP_FAULTS, WIRE_FAULTS, FaultQueue, http_error
from function.tools.emulator.models import load_models
from function.tools.emulator.protocol import ApiError, GenerateRequest, invalid
from function.tools.emulator.request_body import read_request
from function.tools.emulator.responses import respond

# Pixels of less alpha (0..255) count as transparent in the request log.
TRANSPARENT_ALPHA = 16


class EmulatorState:
    """What the emulator has been told and asked. Thread-safe.

    `requests` lists every generateContent call: number, api ("key" or "vertex"), version, model, seed,
    aspect_ratio, text, images ({mime_type, width, height, mode, bytes}), digest, fault, code.
    """

    def __init__(self, url: str, latency_s: float, drift: float, storage_url: str | None):
        self.models = load_models()
        self.faults = FaultQueue()
        self._initial = latency_s, drift
        self.latency_s, self.drift = self._initial
        self.requests: list[dict[str, Any]] = []
        self.answered: Counter[tuple[str, str, int | None]] = Counter()
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self.url = url
        self.batch_jobs = BatchJobs(self._answer_in_batch, self.stopping)
        self.batches = BatchProtocol(self.batch_jobs, self.models, self.url, storage_url)

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
            entry.update(described(request))
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


def described(request: GenerateRequest) -> dict[str, Any]:
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


def _transparent_share(pixels: np.ndarray) -> float:
    """Share 0..1 of a picture (h, w, 3 or 4) uint8 that is (nearly) transparent."""
    return round(float((pixels[..., 3] < TRANSPARENT_ALPHA).mean()), 4) if pixels.shape[2] == 4 else 0.0
