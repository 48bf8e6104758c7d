"""Stands between a client and the storage emulator: passes requests on, or answers them with a fault."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# (method, path with query) → the status to answer with instead of the emulator, or None to pass it on.
Rule = Callable[[str, str], int | None]


class StorageProxy:
    """A context manager; `url` is for STORAGE_EMULATOR_HOST. `rule` may be replaced at any time."""

    def __init__(self, upstream: str):
        self.rule: Rule = lambda method, path: None
        self.faults = 0
        upstream_host = urlsplit(upstream).netloc
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status = proxy.rule(self.command, self.path)
                if status is not None:
                    proxy.faults += 1
                    self.answer(status, {"Content-Type": "application/json"}, b'{"error": {"message": "asked for"}}')
                    return
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                connection = http.client.HTTPConnection(upstream_host, timeout=30)
                connection.request(self.command, self.path, body, headers)
                response = connection.getresponse()
                self.answer(response.status, dict(response.getheaders()), response.read())
                connection.close()

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

            def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> StorageProxy:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
