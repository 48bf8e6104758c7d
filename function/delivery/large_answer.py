"""Pictures that the platform would not carry in an answer are stored, so that what was paid for is not lost."""

from __future__ import annotations

import uuid

from function.deadline import Deadline
from function.delivery.output_metadata import STATUS_KEY, labels_that_fit
from function.delivery.services import Services
from function.pipeline.context import Composite
from function.storage.names import HTTP_PREFIX, gs_uri

# The platform's limit over HTTP/1 (https://cloud.google.com/run/quotas, read 2026-11-26), less room for the headers.
MAX_ANSWER_BYTES = 32 * 2**20 - 2**16


def json_answer_size(composite: Composite, sidecar: bytes) -> int:
    """Bytes of an answer that holds the sidecar, and the pictures in base64; never too few. The first of several is
    there twice: as `image` and among `images`."""
    twice = composite.pictures[:1] if composite.first.name is not None else ()
    encoded = ((len(picture.content) + 2) // 3 * 4 + 2**10 for picture in (*composite.pictures, *twice))
    return len(sidecar) + sum(encoded)


def store_pictures(composite: Composite, labels: dict[str, str], services: Services, deadline: Deadline) -> list[str]:
    """Write the pictures under names of their own → their gs:// addresses. Raises StorageUnavailableError,
    AccessDeniedError."""
    bucket, one_of_its_own = services.settings.output_bucket, f"{HTTP_PREFIX}{uuid.uuid4().hex}"
    addresses = []
    for picture in composite.pictures:
        name = one_of_its_own + ("" if picture.name is None else f"/{picture.name}") + picture.suffix
        uri = gs_uri(bucket, name)
        metadata = {**labels_that_fit(labels, uri), STATUS_KEY: composite.status}
        services.storage.write(
            bucket, name, picture.content, picture.mime_type, deadline, if_generation=0, metadata=metadata
        )
        addresses.append(uri)
    return addresses
