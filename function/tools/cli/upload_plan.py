"""Before anything is uploaded: which manifests and images a folder holds, what is wrong with them, what is new."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from function.deadline import Deadline
from function.delivery.batch_pair import wished_rows
from function.delivery.cloud_event import SUFFIXES, Upload, is_catalogue, is_manifest
from function.delivery.persons_request import is_of
from function.delivery.row_writer import NamesTaken, row_manifest, rows_prefix
from function.errors import CompositeError, MissingSourceError, SourceTooLargeError
from function.manifest.model import Manifest
from function.manifest.parse import MAX_MANIFEST_BYTES, parse_manifest
from function.manifest.references import InlineImage, StoredImage, bucket_of, manifest_targets, stated_references
from function.manifest.spreadsheet import MAX_CATALOGUE_BYTES, Row, read_rows
from function.manifest.style import MAX_STYLE_BYTES, style_object
from function.pipeline.fetch import find_image
from function.pipeline.source_limits import inspect_source
from function.pipeline.style import fetch_style, read_style
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
from function.storage.names import STYLES_FOLDER, is_style, other_normal_forms
from function.tools.cli.left_out import without_rows
from function.tools.cli.reuse import asks_the_same, may_be_found
from function.tools.cli.terminal import Progress
from function.tools.explain import UsageError, workbook
from function.tools.timeouts import CALL_S, LISTING_S

READERS = 4  # images are read whole to be checked; more would only fill the memory
STATS = 16  # small requests


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine and the object it becomes; `content` where that differs from the file."""

    path: Path
    name: str
    size: int
    crc32c: str
    content_type: str
    content: bytes | None = None

    def read(self) -> bytes:
        """What is uploaded."""
        return self.path.read_bytes() if self.content is None else self.content


@dataclass(frozen=True, eq=False)
class Pair:
    """One pair: what calls it so for people, its manifest's object name and bytes, and what it reads, by field: images,
    and its style's profile.
    `row` is its number in a catalogue."""

    title: str
    name: str
    body: bytes
    manifest: Manifest
    sources: dict[str, StoredImage]
    row: int | None = None

    @property
    def images(self) -> tuple[StoredImage, ...]:
        """What it reads."""
        return tuple(self.sources.values())


@dataclass
class Document:
    """A manifest or a catalogue of the folder; `rows` are a catalogue's, the bad ones too."""

    file: LocalFile
    pairs: list[Pair]
    is_catalogue: bool
    rows: list[Row] = field(default_factory=list)

    def without(self, bad: set[Pair]) -> Document | None:
        """What of it can be used; None when that is nothing."""
        good = [pair for pair in self.pairs if pair not in bad]
        if not self.is_catalogue or not good:
            return replace(self, pairs=good) if good else None
        left_out = {row.number for row in self.rows} - {pair.row for pair in good}
        content = without_rows(self.file.name, self.file.path.read_bytes(), self.rows, left_out)
        file = replace(self.file, content=content, size=len(content), crc32c=crc32c(content))
        return replace(self, file=file, pairs=good)


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
            plan.documents.append(read_document(path, name, bucket, settings, plan, wish))
        except CompositeError as error:
            plan.problems.append(f"{path}: {error.message}")
    plan.problems += _conflicts(plan.documents)
    listed = storage.list(bucket, start, Deadline(LISTING_S)) if storage else ()
    by_name = {stored.name: stored for stored in listed}
    users: dict[StoredImage, list[Pair]] = {}
    for pair in _pairs(plan):
        for image in pair.images:
            users.setdefault(image, []).append(pair)
    files = {image: _file_of(image, root, bucket, start) for image in users}
    for image in users:  # a profile lies at the bucket's root, whatever the prefix
        if storage and is_style(image.name) and image.bucket == bucket and image.name not in by_name:
            stored = storage.stat(bucket, image.name, Deadline(CALL_S))
            by_name |= {image.name: stored} if stored else {}
    plan.existing = {name: stored.generation for name, stored in by_name.items()}
    plan.foreign_buckets = {image.bucket for image in users} - {bucket} - set(settings.allowed_buckets)

    progress = Progress("checking ", len(users))

    def check(image: StoredImage) -> LocalFile | str | None:
        try:
            if file := files[image]:
                return _read_image(file, image.name, settings)
            if storage:
                _check_stored(image, by_name if image.bucket == bucket else {}, storage, settings)
        except CompositeError as error:
            return error.message
        except AccessDeniedError:
            return None  # the function may be allowed to read it, if this person is not
        finally:
            progress.add()
        return None

    bad: set[Pair] = set()
    with ThreadPoolExecutor(READERS if any(files.values()) else STATS) as pool:
        for image, checked in zip(users, pool.map(check, users), strict=True):
            if isinstance(checked, LocalFile):
                plan.images.append(checked)
            elif checked:
                bad.update(users[image])
                first, *others = users[image]
                more = f" and {len(others):,} more" if others else ""
                plan.problems.append(f"{first.title}{more}: {checked}")
    progress.close()
    for pair in _pairs(plan):
        if problem := _too_large_together(pair, files, settings):
            bad.add(pair)
            plan.problems.append(f"{pair.title}: {problem}")
    if skip_bad:
        plan.documents = [good for document in plan.documents if (good := document.without(bad))]
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


def _conflicts(documents: list[Document]) -> list[str]:
    """What two documents would write both: `x.json` and `x.JSON`, `spring.csv` and `spring.jsonl`."""
    first: dict[str, Document] = {}
    problems = []
    for document in documents:
        name = document.file.name
        written = rows_prefix(name) if document.is_catalogue else name.rpartition(".")[0]
        other = first.setdefault(written, document)
        if other is not document:
            problems.append(f"{document.file.path} and {other.file.path} have the same results; rename one of them")
    return problems


def documents_in(source: Path) -> tuple[Path, list[Path]]:
    """The folder that names are relative to, and the manifests and catalogues in it."""
    if source.is_file():
        if is_style(source.resolve().as_posix()):
            raise UsageError(f"{source} is a style profile: it goes up with the manifests that name it")
        if not is_manifest(source.name):
            raise UsageError(workbook(source) or f"{source} is neither a folder nor a {', '.join(SUFFIXES)} file")
        return source.parent, [source]
    if not source.is_dir():
        raise UsageError(f"{source} is not there; correct the name")
    found = sorted(path for path in source.rglob("*") if is_manifest(path.name) and path.is_file())
    found = [path for path in found if not is_style(path.relative_to(source).as_posix())]
    visible = [path for path in found if not any(part.startswith(".") for part in path.relative_to(source).parts)]
    if not visible:
        raise UsageError(f"{source} holds no manifest (.json) and no catalogue (.csv, .jsonl){_workbook_in(source)}")
    return source, visible


def _workbook_in(folder: Path) -> str:
    found = next(filter(None, (workbook(path) for path in sorted(folder.rglob("*")))), "")
    return f"; {found}" if found else ""


def read_document(
    path: Path, name: str, bucket: str, settings: Settings, plan: Plan, wish: dict[str, str] | None = None
) -> Document:
    """Read a manifest or a catalogue as the object `name`; bad rows are added to the plan's problems. Raises
    CompositeError for what is wrong with the whole of it, OSError."""
    catalogue = is_catalogue(path.name)
    content = _content(path, MAX_CATALOGUE_BYTES if catalogue else MAX_MANIFEST_BYTES)
    kind = "text/csv" if path.suffix.lower() == ".csv" else "application/json"
    file = LocalFile(path, name, len(content), crc32c(content), kind)
    if not catalogue:
        return Document(file, [_pair(str(path), name, content, bucket, settings)], is_catalogue=False)
    upload = _as_upload(bucket, name)
    rows = wished_rows(read_rows(name, content), wish or {})
    document, names = Document(file, [], is_catalogue=True, rows=rows), NamesTaken()
    for row in document.rows:
        title = f"{path} row {row.number} (line {row.line})"
        try:
            made = row_manifest(row, upload, _reading_anywhere(row.fields, settings))
            names.take(made.name, row)
            document.pairs.append(_pair(title, made.name, made.body, bucket, settings, row.number))
        except CompositeError as error:
            plan.problems.append(f"{title}: {error.message}")
    return document


def _pair(title: str, name: str, body: bytes, bucket: str, settings: Settings, row: int | None = None) -> Pair:
    """A manifest, read as the function will read it."""
    manifest = parse_manifest(body, settings)
    named = {**manifest.references, "style": manifest.style}
    anywhere = _reading_anywhere(named, settings)
    targets = manifest_targets(manifest, anywhere, bucket, name)
    for part, target in targets.items():
        if isinstance(target, InlineImage):
            inspect_source(target.content, part, settings)
    stored = {part: target for part, target in targets.items() if isinstance(target, StoredImage)}
    if (style := style_object(manifest, anywhere, bucket, name)) is not None:
        stored["style"] = style
    return Pair(title, name, body, manifest, stored, row)


def _reading_anywhere(fields: Any, settings: Settings) -> Settings:
    """Without ALLOWED_BUCKETS in this environment nobody here knows what the function may read."""
    if settings.allowed_buckets or not isinstance(fields, dict):
        return settings
    buckets = map(bucket_of, stated_references(fields))
    return settings.model_copy(update={"allowed_buckets": tuple(bucket for bucket in buckets if bucket)})


def _as_upload(bucket: str, name: str) -> Upload:
    return Upload("", bucket, name, 1, datetime.now(UTC))


def _content(path: Path, limit: int) -> bytes:
    size = path.stat().st_size
    if size > limit:
        raise SourceTooLargeError(f"{path} has {size:,} bytes; {limit:,} are allowed")
    return path.read_bytes()


def _file_of(image: StoredImage, root: Path, bucket: str, start: str) -> Path | None:
    """The file that would become the object `image`, when there is one in the folder."""
    if is_style(image.name):
        path = root / STYLES_FOLDER / PurePosixPath(image.name).name
        return path if image.bucket == bucket and path.is_file() else None
    inner = PurePosixPath(image.name[len(start) :])
    if image.bucket != bucket or not image.name.startswith(start) or ".." in inner.parts or inner.is_absolute():
        return None
    for spelled in (str(inner), *other_normal_forms(str(inner))):
        try:
            if (path := root / spelled).is_file():
                return path
        except OSError:  # a name that no file can have
            return None
    return None


def _read_image(path: Path, name: str, settings: Settings) -> LocalFile:
    if is_style(name):
        content = _content(path, MAX_STYLE_BYTES)
        read_style(content, str(path))
        return LocalFile(path, name, len(content), crc32c(content), "application/json")
    content = _content(path, settings.max_source_bytes)
    info = inspect_source(content, str(path), settings)
    return LocalFile(path, name, len(content), crc32c(content), info.mime_type)


def _too_large_together(pair: Pair, files: dict[StoredImage, Path | None], settings: Settings) -> str:
    """What is wrong with the photographs of its products in the folder, however small each is; empty where nothing."""
    fields = [field for one in pair.manifest.product_fields for field in one]
    photographs = [files[pair.sources[field]] for field in fields if field in pair.sources]
    size = sum(file.stat().st_size for file in photographs if file is not None)
    if len(photographs) < 2 or size <= settings.max_source_bytes:
        return ""
    return f"its photographs have {size:,} bytes together; {settings.max_source_bytes:,} are allowed (MAX_SOURCE_BYTES)"


def _check_stored(image: StoredImage, by_name: dict[str, StoredObject], storage: Storage, settings: Settings) -> None:
    if is_style(image.name):
        fetch_style(image, storage, Deadline(CALL_S))
        return
    stored = by_name.get(image.name) or find_image(image, storage, Deadline(CALL_S))
    if stored is None:
        raise MissingSourceError(f"{image.uri} is neither in the folder nor in the bucket")
    if stored.size > settings.max_source_bytes:
        raise SourceTooLargeError(f"{image.uri} has {stored.size:,} bytes; {settings.max_source_bytes:,} are allowed")


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
