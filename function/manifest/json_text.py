"""Untrusted JSON text → values, in time and memory that its length bounds.

A pair of brackets becomes 64 bytes or more, so 32 MiB of them would take most of a gigabyte. Only strings may be long,
for images come inside them.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from function.manifest.quoting import listed

MAX_FIELDS = 200  # of one object; a manifest has about 20, and 32 labels
MAX_CONTAINERS = 32  # objects and lists in a document; a manifest has 4
MAX_STRUCTURE_CHARS = 200_000  # besides strings and blanks; a manifest has hundreds
MAX_STRINGS = 5000
_BLANKS = " \t\r\n"  # RFC 8259, 2


def parse_json(text: str) -> Any:
    """Parsed JSON. Raises json.JSONDecodeError where it is none, and ValueError with a sentence for people where it is
    nested too deeply, has a field twice, or has more of anything than a manifest can have."""
    if len(text) > MAX_STRUCTURE_CHARS:
        _check_structure(text)
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if text.count("{") + text.count("[") > MAX_CONTAINERS:
        _check_containers(value)
    return value


def _check_structure(text: str) -> None:
    """Raises ValueError where the text is long for what stands outside of its strings."""
    parts = text.replace("\\\\", "").replace('\\"', "").split('"', 2 * MAX_STRINGS)
    if len(parts) > 2 * MAX_STRINGS:
        raise ValueError(f"it has more than {MAX_STRINGS:,} texts")
    if sum(len(part) - sum(map(part.count, _BLANKS)) for part in parts[::2]) > MAX_STRUCTURE_CHARS:
        raise ValueError(f"it has more than {MAX_STRUCTURE_CHARS:,} characters besides its texts")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its fields. Raises ValueError that names fields that are there twice, or says that there are too
    many."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        twice = sorted(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise ValueError(f"duplicate field {listed(twice)}")
    if len(fields) > MAX_FIELDS:
        raise ValueError(
            f"an object has {len(fields):,} fields ({listed(list(fields))}); at most {MAX_FIELDS} are allowed"
        )
    return fields


def _check_containers(value: Any) -> None:
    count, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            count += 1
            if count > MAX_CONTAINERS:
                raise ValueError(f"it has more than {MAX_CONTAINERS} objects and lists inside one another")
            waiting.extend(one.values() if isinstance(one, dict) else one)
