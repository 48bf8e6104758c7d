"""The model's answers, stored before anything else is done with them, and found again by content."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from function.deadline import Deadline
from function.delivery.lease import WORK_PREFIX
from function.generation.gemini.client import Request
from function.generation.gemini.response import Answer
from function.generation.pricing import Usage
from function.storage.client import Changed, NotFound, Storage

MAX_ANSWER_BYTES = 64 * 2**20  # a 4K answer is under 30 MB
FIELDS = "answer"  # the custom metadata key that holds everything but the image


class AnswerStore:
    """Answers by request. Those without an image serve only the manifest that asked (`owner`): a refusal or a
    hiccup is no reason to refuse the same request of somebody else."""

    def __init__(self, storage: Storage, bucket: str):
        self._storage, self._bucket = storage, bucket

    def uri(self, request: Request) -> str:
        """Where the answer to `request` is kept, for as long as it is kept."""
        return f"gs://{self._bucket}/{answer_name(request)}"

    def find(self, request: Request, owner: str, deadline: Deadline) -> tuple[Answer, str] | None:
        """The stored answer to exactly this request and the manifest that paid for it, or None."""
        name = answer_name(request)
        there = self._storage.stat(self._bucket, name, deadline)
        if there is None:
            return None
        try:
            fields = json.loads(there.metadata[FIELDS])
            if fields["outcome"] != "image" and there.metadata.get("owner") != owner:
                return None
            usage = Usage(**fields.pop("usage"))
            image = b""
            if there.size:
                image = self._storage.read(
                    self._bucket, name, deadline, generation=there.generation, limit=MAX_ANSWER_BYTES
                )
            return Answer(**fields, usage=usage, image=image), there.metadata.get("owner", "")
        except (KeyError, TypeError, ValueError, NotFound):
            return None  # written by a version that this one does not understand, or just replaced: ask again

    def keep(self, request: Request, answer: Answer, owner: str, deadline: Deadline) -> None:
        """Store an answer. Another answer to the same request that stands there already is replaced."""
        name = answer_name(request)
        fields = {key: value for key, value in asdict(answer).items() if key not in {"image", "usage"}}
        fields["usage"] = answer.usage.model_dump()
        metadata = {FIELDS: json.dumps(fields), "owner": owner}
        mime_type = answer.mime_type or "application/octet-stream"
        replaces = 0
        for _ in range(3):  # each turn somebody else has to have written in between
            try:
                self._storage.write(
                    self._bucket, name, answer.image, mime_type, deadline,
                    if_generation=replaces, metadata=metadata,
                )  # fmt: skip
                return
            except Changed:
                there = self._storage.stat(self._bucket, name, deadline)
                replaces = there.generation if there else 0


def answer_name(request: Request) -> str:
    """Object name of a request's answer: a hash over everything that is sent."""
    digest = hashlib.sha256()
    settings = [request.model, request.prompt, request.aspect_ratio, request.image_size, request.seed]
    for content, mime_type in request.images:
        settings += [mime_type, hashlib.sha256(content).hexdigest()]
    digest.update(json.dumps(settings).encode())
    return f"{WORK_PREFIX}answers/{digest.hexdigest()}"
