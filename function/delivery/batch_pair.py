"""A manifest that asks for its pictures in batches."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from function.delivery.services import Delivery
from function.errors import InvalidManifestError
from function.manifest.model import Manifest, timestamp_s
from function.settings import Settings
from function.storage.client import StoredObject

if TYPE_CHECKING:  # what batches need is imported by the first pair that asks for one
    from function.batch.pair_queue import PairQueue
    from function.manifest.spreadsheet import Row

DEFAULT_FINISH_S = 48 * 3600.0  # a batch takes up to a day, and a second round as long
MAX_FINISH_S = 5 * 86_400.0  # working records and answers are deleted after a week
NO_BUCKET = "batch: this function has no bucket for batches (BATCH_BUCKET)"
BATCH_KEY, FINISH_BY_KEY = "batch", "finish-by"  # custom metadata of an upload, which `submit --batch` sets


def wants_batch(manifest: Manifest, metadata: dict[str, str]) -> bool:
    """Whether the manifest, or its upload's metadata, asks for batches."""
    return manifest.batch or metadata.get(BATCH_KEY) == "true"


def wished_rows(rows: list[Row], metadata: dict[str, str]) -> list[Row]:
    """A catalogue's rows, which all ask for batches where its upload does."""
    if metadata.get(BATCH_KEY) != "true":
        return rows
    wish = {"batch": True} | ({"finish_by": metadata[FINISH_BY_KEY]} if FINISH_BY_KEY in metadata else {})
    return [replace(row, given=tuple(wish.items())) for row in rows]


def batch_rows(rows: list[Row], metadata: dict[str, str], settings: Settings) -> list[Row]:
    """As `wished_rows`. Raises InvalidManifestError where batches are not configured: the
    full price was not asked for."""
    rows = wished_rows(rows, metadata)
    if settings.batch_bucket is None and any(_asks_for_batch(row) for row in rows):
        raise InvalidManifestError(NO_BUCKET)
    return rows


def _asks_for_batch(row: Row) -> bool:
    if not row.given and not row.may_state("batch"):
        return False
    fields = row.fields
    return isinstance(fields, dict) and fields.get("batch") is True


def batch_queue(
    delivery: Delivery, manifest: Manifest, stored: StoredObject, catalogue: str | None
) -> tuple[int, PairQueue]:
    """The generation that pays, whichever touched one of the manifest this is, and the queue. Raises
    InvalidManifestError."""
    from function.batch.pair_queue import PairQueue  # noqa: PLC0415
    from function.batch.records import Waiter  # noqa: PLC0415
    from function.batch.touch import first_upload, touched_for  # noqa: PLC0415

    settings, upload = delivery.services.settings, delivery.upload
    if settings.batch_bucket is None:
        raise InvalidManifestError(NO_BUCKET)
    uploaded = stored.updated.timestamp() if stored.updated else None
    generation, since = first_upload(stored.metadata, upload.generation, uploaded)
    owner = f"{upload.uri}#{generation}"
    waiter = Waiter(bucket=upload.bucket, name=upload.name, generation=upload.generation, owner=owner, since=since)
    queue = PairQueue(
        delivery.storage, settings.output_bucket, settings.batch_bucket, waiter, catalogue,
        finish_by_s(manifest.finish_by or stored.metadata.get(FINISH_BY_KEY), since),
        touched_for(stored.metadata),
    )  # fmt: skip
    return generation, queue


def finish_by_s(stated: str | None, since: float) -> float:
    """When batches are waited for no longer, in seconds since 1970. Raises InvalidManifestError."""
    if stated is None:
        return since + DEFAULT_FINISH_S
    try:
        return min(timestamp_s(stated), time.time() + MAX_FINISH_S)
    except ValueError as problem:
        raise InvalidManifestError(f"finish_by: {problem}") from None
