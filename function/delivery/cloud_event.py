"""A CloudEvent of Cloud Storage → what was uploaded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloudevents.exceptions import GenericException
from cloudevents.http import from_http
from werkzeug.datastructures import Headers

from function.storage.names import BUCKET_NAME, gs_uri, is_style

FINALIZED = "google.cloud.storage.object.v1.finalized"
MANIFEST_SUFFIX = ".json"
CATALOGUE_SUFFIXES = (".jsonl", ".csv")
SUFFIXES = (MANIFEST_SUFFIX, *CATALOGUE_SUFFIXES)
MAX_GENERATION = 2**63 - 1  # generations are int64


class InvalidEventError(Exception):
    """A delivery that is no finalize event of Cloud Storage; the message says why."""


@dataclass(frozen=True)
class Upload:
    """One finalized object. `time` is when the event happened (UTC)."""

    event_id: str
    bucket: str
    name: str
    generation: int
    time: datetime

    @property
    def uri(self) -> str:
        """`gs://bucket/name`."""
        return gs_uri(self.bucket, self.name)

    def age_s(self) -> float:
        """Seconds since the event happened, never negative."""
        return max(0.0, (datetime.now(UTC) - self.time).total_seconds())


def is_catalogue(name: str) -> bool:
    """Whether an object is a catalogue by its suffix, in capitals too."""
    return name.lower().endswith(CATALOGUE_SUFFIXES)


def is_manifest(name: str) -> bool:
    """Whether an object is a pair manifest or a catalogue by its suffix, in capitals too, and not a style profile."""
    return name.lower().endswith(SUFFIXES) and not is_style(name)


def parse_event(headers: Mapping[str, str] | Headers, body: bytes) -> Upload:
    """Binary or structured CloudEvent → Upload. Raises InvalidEventError."""
    try:
        event = from_http(dict(headers.items()), body)
    except (GenericException, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise InvalidEventError(f"not a CloudEvent: {str(error)[:200]}") from None
    if event["type"] != FINALIZED:
        raise InvalidEventError(f"type is {str(event['type'])[:100]!r}, not {FINALIZED!r}")
    data = _as_object(event.data)
    bucket, name = _text(data, "bucket"), _text(data, "name")
    if not re.fullmatch(BUCKET_NAME, bucket):
        raise InvalidEventError("data.bucket is not a valid bucket name")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise InvalidEventError("data.name has characters that are not valid Unicode") from None
    try:
        generation = int(data["generation"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InvalidEventError("data.generation is missing or not a number") from None
    if not 0 < generation <= MAX_GENERATION or isinstance(data["generation"], bool):
        raise InvalidEventError("data.generation is not a generation number")
    return Upload(str(event["id"]), bucket, name, generation, _event_time(_stated_time(headers, body), data))


def _text(data: dict[str, Any], field: str) -> str:
    value = data.get(field)
    if not isinstance(value, str) or not value:
        raise InvalidEventError(f"data.{field} is missing")
    return value


def _as_object(data: Any) -> dict[str, Any]:
    if isinstance(data, bytes | str):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            raise InvalidEventError("the body is not JSON") from None
    if not isinstance(data, dict):
        raise InvalidEventError("the body is not a JSON object")
    return data


def _stated_time(headers: Mapping[str, str] | Headers, body: bytes) -> Any:
    """The event's `time` attribute, None without one: the library would put the present in its place."""
    binary = {name.lower(): value for name, value in headers.items()}
    if "ce-specversion" in binary:
        return binary.get("ce-time")
    return json.loads(body).get("time")


def _event_time(stated: Any, data: dict[str, Any]) -> datetime:
    """The event's own time, else the object's; an event without either counts as new."""
    for value in (stated, data.get("timeCreated"), data.get("updated")):
        try:
            time = datetime.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            continue
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    return datetime.now(UTC)
