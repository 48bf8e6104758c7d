"""What the HTTP servers of the emulation share: they say nothing, and they can hang up rudely."""

from __future__ import annotations

import os
import socket
import struct
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class QuietServer(ThreadingHTTPServer):
    """A thread for each connection; it reports nothing."""

    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed, or hung up, is nothing to report."""


class QuietHandler(BaseHTTPRequestHandler):
    """Keeps connections alive; it logs nothing."""

    protocol_version = "HTTP/1.1"
    timeout = 120  # seconds an idle kept-alive connection is held

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""

    def reset(self) -> None:
        """Close the connection with RST instead of FIN."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())  # before the server shuts it down politely
