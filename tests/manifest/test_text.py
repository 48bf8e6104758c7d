"""Manifests and catalogues as programs save them: encodings, marks, what cannot be seen, and what they are instead."""

from __future__ import annotations

import codecs
import json

import pytest

from function.errors import InvalidManifestError
from function.manifest.parse import parse_manifest
from function.manifest.spreadsheet import read_rows
from function.manifest.text import trimmed
from function.settings import Settings

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "out", "GEMINI_API_KEY": "k"})
FIELDS = {"product": "flasche.png", "scene": "küche.jpg", "labels": {"name": "Ä 日本"}}
TEXT = json.dumps(FIELDS, ensure_ascii=False)
MARK = codecs.BOM_UTF8
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.mark.parametrize(
    "body",
    [
        TEXT.encode(),
        MARK + TEXT.encode(),
        MARK + MARK + TEXT.encode(),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        codecs.BOM_UTF16_LE + ("\ufeff" + TEXT).encode("utf-16-le"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
    ],
)
def test_a_manifest_in_any_unicode_encoding_is_read(body):
    manifest = parse_manifest(body, SETTINGS)
    assert (manifest.scene, manifest.labels) == ("küche.jpg", {"name": "Ä 日本"})


@pytest.mark.parametrize("name", ["x.jsonl", "x.JSONL"])
@pytest.mark.parametrize("marks", [b"", MARK, MARK + MARK])
def test_a_catalogue_with_any_number_of_marks_is_read(name, marks):
    assert read_rows(name, marks + TEXT.encode())[0].fields == FIELDS
    assert read_rows("x.CSV", marks + b"product,scene\na,b\n")[0].fields == {"product": "a", "scene": "b"}


@pytest.mark.parametrize("invisible", ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u00a0", "\u200b \ufeff"])
def test_what_cannot_be_seen_in_a_header_or_round_a_cell_is_nothing(invisible):
    content = f"{invisible}product,scene{invisible}\n{invisible}a.png{invisible},s.png\n"
    assert read_rows("x.csv", content.encode())[0].fields == {"product": "a.png", "scene": "s.png"}
    assert trimmed(f" {invisible} a b {invisible} ") == "a b"


@pytest.mark.parametrize(
    "first",
    [
        "sep=;\r\n",
        "sep=;\n",
        "sep=;\r",
        "SEP=;\n",
        '"sep=;"\r\n',
        "sep=;;;\r\n",
        "sep=; \n",
        "\ufeffsep=;\n",
        "\nsep=;\n",
    ],
)
def test_the_line_that_names_the_delimiter_is_no_header(first):
    ending = "\r" if first.endswith("\r") else "\n"
    content = first + ending.join(["product;scene;placement", "a.png;s.png;left, near", ""])
    assert read_rows("x.csv", content.encode())[0].fields["placement"] == "left, near"


def test_a_bar_can_be_the_delimiter_that_is_named():
    assert read_rows("x.csv", b"sep=|\nproduct|scene\na|b\n")[0].fields == {"product": "a", "scene": "b"}


@pytest.mark.parametrize("cell", ["768", "768.0", "768,0", "768.00", "+768.0"])
def test_a_whole_number_with_a_decimal_zero_is_whole(cell):
    fields = read_rows("x.csv", f'product,scene,max_px,output.width\na,b,"{cell}","{cell}"\n'.encode())[0].fields
    assert (fields["max_px"], fields["output"]) == (768, {"width": 768})


@pytest.mark.parametrize("cell", ["1.000", "1,000", "768.5", "1e3"])
def test_what_may_be_a_thousand_is_not_guessed(cell):
    (row,) = read_rows("x.csv", f'product,scene,seed\na,b,"{cell}"\n'.encode())
    with pytest.raises(ValueError, match="not a whole number"):
        row.read()


def test_a_whole_number_with_a_decimal_zero_is_whole_in_json_too():
    body = b'{"product": "a", "scene": "b", "max_px": 768.0, "attempts": 2.0, "seed": 5.0, "output": {"width": 640.0}}'
    manifest = parse_manifest(body, SETTINGS)
    assert (manifest.max_px, manifest.attempts, manifest.seed, manifest.output.width) == (768, 2, 5, 640)
    assert all(type(value) is int for value in (manifest.max_px, manifest.seed, manifest.output.width))
    with pytest.raises(InvalidManifestError, match="max_px"):
        parse_manifest(body.replace(b"768.0", b"768.5"), SETTINGS)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "x.jsonl",
            b'[{"product": "a", "scene": "b"},\n{"product": "c", "scene": "d"}]',
            "one object a line",
        ),
        ("x.jsonl", b'\xef\xbb\xbf\n [\n{"product": "a"}\n]', "JSON array"),
        ("x.jsonl", '[{"product": "a"}]'.encode("utf-16"), "JSON array"),
        ("x.jsonl", b'{\n "product": "a",\n "scene": "b"\n}', "span several lines"),
        ("x.jsonl", LFS, "git lfs pull"),
        ("x.csv", LFS, "git lfs pull"),
    ],
)
def test_a_catalogue_that_is_something_else_is_refused_as_a_whole(name, content, words):
    with pytest.raises(InvalidManifestError, match=words):
        read_rows(name, content)


@pytest.mark.parametrize(("body", "words"), [(LFS, "git lfs pull"), (b'[{"product": "a"}]', "ends in .jsonl")])
def test_a_manifest_that_is_something_else_is_refused_with_what_to_do(body, words):
    with pytest.raises(InvalidManifestError, match=words):
        parse_manifest(body, SETTINGS)
