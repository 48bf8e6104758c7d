"""`demo` and `local`: the product on this machine, with no account."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from function.delivery.cloud_event import is_manifest
from function.generation.models import model_table
from function.generation.pricing import typical_usd
from function.settings import SettingsInvalid
from function.storage.client import Storage
from function.storage.names import OWN_PREFIXES, gs_uri, split_gs_uri
from function.tools.cli.batch_summary import batch_summary
from function.tools.cli.terminal import fail
from function.tools.demo_pair import DEMO_PAIR, PLACEMENT, PRODUCT, SCENE
from function.tools.local.event_relay import Delivery
from function.tools.local.processes import DidNotStart
from function.tools.local.stack import INPUT_BUCKET, OUTPUT_BUCKET, LocalSession, ModelAccess
from function.tools.review.cloud import CloudStore
from function.tools.review.page import write_review
from function.tools.review.pair import load_pairs

DEFAULT_FOLDER = Path("composite-local")
DEMO_NAME = "demo/bottle"
DEMO_CATALOGUE, CATALOGUE_PAIRS = "demo/bottles", 3
DEMO_TIMEOUT_S = 330.0  # a little more than the function's own deadline
POLL_S = 0.25


def demo_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `demo`."""
    parser.description = (
        "Starts storage, model and function on this machine, uploads the shipped pair, waits for the\n"
        "result and ends. With GEMINI_API_KEY or Vertex AI in the environment the real model is used."
    )
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where results go (default: %(default)s)")
    parser.add_argument("--catalogue", action="store_true", help="three pairs of it as a catalogue, by batch")
    parser.set_defaults(run=run_demo)


def local_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `local`."""
    parser.description = (
        "Starts storage, model and function on this machine. What is dropped into FOLDER/inbox is\n"
        "uploaded; results appear in FOLDER/results, a page to look at them in FOLDER/review."
    )
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER, metavar="FOLDER")
    parser.set_defaults(run=run_local)


def run_demo(args: argparse.Namespace) -> int:
    """Upload the shipped pair, wait for its sidecar, print where everything is. 0 when there is a result."""
    if not DEMO_PAIR.is_dir():
        print(f"the shipped pair is not there: {DEMO_PAIR}", file=sys.stderr)
        return 1
    folder = args.folder.resolve()
    _interrupt_on_terminate()
    try:
        access = _announce()
        with LocalSession(folder, access, _report) as session:
            bucket = session.client.bucket(INPUT_BUCKET)
            for name in (SCENE, PRODUCT):
                bucket.blob(f"demo/{name}").upload_from_filename(DEMO_PAIR / name)
            if args.catalogue:
                return _run_catalogue(session, folder)
            manifest = {
                "scene": SCENE,
                "product": PRODUCT,
                "placement": PLACEMENT,
                "labels": {"sku": "ALDERMOOR-500"},
            }
            bucket.blob(f"{DEMO_NAME}.json").upload_from_string(json.dumps(manifest), "application/json")
            print(
                "uploaded demo/scene.jpg, demo/product.png and demo/bottle.json; waiting for the result …", flush=True
            )
            sidecar = _wait_for(session, f"{DEMO_NAME}.json")
            if sidecar is None:
                print(f"no result after {DEMO_TIMEOUT_S:.0f} s; see {folder / 'logs'}", file=sys.stderr)
                return 1
            _fetch_results(session, folder / "results", {})
            review = _write_review(session, folder)
    except (SettingsInvalid, DidNotStart) as problem:
        return fail(problem)
    return _tell(sidecar, folder, review)


def _run_catalogue(session: LocalSession, folder: Path) -> int:
    """The shipped pair in three places, by batch: say what becomes of it until all are settled. 0 when all have a
    result."""
    pair = {"scene": SCENE, "product": PRODUCT, "placement": PLACEMENT, "batch": True}
    rows = [json.dumps({**pair, "seed": seed}) for seed in range(CATALOGUE_PAIRS)]
    session.client.bucket(INPUT_BUCKET).blob(f"{DEMO_CATALOGUE}.jsonl").upload_from_string("\n".join(rows))
    print(f"uploaded {DEMO_CATALOGUE}.jsonl: {CATALOGUE_PAIRS} pairs that wait for a batch job …", flush=True)
    wanted = [f"{DEMO_CATALOGUE}/{number:06}.json" for number in range(1, CATALOGUE_PAIRS + 1)]
    storage = Storage(make_client=lambda **_: session.client)
    give_up, said = time.monotonic() + DEMO_TIMEOUT_S, ""
    while time.monotonic() < give_up:
        summary = batch_summary(storage, OUTPUT_BUCKET)
        if summary and (now := f"{summary.pictures} in jobs, {summary.waiting} waiting for one") != said:
            said = now
            print(f"{_now()}  {said}", flush=True)
        blobs = [session.client.bucket(OUTPUT_BUCKET).get_blob(name) for name in wanted]
        settled = [json.loads(blob.download_as_bytes()) for blob in blobs if blob is not None]
        if len(settled) == len(wanted):
            break
        time.sleep(POLL_S)
    else:
        print(f"not settled after {DEMO_TIMEOUT_S:.0f} s; see {folder / 'logs'}", file=sys.stderr)
        return 1
    _fetch_results(session, folder / "results", {})
    spent = sum(one["cost"]["usd"] for one in settled)
    pictures = sum(len(one["attempts"]) for one in settled)
    for name, one in zip(wanted, settled, strict=True):
        print(f"{one['status']}: {folder / 'results' / name}")
    print(f"{pictures} picture(s) by batch, ${spent:.4f} at list price: half of what they cost at once")
    print(f"review: {_write_review(session, folder)}", flush=True)
    return 1 if any(one["error"] for one in settled) else 0


def run_local(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; leaves no process behind."""
    folder = args.folder.resolve()
    inbox, results = folder / "inbox", folder / "results"
    _interrupt_on_terminate()
    try:
        access = _announce()
        with LocalSession(folder, access, _report) as session:
            inbox.mkdir(parents=True, exist_ok=True)
            print(f"drop images and manifests into {inbox}", flush=True)
            print(f"storage is at {session.storage_url} (STORAGE_EMULATOR_HOST), buckets {INPUT_BUCKET} and "
                  f"{OUTPUT_BUCKET}; stop with Ctrl-C", flush=True)  # fmt: skip
            uploaded: dict[Path, tuple[int, int]] = {}
            growing: dict[Path, tuple[int, int]] = {}
            fetched: dict[str, int] = {}
            try:
                while True:
                    growing = _upload_new(session, inbox, uploaded, growing)
                    for name, status in _fetch_results(session, results, fetched):
                        print(f"{_now()}  {name}  {status}  → {results / name}", flush=True)
                    time.sleep(POLL_S)
            except KeyboardInterrupt:
                print("\nstopping …", flush=True)
                if fetched:
                    print(f"review: {_write_review(session, folder)}", flush=True)
    except KeyboardInterrupt:
        return 130
    except (SettingsInvalid, DidNotStart) as problem:
        return fail(problem)
    return 0


def _announce() -> ModelAccess:
    access = ModelAccess.from_environment()
    print(f"model: {access.said}", flush=True)
    if access.real:
        name, most = access.settings.gemini_model, access.settings.max_attempts
        each = typical_usd(model_table().find(name))
        print(f"this spends money: up to {most} pictures of {name} a pair, about ${each:.3f} each", flush=True)
        for warning in access.settings.warnings(datetime.now(UTC).date()):
            print(f"warning: {warning}", flush=True)
    return access


def _interrupt_on_terminate() -> None:
    """SIGTERM ends us as Ctrl-C does, so that no child process is left behind; and Ctrl-C does so too where a
    shell has started us with SIGINT ignored."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)


def _wait_for(session: LocalSession, name: str) -> dict | None:
    give_up = time.monotonic() + DEMO_TIMEOUT_S
    while time.monotonic() < give_up:
        blob = session.client.bucket(OUTPUT_BUCKET).get_blob(name)
        if blob is not None:
            return json.loads(blob.download_as_bytes())
        time.sleep(POLL_S)
    return None


def _tell(sidecar: dict, folder: Path, review: Path) -> int:
    cost, timings = sidecar["cost"], sidecar["timings_ms"]
    spent = "an unknown price" if cost["usd"] is None else f"${cost['usd']:.4f}"
    print(f"status: {sidecar['status']}, {len(sidecar['attempts'])} picture(s), {spent} at list price, "
          f"{timings['total'] / 1000:.1f} s", flush=True)  # fmt: skip
    for name, check in sidecar["checks"].items():
        if not check["passed"]:
            print(f"  {name}: {check['reason']}")
    if sidecar["error"]:
        print(f"error: {sidecar['error']['code']}: {sidecar['error']['message']}", file=sys.stderr)
        return 1
    stored = split_gs_uri(sidecar["result"]["uri"])[1]
    print(f"result: {folder / 'results' / stored}")
    print(f"sidecar: {folder / 'results' / DEMO_NAME}.json")
    print(f"review: {review}", flush=True)
    return 0


def _upload_new(
    session: LocalSession, inbox: Path, uploaded: dict[Path, tuple[int, int]], growing: dict[Path, tuple[int, int]]
) -> dict[Path, tuple[int, int]]:
    """Upload files that have stopped growing, images before manifests; the state of those that have not."""
    seen = {
        path: (path.stat().st_size, path.stat().st_mtime_ns)
        for path in inbox.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    ready = [path for path, state in seen.items() if growing.get(path) == state and uploaded.get(path) != state]
    for path in sorted(ready, key=lambda path: (is_manifest(path.name), path)):
        name = path.relative_to(inbox).as_posix()
        session.client.bucket(INPUT_BUCKET).blob(name).upload_from_filename(path)
        uploaded[path] = seen[path]
        print(f"{_now()}  {name}  uploaded", flush=True)
    return seen


def _fetch_results(session: LocalSession, results: Path, fetched: dict[str, int]) -> list[tuple[str, str]]:
    """Copy new outputs into `results` → (sidecar name, status) of those that were settled since the last time."""
    settled = []
    for blob in session.client.list_blobs(OUTPUT_BUCKET):
        if blob.name.startswith(OWN_PREFIXES) or fetched.get(blob.name) == blob.generation:
            continue
        target = (results / blob.name).resolve()
        if not target.is_relative_to(results.resolve()):
            continue  # an object's name may hold '..'; it stays in the bucket
        target.parent.mkdir(parents=True, exist_ok=True)
        blob.download_to_filename(target)
        fetched[blob.name] = blob.generation
        if blob.name.endswith(".json"):
            settled.append((blob.name, (blob.metadata or {}).get("status", "?")))
    return settled


def _report(delivery: Delivery, status: int, seconds: float) -> None:
    said = "settled" if 200 <= status < 300 else f"answered {status or 'nothing'}, will be delivered again"
    if is_manifest(delivery.event["name"]):
        print(
            f"{_now()}  {delivery.event['name']}  delivery {delivery.number} {said} after {seconds:.1f} s", flush=True
        )


def _now() -> str:
    return time.strftime("%H:%M:%S")


def _write_review(session: LocalSession, folder: Path) -> Path:
    store = CloudStore(Storage(make_client=lambda **_: session.client))
    pairs = load_pairs(store, gs_uri(OUTPUT_BUCKET, ""))
    return write_review(pairs, folder / "review", "Results of this machine", full=True)
