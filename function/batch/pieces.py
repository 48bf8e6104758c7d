"""Results that the service keeps as a file → pieces in BATCH_BUCKET, whose events have them collected."""

from __future__ import annotations

import contextlib
import logging

from function.batch.context import BatchContext
from function.batch.names import piece_name
from function.batch.records import Job
from function.deadline import Deadline
from function.generation.provider import ModelNotFoundError
from function.storage.client import PreconditionFailedError

logger = logging.getLogger(__name__)

PIECE_BYTES = 12 * 2**20  # under a range of a results file: each piece is collected by one event


class PieceWriter:
    """A sink that writes whole lines on in pieces, each up to the first line's end after PIECE_BYTES. However the file
    arrives it gives the same pieces, so it may be begun again. Never holds more than a piece and a line.
    """

    def __init__(self, context: BatchContext, job: str, file_number: int, deadline: Deadline):
        self._context, self._job, self._file_number, self._deadline = context, job, file_number, deadline
        self._held = bytearray()
        self._number = 0

    def write(self, data: bytes, /) -> int:
        """Take the next bytes."""
        self._held += data
        while (end := self._held.find(b"\n", PIECE_BYTES - 1)) >= 0:
            self._put(end + 1)
        return len(data)

    def close(self) -> None:
        """Write what is left."""
        if self._held:
            self._put(len(self._held))

    def _put(self, size: int) -> None:
        content = bytes(self._held[:size])
        del self._held[:size]
        self._number += 1
        name = piece_name(self._job, self._file_number, self._number)
        with contextlib.suppress(PreconditionFailedError):  # written by a run that was cut off
            self._context.storage.write(
                self._context.batch_bucket, name, content, "application/jsonl", self._deadline, if_generation=0,
                metadata={},
            )  # fmt: skip


def fetch_results(context: BatchContext, job: Job, deadline: Deadline) -> bool:
    """Copy the job's results into BATCH_BUCKET → True; also where there are none. Raises what the service raises."""
    for number, name in enumerate(job.service_names):
        try:
            results_file = context.service.get(name, deadline).results_file
            if results_file is None:
                continue
            writer = PieceWriter(context, job.id, number, deadline)
            context.service.fetch(results_file, writer, deadline)
            writer.close()
        except ModelNotFoundError as gone:
            logger.error(
                "a batch job's results cannot be fetched: %s", gone.message, extra={"stage": "batch", "job": job.id}
            )
    return True
