"""`demo`: the shipped pair through the whole thing on this machine, with no account."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from google.api_core.exceptions import GoogleAPIError
from requests import RequestException

from function.errors import ErrorCode
from function.settings import InvalidSettingsError
from function.storage.names import split_gs_uri
from function.tools.cli.terminal import fail
from function.tools.demo_pair import DEMO_PAIR, PLACEMENT, PRODUCT, SCENE
from function.tools.local.announcement import ModelUnreachableError, announce
from function.tools.local.demo_catalogue import NotSettledError, run_catalogue
from function.tools.local.event_relay import Delivery
from function.tools.local.exchange import RETRY, Exchange
from function.tools.local.folder import LocalFolder, UnusableFolderError
from function.tools.local.processes import StartError
from function.tools.local.serve_folder import finish, review, say, storage_problem
from function.tools.local.stack import INPUT_BUCKET, OUTPUT_BUCKET, LocalSession, StoppedError
from function.tools.local.stop_request import StopRequest

DEMO_NAME = "demo/bottle"
DEMO_TIMEOUT_S = 330.0  # a little more than the function's own deadline
POLL_S = 0.25


class NoResultError(Exception):
    """The demo ends without a result; the message says why, and what to do."""


def demo(root: Path, stop: StopRequest, *, catalogue: bool = False) -> int:
    """Upload the shipped pair, wait for its sidecar, print where everything is; or a `catalogue` of it, by batch.
    0 when there is a result."""
    if not DEMO_PAIR.is_dir():
        return fail(f"the shipped pair is not there: {DEMO_PAIR}; run this in a whole clone of the repository", code=1)
    folder = LocalFolder(root.resolve())
    try:
        if stop.asked:
            return stop.exit_status
        access = announce()
        folder.prepare()
        unreachable: list[str] = []

        def report(delivery: Delivery, status: int, seconds: float) -> None:
            reason = None if 200 <= status < 300 else session.log.reason(delivery.event_id)
            if reason and reason.code == ErrorCode.MODEL_UNAVAILABLE:
                unreachable.append(reason.said)
            elif delivery.event["name"] == f"{DEMO_NAME}.json" and not 200 <= status < 300:
                say(f"{DEMO_NAME}.json  {reason.said if reason else status}; will be delivered again")

        session = LocalSession(folder, access, report, stop=stop)
        with session:
            _upload_images(session)
            if catalogue:
                return run_catalogue(session, folder, stop)
            _upload_manifest(session)
            print(
                "uploaded demo/scene.jpg, demo/product.png and demo/bottle.json; waiting for the result …", flush=True
            )
            sidecar = _wait_for(session, f"{DEMO_NAME}.json", stop, unreachable)
            Exchange(session.client, folder).bring_out()
            page = review(session, folder)
    except StoppedError:
        print("stopped; run it again, and what is paid for is not paid again", file=sys.stderr, flush=True)
        return stop.exit_status
    except (NoResultError, NotSettledError) as reason:
        return fail(f"{reason}; see {folder.logs}", code=1)
    except (InvalidSettingsError, ModelUnreachableError, UnusableFolderError, StartError) as problem:
        return fail(problem)
    except (GoogleAPIError, RequestException) as error:
        return fail(storage_problem(folder, error))
    return _tell(sidecar, folder, page)


def _upload_images(session: LocalSession) -> None:
    for name in (SCENE, PRODUCT):
        blob = session.client.bucket(INPUT_BUCKET).blob(f"demo/{name}")
        blob.upload_from_filename(DEMO_PAIR / name, retry=RETRY)


def _upload_manifest(session: LocalSession) -> None:
    manifest = {
        "scene": SCENE,
        "product": PRODUCT,
        "placement": PLACEMENT,
        "labels": {"sku": "ALDERMOOR-500"},
    }
    content = json.dumps(manifest)
    blob = session.client.bucket(INPUT_BUCKET).blob(f"{DEMO_NAME}.json")
    blob.upload_from_string(content, "application/json", retry=RETRY)


def _wait_for(session: LocalSession, name: str, stop: StopRequest, unreachable: list[str]) -> dict[str, Any]:
    """The sidecar. Raises StoppedError, NoResultError."""
    give_up = time.monotonic() + DEMO_TIMEOUT_S
    generation = str(session.client.bucket(INPUT_BUCKET).get_blob(name).generation)
    while time.monotonic() < give_up:
        blob = session.client.bucket(OUTPUT_BUCKET).get_blob(name)
        if blob is not None and (blob.metadata or {}).get("manifest-generation") == generation:
            found: dict[str, Any] = json.loads(blob.download_as_bytes())
            return found
        if stop.asked:
            finish(session, stop)
            raise StoppedError
        if unreachable:
            raise NoResultError(
                f"{unreachable[0]}; look at network, proxy and GOOGLE_GEMINI_BASE_URL, then run it again"
            )
        time.sleep(POLL_S)
    raise NoResultError(f"no result after {DEMO_TIMEOUT_S:.0f} s")


def _tell(sidecar: dict[str, Any], folder: LocalFolder, page: Path) -> int:
    cost, timings = sidecar["cost"], sidecar["timings_ms"]
    spent = "an unknown price" if cost["usd"] is None else f"${cost['usd']:.4f}"
    print(f"status: {sidecar['status']}, {len(sidecar['attempts'])} picture(s), {spent} at list price, "
          f"{timings['total'] / 1000:.1f} s", flush=True)  # fmt: skip
    for name, check in sidecar["checks"].items():
        if not check["passed"]:
            print(f"  {name}: {check['reason']}")
    if sidecar["error"]:
        return fail(f"{sidecar['error']['code']}: {sidecar['error']['message']}", code=1)
    stored = split_gs_uri(sidecar["result"]["uri"])[1]
    print(f"result: {folder.results / stored}")
    print(f"sidecar: {folder.results / DEMO_NAME}.json")
    print(f"review: {page}", flush=True)
    return 0
