"""How long the server takes to stand, and to take its first event."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from function.tools.local.event_relay import post_event
from function.tools.local.processes import Process, free_port, function_server

RUNS = 5
EVENT = {"bucket": "bench-input", "name": "picture.png", "generation": "1"}  # no manifest: nothing is read
YARDSTICK = """\
import {libraries}

@functions_framework.http
def composite(request):
    return "ignored"
"""


def ready_times(folder: Path, environment: dict[str, str], libraries: str) -> dict[str, float]:
    """Seconds (medians): our server until its port answers, until an event that is no manifest is answered, until
    one more process that has imported everything a pair needs; and a server that imports the same libraries."""
    yardstick = folder / "yardstick.py"
    yardstick.write_text(YARDSTICK.format(libraries=libraries))
    times: dict[str, list[float]] = {}
    for _ in range(RUNS):
        for name, process in (
            ("a server that imports the same libraries", _server_of(yardstick, folder)),
            ("our server", function_server(folder / "start.log", environment)),
        ):
            started = time.monotonic()
            with process:
                times.setdefault(f"{name}: listens", []).append(time.monotonic() - started)
                if post_event(process.url, EVENT, "start") != 200:
                    raise RuntimeError("the first event was not acknowledged")
                times.setdefault(f"{name}: first event answered", []).append(time.monotonic() - started)
    times["importing all that a pair needs"] = [_imported(environment) for _ in range(RUNS)]
    return {name: statistics.median(values) for name, values in times.items()}


def _server_of(source: Path, folder: Path) -> Process:
    port = free_port()
    command = [sys.executable, "-m", "functions_framework", "--source", source, "--target", "composite"]
    command += ["--signature-type", "http", "--host", "127.0.0.1", "--port", str(port)]
    return Process(command, port, folder / "yardstick.log", {"THREADS": "8"})


def _imported(environment: dict[str, str]) -> float:
    root = str(Path(__file__).parents[2])
    code = "from function.delivery.pair_imports import import_for_pairs; import_for_pairs(); print(flush=True)"
    started = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, env={**environment, "PYTHONPATH": root}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        return time.monotonic() - started  # not the end of a process that has so much to take apart
