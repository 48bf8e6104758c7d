"""`local`: serves a folder until it is asked to end, and loses nothing then."""

from __future__ import annotations

import time
from pathlib import Path

from google.api_core.exceptions import GoogleAPIError
from requests import RequestException

from function.delivery.cloud_event import is_manifest
from function.settings import InvalidSettingsError
from function.storage.client import Storage
from function.storage.names import gs_uri
from function.tools.cli.terminal import counted, fail
from function.tools.explain import workbook
from function.tools.local.announcement import ModelUnreachableError, announce
from function.tools.local.event_relay import Delivery
from function.tools.local.exchange import Exchange
from function.tools.local.folder import LocalFolder, UnusableFolderError
from function.tools.local.processes import StartError
from function.tools.local.stack import INPUT_BUCKET, OUTPUT_BUCKET, LocalSession, StoppedError
from function.tools.local.stop_request import StopRequest
from function.tools.review.cloud import CloudStore
from function.tools.review.page import write_review
from function.tools.review.pair import load_pairs

POLL_S = 0.25
REVIEW_EVERY_S = 3.0  # the page is written again this long after something has come, and not for each of a hundred


def serve_folder(root: Path, storage_port: int, stop: StopRequest) -> int:
    """Upload what is dropped into the inbox, show what becomes of it → the exit status; 0 when asked to end."""
    folder = LocalFolder(root.resolve())
    try:
        if stop.asked:
            return stop.exit_status
        access = announce()
        folder.prepare()
        folder.inbox.mkdir(parents=True, exist_ok=True)

        def report(delivery: Delivery, status: int, seconds: float) -> None:
            tell_delivery(session, delivery, status, seconds)

        session = LocalSession(folder, access, report, stop=stop, storage_port=storage_port or None)
        with session:
            print(f"drop images and manifests into {folder.inbox}", flush=True)
            print(f"storage is at {session.storage_url} (STORAGE_EMULATOR_HOST), buckets {INPUT_BUCKET} and "
                  f"{OUTPUT_BUCKET}; stop with Ctrl-C", flush=True)  # fmt: skip
            _serve(session, folder, stop)
    except StoppedError:
        print("stopped while starting; nothing was begun", flush=True)
        return stop.exit_status
    except (InvalidSettingsError, ModelUnreachableError, UnusableFolderError, StartError) as problem:
        return fail(problem)
    except (GoogleAPIError, RequestException) as error:
        return fail(storage_problem(folder, error))
    return 0


def _serve(session: LocalSession, folder: LocalFolder, stop: StopRequest) -> None:
    exchange = Exchange(session.client, folder)
    review_due: float | None = 0.0 if any(folder.results.rglob("*.json")) else None
    while not stop.asked:
        for name in exchange.take_in():
            say(f"{name}  {workbook(Path(name)) or 'uploaded'}")
        if _bring_out(exchange, folder):
            review_due = review_due or time.monotonic() + REVIEW_EVERY_S
        if review_due is not None and review_due <= time.monotonic():
            review(session, folder)
            review_due = None
        time.sleep(POLL_S)
    finish(session, stop)
    if _bring_out(exchange, folder) or review_due is not None:
        review_due = None
        if not stop.at_once:
            print(f"review: {review(session, folder)}", flush=True)


def _bring_out(exchange: Exchange, folder: LocalFolder) -> int:
    settled = exchange.bring_out()
    for one in settled:
        say(f"{one.name}  {one.said}  → {folder.results / one.name}")
    return len(settled)


def finish(session: LocalSession, stop: StopRequest) -> None:
    """Let what is in flight be finished, and say what that is, and what is left for the next time."""
    session.relay.begin_nothing_more()
    give_up = time.monotonic() + stop.patience_s
    flying = session.relay.in_flight
    if flying:
        print(f"\nstopping; finishing {_listed(flying)} (Ctrl-C again leaves that for the next start)", flush=True)
    else:
        print("\nstopping …", flush=True)
    while session.relay.in_flight and not stop.at_once and time.monotonic() < give_up:
        time.sleep(POLL_S)
    if left := session.relay.in_flight:
        session.hurry()
        print(f"still in flight: {_listed(left)}; picked up at the next start", flush=True)
    waiting = session.relay.unsettled - len(left)
    if waiting > 0:
        print(f"{counted(waiting, 'upload')} not settled; delivered again at the next start", flush=True)


def _listed(flying: dict[str, float]) -> str:
    return ", ".join(f"{name} (for {seconds:.0f} s)" for name, seconds in sorted(flying.items()))


def tell_delivery(session: LocalSession, delivery: Delivery, status: int, seconds: float) -> None:
    """A line for a delivery that was not settled, with the reason."""
    name = delivery.event["name"]
    if not is_manifest(name):
        return
    if 200 <= status < 300:
        say(f"{name}  delivery {delivery.number} settled after {seconds:.1f} s")
        return
    if session.relay.is_ending:
        return  # what is left is listed at the end
    reason = session.log.reason(delivery.event_id)
    why = reason.said if reason else f"answered {status or 'nothing'}"
    say(f"{name}  {why}; will be delivered again (delivery {delivery.number} took {seconds:.1f} s)")


def review(session: LocalSession, folder: LocalFolder) -> Path:
    """Write the page of everything that is settled → where it is."""
    store = CloudStore(Storage(make_client=lambda **_: session.client))
    pairs = load_pairs(store, gs_uri(OUTPUT_BUCKET, ""))
    return write_review(pairs, folder.review, "Results of this machine", full=True)


def storage_problem(folder: LocalFolder, error: Exception) -> Exception:
    """Why the emulator did not keep an object: the folder's own reason where it has one."""
    try:
        folder.prepare()
    except (UnusableFolderError, OSError) as reason:
        return reason
    return UnusableFolderError(f"storage did not take an object ({error}); see {folder.logs / 'storage.log'}")


def say(what: str) -> None:
    """One line with the time."""
    print(f"{time.strftime('%H:%M:%S')}  {what}", flush=True)
