"""The table of formats: complete, and told apart by the first bytes."""

from __future__ import annotations

import io
from typing import get_args

import pytest
from PIL import Image

from function.imaging.formats import FORMATS, ReadFormat, WriteFormat, detect_format, writing_of


def test_the_table_has_every_format_that_is_read_or_written():
    assert set(FORMATS) == set(get_args(ReadFormat))
    assert set(get_args(WriteFormat)) == {name for name, row in FORMATS.items() if row.writing}
    assert (
        len({row.suffix for row in FORMATS.values()})
        == len({row.mime_type for row in FORMATS.values()})
        == len(FORMATS)
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_scene_in_any_format_has_a_format_for_its_result(name):
    assert writing_of(FORMATS[name].written_as).max_side_px > 0


@pytest.mark.parametrize("name", get_args(WriteFormat))
def test_a_file_is_recognised_by_its_first_bytes(name):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, name)
    assert detect_format(buffer.getvalue()) == name
    assert detect_format(buffer.getvalue()[1:]) is None


def test_a_tiff_is_recognised_in_either_byte_order():
    assert {detect_format(magic + b"\0" * 8) for magic in (b"II*\0", b"MM\0*")} == {"tiff"}


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\0\0\0\x1cftypmif1\0\0\0\0avifmif1miaf", "avif"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf", "heic"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", None),
    ],
)
def test_a_container_is_told_by_all_its_brands(content, name):
    assert detect_format(content) == name


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"GIF89a", b"\x89PNG"])
def test_what_is_no_picture_is_none_of_them(content):
    assert detect_format(content) is None
