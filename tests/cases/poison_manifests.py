"""Manifests and catalogues that cost far more than their bytes, each up to the documented sizes."""

from __future__ import annotations

import json
from collections.abc import Callable

_BODY_BYTES = 30 * 2**20  # of the 32 MiB that a manifest and a catalogue may have


def _filled(head: str, one: str, tail: str, size: int) -> bytes:
    """`head`, as many times `one` as fit into `size` bytes, `tail`."""
    return (head + one * ((size - len(head) - len(tail)) // len(one.encode())) + tail).encode()


def _pair(**fields: object) -> bytes:
    return json.dumps({"product": "p.png", "scene": "s.png", **fields}).encode()


def _text(size: int, one: str, **fields: str) -> bytes:
    """A pair whose fields are filled with `one`: `{…}` in a field's text stands for it."""
    filled = {
        name: text.replace("{…}", one * (size // len(one.encode()) // len(fields))) for name, text in fields.items()
    }
    return json.dumps({"product": "p.png", "scene": "s.png", **filled}, ensure_ascii=False).encode()


def _many(count: int, twice: bool = False) -> str:
    """A JSON object of `count` fields; the first one again at its end where `twice`."""
    names = [f'"field{number}": 1' for number in range(count)] + (['"field0": 2'] if twice else [])
    return "{" + ", ".join(names) + "}"


def _with(name: str, value: str) -> bytes:
    return ('{"product": "p.png", "scene": "s.png", "' + name + '": ' + value + "}").encode()


# By name: bytes of a manifest of about so many bytes.
MANIFESTS: dict[str, Callable[[int], bytes]] = {
    "many keys and a duplicate": lambda size: _many(size // 20, twice=True).encode(),
    "unknown fields": lambda size: _many(size // 20).encode(),
    "labels: many and a duplicate": lambda size: _with("labels", _many(size // 20, twice=True)),
    "labels: many": lambda size: _with("labels", _many(size // 20)),
    "output: many": lambda size: _with("output", _many(size // 20)),
    "scene: many": lambda size: b'{"product": "p.png", "scene": ' + _many(size // 20).encode() + b"}",
    "unknown field with a long name": lambda size: _with("x" * size, "1"),
    "label with a long name": lambda size: _with("labels", json.dumps({"x" * size: ""})),
    "label with a long value": lambda size: _with("labels", json.dumps({"x": "v" * size})),
    "duplicate with a long name": lambda size: ('{"%s": 1, "%s": 2}' % (("x" * (size // 2),) * 2)).encode(),
    "list of empty objects": lambda size: _filled('{"product": [', "{},", "{}]}", size),
    "list of empty lists": lambda size: _filled("[", "[],", "[]]", size),
    "list of short strings": lambda size: _filled('{"labels": [', '"ab",', '""]}', size),
    "list of numbers": lambda size: _filled('{"seed": [', "12345,", "1]}", size),
    "a long number": lambda size: _filled('{"budget_usd": 1.', "1", "}", size),
    "escapes": lambda size: _filled('{"product": "', "\\\\", '"}', size),
    "blanks": lambda size: _filled('{"product": "p.png",', " ", ' "scene": "s.png"}', size),
    "one letter of four bytes": lambda size: _text(size, "a", product="😀{…}"),
    "data: of semicolons": lambda size: _text(size, ";", product="data:{…}"),
    "data: of semicolons, with a comma": lambda size: _text(size, ";", product="data:{…},"),
    "data: of percent signs": lambda size: _text(size, "%41", product="data:image/png,{…}"),
    "data: of blanks": lambda size: _text(size, "aa ", product="data:image/png;base64,{…}"),
    "data: of equals signs": lambda size: _text(size, "=", product="data:image/png;base64,{…}"),
    "data: of zeros": lambda size: _text(size, "A", product="data:image/png;base64,{…}"),
    "reference of folders": lambda size: _text(size, "a/../", product="{…}x.png"),
    "reference of slashes": lambda size: _text(size, "/", product="gs://bucket{…}"),
    "reference of backslashes": lambda size: _text(size, "\\", product="a{…}"),
    "reference of blanks": lambda size: _text(size, " \u200b", product="a{…}"),
    "reference of letters": lambda size: _text(size, "ü", product="{…}"),
    "reference of a scheme": lambda size: _text(size, "a", product="{…}://"),
    "reference of the web": lambda size: _text(size, "?", product="https://storage.googleapis.com/bucket/{…}"),
    "placement": lambda size: _text(size, "ü", placement="{…}"),
    "model": lambda size: _text(size, "m", model="{…}"),
    "prompt": lambda size: _with("scene", json.dumps({"prompt": " " * (size // 2) + "x" * (size // 2)})),
    "restore": lambda size: _text(size, "f", restore="{…}"),
}

# By name: the ending of a catalogue's name, and its bytes.
CATALOGUES: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "jsonl: many keys and a duplicate": (".jsonl", lambda size: _many(size // 20, twice=True).encode() + b"\n"),
    "jsonl: unknown fields": (".jsonl", lambda size: _many(size // 20).encode() + b"\n"),
    "jsonl: list of empty objects": (".jsonl", MANIFESTS["list of empty objects"]),
    "jsonl: rows of empty objects": (
        ".jsonl", lambda size: _filled("", '{"product": [' + "{}," * 80 + "{}]}\n", "\n", size),
    ),
    "jsonl: empty lines": (".jsonl", lambda size: _filled("", "\n", "{}", size)),
    "jsonl: byte order marks": (".jsonl", lambda size: _filled("", "\ufeff", "{}", size)),
    "jsonl: data: of semicolons": (".jsonl", MANIFESTS["data: of semicolons"]),
    "csv: columns": (".csv", lambda size: _filled("product,scene", ",labels.x", "\na,b\n", size)),
    "csv: label columns, each another": (
        ".csv",
        lambda size: ("product,scene," + ",".join(f"labels.{n}" for n in range(size // 24)) + "\n").encode()
        + b"a,b" + b",c" * (size // 24) + b"\n",
    ),
    "csv: cells": (".csv", lambda size: _filled("product,scene\n", "a,", "b\n", size)),
    "csv: cells of four bytes": (".csv", lambda size: _filled("product,scene\n", "😀,", "b\n", size)),
    "csv: cells of four bytes, over many lines": (
        ".csv", lambda size: _filled("product,scene\n", "😀," * 20 + '"\n"', "b\n", size),
    ),
    "csv: rows of cells of four bytes": (
        ".csv",
        lambda size: _filled(
            "product,scene," + ",".join(f"labels.{n}" for n in range(190)) + "\n", "a,b" + ",😀" * 190 + "\n", "", size
        ),
    ),
    "jsonl: rows of texts of four bytes": (
        ".jsonl",
        lambda size: _filled("", '{"product": {' + ",".join(f'"{n}":"😀"' for n in range(190)) + "}}\n", "", size),
    ),
    "csv: empty lines": (".csv", lambda size: _filled("product,scene\n", "\n", "a,b\n", size)),
    "csv: byte order marks": (".csv", lambda size: _filled("", "\ufeff", "product,scene\na,b\n", size)),
    "csv: a cell of blanks": (".csv", lambda size: _filled("product,scene\na,", " \u200b", "\n", size)),
    "csv: a cell of letters": (".csv", lambda size: _filled("product,scene\na,", "ü", "\n", size)),
    "csv: a cell of data: semicolons": (".csv", lambda size: _filled("product,scene\na,data:", ";", "\n", size)),
    "csv: a cell of JSON": (".csv", lambda size: _filled("product,scene\na,{", "a:", "\n", size)),
    "csv: an open quote": (".csv", lambda size: _filled("product,scene\n", '"a\n', "\n", size)),
    "csv: a header that is one cell": (".csv", lambda size: _filled("product,", "\u200bx", "\n", size)),
    "csv: budgets": (".csv", lambda size: _filled("product,scene,budget_usd\n", "a,b,1\n", "a,b,2\n", size)),
}  # fmt: skip


def manifest(name: str, size: int = _BODY_BYTES) -> bytes:
    """The poisonous manifest `name` of about `size` bytes."""
    return MANIFESTS[name](size)


def catalogue(name: str, size: int = _BODY_BYTES) -> tuple[str, bytes]:
    """The ending of its name, and the bytes, of the poisonous catalogue `name` of about `size` bytes."""
    ending, made = CATALOGUES[name]
    return ending, made(size)
