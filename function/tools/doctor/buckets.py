"""The buckets, tried with the calls that the function makes: rights on objects are all that it has."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable
from typing import Any

from google.api_core import exceptions as api
from google.cloud import storage

from function.delivery.switch import RUNNING, STATE_KEY, SWITCH_OBJECT
from function.generation.gemini.response import truncate
from function.storage.names import HTTP_PREFIX, WORK_PREFIX
from function.storage.retries import CLIENT_ERRORS
from function.tools.doctor.finding import Finding, ok, problem, warning

PROBE = b"written by `python -m function doctor`, and deleted at once"
EXPIRY_DAYS = 7  # what Terraform sets; stored answers are found again for as long
BATCH_EXPIRY_DAYS, MIN_BATCH_DAYS = 14, 8  # what Terraform sets; images are used for two days, jobs for five more
CALL: dict[str, Any] = {"retry": None, "timeout": (5.0, 30.0)}  # seconds to connect, seconds of silence


class NotCloudStorageError(Exception):
    """The bucket does not keep what Cloud Storage promises."""


def check_written_bucket(client: storage.Client, check: str, bucket: str) -> Finding:
    """Write an object that must not exist yet, again (which has to be refused), read it, delete it."""
    blob = client.bucket(bucket).blob(f"{WORK_PREFIX}doctor/{uuid.uuid4().hex}")
    doing = "written"
    try:
        for step in (_create, _create_again, _read, _delete):
            doing = {_read: "read", _delete: "deleted"}.get(step, doing)
            step(blob)
    except (NotCloudStorageError, *CLIENT_ERRORS) as error:
        with contextlib.suppress(*CLIENT_ERRORS):
            blob.delete(**CALL)
        return _refused(check, bucket, doing, "roles/storage.objectUser", error)
    return ok(check, f"gs://{bucket} can be written and read, and its preconditions hold")


def check_expiry(client: storage.Client, bucket: str) -> Finding:
    """Whether working records, and answers over HTTP that were too large to be sent, are deleted in time: both hold
    pictures."""
    prefixes = WORK_PREFIX, HTTP_PREFIX
    try:
        rules = list(client.get_bucket(bucket, **CALL).lifecycle_rules)
    except CLIENT_ERRORS as error:
        said = truncate(getattr(error, "message", None) or type(error).__name__)
        return warning(
            "expiry", f"the lifecycle rules of gs://{bucket} cannot be seen: {said}",
            f"ask who may (storage.buckets.get): {' and '.join(prefixes)} should go after {EXPIRY_DAYS} days",
        )  # fmt: skip
    missing = [prefix for prefix in prefixes if not any(_deletes(rule, prefix) for rule in rules)]
    if missing:
        return warning(
            "expiry", f"gs://{bucket} has no lifecycle rule that deletes {' and '.join(missing)}: pictures stay there",
            f"give it one: delete after {EXPIRY_DAYS} days what begins with it (`matchesPrefix`)",
        )  # fmt: skip
    return ok("expiry", f"gs://{bucket} deletes {' and '.join(prefixes)} by itself")


def check_batch_expiry(client: storage.Client, bucket: str) -> Finding:
    """Whether BATCH_BUCKET deletes what it holds: small copies of pictures, and the files of jobs."""
    try:
        rules = list(client.get_bucket(bucket, **CALL).lifecycle_rules)
    except CLIENT_ERRORS as error:
        said = truncate(getattr(error, "message", None) or type(error).__name__)
        return warning(
            "batch expiry", f"the lifecycle rules of gs://{bucket} cannot be seen: {said}",
            f"ask who may (storage.buckets.get): all of it should go after {BATCH_EXPIRY_DAYS} days",
        )  # fmt: skip
    ages = [rule["condition"]["age"] for rule in rules if _deletes_all(rule)]
    if not ages:
        found = f"gs://{bucket} has no lifecycle rule that deletes all of it: pictures stay there"
        return warning("batch expiry", found, f"give it one: delete after {BATCH_EXPIRY_DAYS} days")
    if min(ages) < MIN_BATCH_DAYS:
        found = f"gs://{bucket} deletes after {min(ages)} days what jobs may need for {MIN_BATCH_DAYS}"
        return warning("batch expiry", found, f"let it be {BATCH_EXPIRY_DAYS} days")
    return ok("batch expiry", f"gs://{bucket} deletes by itself after {min(ages)} days")


def _deletes_all(rule: dict[str, Any]) -> bool:
    return rule.get("action", {}).get("type") == "Delete" and set(rule.get("condition", {})) == {"age"}


def _deletes(rule: dict[str, Any], prefix: str) -> bool:
    """Whether a lifecycle rule deletes all that begins so, by its age alone."""
    condition = rule.get("condition", {})
    named = condition.get("matchesPrefix", [])
    only = set(condition) <= {"age", "matchesPrefix"} and "age" in condition
    return rule.get("action", {}).get("type") == "Delete" and only and any(prefix.startswith(one) for one in named)


def _create(blob: storage.Blob) -> None:
    blob.upload_from_string(PROBE, if_generation_match=0, **CALL)


def _create_again(blob: storage.Blob) -> None:
    try:
        _create(blob)
    except api.PreconditionFailed:
        return
    raise NotCloudStorageError("an object that must not be overwritten was overwritten: its preconditions do not hold")


def _read(blob: storage.Blob) -> None:
    if blob.download_as_bytes(**CALL) != PROBE:
        raise NotCloudStorageError("the bytes that were read are not those that were written")


def _delete(blob: storage.Blob) -> None:
    blob.delete(if_generation_match=blob.generation, **CALL)


def check_input_bucket(client: storage.Client, bucket: str) -> Finding:
    """List it, and see whether its deliveries are paused."""
    refused = _check_readable(client, "input bucket", bucket)
    if refused:
        return refused
    try:
        paused = client.bucket(bucket).get_blob(SWITCH_OBJECT, **CALL)
    except CLIENT_ERRORS as error:
        return _refused("input bucket", bucket, "read", "roles/storage.objectViewer", error)
    if paused is not None and (paused.metadata or {}).get(STATE_KEY) != RUNNING:
        found = f"gs://{bucket} can be read; deliveries are paused since {paused.updated:%Y-%m-%d %H:%M} UTC"
        return warning("input bucket", found, f"`python -m function resume gs://{bucket}` lets them go on")
    return ok("input bucket", f"gs://{bucket} can be read, and deliveries are not paused")


def check_allowed_buckets(client: storage.Client, buckets: Iterable[str]) -> list[Finding]:
    """Other buckets that manifests may read."""
    return [
        _check_readable(client, "allowed bucket", name) or ok("allowed bucket", f"gs://{name} can be read")
        for name in buckets
    ]


def _check_readable(client: storage.Client, check: str, bucket: str) -> Finding | None:
    try:
        next(client.list_blobs(bucket, max_results=1, **CALL).pages, None)
    except CLIENT_ERRORS as error:
        return _refused(check, bucket, "listed", "roles/storage.objectViewer", error)
    return None


def _refused(check: str, bucket: str, doing: str, role: str, error: BaseException) -> Finding:
    """Why a bucket cannot be used, and how to fix it."""
    said = truncate(getattr(error, "message", None) or f"{type(error).__name__}: {error}")
    if isinstance(error, NotCloudStorageError):
        return problem(check, f"gs://{bucket}: {error}", "use Cloud Storage itself, without a proxy that changes calls")
    if isinstance(error, api.NotFound):
        return problem(check, f"there is no bucket gs://{bucket} ({said})", "create it, or correct its name")
    if isinstance(error, api.Forbidden | api.Unauthorized):
        advice = f"grant {role} on the bucket to the identity that runs this, and to the function's service account"
        return problem(check, f"gs://{bucket} may not be {doing}: {said}", advice)
    return problem(check, f"gs://{bucket} could not be {doing}: {said}", "check network and proxy, and try again")
