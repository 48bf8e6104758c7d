"""A picture that the platform would not carry in an answer is stored, so that what was paid for is not lost."""

from __future__ import annotations

import uuid

from function.deadline import Deadline
from function.delivery.outputs import STATUS_KEY, labels_that_fit
from function.delivery.services import Services
from function.pipeline.context import Composite
from function.storage.names import HTTP_PREFIX, gs_uri

# The platform's limit over HTTP/1 (https://cloud.google.com/run/quotas, read 2026-11-26), less room for the headers.
MAX_ANSWER_BYTES = 32 * 2**20 - 2**16


def json_answer_size(composite: Composite, sidecar: bytes) -> int:
    """Bytes of an answer that holds the sidecar, and the picture in base64; never too few."""
    return len(sidecar) + (len(composite.content) + 2) // 3 * 4 + 2**10


def store_picture(composite: Composite, labels: dict[str, str], services: Services, deadline: Deadline) -> str:
    """Write the picture under a name of its own → its gs:// address. Raises StorageUnavailable, Forbidden."""
    bucket, name = services.settings.output_bucket, f"{HTTP_PREFIX}{uuid.uuid4().hex}{composite.suffix}"
    uri = gs_uri(bucket, name)
    metadata = {**labels_that_fit(labels, uri), STATUS_KEY: composite.status}
    services.storage.write(
        bucket, name, composite.content, composite.mime_type, deadline, if_generation=0, metadata=metadata
    )
    return uri
