"""data: URIs as other programs write them: one decoder for manifests, answers and the review page."""

from __future__ import annotations

import base64
import string
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.imaging.data_uri import decode_base64, decode_data_uri, encode_data_uri, is_data_uri


def wrapped(text: str) -> str:
    return "\r\n".join(text[i : i + 76] for i in range(0, len(text), 76))


SPELLINGS = {
    "plain": lambda content: "data:image/png;base64," + base64.b64encode(content).decode(),
    "wrapped": lambda content: "data:image/png;base64,\n" + wrapped(base64.b64encode(content).decode()),
    "urlsafe": lambda content: "data:image/png;base64," + base64.urlsafe_b64encode(content).decode(),
    "unpadded": lambda content: "data:image/png;base64," + base64.b64encode(content).decode().rstrip("="),
    "upper": lambda content: "DATA:image/png;BASE64," + base64.b64encode(content).decode(),
    "charset": lambda content: "data:image/png;charset=utf-8;base64," + base64.b64encode(content).decode(),
    "percent": lambda content: "data:image/png," + quote_from_bytes(content),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(content=st.binary(max_size=300))
def test_every_spelling_gives_the_same_bytes(spelling, content):
    uri = SPELLINGS[spelling](content)
    assert is_data_uri(uri)
    assert decode_data_uri(uri) == content


@given(content=st.binary(max_size=300))
def test_what_is_encoded_is_decoded(content):
    assert decode_data_uri(encode_data_uri(content, "image/webp")) == content


@pytest.mark.parametrize("uri", ["data:image/png", "data:image/png;base64,@@@", "data:;base64,A", "image.png", ""])
def test_what_is_damaged_is_a_value_error(uri):
    with pytest.raises(ValueError, match="data"):
        decode_data_uri(uri)


@given(text=st.text(alphabet=string.printable, max_size=50))
def test_any_text_is_decoded_or_refused(text):
    try:
        decode_base64(text)
    except ValueError:
        return
