"""Which folders the manifests of a folder may read: ALLOWED_PREFIXES.

`team-a/` says that manifests below `team-a/` read only what lies there; `team-a/=brand/` adds another folder of their
bucket, `team-a/=gs://pictures/a/` one of another bucket, and `=brand/` gives one to all manifests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from function.storage.names import BUCKET_NAME, split_gs_uri

GS_SCHEME = "gs://"


@dataclass(frozen=True)
class ReadRule:
    """Manifests below `folder` may read what lies below `place` of `bucket`, or of their own bucket where it is None.

    Both folders end with a slash; an empty one is the bucket's root, below which everything is.
    """

    folder: str
    bucket: str | None
    place: str


def parse_rule(text: str) -> ReadRule:
    """`folder`, or `folder=place` → the rule. Raises ValueError."""
    folder, equals, place = text.strip().partition("=")
    if not equals:
        return ReadRule(_folder(folder), None, _folder(folder))
    if not place.strip().startswith(GS_SCHEME):
        return ReadRule(_folder(folder), None, _folder(place))
    bucket, name = split_gs_uri(place.strip())
    if not re.fullmatch(BUCKET_NAME, bucket):
        raise ValueError(f"{bucket!r} is not a valid bucket name")
    return ReadRule(_folder(folder), bucket, _folder(name))


def may_read(rules: Collection[ReadRule], manifest: tuple[str, str] | None, bucket: str, name: str) -> bool:
    """Whether a manifest, (bucket, name), may read the object `name` of `bucket`. None: it has no place of its own.

    Without any rule it reads all of its own bucket; another bucket that no rule names is for ALLOWED_BUCKETS to tell.
    """
    own_bucket, own_name = manifest or (None, "")
    is_ruled = bool(rules) if bucket == own_bucket else any(rule.bucket == bucket for rule in rules)
    return not is_ruled or any(
        manifest is not None
        and (rule.bucket or own_bucket) == bucket
        and _is_below(own_name, rule.folder)
        and _is_below(name, rule.place)
        for rule in rules
    )


def home_of(rules: Collection[ReadRule], name: str) -> str:
    """The folder, with its slash, that rules hold the manifest `name` to; "", the bucket's root, where none does."""
    return max((rule.folder for rule in rules if _is_below(name, rule.folder)), key=len, default="")


def _is_below(name: str, folder: str) -> bool:
    """Whether a name lies below a folder, whichever normal form of Unicode either is written in."""
    return unicodedata.normalize("NFC", name).startswith(unicodedata.normalize("NFC", folder))


def _folder(text: str) -> str:
    folder = text.strip().strip("/")
    if any(part in ("", ".", "..") for part in folder.split("/")) and folder:
        raise ValueError(f"{text.strip()!r} is not a folder")
    return f"{folder}/" if folder else ""
