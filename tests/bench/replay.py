"""A model that costs nothing: draws each picture once, as the emulator does, and then only repeats it.

    python -m tests.bench.replay --port 8090 [--latency SECONDS]

Speaks generateContent. Pictures are told apart by the images that are sent; the first call with new ones is slow.
`POST /latency` with a number of seconds as its body sets how long an answer takes, ten percent more or less: with the
same to the millisecond, pairs that begin together would stay together for good.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import threading
import time
from pathlib import Path

import cv2

from function.tools.emulator.http_base import QuietHandler, QuietServer
from function.tools.emulator.models import load_models
from function.tools.emulator.protocol import PATH
from function.tools.emulator.request_body import read_request
from function.tools.emulator.responses import respond
from function.tools.local.processes import Process, free_port

ROOT = Path(__file__).parents[2]


def replay_server(log_file: Path) -> Process:
    """The server as a child process, so that its work is not counted with anybody else's."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.replay", "--port", str(port)]
    return Process(command, port, log_file, {"PYTHONPATH": str(ROOT)})


class _Server(QuietServer):
    latency_s = 0.0

    def __init__(self, port: int):
        super().__init__(("127.0.0.1", port), _Handler)
        self.models = load_models()
        self._drawn: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._jitters = iter(())

    def jitter(self) -> float:
        """A factor of 0.9 to 1.1; every second one makes up for the one before, so that their mean is 1."""
        with self._lock:
            jitter = next(self._jitters, None)
            if jitter is None:
                jitter = random.uniform(-0.1, 0.1)
                self._jitters = iter((-jitter,))
            return 1 + jitter

    def answer(self, model: str, body: bytes) -> bytes:
        """The response to a request, drawn or repeated."""
        contents = json.loads(body)["contents"]
        images = [part["inlineData"]["data"] for one in contents for part in one["parts"] if "inlineData" in part]
        key = hashlib.sha256("".join(images).encode()).hexdigest()
        with self._lock:
            if key not in self._drawn:
                request = read_request(body, self.models[model])
                self._drawn[key] = json.dumps(respond(request, None, 1.0)).encode()
            return self._drawn[key]


class _Handler(QuietHandler):
    server: _Server

    def do_POST(self) -> None:
        started = time.monotonic()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/latency":
            self.server.latency_s = float(body)
            answer = b"{}"
        else:
            answer = self.server.answer(PATH.match(self.path)["model"], body)
            wanted = self.server.latency_s * self.server.jitter()
            time.sleep(max(0.0, wanted - (time.monotonic() - started)))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    cv2.setNumThreads(1)
    _Server(parser.parse_args().port).serve_forever()
