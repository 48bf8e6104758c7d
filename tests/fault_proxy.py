"""Stands between the function and the storage emulator: passes requests on, spoils some, and counts which.

A fault names a kind, an operation and a pattern of "bucket/object". A test that sets one also looks at `fired`:
a fault that never fired proves nothing.
"""

from __future__ import annotations

import http.client
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from function.tools.emulator.http_base import QuietHandler, QuietServer

STATUSES = ("403", "408", "429", "500", "502", "503", "504")
# What happens to the connection or the answer. All but "reset" and "stall" let the request reach the storage.
WIRE_KINDS = (
    "reset",  # reset before the request is passed on
    "lost",  # passed on, then reset: the write happened, its acknowledgement did not arrive
    "stall",  # not passed on, no answer
    "broken",  # half of the body, then the connection ends
    "truncated",  # half of the body, as if it were whole
    "garbage",  # 200 with a page of HTML
    "trickle",  # the body in small pieces, never silent for long
)
KINDS = STATUSES + WIRE_KINDS
TRICKLE_BYTES, TRICKLE_PIECES, TRICKLE_WAIT_S = 8192, 100, 0.1
PAUSES = ("pause", "pause_after")  # held before it is passed on, or with the answer in hand, until released
STALL_S = 600.0  # longer than anybody waits
HTML = b"<!DOCTYPE html><html><body><p>That's an error.</p></body></html>"
OBJECT_PATH = re.compile(r"(?:/download|/upload)?/storage/v1/b/(?P<bucket>[^/]+)/o(?:/(?P<name>.+))?")


@dataclass
class Fault:
    """What to do to requests that fit. `name` is a shell pattern over "bucket/object"; `times` None is for ever."""

    kind: str
    operation: str = "*"  # stat, get, list, insert, delete, patch, or a pattern
    name: str = "*"
    times: int | None = 1
    chance: float = 1.0
    fired: int = 0
    reached: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)  # for the pauses: now nothing moves
    released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        if self.kind not in KINDS + PAUSES:
            raise ValueError(f"unknown fault: {self.kind}")

    def fits(self, operation: str, target: str) -> bool:
        """Whether this fault has a turn left and is meant for the request."""
        return (
            operation != "other"
            and self.times != 0
            and fnmatchcase(operation, self.operation)
            and fnmatchcase(target, self.name)
        )

    def hold(self) -> None:
        """Wait until the test has done what it wants to do meanwhile."""
        self.held.set()
        self.released.wait(STALL_S)


class FaultProxy:
    """A context manager; `url` is for STORAGE_EMULATOR_HOST. `requests` lists (operation, "bucket/object").

    `write_every_s` refuses writes of an object that come sooner after another than Cloud Storage takes them; `refused`
    counts these by object.
    """

    def __init__(self, upstream: str, seed: int = 1, write_every_s: float = 0.0):
        self.write_every_s = write_every_s
        self.refused: Counter[str] = Counter()
        self._written: dict[str, float] = {}
        self.requests: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy, self._server.upstream = self, urlsplit(upstream).netloc
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FaultProxy:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def add(self, kind: str, operation: str = "*", name: str = "*", **options: Any) -> Fault:
        """Set a fault; the first that fits a request is the one that fires."""
        fault = Fault(kind, operation, name, **options)
        with self._lock:
            self.faults.append(fault)
        return fault

    def clear(self, faults: Sequence[Fault] | None = None) -> None:
        """End these faults, or all; what is paused or stalled goes on."""
        with self._lock:
            ended = list(self.faults if faults is None else faults)
            self.faults = [fault for fault in self.faults if fault not in ended]
        for fault in ended:
            fault.released.set()

    def comes_too_early(self, operation: str, target: str) -> bool:
        """Whether a write comes too soon after the last one of the same object; noted as written when it does not."""
        if operation not in {"insert", "patch", "delete"} or not self.write_every_s:
            return False
        now = time.monotonic()
        with self._lock:
            if now - self._written.get(target, -self.write_every_s) < self.write_every_s:
                self.refused[target] += 1
                return True
            self._written[target] = now
        return False

    def take(self, operation: str, target: str) -> Fault | None:
        """Note a request → the fault that it meets, used up by one."""
        with self._lock:
            if operation != "other":
                self.requests.append((operation, target))
            for fault in self.faults:
                if fault.fits(operation, target) and self._random.random() < fault.chance:
                    if fault.times is not None:
                        fault.times -= 1
                    fault.fired += 1
                    fault.reached.set()
                    return fault
        return None


class _Server(QuietServer):
    proxy: FaultProxy
    upstream: str


class _Handler(QuietHandler):
    server: _Server

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        described = _described(self.command, self.path, body)
        fault = self.server.proxy.take(*described)
        kind = fault.kind if fault else ""
        if self.server.proxy.comes_too_early(*described):
            kind = "429"
        if kind in STATUSES:
            error = {"error": {"code": int(kind), "message": "a fault that was asked for"}}
            self._answer(int(kind), {"Content-Type": "application/json"}, json.dumps(error).encode())
            return
        if kind == "reset":
            self.reset()
            return
        if kind == "stall":
            fault.released.wait(STALL_S)
            self.reset()
            return
        if kind == "pause":
            fault.hold()
        status, headers, content = self._forward(body)
        if kind == "pause_after":
            fault.hold()
        if kind == "lost":
            self.reset()
        elif kind == "broken":
            self._answer(status, headers, content[: len(content) // 2], length=max(1, len(content)))
            self.reset()
        elif kind == "truncated":
            self._answer(status, headers, content[: len(content) // 2])
        elif kind == "garbage":
            self._answer(200, {"Content-Type": "text/html"}, HTML)
        elif kind == "trickle":
            self._trickle(status, headers, content, fault)
        else:
            self._answer(status, headers, content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def _trickle(self, status: int, headers: dict[str, str], content: bytes, fault: Fault) -> None:
        """Send all of the response in small pieces, with a wait after each one until the fault is released."""
        self._answer(status, headers, b"", length=len(content))
        piece = min(TRICKLE_BYTES, len(content) // TRICKLE_PIECES + 1)
        for start in range(0, len(content), piece):
            self.wfile.write(content[start : start + piece])
            fault.released.wait(TRICKLE_WAIT_S)

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.server.upstream, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], content: bytes, length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                self.send_header(name, value)
        if status not in {204, 304}:
            self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()


def _described(method: str, path: str, body: bytes) -> tuple[str, str]:
    """A request of the JSON API → (operation, "bucket/object")."""
    url = urlsplit(path)
    query = parse_qs(url.query)
    match = OBJECT_PATH.fullmatch(url.path)
    if match is None:
        return "other", url.path  # the client looks a bucket up by itself now and then
    bucket, name = match["bucket"], unquote(match["name"] or "")
    if method in {"POST", "PUT"}:
        name = query.get("name", [""])[0] or _name_in(body) or name
        return "insert", f"{bucket}/{name}"
    if method == "GET" and name:
        media = path.startswith("/download") or query.get("alt") == ["media"]
        return "get" if media else "stat", f"{bucket}/{name}"
    return {"GET": "list", "DELETE": "delete", "PATCH": "patch"}.get(method, method.lower()), f"{bucket}/{name}"


def _name_in(body: bytes) -> str:
    """The object's name in the JSON that starts a multipart (or resumable) upload, '' when there is none."""
    start = body.find(b"{")
    try:
        fields, _ = json.JSONDecoder().raw_decode(body[start:].decode("utf-8", "replace")) if start >= 0 else ({}, 0)
    except ValueError:
        return ""
    return str(fields.get("name", "")) if isinstance(fields, dict) else ""
