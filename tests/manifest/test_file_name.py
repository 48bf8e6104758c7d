"""What a row's files are called."""

from __future__ import annotations

import unicodedata

import pytest

from function.manifest.file_name import file_name


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (" cup-blue ", "cup-blue"),
        ("{labels.sku}", "A-17.2"),
        ("{labels.sku} {labels.colour}", "A-17.2 grün"),
        (unicodedata.normalize("NFD", "grün"), unicodedata.normalize("NFC", "grün")),
    ],
)
def test_a_name_is_a_word_or_made_from_labels(template, expected):
    assert file_name(template, {"sku": " A-17.2 ", "colour": "grün"}) == expected


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{labels.ean}", "no label 'ean'"),
        ("a/b", "'/' is not allowed"),
        ("{sku}", "is not allowed"),
        ("a\nb", "is not allowed"),
        (" ", "cannot be empty"),
        (".hidden", "begin with a dot"),
        ("cup.", "end with one"),
        ("ü" * 65, "more than 128 bytes"),
        ("{labels.path}", "'/' is not allowed"),
    ],
)
def test_what_a_file_cannot_be_called_is_refused(template, said):
    with pytest.raises(ValueError, match=said):
        file_name(template, {"path": "a/b"})
