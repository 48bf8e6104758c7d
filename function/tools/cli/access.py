"""Whether storage answers, before anything else is tried: who calls, the network, the bucket, the project."""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
from typing import Any

import google.auth
import requests
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.cloud import storage

from function.storage.client import Storage
from function.storage.retries import CLIENT_ERRORS, RETRYABLE_STATUS
from function.tools.explain import UsageError

# Without credentials the library asks for a machine of Google's three times, for 3 s each, and warns of each. Such a
# machine answers in milliseconds.
CREDENTIALS_S = 2.5
SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
CALL: dict[str, Any] = {"retry": None, "timeout": (5.0, 20.0)}  # seconds to connect, seconds of silence
# `local &` and the next command come at once, and a busy machine takes a while.
EMULATOR_STARTS_S, EMULATOR_QUIET_S, EMULATOR_POLL_S = 30.0, 3.0, 0.2
PASSES_S, AGAIN_S = 10.0, 1.0  # a status that may pass is asked about again for so long
SIGN_IN = "gcloud auth application-default login"
CALLED = re.compile(r"^[A-Z]+ https?://\S+: ")  # what was called, before what was answered
EMULATOR = "STORAGE_EMULATOR_HOST"


def connect(*buckets: str) -> Storage:
    """The cloud, or the emulator that STORAGE_EMULATOR_HOST names, with each of `buckets` there and readable.

    Raises UsageError, whose message says what is wrong and what to do.
    """
    project = os.environ.get("GOOGLE_CLOUD_PROJECT") or None
    if os.environ.get(EMULATOR):
        opened = Storage(project)
    else:
        credentials = _credentials()
        opened = Storage(project, lambda project: storage.Client(project=project, credentials=credentials))
    for bucket in buckets:
        _look_at(opened.client, bucket)
    return opened


def _credentials() -> Any:
    """Application Default Credentials, or UsageError within CREDENTIALS_S."""
    logging.getLogger("google.auth").setLevel(logging.ERROR)  # its warnings would stand before our sentence
    found: list[Any] = []

    def look() -> None:
        try:
            found.append(google.auth.default(scopes=[SCOPE])[0])
        except auth.GoogleAuthError as error:
            found.append(error)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    looking.join(CREDENTIALS_S)
    if found and not isinstance(found[0], Exception):
        return found[0]
    stated = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    if stated:
        raise UsageError(
            f"GOOGLE_APPLICATION_CREDENTIALS names {stated}, which holds no credentials; correct it, or unset it and "
            f"run: {SIGN_IN}"
        )
    raise UsageError(f"you are not signed in to Google Cloud; run: {SIGN_IN}")


def _look_at(client: storage.Client, bucket: str) -> None:
    """One small listing. Raises UsageError."""
    began, told = time.monotonic(), False
    while True:
        try:
            next(client.list_blobs(bucket, max_results=1, **CALL).pages, None)
            return
        except requests.ConnectionError:
            if not os.environ.get(EMULATOR) or time.monotonic() > began + EMULATOR_STARTS_S:
                raise UsageError(_unreachable(client)) from None
            if not told and time.monotonic() > began + EMULATOR_QUIET_S:
                told = True
                print(f"waiting for {os.environ[EMULATOR]} …", file=sys.stderr, flush=True)
            time.sleep(EMULATOR_POLL_S)
        except CLIENT_ERRORS as error:
            passing = isinstance(error, api.GoogleAPICallError) and error.code in RETRYABLE_STATUS
            if not passing or time.monotonic() > began + PASSES_S:
                raise UsageError(_refused(bucket, error)) from None
            time.sleep(AGAIN_S)


def _unreachable(client: storage.Client) -> str:
    where = client.api_endpoint
    if os.environ.get(EMULATOR):
        return f"nothing answers at {EMULATOR}={where}; start it with `python -m function local`, or unset {EMULATOR}"
    return f"Cloud Storage cannot be reached at {where}; look at network and proxy, and try again"


def _refused(bucket: str, error: BaseException) -> str:
    said = CALLED.sub("", " ".join(str(getattr(error, "message", None) or error).split()))[:300]
    if isinstance(error, api.NotFound):
        return f"there is no bucket gs://{bucket}; correct its name, or create it"
    if _is_of_project(error):
        project = os.environ.get("GOOGLE_CLOUD_PROJECT") or "the one that your credentials name"
        return (
            f"the project is not right ({project}): {said}; set GOOGLE_CLOUD_PROJECT, and run: gcloud auth "
            "application-default set-quota-project PROJECT"
        )
    if isinstance(error, api.Forbidden):
        return f"you may not read gs://{bucket} ({said}); ask for roles/storage.objectViewer on it"
    if isinstance(error, auth.TransportError):
        return "Google Cloud cannot be reached to sign you in; look at network and proxy, and try again"
    if isinstance(error, api.Unauthorized | auth.GoogleAuthError):
        return f"Google Cloud does not accept who you are signed in as ({said}); run: {SIGN_IN}"
    return f"gs://{bucket} cannot be read: {said}; try again in a minute"


def _is_of_project(error: BaseException) -> bool:
    """Whether it is the project that is refused, which pays for the calls, and not the bucket."""
    reasons = {str(item.get("reason")) for item in getattr(error, "errors", ()) if isinstance(item, dict)}
    return bool(reasons & {"USER_PROJECT_DENIED", "userProjectInvalid", "userProjectMissing", "accessNotConfigured"})
