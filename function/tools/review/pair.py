"""What the review page needs to know of one pair, and where it is read from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Protocol

from function.delivery.cloud_event import is_catalogue
from function.delivery.output_metadata import GENERATION_KEY, MANIFEST_KEY, STATUS_KEY
from function.delivery.outputs import MAX_SIDECAR_BYTES
from function.imaging.data_uri import decode_data_uri, is_data_uri
from function.manifest.output_target import MAX_TARGETS
from function.storage.names import gs_uri, is_object_uri, split_gs_uri
from function.tools.review.view import product_record, view_of

STATUSES = ("review", "failed", "accepted")  # the order in which a person wants to see them
DECISIONS = ("accept", "reject")
# Custom metadata of the result object: what was decided, by whom, and when (ISO 8601).
DECISION_KEY, DECIDED_BY_KEY, DECIDED_AT_KEY = "review-decision", "review-decided-by", "review-decided-at"
COMMENT_KEY = "review-comment"
READERS = 16  # sidecars read at once: they are small, so waiting dominates
GENERATION = re.compile(r"[0-9]{1,19}")

Load = Callable[[], bytes | None]
Odd = Callable[[str, str, str], None]  # bucket, name, what is odd about the object
# Whether a sidecar, given with every object that is listed, is known already and need not be read.
Known = Callable[[str, Mapping[str, "Listed"]], bool]


@dataclass(frozen=True)
class ReviewPair:
    """One settled pair.

    `scene`, `product` and `result` are the encoded picture, a function that reads it when it is needed, or None.
    The function returns None or raises OSError when there is no such picture any more.
    """

    name: str  # object name of the sidecar, "a/b/pair.json"
    sidecar: dict[str, Any]
    scene: bytes | Load | None = None
    product: bytes | Load | None = None
    result: bytes | Load | None = None
    decision: str | None = None  # recorded earlier, one of DECISIONS
    decided_by: str = ""
    decided_at: str = ""
    comment: str = ""
    attempts: Mapping[int, Load] = field(
        default_factory=dict
    )  # the model's own pictures by number, where it kept several
    link: str | None = None  # where a person may open the full result
    others: tuple[tuple[bytes | Load | None, str | None], ...] = ()  # further results, each with its link


class Listed(Protocol):
    """One object of a listing."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def metadata(self) -> dict[str, str]: ...
    @property
    def generation(self) -> int: ...


class ReviewStore(Protocol):
    """What `load_pairs` reads from: buckets, or folders that stand for them."""

    def list_objects(self, bucket: str, prefix: str) -> Iterable[Listed]:
        """Every object of the bucket whose name starts with the prefix."""

    def read(self, uri: str, generation: int | None = None) -> bytes | None:
        """The object at gs://bucket/name, at that generation; None when it is gone or not ours to read."""

    def link(self, uri: str) -> str | None:
        """Where a browser may open the object; None when there is no such place."""


def load_pairs(
    store: ReviewStore, uri: str, odd: Odd = lambda *_: None, known: Known = lambda *_: False
) -> Iterator[ReviewPair]:
    """The settled pairs under `gs://bucket/prefix`, in the order of their names, without those that are `known`.

    Objects that are no sidecar of a pair (a catalogue's own record, a person's file) are passed over; `odd` is told
    bucket, name and what is wrong of those that say in their metadata that they are one. Raises ValueError when `uri`
    is not a gs:// address.
    """
    bucket, prefix = split_gs_uri(uri)
    objects = {stored.name: stored for stored in store.list_objects(bucket, prefix)}
    names = iter(sorted(name for name in objects if name.endswith(".json") and not known(name, objects)))

    def read(name: str) -> dict[str, Any] | str:
        if objects[name].size > MAX_SIDECAR_BYTES:
            return f"it is larger than the {MAX_SIDECAR_BYTES:,} bytes of any sidecar"
        return _parse_sidecar(store.read(gs_uri(bucket, name)))

    with ThreadPoolExecutor(READERS) as readers:
        while batch := list(islice(names, 4 * READERS)):  # a batch bounds what is held in memory
            for name, sidecar in zip(batch, readers.map(read, batch), strict=True):
                if isinstance(sidecar, dict):
                    yield _pair(store, name, sidecar, objects)
                elif _says_that_it_is_a_pairs_sidecar(objects[name].metadata):
                    odd(bucket, name, f"{sidecar}; the page does without it")


def _says_that_it_is_a_pairs_sidecar(metadata: dict[str, str]) -> bool:
    return {STATUS_KEY, MANIFEST_KEY, GENERATION_KEY} <= metadata.keys() and not is_catalogue(metadata[MANIFEST_KEY])


def _parse_sidecar(body: bytes | None) -> dict[str, Any] | str:
    """The sidecar, or why it is none."""
    if body is None:
        return "it cannot be read"
    try:
        sidecar = json.loads(body)
    except (ValueError, RecursionError) as error:
        return f"it is not JSON: {str(error)[:200]}"
    if not isinstance(sidecar, dict) or sidecar.get("status") not in STATUSES:
        return f"it is no object with a status of {', '.join(STATUSES)}"
    return sidecar if isinstance(sidecar.get("manifest"), dict) else "it does not say which manifest it is of"


def _pair(store: ReviewStore, name: str, sidecar: dict[str, Any], objects: Mapping[str, Listed]) -> ReviewPair:
    result_uri = uri_of(sidecar.get("result"))
    result = objects.get(split_gs_uri(result_uri)[1]) if result_uri else None
    metadata = result.metadata if result else {}
    decision = metadata.get(DECISION_KEY)
    inputs = sidecar.get("inputs")
    inputs = inputs if isinstance(inputs, dict) else {}
    return ReviewPair(
        name=name,
        sidecar=sidecar,
        scene=_load_source(store, sidecar, "scene", inputs.get("scene")),
        product=_load_source(store, sidecar, "product", product_record(sidecar)),
        result=(lambda: store.read(result_uri)) if result_uri else None,
        decision=decision if decision in DECISIONS else None,
        decided_by=metadata.get(DECIDED_BY_KEY, ""),
        decided_at=metadata.get(DECIDED_AT_KEY, ""),
        comment=metadata.get(COMMENT_KEY, ""),
        attempts=_attempts(store, sidecar.get("attempts"), sidecar.get("earlier")),
        link=store.link(result_uri) if result_uri else None,
        others=_others(store, sidecar.get("results")),
    )


def _attempts(store: ReviewStore, *lists: object) -> dict[int, Load]:
    """What reads the pictures to choose among; nothing where there is one alone."""
    found: dict[int, Load] = {}
    for attempt in (one for attempts in lists if isinstance(attempts, list) for one in attempts):
        record = attempt if isinstance(attempt, dict) else {}
        uri, number = uri_of(record.get("answer")), record.get("number")
        if uri and type(number) is int:
            found[number] = partial(store.read, uri)
    return found if len(found) > 1 else {}


def _others(store: ReviewStore, results: object) -> tuple[tuple[Load | None, str | None], ...]:
    """What reads the results after the first, and where a browser may open them."""
    uris = [uri_of(record) for record in results[1:MAX_TARGETS]] if isinstance(results, list) else []
    return tuple((partial(store.read, uri), store.link(uri)) if uri else (None, None) for uri in uris)


def uri_of(record: object) -> str | None:
    """The gs:// address in an object's record in a sidecar, or None."""
    uri = record.get("uri") if isinstance(record, dict) else None
    return uri if isinstance(uri, str) and is_object_uri(uri) else None


def _load_source(store: ReviewStore, sidecar: dict[str, Any], field: str, record: object) -> Load:
    """What reads a source where it stands, at the generation that was used, or out of the manifest itself."""
    uri = uri_of(record)
    if uri and isinstance(record, dict):
        return lambda: store.read(uri, _generation(record.get("generation")))
    view = view_of(sidecar)
    return lambda: _read_inline(store, sidecar["manifest"], field, view[0] if view else 0)


def _read_inline(store: ReviewStore, manifest: dict[str, Any], field: str, view: int) -> bytes | None:
    bucket, name = manifest.get("bucket"), manifest.get("name")
    uri = f"gs://{bucket}/{name}"
    if not isinstance(bucket, str) or not isinstance(name, str) or not is_object_uri(uri):
        return None
    body = store.read(uri, _generation(manifest.get("generation")))
    try:
        reference = json.loads(body or b"")[field]
        if isinstance(reference, list) and field == "product":
            reference = reference[view]
        return decode_data_uri(reference) if isinstance(reference, str) and is_data_uri(reference) else None
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def _generation(value: object) -> int | None:
    text = str(value)
    return int(text) if GENERATION.fullmatch(text) else None
