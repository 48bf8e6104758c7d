"""How what a manifest holds is quoted in a message: never more of it than a person reads."""

from __future__ import annotations

import json
from collections.abc import Collection
from itertools import islice

MAX_QUOTED_CHARS = 60
MAX_LISTED = 10


def quoted(value: object) -> str:
    """`value` as JSON, cut to MAX_QUOTED_CHARS."""
    if isinstance(value, str):  # cut before it is copied
        value = value[: MAX_QUOTED_CHARS + 1]
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_QUOTED_CHARS else text[: MAX_QUOTED_CHARS - 3] + '…"'


def cut(name: str) -> str:
    """A field's name, cut to MAX_QUOTED_CHARS."""
    return name if len(name) <= MAX_QUOTED_CHARS else name[: MAX_QUOTED_CHARS - 1] + "…"


def listed(names: Collection[str]) -> str:
    """The first MAX_LISTED names, and how many there are besides."""
    said = ", ".join(cut(name) for name in islice(names, MAX_LISTED))
    return said if len(names) <= MAX_LISTED else f"{said} and {len(names) - MAX_LISTED:,} more"
