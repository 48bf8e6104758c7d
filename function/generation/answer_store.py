"""The model's answers, stored before anything else is done with them, and found again by content."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict

from function.deadline import Deadline
from function.generation.pricing import Usage
from function.generation.provider import Answer, Request
from function.storage.client import ObjectNotFoundError, Storage, StoredObject
from function.storage.compare_and_swap import WriteContentionError, compare_and_swap
from function.storage.names import WORK_PREFIX, gs_uri, split_gs_uri

MAX_ANSWER_BYTES = 64 * 2**20  # a 4K answer is under 30 MB
ANSWERS_PREFIX = f"{WORK_PREFIX}answers/"
FIELDS = "answer"  # the custom metadata key that holds everything but the image


class AnswerStore:
    """Answers by request. Those without an image serve only the manifest that asked (`owner`): a refusal or a
    hiccup is no reason to refuse the same request of another manifest."""

    def __init__(self, storage: Storage, bucket: str):
        self._storage, self._bucket = storage, bucket

    def uri(self, request: Request) -> str:
        """Where the answer to `request` is kept, for as long as it is kept."""
        return gs_uri(self._bucket, answer_name(request))

    def find(self, request: Request, owner: str, deadline: Deadline) -> tuple[Answer, str] | None:
        """The stored answer to exactly this request and the manifest that paid for it, or None."""
        name = answer_name(request)
        while (stored := self._storage.stat(self._bucket, name, deadline)) is not None:
            try:
                return self._read(stored, owner, deadline)
            except ObjectNotFoundError:
                continue  # replaced, by another answer to the same request, since it was looked at
        return None

    def _read(self, stored: StoredObject, owner: str, deadline: Deadline) -> tuple[Answer, str] | None:
        try:
            fields = json.loads(stored.metadata[FIELDS])
            if fields["outcome"] != "image" and stored.metadata.get("owner") != owner:
                return None
            usage = Usage(**fields.pop("usage"))
            image = b""
            if stored.size:
                image = self._storage.read(
                    stored.bucket, stored.name, deadline, generation=stored.generation, limit=MAX_ANSWER_BYTES
                )
            return Answer(**fields, usage=usage, image=image), stored.metadata.get("owner", "")
        except (KeyError, TypeError, ValueError):
            return None  # written by a version that this one does not understand: ask again

    def read_picture(self, uri: str, deadline: Deadline) -> bytes | None:
        """The picture of a stored answer by its address; None where that is none of an answer here, or is gone."""
        bucket, name = split_gs_uri(uri)
        if bucket != self._bucket or not name.startswith(ANSWERS_PREFIX):
            return None
        try:
            return self._storage.read(bucket, name, deadline, limit=MAX_ANSWER_BYTES)
        except ObjectNotFoundError:
            return None

    def keep(self, request: Request, answer: Answer, owner: str, deadline: Deadline) -> None:
        """Store an answer. Another answer to the same request is replaced."""
        self.keep_by_digest(request_digest(request), answer, owner, deadline)

    def keep_by_digest(self, digest: str, answer: Answer, owner: str, deadline: Deadline) -> None:
        """As `keep`, where only the request's digest is at hand."""
        name = name_of_digest(digest)
        fields = {key: value for key, value in asdict(answer).items() if key not in {"image", "usage"}}
        if answer.price_tier == "standard":
            del fields["price_tier"]  # earlier versions, which may run beside this one, do not know it
        fields["usage"] = answer.usage.model_dump()
        metadata = {FIELDS: json.dumps(fields), "owner": owner}
        mime_type = answer.mime_type or "application/octet-stream"
        # Where others keep storing answers to the same request, one of theirs is found next time.
        with contextlib.suppress(WriteContentionError):
            compare_and_swap(
                self._storage, self._bucket, name, answer.image, mime_type, deadline,
                metadata=metadata, may_replace=lambda _: True,
            )  # fmt: skip


def answer_name(request: Request) -> str:
    """Object name of a request's answer."""
    return name_of_digest(request_digest(request))


def name_of_digest(digest: str) -> str:
    """Object name of the answer to the request of this digest."""
    return f"{WORK_PREFIX}answers/{digest}"


def request_digest(request: Request) -> str:
    """SHA-256 (hexadecimal) over everything that is sent."""
    digest = hashlib.sha256()
    settings = [request.model, request.prompt, request.aspect_ratio, request.image_size, request.seed]
    if request.thinking_level or request.asks_for_png:
        settings += [request.thinking_level, request.asks_for_png]
    for content, mime_type in request.images:
        settings += [mime_type, hashlib.sha256(content).hexdigest()]
    digest.update(json.dumps(settings).encode())
    return digest.hexdigest()
