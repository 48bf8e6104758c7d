"""What the review page needs to know of one pair, and where it is read from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from function.imaging.data_uri import decode_data_uri, is_data_uri
from function.storage.names import gs_uri, split_gs_uri

STATUSES = ("review", "failed", "accepted")  # the order in which a person wants to see them
DECISIONS = ("accept", "reject")
DECISION_KEY = "review-decision"  # custom metadata of the result object
READERS = 16  # sidecars read at once: they are small, so waiting dominates
GENERATION = re.compile(r"[0-9]{1,19}")

Load = Callable[[], bytes | None]


@dataclass(frozen=True)
class ReviewPair:
    """One settled pair.

    `scene`, `product` and `result` are the encoded picture, a function that reads it when it is needed, or None.
    The function returns None or raises OSError when there is no such picture any more.
    """

    name: str  # object name of the sidecar, "a/b/pair.json"
    sidecar: dict
    scene: bytes | Load | None = None
    product: bytes | Load | None = None
    result: bytes | Load | None = None
    decision: str | None = None  # recorded earlier, one of DECISIONS
    link: str | None = None  # where a person may open the full result


class Listed(Protocol):
    """One object of a listing."""

    @property
    def name(self) -> str: ...
    @property
    def metadata(self) -> dict[str, str]: ...


class ReviewStore(Protocol):
    """What `load_pairs` reads from: buckets, or folders that stand for them."""

    def list_objects(self, bucket: str, prefix: str) -> Iterable[Listed]:
        """Every object of the bucket whose name starts with the prefix."""

    def read(self, uri: str, generation: int | None = None) -> bytes | None:
        """The object at gs://bucket/name, at that generation; None when it is gone or not ours to read."""

    def link(self, uri: str) -> str | None:
        """Where a browser may open the object; None when there is no such place."""


def load_pairs(store: ReviewStore, uri: str) -> Iterator[ReviewPair]:
    """The settled pairs under `gs://bucket/prefix`, in the order of their names.

    Objects that are no sidecar of a pair (a catalogue's own record, a person's file) are passed over. Raises
    ValueError when `uri` is not a gs:// address.
    """
    bucket, prefix = split_gs_uri(uri)
    objects = {stored.name: stored.metadata for stored in store.list_objects(bucket, prefix)}
    names = iter(sorted(name for name in objects if name.endswith(".json")))
    with ThreadPoolExecutor(READERS) as readers:
        while batch := list(islice(names, 4 * READERS)):  # a batch bounds what is held in memory
            bodies = readers.map(lambda name: store.read(gs_uri(bucket, name)), batch)
            for name, body in zip(batch, bodies, strict=True):
                sidecar = _parse_sidecar(body)
                if sidecar is not None:
                    yield _pair(store, name, sidecar, objects)


def _parse_sidecar(body: bytes | None) -> dict | None:
    try:
        sidecar = json.loads(body or b"")
    except (ValueError, RecursionError):
        return None
    is_pair = (
        isinstance(sidecar, dict) and sidecar.get("status") in STATUSES and isinstance(sidecar.get("manifest"), dict)
    )
    return sidecar if is_pair else None


def _pair(store: ReviewStore, name: str, sidecar: dict, objects: dict[str, dict[str, str]]) -> ReviewPair:
    result_uri = uri_of(sidecar.get("result"))
    metadata = objects.get(split_gs_uri(result_uri)[1], {}) if result_uri else {}
    decision = metadata.get(DECISION_KEY)
    inputs = sidecar.get("inputs")
    inputs = inputs if isinstance(inputs, dict) else {}
    return ReviewPair(
        name=name,
        sidecar=sidecar,
        scene=_load_source(store, sidecar, "scene", inputs.get("scene")),
        product=_load_source(store, sidecar, "product", inputs.get("product")),
        result=(lambda: store.read(result_uri)) if result_uri else None,
        decision=decision if decision in DECISIONS else None,
        link=store.link(result_uri) if result_uri else None,
    )


def uri_of(record: object) -> str | None:
    """The gs:// address of an object's record in a sidecar, or None."""
    uri = record.get("uri") if isinstance(record, dict) else None
    return uri if isinstance(uri, str) and is_gs_uri(uri) else None


def is_gs_uri(uri: str) -> bool:
    """Whether it is gs://bucket or gs://bucket/name."""
    try:
        split_gs_uri(uri)
    except ValueError:
        return False
    return True


def _load_source(store: ReviewStore, sidecar: dict, field: str, record: object) -> Load:
    """What reads a source where it stands, at the generation that was used, or out of the manifest itself."""
    uri = uri_of(record)
    if uri and isinstance(record, dict):
        return lambda: store.read(uri, _generation(record.get("generation")))
    return lambda: _read_inline(store, sidecar["manifest"], field)


def _read_inline(store: ReviewStore, manifest: dict, field: str) -> bytes | None:
    bucket, name = manifest.get("bucket"), manifest.get("name")
    if not isinstance(bucket, str) or not isinstance(name, str):
        return None
    body = store.read(gs_uri(bucket, name), _generation(manifest.get("generation")))
    try:
        reference = json.loads(body or b"")[field]
        return decode_data_uri(reference) if isinstance(reference, str) and is_data_uri(reference) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _generation(value: object) -> int | None:
    text = str(value)
    return int(text) if GENERATION.fullmatch(text) else None
