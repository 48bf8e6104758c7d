"""The review page served on this machine: decisions go to the bucket at once, and what comes of them shows by itself.

Only this machine can reach it, and on it only who knows the address: the token in its path is new for each session.
Host and Origin are checked as well, so that no page of another site can speak to it, whatever name leads there.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import re
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from function.errors import StorageUnavailableError
from function.storage.client import AccessDeniedError
from function.tools.review.decide import OUTCOMES_SAID, write_decisions
from function.tools.review.decisions import InvalidDecisionsError, decision_from
from function.tools.review.live import Live
from function.tools.review.page import render_page

HOST = "127.0.0.1"
MAX_BODY_BYTES = 1 << 20  # decisions come in pieces of a few hundred, of less than 3 KB each
MAX_DECISIONS = 500
IDLE_S = 120  # that a kept-alive connection is held
PICTURE = re.compile(r"pictures/[0-9a-f]{64}[-.][0-9a-z.-]{1,20}")
PICTURE_TYPES = {"webp": "image/webp", "png": "image/png", "jpg": "image/jpeg", "avif": "image/avif"}
SAFE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class ReviewServer:
    """Serves one live review on 127.0.0.1. A context manager; `url` is the address with its token."""

    def __init__(self, live: Live, by: str, port: int = 0):
        self.live, self.by = live, by
        self.token = secrets.token_urlsafe(24)
        self._server = _Server((HOST, port), _Handler)
        self._server.review = self
        self.port = self._server.server_port
        self.url = f"http://{HOST}:{self.port}/{self.token}/"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1})

    def __enter__(self) -> ReviewServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def page(self) -> bytes:
        """The page as it is now."""
        state = self.live.changes(0)
        served = {"by": self.by, "version": state["version"], "to_come": state["to_come"]}
        page = render_page(list(self.live.rows.values()), self.live.source, str(state["spending"]), served)
        return page.encode("utf-8", "replace")

    def carry_out(self, body: Any) -> dict[str, Any]:
        """Decisions in the form that the page exports → what became of each. Raises InvalidDecisionsError,
        AccessDeniedError, StorageUnavailableError."""
        rows = body.get("decisions") if isinstance(body, dict) else None
        if not isinstance(rows, list) or len(rows) > MAX_DECISIONS:
            raise InvalidDecisionsError(f"a list of at most {MAX_DECISIONS} decisions was expected")
        decisions = [decision_from(row) for row in rows]
        done = write_decisions(decisions, self.live.source, self.live.storage, self.by)
        outcomes = [
            {"sidecar": decision.sidecar, "outcome": outcome, "said": OUTCOMES_SAID[outcome]}
            for decision, outcome in done
        ]
        with contextlib.suppress(StorageUnavailableError, AccessDeniedError, OSError):
            self.live.refresh()
        return {"outcomes": outcomes}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    review: ReviewServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hung up is nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: the terminal is a person's."""

    def do_GET(self) -> None:
        path = self._path()
        if path is None:
            return
        url = urlsplit(path)
        live = self.server.review.live
        if url.path == "":
            self._answer(200, self.server.review.page(), "text/html; charset=utf-8")
        elif url.path == "changes":
            since = parse_qs(url.query).get("since", ["0"])[0]
            self._json(200, live.changes(int(since) if since.isascii() and since.isdigit() else 0))
        elif PICTURE.fullmatch(url.path) and (file := live.folder / url.path).is_file():
            kind = PICTURE_TYPES.get(file.suffix[1:], "application/octet-stream")
            # A picture is named by its content.
            self._answer(200, file.read_bytes(), kind, {"Cache-Control": "private, max-age=31536000, immutable"})
        else:
            self._refuse(404, "there is nothing at this address")

    def do_POST(self) -> None:
        path = self._path()
        if path is None:
            return
        length = self.headers.get("Content-Length") or ""
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            return self._refuse(413, "the request is too large, or does not say how large it is")
        body = self.rfile.read(int(length))
        if self.headers.get("Origin") not in self._origins():
            return self._refuse(403, "this request comes from another site")
        if path != "decisions" or self.headers.get("Content-Type") != "application/json":
            return self._refuse(404, "there is nothing at this address")
        try:
            self._json(200, self.server.review.carry_out(json.loads(body)))
        except (InvalidDecisionsError, RecursionError, ValueError) as error:
            self._refuse(400, str(error))
        except (AccessDeniedError, StorageUnavailableError, OSError) as error:
            self._refuse(503, str(error))

    def _origins(self) -> set[str]:
        return {f"http://{host}:{self.server.review.port}" for host in (HOST, "localhost")}

    def _path(self) -> str | None:
        """The path after the token; None, and answered, where the request is not from this machine's own browser."""
        host = f"http://{self.headers.get('Host')}"
        _, token, path = [*self.path.split("/", 2), "", ""][:3]
        if host not in self._origins():
            self._refuse(403, "this server answers to its own address only")
        elif self.path == "/favicon.ico":  # browsers ask for it, whatever the page says
            self._answer(204, b"", "image/x-icon")
        elif not hmac.compare_digest(token.encode(), self.server.review.token.encode()):
            self._refuse(403, "open the address that the terminal shows: the token in it is missing or an old one")
        else:
            return path
        return None

    def _refuse(self, status: int, message: str) -> None:
        self.close_connection = True  # its body may not have been read
        self._json(status, {"error": message})

    def _json(self, status: int, value: Any) -> None:
        self._answer(status, json.dumps(value).encode(), "application/json")

    def _answer(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**SAFE, **(headers or {}), "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
