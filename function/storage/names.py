"""What buckets and objects are called."""

from __future__ import annotations

import re
import unicodedata

BUCKET_NAME = r"^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$"  # Cloud Storage's own bucket naming rule
MAX_OBJECT_NAME_BYTES = 1024  # Cloud Storage's own limit
# Working records of this function in the output bucket; the bucket's lifecycle deletes them after a week.
WORK_PREFIX = "_work/"

# What has been spent, in the output bucket too: a cap must not expire with the working records.
BUDGET_PREFIX = "_budget/"
# Answers over HTTP that were too large to be sent; the bucket's lifecycle deletes them as it does working records.
HTTP_PREFIX = "_http/"
STYLES_FOLDER, STYLE_SUFFIX = "_styles", ".json"  # of style profiles, in the input bucket
OWN_PREFIXES = (WORK_PREFIX, BUDGET_PREFIX, HTTP_PREFIX)  # hold no results of manifests


def other_normal_forms(name: str) -> list[str]:
    """The same name as other systems spell it: a Mac may write ü as two characters, Windows as one.

    The last part alone comes first: a folder's name is mostly the manifest's own, and right as it is.
    """
    if name.isascii():
        return []
    folder, slash, last = name.rpartition("/")
    spelled = [folder + slash + unicodedata.normalize(form, last) for form in ("NFC", "NFD")]
    spelled += [unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    return [one for one in dict.fromkeys(spelled) if one != name]


def gs_uri(bucket: str, name: str) -> str:
    """`gs://bucket/name`."""
    return f"gs://{bucket}/{name}"


def split_gs_uri(uri: str) -> tuple[str, str]:
    """`gs://bucket/some/name` → ("bucket", "some/name"); of a bucket alone the name is "". Raises ValueError."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    if not uri.startswith("gs://") or not bucket:
        raise ValueError(f"{uri!r} is not gs://bucket/name")
    return bucket, name


def is_object_uri(uri: str) -> bool:
    """Whether it is gs://bucket/name, of a name that an object can have."""
    try:
        bucket, name = split_gs_uri(uri)
        length = len(name.encode())
    except ValueError:  # an encoding error is one too
        return False
    has_line_break = "\n" in name or "\r" in name
    return re.fullmatch(BUCKET_NAME, bucket) is not None and 0 < length <= MAX_OBJECT_NAME_BYTES and not has_line_break


def is_style(name: str) -> bool:
    """Whether an object is a style profile: a .json right in a folder called `_styles`, which is no pair's manifest."""
    folder, _, last = name.rpartition("/")
    return folder.rpartition("/")[2] == STYLES_FOLDER and last.lower().endswith(STYLE_SUFFIX)
