"""What `Accept` says of an answer's form."""

import pytest
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from function.delivery.accept import NotAcceptableError, picture_format, wants_picture

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def accepted(header: str) -> MIMEAccept:
    return parse_accept_header(header, MIMEAccept)


@pytest.mark.parametrize(
    ("header", "picture"),
    [
        ("", False),
        ("*/*", False),
        ("text/html", False),
        ("image/webp", True),
        ("IMAGE/WEBP", True),
        ("image/webp;q=0", False),
        ("image/webp;q=0.5, */*", False),
        ("application/json;q=0.9, image/webp", True),
        ("application/json, image/webp", True),
        ("image/gif, */*;q=0.1", False),
        (FIREFOX, True),
    ],
)
def test_a_picture_is_the_answer_where_pictures_are_named_and_liked_as_much_as_json(header, picture):
    assert wants_picture(accepted(header)) is picture


@pytest.mark.parametrize("header", ["image/gif", "image/bmp, image/tiff;q=0.1", "image/gif, application/json;q=0"])
def test_pictures_that_are_not_written_are_not_acceptable(header):
    with pytest.raises(NotAcceptableError, match="image/webp"):
        wants_picture(accepted(header))


@pytest.mark.parametrize(
    ("header", "stated", "own", "chosen"),
    [
        ("image/webp", None, "png", "webp"),
        ("image/*", None, "png", None),
        ("image/*", None, None, "png"),
        ("image/*", "avif", "png", "avif"),
        ("image/jpeg;q=0.5, image/webp;q=0.9, image/*;q=0.1", None, "png", "webp"),
        ("image/avif;q=0, image/png;q=0, image/*", None, "png", "jpeg"),
        ("image/*, image/webp;q=0", None, "webp", "png"),
        ("image/avif", None, "avif", "avif"),  # too large for it, it may be no JPEG
        (FIREFOX, None, "png", "webp"),
    ],
)
def test_the_format_that_is_liked_most_the_scenes_own_before_others(header, stated, own, chosen):
    assert picture_format(accepted(header), stated, own) == chosen


def test_a_format_that_the_manifest_asks_for_must_be_acceptable():
    with pytest.raises(NotAcceptableError, match="webp"):
        picture_format(accepted("image/png"), "webp", "png")
