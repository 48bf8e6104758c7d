"""A catalogue without its bad rows. The others keep their numbers, for a row's number names its manifest and result."""

from __future__ import annotations

import re
from collections.abc import Set

from function.manifest.spreadsheet import Row
from function.manifest.text import text_of

# A row that no manifest can be made of: the catalogue's sidecar will name it as refused.
CSV_PLACEHOLDER = "left-out-by-submit\n"
JSONL_PLACEHOLDER = '"left-out-by-submit"\n'
_LINE = re.compile(r"[^\r\n]*+(?:\r\n|\r|\n)|[^\r\n]++\Z")


def without_rows(name: str, content: bytes, rows: list[Row], bad: Set[int]) -> bytes:
    """The catalogue's bytes with a placeholder for each row whose number is in `bad`; UTF-8 where there is one."""
    if not bad:
        return content
    text = text_of(content, "surrogateescape")
    is_jsonl = name.lower().endswith(".jsonl")
    lines = text.split("\n") if is_jsonl else _LINE.findall(text)
    if is_jsonl:
        lines = [f"{line}\n" for line in lines]
    starts = [row.line - 1 for row in rows] + [len(lines)]
    kept = lines[: starts[0]]
    for row, start, end in zip(rows, starts, starts[1:], strict=False):
        if row.number in bad:
            kept.append(JSONL_PLACEHOLDER if is_jsonl else CSV_PLACEHOLDER)
        else:
            kept += lines[start:end]
    return "".join(kept).encode("utf-8", "surrogateescape")
