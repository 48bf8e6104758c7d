"""What a hostile file goes through: all of the work that a pair does with it, but for the model."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from function.delivery.catalogue import catalogue_budget
from function.delivery.row_writer import row_manifest
from function.errors import CompositeError, PermanentError
from function.imaging.compress import downscale_area
from function.imaging.decode import decode
from function.imaging.encode import encode
from function.imaging.frame import fit_within
from function.imaging.icc import to_srgb
from function.manifest.parse import parse_manifest
from function.manifest.references import manifest_targets
from function.manifest.spreadsheet import read_rows
from function.pipeline.source_limits import inspect_source
from function.settings import Settings

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"})
ANALYSIS_SIDE_PX = 1024
MAX_MESSAGE_BYTES = 3000  # with the rest of its sidecar it stays under 4 KB
READ, REFUSED = "read", "refused"


def read_picture(content: bytes) -> str:
    """A scene's way: its header, its small picture, all of its pixels, and its profile in a result.

    `read WIDTH x HEIGHT` or `refused …`, the latter with the size where that was known.
    """
    said = ""
    try:
        info = inspect_source(content, "scene", SETTINGS)
        said = f"{info.size[0]} x {info.size[1]} {info.decode_bytes}"
        small_size = fit_within(info.size, ANALYSIS_SIDE_PX)
        limit = SETTINGS.max_source_pixels
        first = decode(content, "scene", max_pixels=limit, flatten=True, at_least=small_size)
        small, icc = downscale_area(first.array, small_size), first.icc
        del first
        to_srgb(small, icc)
        decode(content, "scene", max_pixels=limit, flatten=True)
        encode(small, "png", icc=icc)
    except CompositeError as error:
        return f"{REFUSED} {_words(error)} {said}"
    return f"{READ} {said}"


def read_manifest(body: bytes) -> str:
    """A pair manifest's way to what its references point at."""
    try:
        manifest = parse_manifest(body, SETTINGS)
        manifest_targets(manifest, SETTINGS, "in-bucket", "folder/pair.json")
    except CompositeError as error:
        return f"{REFUSED} {_words(error)}"
    return READ


def read_catalogue(ending: str, body: bytes) -> str:
    """A catalogue's way to its rows' manifests; none of them is written."""
    upload = cast("Any", SimpleNamespace(bucket="in-bucket", name=f"folder/rows{ending}"))
    refused = 0
    try:
        rows = read_rows(upload.name, body)
        catalogue_budget(rows, SETTINGS)
    except CompositeError as error:
        return f"{REFUSED} {_words(error)}"
    for row in rows:
        try:
            row_manifest(row, upload, SETTINGS)
        except CompositeError as error:
            _words(error)
            refused += 1
    return f"{READ} {len(rows)} rows, {refused} of them refused"


def _words(error: CompositeError) -> str:
    """Raises AssertionError unless the error is for good, and short enough for its sidecar."""
    assert isinstance(error, PermanentError), repr(error)
    assert len(error.message.encode()) <= MAX_MESSAGE_BYTES, f"a message of {len(error.message)} characters"
    return f"{error.code}: {error.message[:160]!r}"
