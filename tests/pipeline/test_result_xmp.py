"""What is kept of sources' credentials where nobody signs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from function.imaging.xmp import Rights
from function.pipeline.record import RunRecord
from function.pipeline.result_xmp import result_xmp
from function.sidecar.files import InputRecord
from tests.provenance.samples import CREDENTIALS, camera_jpeg, signed_png, time_left

FIELDS = (("products.cup", "products.cup.1"), ("products.jug",))


def record_of(part):
    record = RunRecord()
    described = InputRecord(
        uri="gs://a/b", generation=1, mime_type="image/png", width=1, height=1, bytes=1, sha256=part.sha256,
        provenance=part.found,
    )  # fmt: skip
    record.add_input("scene", described, part, Rights())
    return record


def note_of(record):
    return record.inputs.scene.provenance.note


def test_they_are_kept_where_they_fit_and_said_where_not():
    part = CREDENTIALS.read(signed_png(), "image/png", "scene", time_left())
    record = record_of(part)
    assert part.sha256 in result_xmp(record, FIELDS, "jpeg", signed=False) and note_of(record) == ""
    assert part.sha256 not in result_xmp(record, FIELDS, "jpeg", signed=True) and note_of(record) == ""
    large = record_of(replace(part, archive=bytes(60_000)))
    for _ in range(2):
        assert part.sha256 not in result_xmp(large, FIELDS, "jpeg", signed=False)
    assert note_of(large).count("do not fit into the metadata of a jpeg") == 1
    assert part.sha256 in result_xmp(large, FIELDS, "png", signed=False)


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_those_that_tell_a_place_are_not_kept(kind):
    part = CREDENTIALS.read(camera_jpeg(), "image/jpeg", "scene", time_left())
    record = record_of(part)
    assert "composite:credentials" not in result_xmp(record, FIELDS, kind, signed=False)
    assert "without a signature they are dropped as a whole" in note_of(record)


def test_what_is_not_kept_is_said_of_the_photograph_it_belongs_to():
    front, side = (CREDENTIALS.read(one, "image/png", "product", time_left()) for one in (signed_png(), b"side"))
    side = replace(side, found=front.found, archive=bytes(60_000))
    record = RunRecord()
    for field, part in (("products.cup", front), ("products.cup.1", side)):
        described = InputRecord(
            uri=f"gs://a/{field}", generation=1, mime_type="image/png", width=1, height=1, bytes=1, sha256=part.sha256,
            provenance=part.found,
        )  # fmt: skip
        record.add_input(field, described, part, Rights())
    result_xmp(record, FIELDS, "jpeg", signed=False)
    first, second = record.inputs.views
    assert first == record.inputs.product and first.provenance.note == ""
    assert "do not fit into the metadata of a jpeg" in second.provenance.note
