"""Results → stored answers. A large file is cut into ranges, each collected by the event of an object of its own."""

from __future__ import annotations

import contextlib
import json
import logging
from dataclasses import dataclass

from function.batch.context import BatchContext
from function.batch.lines import ResultLine, lines_of, read_result
from function.batch.names import collected_prefix, range_id, range_name
from function.batch.records import BatchRequest, Job
from function.batch.release import mark_answered, note_unused_answer
from function.deadline import Deadline
from function.generation.answer_store import AnswerStore
from function.generation.billing import Bill, bill_of
from function.generation.provider import Answer, Request
from function.storage.client import ObjectNotFoundError, PreconditionFailedError, Storage, StoredObject

logger = logging.getLogger(__name__)

RANGE_BYTES = 16 * 2**20  # about ten pictures: seconds of work, and little memory in each of eight at once
MAX_RANGE_FILE_BYTES = 4096


@dataclass(frozen=True)
class Range:
    """A part of a results file: the lines that begin in it. Bytes."""

    results: str
    generation: int
    number: int
    size: int

    @property
    def id(self) -> str:
        """Its name in the marks of what is collected."""
        return range_id(self.results, self.generation, self.number)

    @property
    def start(self) -> int:
        """Where it begins."""
        return self.number * RANGE_BYTES

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return min(self.size, self.start + RANGE_BYTES)


def ranges_of(results: StoredObject) -> list[Range]:
    """The ranges that a results file is collected in, at least one."""
    count = max(1, -(-results.size // RANGE_BYTES))
    return [Range(results.name, results.generation, number, results.size) for number in range(count)]


def collect_file(context: BatchContext, job_id: str, results: StoredObject, deadline: Deadline) -> None:
    """A small file is collected, a large one cut. Raises StorageUnavailableError, DeadlineExceededError."""
    ranges = ranges_of(results)
    if len(ranges) == 1:
        collect_range(context, job_id, ranges[0], deadline)
        return
    for one in ranges:
        body = json.dumps(
            {"results": one.results, "generation": one.generation, "number": one.number, "size": one.size}
        )
        with contextlib.suppress(PreconditionFailedError):  # an earlier delivery has written it
            context.storage.write(
                context.batch_bucket, range_name(job_id, one.id), body.encode(), "application/json", deadline,
                if_generation=0, metadata={},
            )  # fmt: skip


def read_range_file(storage: Storage, bucket: str, name: str, generation: int, deadline: Deadline) -> Range | None:
    """The range that an object stands for; None when it is gone or is no range."""
    try:
        fields = json.loads(storage.read(bucket, name, deadline, generation=generation, limit=MAX_RANGE_FILE_BYTES))
        return Range(str(fields["results"]), int(fields["generation"]), int(fields["number"]), int(fields["size"]))
    except (ObjectNotFoundError, ValueError, KeyError, TypeError):
        return None


def collect_range(context: BatchContext, job_id: str, part: Range, deadline: Deadline) -> None:
    """Store the answers of one range and touch whoever waits for them. Done again it changes nothing.

    Raises StorageUnavailableError, DeadlineExceededError.
    """
    job, _ = context.jobs.read(job_id, deadline)
    if job is None:
        logger.error("results of an unknown batch job; ignored", extra={"stage": "batch", "job": job_id})
        return
    if job.state in ("planned", "creating"):
        # Its creation was not acknowledged, and it may be there twice. Once the sweep has found it, its end collects.
        return
    counted: dict[str, int] = {"answers": 0, "errors": 0, "unknown": 0}
    unspent_usd = 0.0

    def read(start: int, length: int) -> bytes:
        return context.storage.read_range(
            context.batch_bucket, part.results, deadline, generation=part.generation, start=start, length=length
        )

    try:
        for raw in lines_of(read, part.start, part.end, part.size):
            deadline.clamp(deadline.seconds, "batch")
            unspent_usd += _take(context, job, part, raw, counted, deadline)
    except ObjectNotFoundError:
        logger.error("a batch job's results are gone", extra={"stage": "batch", "job": job_id, "results": part.results})
        return
    finally:
        if unspent_usd > 0:
            context.budget.refund(job.posted_to, unspent_usd, deadline.grace_period())
    mark_collected(context, job_id, part, deadline)
    logger.info("batch results collected", extra={"stage": "batch", "job": job_id, "range": part.number, **counted})


def mark_collected(context: BatchContext, job_id: str, part: Range, deadline: Deadline) -> None:
    """Note that a range is done."""
    with contextlib.suppress(PreconditionFailedError):
        context.storage.write(
            context.output_bucket, f"{collected_prefix(job_id)}{part.id}", b"done\n", "text/plain", deadline,
            if_generation=0, metadata={},
        )  # fmt: skip


def _take(
    context: BatchContext, job: Job, part: Range, raw: bytes, counted: dict[str, int], deadline: Deadline
) -> float:
    """One line → USD that were set aside for it and not spent."""
    line = read_result(raw)
    digest = job.keys.get(line.key or "") if line else None
    if line is None or digest is None:
        counted["unknown"] += 1
        logger.warning(
            "a line of the batch results matches no request of its job", extra={"stage": "batch", "job": job.id}
        )
        return 0.0
    if line.answer is None:
        counted["errors"] += 1
        _note_error(context, digest, job.id, line, deadline)
        return 0.0
    record, _ = context.requests.read(digest, deadline)
    if record is None:
        counted["unknown"] += 1
        return 0.0
    results = f"{part.results}#{part.generation}"
    if results in record.answered_from:  # waiting again, it waits for another answer than this
        return 0.0
    if record.state == "ask_now":
        logger.error("a batch answered after its request was given up", extra={"stage": "batch", "job": job.id})
        note_unused_answer(context, digest, results, deadline)
        return 0.0
    if record.state != "answered":
        store = AnswerStore(context.storage, context.output_bucket)
        store.keep_by_digest(digest, line.answer, record.waiters[0].owner, deadline, in_batch=True)
        bill = _bill(record, line.answer)
        logger.info(
            "model answered",
            extra={
                "stage": "batch",
                "model": bill.priced_as or bill.answered_by,
                "usd": bill.usd,
                "price_tier": "batch",
                "outcome": line.answer.outcome,
                "finish_reason": line.answer.finish_reason,
                "job": job.id,
            },
        )
    before = mark_answered(context, digest, job.id, results, deadline)
    counted["answers"] += 1
    if before is None or before.state == "answered":
        return 0.0
    return max(0.0, record.max_usd - _bill(record, line.answer).usd)


def _bill(record: BatchRequest, answer: Answer) -> Bill:
    asked = Request(
        record.model, record.prompt, tuple((b"", mime_type) for _, mime_type in record.images), record.aspect_ratio,
        record.image_size, record.seed,
    )  # fmt: skip
    return bill_of(asked, answer)


def _note_error(context: BatchContext, digest: str, job: str, line: ResultLine, deadline: Deadline) -> None:
    """What the line says instead of an answer; the job's end decides what becomes of its request."""

    def changed(stored: BatchRequest | None) -> BatchRequest | None:
        if stored is None or stored.state != "in_job" or stored.job != job:
            return None
        return stored.model_copy(update={"line_error": line.error, "line_error_is_final": line.error_is_final})

    logger.warning("a batch did not answer: %s", line.error, extra={"stage": "batch", "job": job})
    context.requests.change(digest, changed, deadline)
