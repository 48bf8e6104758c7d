"""`python -m function doctor`, run as a person runs it, against the emulators."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from function.tools.emulator.http_base import QuietHandler, QuietServer
from tests.support import KEY, PATIENCE_S

ROOT = Path(__file__).parents[3]
KEPT = ("HOME", "VIRTUAL_ENV", "LANG", "TMPDIR")


@dataclass
class Visit:
    """What the doctor said, and its exit status."""

    status: int
    out: str
    err: str

    def lines(self, check: str, status: str | None = None) -> list[str]:
        """The lines about `check`, of one status where that is named."""
        found = [line for line in self.out.splitlines() if line[9:].startswith(f"{check}: ")]
        return [line for line in found if status is None or line.startswith(status)]

    def findings(self) -> list[dict[str, Any]]:
        """The lines of --json."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def problems(self) -> list[str]:
        """The lines that are a problem."""
        return [line for line in self.out.splitlines() if line.startswith("problem")]


@pytest.fixture
def programs(tmp_path):
    """A folder that is all of PATH: no gcloud and no Terraform but those that a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


@pytest.fixture
def doctor(own_cloud, programs, tmp_path):
    """Run the command; None for a variable leaves it out."""

    def run(*arguments: object, typed: str | None = None, **changes: str | None) -> Visit:
        changed = {**own_cloud.environment(MAX_USD_PER_DAY="25"), "NO_GCE_CHECK": "true", **changes}
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment |= {"PATH": str(programs), "PYTHONPATH": str(ROOT), "CLOUDSDK_CONFIG": str(tmp_path / "no-sign-in")}
        environment |= {name: value for name, value in changed.items() if value is not None}
        done = subprocess.run(
            [sys.executable, "-m", "function", "doctor", *map(str, arguments)],
            cwd=tmp_path, input=typed, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        for key in (KEY, changed.get("GEMINI_API_KEY") or KEY):
            assert key not in done.stdout + done.stderr
        return Visit(done.returncode, done.stdout, done.stderr)

    return run


class _Answers(QuietHandler):
    """Answers every request as its server was told: {path: (code, body)}, and its Date."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_HEAD()

    def do_HEAD(self) -> None:
        body = self.server.body
        self.send_response_only(200)
        self.send_header("Date", self.server.date or self.date_time_string())
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD


@pytest.fixture
def small_server():
    """A server whose every answer is `body`, dated `date` → a function that starts it and gives its address."""
    running = []

    def start(body: bytes = b"{}", date: str | None = None) -> str:
        server = QuietServer(("127.0.0.1", 0), _Answers)
        server.body, server.date = body, date
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()
