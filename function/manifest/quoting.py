"""How a value of a manifest is quoted in a message."""

from __future__ import annotations

import json

MAX_QUOTED_CHARS = 60


def quoted(value: object) -> str:
    """`value` as JSON, cut to MAX_QUOTED_CHARS."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_QUOTED_CHARS else text[: MAX_QUOTED_CHARS - 3] + '…"'
