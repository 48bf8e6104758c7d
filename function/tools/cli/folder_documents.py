"""The manifests and catalogues of a folder, read as the function will read them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from function.delivery.batch_pair import wished_rows
from function.delivery.cloud_event import SUFFIXES, Upload, is_catalogue, is_manifest
from function.delivery.row_writer import NamesTaken, row_manifest, rows_prefix
from function.errors import CompositeError, SourceTooLargeError
from function.manifest.model import Manifest
from function.manifest.parse import MAX_MANIFEST_BYTES, parse_manifest
from function.manifest.references import InlineImage, StoredImage, bucket_of, manifest_targets, stated_references
from function.manifest.spreadsheet import MAX_CATALOGUE_BYTES, Row, read_rows
from function.manifest.style import style_object
from function.pipeline.source_limits import inspect_source
from function.settings import Settings
from function.storage.client import crc32c
from function.storage.names import is_style
from function.tools.cli.left_out import without_rows
from function.tools.explain import UsageError, workbook


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
    path: Path, name: str, bucket: str, settings: Settings, problems: list[str], wish: dict[str, str] | None = None
) -> Document:
    """Read a manifest or a catalogue as the object `name`; what is wrong with its rows is added to `problems`. Raises
    CompositeError for what is wrong with the whole of it, OSError."""
    catalogue = is_catalogue(path.name)
    content = read_limited(path, MAX_CATALOGUE_BYTES if catalogue else MAX_MANIFEST_BYTES)
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
            problems.append(f"{title}: {error.message}")
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
    """Without ALLOWED_BUCKETS in this environment it is unknown here what the function may read: allow all."""
    if settings.allowed_buckets or not isinstance(fields, dict):
        return settings
    buckets = map(bucket_of, stated_references(fields))
    return settings.model_copy(update={"allowed_buckets": tuple(bucket for bucket in buckets if bucket)})


def _as_upload(bucket: str, name: str) -> Upload:
    return Upload("", bucket, name, 1, datetime.now(UTC))


def read_limited(path: Path, limit: int) -> bytes:
    size = path.stat().st_size
    if size > limit:
        raise SourceTooLargeError(f"{path} has {size:,} bytes; {limit:,} are allowed")
    return path.read_bytes()


def conflicts(documents: list[Document]) -> list[str]:
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
