"""How long a catalogue of 10,000 rows takes, against the local storage emulator: written, re-delivered, resumed.

    python -m tests.bench.catalogue [ROWS] [--memory]

Nothing is called but the catalogue's own code; the model and the rows' pairs are not part of it. The emulator keeps
its objects as files, as `python -m function local` has it; with `--memory` it walks through a list of all of them
twice for every write, under one lock, and its own share grows with the square of the rows. The processor time of
both sides is printed beside each phase. Linux only, for the emulator's.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from function.deadline import Deadline
from function.delivery.catalogue import process_catalogue
from function.delivery.cloud_event import Upload
from function.delivery.services import Services
from function.errors import TransientError
from function.service import Service
from function.settings import Settings
from function.tools.local.storage_emulator import gcs_client, gcs_server

DEADLINE_S = 300.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=int, default=10_000)
    parser.add_argument("--memory", action="store_true", help="objects in the emulator's memory")
    asked = parser.parse_args()
    rows = asked.rows
    body = "product,scene,placement,labels.sku\n" + "".join(
        f"products/{number}.png,scenes/{number % 40}.jpg,on the table,SKU-{number}\n" for number in range(rows)
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as objects,
        gcs_server(Path(folder) / "gcs.log", None if asked.memory else Path(objects)) as process,
    ):
        client = gcs_client(process.url)
        for name in ("catalogue-in", "catalogue-out"):
            client.create_bucket(name)
        os.environ["STORAGE_EMULATOR_HOST"] = process.url
        environment = {"OUTPUT_BUCKET": "catalogue-out", "GEMINI_API_KEY": "unused", "GOOGLE_CLOUD_PROJECT": "local"}
        services = Service(Settings.from_environment(environment)).services()
        upload = _upload(client, body)
        _timed(f"{rows} rows written", upload, services, process.pid)
        _timed("delivered again", upload, services, process.pid)
        again = _upload(client, body.replace("SKU-7\n", "SKU-7b\n"))
        _timed("re-uploaded with one row changed", again, services, process.pid)
        blob = client.bucket("catalogue-out").blob("spring.csv.json")
        summary = json.loads(blob.download_as_bytes())
        print({name: summary[name] for name in ("status", "rows_written", "timings_ms")}, file=sys.stderr)


def _upload(client, body: str) -> Upload:
    blob = client.bucket("catalogue-in").blob("spring.csv")
    blob.upload_from_string(body)
    return Upload("bench", "catalogue-in", "spring.csv", blob.generation, datetime.now(UTC))


def _timed(phase: str, upload: Upload, services: Services, emulator_pid: int) -> None:
    started, ours, theirs = time.monotonic(), time.process_time(), _cpu_s(emulator_pid)
    try:
        process_catalogue(upload, services, Deadline(DEADLINE_S))
    except TransientError as cut_off:
        print(f"not settled: {cut_off}", file=sys.stderr)
    print(
        f"{phase}: {time.monotonic() - started:.2f} s; processor time, ours {time.process_time() - ours:.2f} s, "
        f"the emulator's {_cpu_s(emulator_pid) - theirs:.2f} s",
        file=sys.stderr,
    )


def _cpu_s(pid: int) -> float:
    """Seconds of processor time that a running process has used."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
