"""A catalogue file → its rows: CSV as Excel and Sheets write it, and JSONL."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from function.errors import InvalidManifestError
from function.imaging.mishaps import lfs_pointer
from function.manifest.flat_fields import FLAT_FIELDS, LABEL_PREFIX, is_known, join_views, parse_json, set_field, short
from function.manifest.text import encoding_of, text_of, trimmed, without_invisible

MAX_CATALOGUE_BYTES = 32 * 2**20  # 100,000 rows of 300 bytes; it is held in memory whole
MAX_ROWS = 100_000  # ten times what is ordinary, and still inside the six digits of a row's name
_MAX_LINES = 10 * MAX_ROWS  # empty ones too, and those inside of cells
_MAX_MARKS = 4  # byte order marks, one before the other, as some programs write them
_MAX_NAME_CHARS = 1000  # of a column
_MAX_DELIMITERS = 100_000  # of a row, those inside of cells too: each may make a cell of 80 bytes
_MAX_COLUMNS = 200
_MAX_FILLED = 60  # cells of a row: a manifest has about 20 fields, and 32 labels
_LINE = re.compile(r"[^\r\n]*+(?:\r\n|\r|\n)|[^\r\n]++\Z")  # a StringIO would hold four bytes for each character
_FOREIGN = re.compile("[\udc80-\udcff]")  # bytes that are not UTF-8, as `surrogateescape` keeps them
_HEAD_BYTES = 4096  # in which the first line of JSON is looked for
DELIMITERS = ",;\t"  # Excel writes the second where the comma is the decimal sign; "Unicode text" has the third
# Excel's own first line that says which delimiter follows; saved again it may be quoted, and padded with delimiters.
SEPARATOR_LINE = re.compile(r"\s*\"?sep ?= ?([,;\t|])\"?[,;\t| ]*(?:\r\n|\r|\n)", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """One pair of a catalogue. `number` counts data rows from 1; `line` is where it begins in the file.

    Kept is its text, as JSON: a manifest's fields, or, with `columns`, its cells; for what is made of it takes twenty
    times its bytes. `unreadable` says why there is none. `given` are fields that it has unless it states them itself.
    """

    number: int
    line: int
    text: bytes = b""
    columns: tuple[str, ...] | None = None
    unreadable: str | None = None
    given: tuple[tuple[str, Any], ...] = ()

    def read(self) -> Any:
        """A manifest's fields, unchecked; a new dict each time. Raises ValueError with a sentence for people."""
        fields = self._stated()
        return {**dict(self.given), **fields} if isinstance(fields, dict) else fields

    def _stated(self) -> Any:
        if self.unreadable is not None:
            raise ValueError(self.unreadable)
        if self.columns is not None:
            return _fields(self.columns, json.loads(self.text))
        try:
            return parse_json(self.text.decode())
        except UnicodeDecodeError as error:
            raise ValueError(f"it is not UTF-8 text: {error.reason} at byte {error.start}") from None

    @property
    def fields(self) -> Any:
        """What `read` gives; None where it cannot be read."""
        try:
            return self.read()
        except ValueError:
            return None

    def may_state(self, field: str) -> bool:
        """Whether it can have the field; told without reading it."""
        if self.columns is not None:
            return field in self.columns
        return field.encode() in self.text or b"\\u" in self.text


def read_rows(name: str, content: bytes) -> list[Row]:
    """The rows of the catalogue `name` (.csv or .jsonl).

    A row that cannot be read says so when it is, and stops no other. Raises InvalidManifestError when the catalogue
    as a whole cannot be used: its encoding, its header, its number of rows.
    """
    if pointer := lfs_pointer(content):
        raise InvalidManifestError(pointer)
    rows: list[Row] = []
    for row in (_jsonl_rows if name.lower().endswith(".jsonl") else _csv_rows)(content):
        if len(rows) == MAX_ROWS:
            raise InvalidManifestError(f"the catalogue has more than the {MAX_ROWS:,} rows allowed; split it")
        rows.append(row)
    if not rows:
        raise InvalidManifestError("the catalogue has no rows")
    return rows


def _jsonl_rows(content: bytes) -> Iterator[Row]:
    if encoding_of(content) != "utf-8":
        content = _text(content).encode("utf-8", "surrogatepass")
    for _ in range(_MAX_MARKS):
        content = content.removeprefix(codecs.BOM_UTF8)
    _check_is_lines(content)
    _check_lines(content.count(b"\n"))
    # Only a line feed ends a line: U+2028 and the like may stand inside a JSON string.
    lines = enumerate(content.split(b"\n"), start=1)
    filled = ((line, packed) for line, text in lines if (packed := text.strip()))
    for number, (line, packed) in enumerate(filled, start=1):
        yield Row(number, line, packed)


def _check_lines(count: int) -> None:
    if count > _MAX_LINES:
        raise InvalidManifestError(
            f"the catalogue has {count:,} lines, most of them empty; at most {_MAX_LINES:,} are allowed"
        )


def _check_is_lines(content: bytes) -> None:
    """Raises InvalidManifestError for JSON that is no JSONL: one problem, not one for every line of it."""
    head = content[:_HEAD_BYTES].lstrip()
    first = head.split(b"\n")[0].strip()
    if first.startswith(b"[") and first != b"[]":  # an empty list alone is a bad row
        raise InvalidManifestError(
            "the catalogue is a JSON array; JSONL has one object a line, no brackets around them and no commas between "
            "(`jq -c '.[]' in.json > out.jsonl`)"
        )
    if first == b"{":
        raise InvalidManifestError(
            "the catalogue's objects span several lines; JSONL has one object a line (`jq -c . in.json > out.jsonl`)"
        )


def _csv_rows(content: bytes) -> Iterator[Row]:
    text = _text(content)
    _check_lines(max(text.count("\n"), text.count("\r")))
    stated = SEPARATOR_LINE.match(text)
    delimiter = stated[1] if stated else _delimiter(text)
    # A data: image may stand in a cell; the module's own limit (128 KiB) is for the whole process.
    csv.field_size_limit(MAX_CATALOGUE_BYTES)
    records = _records(text, delimiter, stated.end() if stated else 0)
    offset = 1 if stated else 0
    for _, header in records:
        if isinstance(header, str):
            raise InvalidManifestError(f"the header, the first line, cannot be read: {header}")
        if foreign := _foreign_byte(header):
            raise InvalidManifestError(f"the header, the first line, {foreign}")
        columns = tuple(_columns(header))
        break
    else:
        raise InvalidManifestError("the catalogue is empty: its first line must name the columns")
    for number, (line, cells) in enumerate(records, start=1):
        if isinstance(cells, str):
            yield Row(number, line + offset, unreadable=cells)
            continue
        if foreign := _foreign_byte(cells):
            yield Row(number, line + offset, unreadable=f"it {foreign}")
            continue
        if (filled := len(cells) - cells.count("")) > _MAX_FILLED:
            yield Row(number, line + offset, unreadable=f"it fills {filled} cells; at most {_MAX_FILLED} are allowed")
            continue
        yield Row(number, line + offset, json.dumps(cells, ensure_ascii=False).encode(), columns)


def _records(text: str, delimiter: str, start: int = 0) -> Iterator[tuple[int, list[str] | str]]:
    """(first line, cells) of every record that is not empty; instead of cells, why they cannot be told apart."""
    delimiters = 0  # of the record that is read

    def lines() -> Iterator[str]:
        nonlocal delimiters
        for found in _LINE.finditer(text, start):
            delimiters += found[0].count(delimiter)
            if delimiters > _MAX_DELIMITERS:
                raise InvalidManifestError(f"line {line} begins a row of more than {_MAX_DELIMITERS:,} cells")
            yield found[0]

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    while True:
        line, delimiters = reader.line_num + 1, 0
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            through = f"line {line}" if reader.line_num <= line else f"lines {line} to {reader.line_num}"
            yield line, f'{through}: a quoted cell is not closed properly (a quote inside is written as "")'
            continue
        if any(trimmed(cell) for cell in cells[_MAX_COLUMNS:] if cell):
            yield line, f"it has {len(cells):,} cells; at most {_MAX_COLUMNS} are allowed"
            continue
        cells = [trimmed(cell) for cell in cells[:_MAX_COLUMNS]]
        if any(cells):
            yield line, cells


def _delimiter(text: str) -> str:
    """The delimiter under which the header names most known columns."""

    def known(delimiter: str) -> int:
        _, header = next(_records(text[:65536], delimiter), (1, []))
        return 0 if isinstance(header, str) else sum(is_known(_column(name)) for name in header)

    return max(DELIMITERS, key=known)


def _columns(header: list[str]) -> list[str]:
    """The columns that the header names. Raises InvalidManifestError that names everything wrong with it."""
    columns = [_column(name) for name in header]
    named = [name for name in columns if name]
    twice = [name for name, times in Counter(named).items() if times > 1]
    unknown = [name for name in header if name and not is_known(_column(name))]
    missing = [] if {"product", "products"} & set(named) else ["product"]
    missing += [] if {"scene", "scene.prompt"} & set(named) else ["scene"]
    problems = []
    if missing:
        problems.append(f"the column {' and '.join(missing)} is missing from the first line")
    if unknown:
        names = ", ".join(short(name) for name in unknown[:10])
        problems.append(f"unknown column {names} (known: {', '.join(FLAT_FIELDS)}, labels.…)")
    if twice:
        problems.append(f"duplicate column {', '.join(short(name) for name in twice[:10])}")
    if problems:
        raise InvalidManifestError("; ".join(problems))
    return columns


def _column(name: str) -> str:
    """A header's cell as the column it means: `Product` is `product`, and a label keeps its own letters."""
    name = trimmed(without_invisible(name[:_MAX_NAME_CHARS]))
    return LABEL_PREFIX + name[len(LABEL_PREFIX) :] if name.lower().startswith(LABEL_PREFIX) else name.lower()


def _fields(columns: Sequence[str], cells: list[str]) -> dict[str, Any]:
    """One row's cells as a manifest's fields; an empty cell is an absent field. Raises ValueError."""
    fields: dict[str, Any] = {}
    if any(cells[len(columns) :]):
        raise ValueError(f"it has {len(cells)} cells, and the header has {len(columns)}")
    for position, (column, cell) in enumerate(zip(columns, cells, strict=False), start=1):
        if not cell:
            continue
        if not column:
            raise ValueError(f"the header has no name for column {position}, which holds {short(cell)}")
        set_field(fields, column, cell)
    join_views(fields)
    return fields


def _text(content: bytes) -> str:
    """A catalogue's bytes as text. Raises InvalidManifestError.

    A row in another code page is refused by itself and stops no other: its bytes become lone surrogates.
    """
    try:
        return text_of(content, "surrogateescape")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidManifestError(
            f"the catalogue is not {error.encoding.upper()} text (line {line}, byte {error.start}: {error.reason}); "
            "save it as UTF-8: in Excel with the file type “CSV UTF-8 (Comma delimited)”"
        ) from None


def _foreign_byte(cells: list[str]) -> str | None:
    """What is wrong with cells that hold a byte which is not UTF-8."""
    found = next(filter(None, map(_FOREIGN.search, cells)), None)
    if found is None:
        return None
    return (
        f"is not UTF-8 text (byte {ord(found[0]) - 0xDC00:#04x}); save the file as UTF-8: in Excel with the file type "
        "“CSV UTF-8 (Comma delimited)”"
    )
