"""The custom metadata of results and sidecars: what a listing tells without an object being read."""

from __future__ import annotations

import logging

from function.sidecar.pair import Sidecar

logger = logging.getLogger(__name__)

GENERATION_KEY = "manifest-generation"
MANIFEST_KEY = "manifest"  # gs:// name of the manifest; two input buckets may share an output bucket
STATUS_KEY = "status"
USD_KEY, ERROR_KEY = "usd", "error-code"  # of a sidecar, so that a listing is enough to count thousands
MAX_METADATA_BYTES = 7936  # of labels and the manifest's address; Cloud Storage takes 8 KiB, our other keys the rest


def sidecar_metadata(sidecar: Sidecar) -> dict[str, str]:
    """What a listing tells of a pair without its sidecar being read."""
    metadata: dict[str, str] = {STATUS_KEY: sidecar.status}
    if sidecar.cost.usd is not None:
        metadata[USD_KEY] = f"{sidecar.cost.usd:.6f}"
    if sidecar.error:
        metadata[ERROR_KEY] = sidecar.error.code.value
    return metadata


def labels_that_fit(labels: dict[str, str], manifest_uri: str) -> dict[str, str]:
    """The labels, in their order, that fit into an object's custom metadata beside the manifest's address; the
    sidecar holds all of them."""
    room = MAX_METADATA_BYTES - len(manifest_uri.encode())
    fitting: dict[str, str] = {}
    for name, value in labels.items():
        room -= len(name.encode()) + len(value.encode())
        if room < 0:
            logger.warning(
                "not all labels fit into the object's metadata; the sidecar holds them", extra={"stage": "upload"}
            )
            break
        fitting[name] = value
    return fitting
