"""What arrives in BATCH_BUCKET, and the sweep: the deliveries that batches live by."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from function.batch.collect import collect_file, collect_range, read_range_file
from function.batch.context import BatchContext
from function.batch.names import RANGE_FILE, RESULTS_FILE, SWEEP
from function.batch.sweep import SweepCounts, sweep
from function.deadline import Deadline
from function.delivery.cloud_event import Upload
from function.delivery.lease import acquire_lease
from function.delivery.services import Services
from function.errors import LeaseHeldError, StorageUnavailableError
from function.storage.client import AccessDeniedError

logger = logging.getLogger(__name__)

SWEEP_GENERATION = 1  # its lease is that of an upload which is never replaced


def batch_context(services: Services) -> BatchContext:
    """What the steps of batches need. Only with a BATCH_BUCKET."""
    settings = services.settings
    if settings.batch_bucket is None or services.batches is None:
        raise RuntimeError("BATCH_BUCKET is not set")
    return BatchContext(
        services.storage,
        settings.output_bucket,
        settings.batch_bucket,
        services.batches,
        services.budget,
        settings.batch_gather_s,
        lambda bucket: services.switches.look(bucket).paused,
    )


def process_batch_file(upload: Upload, services: Services, deadline: Deadline) -> str:
    """One object of BATCH_BUCKET → what was done, in a word. Only results and their ranges are anything.

    Raises StorageUnavailableError, DeadlineExceededError: the event comes again, and what is collected is passed over.
    """
    results, part = RESULTS_FILE.fullmatch(upload.name), RANGE_FILE.fullmatch(upload.name)
    if results is None and part is None:
        return "ignored"
    context = batch_context(services)
    try:
        if results is not None:
            stored = services.storage.stat(upload.bucket, upload.name, deadline)
            if stored is not None and stored.generation == upload.generation:
                collect_file(context, results["job"], stored, deadline)
        elif part is not None:
            found = read_range_file(services.storage, upload.bucket, upload.name, upload.generation, deadline)
            if found is not None:
                collect_range(context, part["job"], found, deadline)
    except AccessDeniedError as error:
        raise StorageUnavailableError(f"BATCH_BUCKET cannot be used: {error}", stage="batch") from None
    return "settled"


def run_sweep(services: Services, deadline: Deadline) -> SweepCounts | None:
    """One sweep; None while another is at work. Raises StorageUnavailableError, DeadlineExceededError."""
    context = batch_context(services)
    name = Upload("", services.settings.output_bucket, SWEEP, SWEEP_GENERATION, datetime.now(UTC))
    try:
        lease = acquire_lease(services.storage, services.settings.output_bucket, name, deadline)
    except LeaseHeldError:
        return None
    try:
        with services.leases.keep(lease):
            swept = sweep(context, deadline, lambda: lease.assert_held(deadline))
    except AccessDeniedError as error:
        raise StorageUnavailableError(f"a bucket cannot be used: {error}", stage="batch") from None
    finally:
        try:
            lease.release(deadline, restart_patience=True)
        finally:
            lease.close()
    logger.info(
        "batches swept",
        extra={"stage": "batch", "looked_at": swept.looked_at, "created_": swept.created, "closed": swept.closed},
    )
    return swept
