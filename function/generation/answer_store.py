"""The model's answers, stored before anything else is done with them, and found again by content."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import NamedTuple

from function.deadline import Deadline
from function.generation.pricing import Usage
from function.generation.provider import Answer, Request
from function.storage.client import ObjectNotFoundError, Storage, StoredObject
from function.storage.compare_and_swap import WriteContentionError, compare_and_swap
from function.storage.names import WORK_PREFIX, gs_uri, split_gs_uri

MAX_ANSWER_BYTES = 64 * 2**20  # a 4K answer is under 30 MB
ANSWERS_PREFIX = f"{WORK_PREFIX}answers/"
FIELDS = "answer"  # the custom metadata key that holds everything but the image


class StoredAnswer(NamedTuple):
    """An answer, the manifest that paid for it, and its address (gs://)."""

    answer: Answer
    owner: str
    uri: str


class AnswerStore:
    """Answers by request. Those without an image serve only the manifest that asked (`owner`): a refusal or a
    hiccup is no reason to refuse the same request of another manifest.

    An image stays: another manifest's answer to the same request is stored beside it, for its owner alone. So a pair
    that comes again and again, as those do that wait for a batch (`in_batch`), finds what it found before.
    """

    def __init__(self, storage: Storage, bucket: str):
        self._storage, self._bucket = storage, bucket

    def find(self, request: Request, owner: str, deadline: Deadline, *, in_batch: bool = False) -> StoredAnswer | None:
        """The stored answer to exactly this request, or None. `in_batch`: the owner's own is looked for first."""
        name = answer_name(request)
        own = self._find(_own_name(name, owner), owner, deadline) if in_batch else None
        return own or self._find(name, owner, deadline)

    def _find(self, name: str, owner: str, deadline: Deadline) -> StoredAnswer | None:
        while (stored := self._storage.stat(self._bucket, name, deadline)) is not None:
            answer = _described(stored)
            if answer is None or (answer.outcome != "image" and _owner(stored) != owner):
                return None
            try:
                if stored.size:
                    image = self._storage.read(
                        stored.bucket, stored.name, deadline, generation=stored.generation, limit=MAX_ANSWER_BYTES
                    )
                    answer = replace(answer, image=image)
                return StoredAnswer(answer, _owner(stored), gs_uri(self._bucket, name))
            except ObjectNotFoundError:
                continue  # replaced, by another answer to the same request, since it was looked at
        return None

    def read_picture(self, uri: str, deadline: Deadline) -> bytes | None:
        """The picture of a stored answer by its address; None where that is none of an answer here, or is gone."""
        bucket, name = split_gs_uri(uri)
        if bucket != self._bucket or not name.startswith(ANSWERS_PREFIX):
            return None
        try:
            return self._storage.read(bucket, name, deadline, limit=MAX_ANSWER_BYTES)
        except ObjectNotFoundError:
            return None

    def keep(self, request: Request, answer: Answer, owner: str, deadline: Deadline, *, in_batch: bool = False) -> str:
        """Store an answer → its address."""
        return self.keep_by_digest(request_digest(request), answer, owner, deadline, in_batch=in_batch)

    def keep_by_digest(
        self, digest: str, answer: Answer, owner: str, deadline: Deadline, *, in_batch: bool = False
    ) -> str:
        """As `keep`, where only the request's digest is at hand."""
        name = name_of_digest(digest)
        fields = {key: value for key, value in asdict(answer).items() if key not in {"image", "usage"}}
        if answer.price_tier == "standard":
            del fields["price_tier"]  # earlier versions, which may run beside this one, do not know it
        fields["usage"] = answer.usage.model_dump()
        metadata = {FIELDS: json.dumps(fields), "owner": owner}
        mime_type = answer.mime_type or "application/octet-stream"

        def write(name: str, may_replace: Callable[[StoredObject], bool]) -> bool:
            with contextlib.suppress(WriteContentionError):  # others keep storing answers to the same request
                return compare_and_swap(
                    self._storage, self._bucket, name, answer.image, mime_type, deadline,
                    metadata=metadata, may_replace=may_replace,
                )  # fmt: skip
            return False

        def is_free(stored: StoredObject) -> bool:
            described = _described(stored)
            return described is None or described.outcome != "image" or _owner(stored) == owner

        for_owner_alone = in_batch and answer.outcome != "image"
        if for_owner_alone or not write(name, is_free):
            name = _own_name(name, owner)
            write(name, lambda _: True)
        return gs_uri(self._bucket, name)


def _described(stored: StoredObject) -> Answer | None:
    """A stored answer without its image; None where a version wrote it that this one does not understand: then it is
    asked for again."""
    try:
        fields = json.loads(stored.metadata[FIELDS])
        return Answer(**{**fields, "usage": Usage(**fields["usage"]), "image": b""})
    except (KeyError, TypeError, ValueError):
        return None


def _owner(stored: StoredObject) -> str:
    return stored.metadata.get("owner", "")


def _own_name(name: str, owner: str) -> str:
    """Object name of an answer that is the owner's alone, beside that of everybody's."""
    return f"{name}.{hashlib.sha256(owner.encode()).hexdigest()[:16]}"


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
