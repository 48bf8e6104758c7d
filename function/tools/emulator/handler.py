"""The emulator's HTTP side: calls of the Gemini API, and what a fault of the wire lets through of an answer."""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from function.tools.emulator.batch_protocol import ConnectionBrokenError, Reply
from function.tools.emulator.faults import HTTP_FAULTS, INTERNAL, WIRE_FAULTS, Fault, http_error
from function.tools.emulator.free_calls import answer_models_call, count_tokens
from function.tools.emulator.http_base import QuietHandler, QuietServer
from function.tools.emulator.protocol import (
    PATH,
    ApiError,
    GenerateRequest,
    authorise,
    find_model,
    invalid,
    model_not_found,
)
from function.tools.emulator.request_body import read_request
from function.tools.emulator.responses import respond
from function.tools.emulator.state import EmulatorState, described

CONTROL_PATH = "/__control"
TOKEN_PATH = "/token"  # of a service account's key file that names this server: Vertex AI's calls carry a token
TOKEN = {"access_token": "emulated", "expires_in": 3600, "token_type": "Bearer"}
MAX_BODY_BYTES = 100 * 1024 * 1024  # documented limit of one request with inline data
TRICKLE_BYTES, TRICKLE_S = 2000, 0.3  # a piece of a trickling answer, and the pause after it
STALL_S = 30.0  # silence of a stall that names no length
HTML = b"<!DOCTYPE html><html><head><title>Error</title></head><body><p>That's an error.</p></body></html>"
HTML_TYPE = "text/html; charset=UTF-8"


class EmulatorServer(QuietServer):
    emulator: EmulatorState


class RequestHandler(QuietHandler):
    server: EmulatorServer

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
            entry.update(described(request))
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
