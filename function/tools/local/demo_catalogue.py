"""`demo --catalogue`: the shipped pair in three places, asked for in a batch."""

from __future__ import annotations

import json
import time
from typing import Any

from function.storage.client import Storage
from function.storage.names import gs_uri
from function.tools.cli.batch_summary import batch_summary
from function.tools.cli.terminal import counted
from function.tools.demo_pair import PLACEMENT, PRODUCT, SCENE
from function.tools.local.exchange import RETRY, Exchange
from function.tools.local.folder import LocalFolder
from function.tools.local.serve_folder import finish, review, say
from function.tools.local.stack import INPUT_BUCKET, OUTPUT_BUCKET, LocalSession, StoppedError
from function.tools.local.stop_request import StopRequest

DEMO_CATALOGUE, CATALOGUE_PAIRS = "demo/bottles", 3
DEMO_TIMEOUT_S = 330.0  # of an emulated job, which is done within seconds
POLL_S = 0.25


class NotSettledError(Exception):
    """The catalogue is not settled in time."""


def run_catalogue(session: LocalSession, folder: LocalFolder, stop: StopRequest) -> int:
    """Say what becomes of it until all are settled; its images are uploaded. 0 when all have a result. Raises
    StoppedError, NotSettledError."""
    pair = {"scene": SCENE, "product": PRODUCT, "placement": PLACEMENT, "batch": True}
    rows = "\n".join(json.dumps({**pair, "seed": seed}) for seed in range(CATALOGUE_PAIRS))
    session.client.bucket(INPUT_BUCKET).blob(f"{DEMO_CATALOGUE}.jsonl").upload_from_string(rows, retry=RETRY)
    print(f"uploaded {DEMO_CATALOGUE}.jsonl: {CATALOGUE_PAIRS} pairs that wait for a batch job …", flush=True)
    settled = _wait(session, stop)
    Exchange(session.client, folder).bring_out()
    spent = sum(one["cost"]["usd"] for one in settled.values())
    pictures = sum(len(one["attempts"]) for one in settled.values())
    for name, one in settled.items():
        print(f"{one['status']}: {folder.results / name}")
    print(f"{counted(pictures, 'picture')} by batch, ${spent:.4f} at list price: half of what they cost at once")
    print(f"review: {review(session, folder)}", flush=True)
    return 1 if any(one["error"] for one in settled.values()) else 0


def _wait(session: LocalSession, stop: StopRequest) -> dict[str, dict[str, Any]]:
    """The rows' sidecars by name."""
    wanted = [f"{DEMO_CATALOGUE}/{number:06}" for number in range(1, CATALOGUE_PAIRS + 1)]
    storage = Storage(make_client=lambda **_: session.client)
    give_up, said = time.monotonic() + DEMO_TIMEOUT_S, ""
    while time.monotonic() < give_up:
        summary = batch_summary(storage, OUTPUT_BUCKET)
        if summary and (now := f"{summary.pictures} in jobs, {summary.waiting} waiting for one") != said:
            said = now
            say(said)
        settled = {name: _sidecar(session, f"{name}.json") for name in wanted}
        if None not in settled.values():
            return {name: one for name, one in settled.items() if one is not None}
        if stop.asked:
            finish(session, stop)
            raise StoppedError
        time.sleep(POLL_S)
    raise NotSettledError(f"{gs_uri(INPUT_BUCKET, DEMO_CATALOGUE)}.jsonl is not settled after {DEMO_TIMEOUT_S:.0f} s")


def _sidecar(session: LocalSession, name: str) -> dict[str, Any] | None:
    blob = session.client.bucket(OUTPUT_BUCKET).get_blob(name)
    return None if blob is None else json.loads(blob.download_as_bytes())
