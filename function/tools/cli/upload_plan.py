"""Before anything is uploaded: which manifests and images a folder holds, what is wrong with them, what is new."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from function.deadline import Deadline
from function.delivery.persons_request import is_of
from function.errors import CompositeError
from function.manifest.parse import MAX_MANIFEST_BYTES
from function.manifest.references import StoredImage
from function.settings import Settings
from function.storage.client import (
    AccessDeniedError,
    ObjectNotFoundError,
    ObjectTooLargeError,
    Storage,
    StoredObject,
    crc32c,
)
from function.storage.content_encoding import DamagedContentError
from function.storage.names import is_style
from function.tools.cli.folder_documents import Document, LocalFile, Pair, conflicts, documents_in, read_document
from function.tools.cli.image_check import STATS, check_images, file_of
from function.tools.cli.reuse import asks_the_same, may_be_found
from function.tools.timeouts import CALL_S, LISTING_S


@dataclass
class Plan:
    """What was found. `problems` are sentences; `existing` are the generations in the bucket by name; what is new
    against those is listed below. `reused` are those of `pairs_to_make` that are answered with what is paid for.
    `unknown` says why the bucket could not be looked at."""

    documents: list[Document] = field(default_factory=list)
    images: list[LocalFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    foreign_buckets: set[str] = field(default_factory=set)
    existing: dict[str, int] = field(default_factory=dict)
    new_images: list[LocalFile] = field(default_factory=list)
    new_documents: list[Document] = field(default_factory=list)
    rows_to_run_again: list[StoredObject] = field(default_factory=list)
    pairs_to_make: list[Pair] = field(default_factory=list)
    reused: list[Pair] = field(default_factory=list)
    unknown: str = ""

    @property
    def paid(self) -> list[Pair]:
        """The pairs that the model will be asked for."""
        return [pair for pair in self.pairs_to_make if pair not in self.reused]


def make_plan(
    source: Path,
    bucket: str,
    prefix: str,
    settings: Settings,
    storage: Storage | None,
    wish: dict[str, str] | None = None,
    *,
    skip_bad: bool = False,
) -> Plan:
    """Read and check `source` (a folder, a catalogue or a manifest), and compare it with gs://bucket/prefix; without
    `storage` everything counts as new. `wish`: metadata of the uploads, which may ask for batches. `skip_bad` leaves
    out manifests and rows with a problem.

    Raises UsageError when there is nothing to submit, StorageUnavailableError, AccessDeniedError.
    """
    root, paths = documents_in(source)
    start = f"{prefix}/" if prefix else ""
    plan = Plan()
    for path in paths:
        name = start + path.relative_to(root).as_posix()
        try:
            plan.documents.append(read_document(path, name, bucket, settings, plan.problems, wish))
        except CompositeError as error:
            plan.problems.append(f"{path}: {error.message}")
    plan.problems += conflicts(plan.documents)
    listed = storage.list(bucket, start, Deadline(LISTING_S)) if storage else ()
    by_name = {stored.name: stored for stored in listed}
    users: dict[StoredImage, list[Pair]] = {}
    for pair in _pairs(plan):
        for image in pair.images:
            users.setdefault(image, []).append(pair)
    files = {image: file_of(image, root, bucket, start) for image in users}
    for image in users:  # a profile lies at the bucket's root, whatever the prefix
        if storage and is_style(image.name) and image.bucket == bucket and image.name not in by_name:
            stored = storage.stat(bucket, image.name, Deadline(CALL_S))
            by_name |= {image.name: stored} if stored else {}
    plan.existing = {name: stored.generation for name, stored in by_name.items()}
    plan.foreign_buckets = {image.bucket for image in users} - {bucket} - set(settings.allowed_buckets)

    checked = check_images(users, files, by_name, bucket, storage, settings)
    plan.images, plan.problems = checked.files, plan.problems + checked.problems
    if skip_bad:
        plan.documents = [good for document in plan.documents if (good := document.without(checked.bad))]
        read = {image.name for pair in _pairs(plan) for image in pair.images if image.bucket == bucket}
        plan.images = [file for file in plan.images if file.name in read]
    _compare(plan, bucket, by_name)
    if storage:
        plan.reused = _reused(plan, bucket, by_name, storage, settings)
    return plan


def _reused(
    plan: Plan, bucket: str, by_name: dict[str, StoredObject], storage: Storage, settings: Settings
) -> list[Pair]:
    """Those of the pairs to make whose request the model has answered. Two alike among them are not: both may be asked
    for before the first is answered."""
    changed = {StoredImage(bucket=bucket, name=file.name) for file in plan.new_images}

    def stands(pair: Pair) -> bool:
        stored = by_name.get(pair.name)
        if stored is None or not may_be_found(stored) or changed.intersection(pair.images):
            return False
        try:
            before = storage.read(bucket, pair.name, Deadline(CALL_S), limit=MAX_MANIFEST_BYTES)
        except (ObjectNotFoundError, ObjectTooLargeError, DamagedContentError, AccessDeniedError):
            return False
        return asks_the_same(before, pair.manifest, settings)

    with ThreadPoolExecutor(STATS) as pool:
        existing = pool.map(stands, plan.pairs_to_make)
        return [pair for pair, stood in zip(plan.pairs_to_make, existing, strict=True) if stood]


def _compare(plan: Plan, bucket: str, by_name: dict[str, StoredObject]) -> None:
    """What has to be uploaded, and which pairs that will make."""

    def is_new(name: str, size: int, checksum: str) -> bool:
        stored = by_name.get(name)
        return stored is None or (stored.size, stored.crc32c) != (size, checksum)

    def is_new_manifest(name: str, body: bytes) -> bool:
        redone = name in by_name and is_of(body, by_name[name].metadata)  # a person wants another picture of it
        return not redone and is_new(name, len(body), crc32c(body))

    plan.new_images = [file for file in plan.images if is_new(file.name, file.size, file.crc32c)]
    changed = {StoredImage(bucket=bucket, name=file.name) for file in plan.new_images}
    for document in plan.documents:
        file = document.file
        if document.is_catalogue:
            new = is_new(file.name, file.size, file.crc32c)
        else:
            new = is_new_manifest(file.name, document.pairs[0].body)
        touched = [pair for pair in document.pairs if changed.intersection(pair.images)]
        if not document.is_catalogue:
            if new or touched:
                plan.new_documents.append(document)
                plan.pairs_to_make += document.pairs
            continue
        if new:
            plan.new_documents.append(document)
        for pair in document.pairs:
            if is_new_manifest(pair.name, pair.body):
                plan.pairs_to_make += [pair] if new else []
            elif changed.intersection(pair.images):
                # The function leaves a row alone that says what it said before; its picture is another one now.
                plan.rows_to_run_again.append(by_name[pair.name])
                plan.pairs_to_make.append(pair)


def _pairs(plan: Plan) -> Iterator[Pair]:
    for document in plan.documents:
        yield from document.pairs
