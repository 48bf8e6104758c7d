"""Whether the images that pairs read can be read: those of the folder whole, those in buckets by their size."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from function.deadline import Deadline
from function.errors import CompositeError, MissingSourceError, SourceTooLargeError
from function.manifest.references import StoredImage
from function.manifest.style import MAX_STYLE_BYTES
from function.pipeline.fetch import find_image
from function.pipeline.source_limits import inspect_source
from function.pipeline.style import fetch_style, read_style
from function.settings import Settings
from function.storage.client import AccessDeniedError, Storage, StoredObject, crc32c
from function.storage.names import STYLES_FOLDER, is_style, other_normal_forms
from function.tools.cli.folder_documents import LocalFile, Pair, read_limited
from function.tools.cli.terminal import Progress
from function.tools.timeouts import CALL_S

READERS = 4  # images are read whole to be checked; more would only fill the memory
STATS = 16  # small requests


@dataclass
class CheckedImages:
    """What became of the images: the files that can be uploaded, the pairs that read one with a problem or too much
    together, and the problems in sentences."""

    files: list[LocalFile]
    bad: set[Pair]
    problems: list[str]


def check_images(
    users: Mapping[StoredImage, list[Pair]],
    files: Mapping[StoredImage, Path | None],
    by_name: dict[str, StoredObject],
    bucket: str,
    storage: Storage | None,
    settings: Settings,
) -> CheckedImages:
    """Check every image that has `users`: its file where `files` has one, else the object; `by_name` are the objects of
    `bucket` that are known. Without `storage` objects are not looked at."""
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

    checked = CheckedImages([], set(), [])
    with ThreadPoolExecutor(READERS if any(files.values()) else STATS) as pool:
        for image, found in zip(users, pool.map(check, users), strict=True):
            if isinstance(found, LocalFile):
                checked.files.append(found)
            elif found:
                checked.bad.update(users[image])
                first, *others = users[image]
                more = f" and {len(others):,} more" if others else ""
                checked.problems.append(f"{first.title}{more}: {found}")
    progress.close()
    for pair in dict.fromkeys(pair for pairs in users.values() for pair in pairs):
        if problem := _too_large_together(pair, files, settings):
            checked.bad.add(pair)
            checked.problems.append(f"{pair.title}: {problem}")
    return checked


def file_of(image: StoredImage, root: Path, bucket: str, start: str) -> Path | None:
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
        content = read_limited(path, MAX_STYLE_BYTES)
        read_style(content, str(path))
        return LocalFile(path, name, len(content), crc32c(content), "application/json")
    content = read_limited(path, settings.max_source_bytes)
    info = inspect_source(content, str(path), settings)
    return LocalFile(path, name, len(content), crc32c(content), info.mime_type)


def _too_large_together(pair: Pair, files: Mapping[StoredImage, Path | None], settings: Settings) -> str:
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
