"""A large results file through the real function: its peak memory and its slowest delivery.

python -m tests.bench.batch_collect --gib 2
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from function.batch.collect import RANGE_BYTES
from function.batch.lines import line_over_buckets
from function.batch.names import results_prefix
from function.batch.records import BatchRequest, Job, Waiter, job_records, request_records
from function.deadline import Deadline
from function.tools.emulator.server import GeminiEmulator
from function.tools.local.storage_emulator import gcs_client, gcs_server
from tests.batch.place import BatchPlace
from tests.support import Cloud

PICTURE_BYTES = 1_900_000  # a PNG of one megapixel, as gemini-2.5-flash-image sends it
EVENTS_AT_ONCE = 8
WRITERS = 16
IMAGES = (("0" * 64, "image/png"),)
CALL_S = 120.0


def request_of(number: int) -> BatchRequest:
    """A request that waits for an answer; its manifest is gone, so nothing is touched."""
    waiter = Waiter(bucket="nobody", name=f"{number}.json", generation=1, owner=f"gs://nobody/{number}.json#1", since=1)
    return BatchRequest(
        digest=f"{number:064x}", model="gemini-2.5-flash-image", prompt=f"pair {number}", images=IMAGES,
        aspect_ratio="1:1", image_size=None, seed=number, thinking_level=None, asks_for_png=False, number=1,
        max_usd=0.02, catalogue=None, finish_by=4e9, state="in_job", job="", waiters=(waiter,),
    )  # fmt: skip


def write_results(path: Path, lines: list[str]) -> None:
    """A file of result lines, each with a picture."""
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + os.urandom(PICTURE_BYTES)).decode()
    with path.open("w", encoding="utf-8") as file:
        for line in lines:
            part = {"inlineData": {"mimeType": "image/png", "data": picture}}
            answer = {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]}
            file.write(json.dumps({**json.loads(line), "status": "", "response": answer}) + "\n")


def rss_mib(server_pid: int) -> float:
    """Resident memory of a process and its children, in MiB."""
    pids, total = [server_pid], 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(stat[1]) == server_pid:
                    pids.append(int(entry.name))
            except OSError:
                continue
    for pid in pids:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            total += int(status.split("VmRSS:")[1].split()[0])
        except (OSError, IndexError):
            continue
    return total / 1024


def main() -> None:
    """Parse the options, run, and end with 1 when an answer is missing."""
    parser = argparse.ArgumentParser("python -m tests.bench.batch_collect", description=__doc__.split("\n\n")[0])
    parser.add_argument("--gib", type=float, default=2.0)
    options = parser.parse_args()
    count = round(options.gib * 2**30 / (PICTURE_BYTES * 4 / 3))
    with (
        tempfile.TemporaryDirectory() as folder,
        gcs_server(Path(folder) / "gcs.log", Path(folder) / "objects") as gcs,
        GeminiEmulator(storage_url=gcs.url) as gemini,
    ):
        place = BatchPlace(Cloud(gcs, gcs_client(gcs.url), gemini, Path(folder)), folder, vertex=True)
        job_id = uuid.uuid4().hex
        requests = [request_of(number).model_copy(update={"job": job_id}) for number in range(count)]
        lines = [line_over_buckets(one, place.batch) for one in requests]
        job = Job(
            id=job_id, model="gemini-2.5-flash-image", catalogue=None, state="running", created=time.time(),
            finish_by=4e9, digests=tuple(one.digest for one in requests),
            keys={key: one.digest for (_, key), one in zip(lines, requests, strict=True)},
        )  # fmt: skip
        records = request_records(place.storage, place.cloud.output)
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda one: records.write(one.digest, one, 0, Deadline(CALL_S)), requests))
        job_records(place.storage, place.cloud.output).write(job_id, job, 0, Deadline(CALL_S))
        file = Path(folder) / "predictions.jsonl"
        write_results(file, [line for line, _ in lines])
        blob = place.cloud.client.bucket(place.batch).blob(f"{results_prefix(job_id)}model/predictions.jsonl")
        blob.upload_from_filename(file, timeout=CALL_S)
        file.unlink()
        blob.reload()
        peak, done = [0.0], threading.Event()
        slowest = 0.0
        with place.cloud.server(**place.environment(EVENT_DEADLINE_S="300", THREADS="8")) as place.server:
            pid = place.server.pid

            def watch() -> None:
                while not done.wait(0.1):
                    peak[0] = max(peak[0], rss_mib(pid))

            threading.Thread(target=watch, daemon=True).start()

            def deliver(resource: dict) -> float:
                begun = time.monotonic()
                assert place.cloud.deliver(place.server, resource).status == 200
                return time.monotonic() - begun

            begun = time.monotonic()
            slowest = deliver(dict(blob._properties))
            parts = [one for one in place.events() if "/ranges/" in one["name"]]
            with ThreadPoolExecutor(EVENTS_AT_ONCE) as pool:
                slowest = max(slowest, *pool.map(deliver, parts))
            took = time.monotonic() - begun
            done.set()
        answered = len(list(place.cloud.client.list_blobs(place.cloud.output, prefix="_work/answers/")))
    print(f"{blob.size / 2**30:.2f} GiB, {count} answers, {answered} stored; {len(parts)} ranges of "
          f"{RANGE_BYTES / 2**20:.0f} MiB, {EVENTS_AT_ONCE} at once")  # fmt: skip
    print(f"peak memory of the function {peak[0]:.0f} MiB; slowest delivery {slowest:.1f} s; all of it {took:.0f} s")
    sys.exit(0 if answered == count else 1)


if __name__ == "__main__":
    main()
