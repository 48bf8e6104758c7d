"""What a listing tells of results and sidecars: labels as far as they fit, the status, the cost, the error."""

import logging

from function.delivery.output_metadata import MAX_METADATA_BYTES, labels_that_fit

URI = "gs://in/pair.json"


def test_labels_fit_beside_the_manifests_address_to_the_last_byte(caplog):
    room = MAX_METADATA_BYTES - len(URI)
    full = {"sku": "x" * (room - len("sku"))}
    assert labels_that_fit(full, URI) == full
    assert not caplog.records
    assert labels_that_fit(full, URI + "x") == {}
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_bytes_count_and_labels_keep_their_order():
    half = "ä" * (MAX_METADATA_BYTES // 4)  # two bytes each
    labels = {"first": half, "second": half, "third": "short"}
    assert list(labels_that_fit(labels, URI)) == ["first"]  # none that follows the one without room
