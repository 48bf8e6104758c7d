"""Which pairs will be answered with a picture that is paid for, as far as a manifest tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from function.errors import InvalidManifestError
from function.manifest.model import Manifest
from function.manifest.parse import MAX_MANIFEST_BYTES, parse_manifest
from function.settings import Settings
from function.storage.client import StoredObject

KEPT_FOR = timedelta(days=7)  # what the model has answered; the bucket's lifecycle deletes it after that
# What changes nothing of the request to the model. What is not here makes another picture.
NOT_ASKED: dict[str, Any] = {
    "labels": True,
    "restore": True,
    "budget_usd": True,
    "attempts": True,
    "output": {"format", "quality"},
}


def asked_for(manifest: Manifest) -> dict[str, Any]:
    """What of a manifest the model is asked for: equal for equal requests, the images' contents being equal."""
    return manifest.model_dump(mode="json", exclude=NOT_ASKED)


def may_be_found(stored: StoredObject) -> bool:
    """Whether the picture of an existing manifest is young enough to be kept still."""
    return stored.updated is not None and datetime.now(UTC) - stored.updated < KEPT_FOR


def asks_the_same(before: bytes | None, now: Manifest, settings: Settings) -> bool:
    """Whether an existing manifest asks the model for the same, its images being the same."""
    if before is None or len(before) > MAX_MANIFEST_BYTES:
        return False
    try:
        return asked_for(parse_manifest(before, settings)) == asked_for(now)
    except InvalidManifestError:
        return False
