"""The queue of batches as one pair sees it: a request goes in, and is found answered when the pair comes again."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection

from function.batch.names import image_name
from function.batch.records import BatchRequest, Waiter, request_records
from function.batch.waiting import mark_waiting
from function.deadline import Deadline
from function.errors import AwaitsBatchError, SupersededError
from function.generation.answer_store import request_digest
from function.generation.call_ledger import BegunCall
from function.generation.provider import Request
from function.storage.client import PreconditionFailedError, Storage

IMAGE_FRESH_S = 2 * 86_400.0  # BATCH_BUCKET deletes after 14 days; a job and those after it may take five


class PairQueue:
    """Implements `BatchQueue` for one manifest, which was `touched_for` these requests (digests). `finish_by`: seconds
    since 1970."""

    def __init__(
        self, storage: Storage, output_bucket: str, batch_bucket: str, waiter: Waiter, catalogue: str | None,
        finish_by: float, touched_for: tuple[str, ...] = (),
    ):  # fmt: skip
        self._storage, self._output_bucket, self._batch_bucket = storage, output_bucket, batch_bucket
        self._waiter, self._catalogue, self._finish_by = waiter, catalogue, finish_by
        self._touched_for = touched_for
        self._records = request_records(storage, output_bucket)

    def put(
        self, request: Request, number: int, max_usd: float, deadline: Deadline, *, answer_missing: bool = False
    ) -> bool:
        """See BatchQueue. The images are stored first, so that whatever finds the record finds them too."""
        digest = request_digest(request)
        if time.time() >= self._finish_by and self._records.read(digest, deadline)[0] is None:
            return False  # a second round would come too late

        def joined(stored: BatchRequest | None) -> BatchRequest | None:
            if stored is None:
                return self._new(request, digest, number, max_usd, deadline)
            if stored.state == "ask_now" or (stored.state == "answered" and not answer_missing):
                return None
            others = tuple(one for one in stored.waiters if (one.bucket, one.name) != self._place)
            if any(one.generation > self._waiter.generation for one in stored.waiters if one not in others):
                raise SupersededError("a newer upload of this manifest waits for the same picture")
            changes: dict[str, object] = {"waiters": (*others, self._waiter)}
            if stored.state == "answered":
                changes |= {"state": "waiting", "job": None, "waiters": (self._waiter,)}
            return stored.model_copy(update=changes)

        record = self._records.change(digest, joined, deadline)
        if record is None or record.state == "ask_now":
            return False
        if record.state == "answered":
            return True
        if record.state == "waiting":
            mark_waiting(self._storage, self._output_bucket, record, deadline)
        raise AwaitsBatchError(f"attempt {number} was queued for a batch")

    def lost_calls(self, request: Request, deadline: Deadline) -> int:
        """See BatchQueue."""
        record, _ = self._records.read(request_digest(request), deadline)
        return record.lost_calls if record else 0

    def unused_calls(self, used: Collection[str], deadline: Deadline) -> list[BegunCall]:
        """See BatchQueue."""
        calls = []
        for digest in self._touched_for:
            record, _ = self._records.read(digest, deadline) if digest not in used else (None, 0)
            if record is not None:
                billed = record.lost_calls + (record.state == "answered")
                calls += [BegunCall(number=record.number, seed=record.seed)] * billed
        return calls

    @property
    def _place(self) -> tuple[str, str]:
        return self._waiter.bucket, self._waiter.name

    def _new(self, request: Request, digest: str, number: int, max_usd: float, deadline: Deadline) -> BatchRequest:
        images = []
        for content, mime_type in request.images:
            sha256 = hashlib.sha256(content).hexdigest()
            images.append((sha256, mime_type))
            self._keep_image(image_name(sha256), content, mime_type, deadline)
        return BatchRequest(
            digest=digest,
            model=request.model,
            prompt=request.prompt,
            images=tuple(images),
            aspect_ratio=request.aspect_ratio,
            image_size=request.image_size,
            seed=request.seed,
            thinking_level=request.thinking_level,
            asks_for_png=request.asks_for_png,
            number=number,
            max_usd=max_usd,
            catalogue=self._catalogue,
            finish_by=self._finish_by,
            state="waiting",
            waiters=(self._waiter,),
        )

    def _keep_image(self, name: str, content: bytes, mime_type: str, deadline: Deadline) -> None:
        """Store an image. One that stands already, for other pairs, is stored again when it might expire too soon."""
        bucket, generation = self._batch_bucket, 0
        while True:
            try:
                self._storage.write(bucket, name, content, mime_type, deadline, if_generation=generation, metadata={})
                return
            except PreconditionFailedError:
                stored = self._storage.stat(bucket, name, deadline)
            if stored is not None and stored.updated and time.time() - stored.updated.timestamp() < IMAGE_FRESH_S:
                return
            generation = stored.generation if stored else 0
