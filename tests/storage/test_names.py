"""gs:// addresses."""

from __future__ import annotations

import pytest

from function.storage.names import gs_uri, split_gs_uri


@pytest.mark.parametrize(("bucket", "name"), [("b", "n"), ("b-1.x", "a/b c/\n%2F//ü.json"), ("b", "")])
def test_an_address_is_split_into_what_it_was_made_of(bucket, name):
    assert split_gs_uri(gs_uri(bucket, name)) == (bucket, name)


def test_a_bucket_alone_has_no_name():
    assert split_gs_uri("gs://bucket") == ("bucket", "")


@pytest.mark.parametrize("uri", ["", "gs://", "gs:///name", "GS://b/n", "s3://b/n", "b/n", "data:,"])
def test_anything_else_is_a_value_error(uri):
    with pytest.raises(ValueError, match="gs://"):
        split_gs_uri(uri)
