"""`redrive`: what nobody settled is delivered again, and nothing else."""

import pytest

from function.deadline import Deadline
from function.delivery.cloud_event import parse_event
from function.delivery.lease import acquire_lease
from function.storage.client import Storage
from tests.support import product_png

SETTLED_FAST = '{"product": "product.png"}'  # no pair at all, which is a failure at once


@pytest.fixture
def lost(own_cloud):
    """Two settled pairs (both failed), and three uploads whose events were lost → the function server."""
    with own_cloud.server() as function:
        for name in ("s/failed.json", "s/replaced.json"):
            assert own_cloud.deliver(function, own_cloud.put(name, SETTLED_FAST)).status == 200
        own_cloud.put("s/lost.json", SETTLED_FAST)
        own_cloud.put("s/lost.csv", "product,scene\nproduct.png,scene.png\n")
        own_cloud.put("s/replaced.json", SETTLED_FAST)
        yield function


def generations(cloud) -> dict[str, int]:
    """Generation of every object of the input bucket."""
    return {blob.name: blob.generation for blob in cloud.client.list_blobs(cloud.input)}


def test_only_what_is_unsettled_is_written_again(own_cloud, command, lost):
    before = generations(own_cloud)
    done = command("redrive", f"gs://{own_cloud.input}/s", "--output", f"gs://{own_cloud.output}")
    assert done.status == 0, done.err
    after = generations(own_cloud)
    again = {name for name in after if after[name] > before[name]}
    assert again == {"s/lost.json", "s/lost.csv", "s/replaced.json"}
    assert "s/lost.json: it has no sidecar; written again" in done.out
    assert "earlier upload" in done.out
    blob = own_cloud.client.bucket(own_cloud.input).get_blob("s/lost.json")
    assert own_cloud.deliver(lost, dict(blob._properties)).status == 200
    assert own_cloud.sidecar("s/lost.json")["manifest"]["generation"] == after["s/lost.json"]


def test_a_dry_run_only_says(own_cloud, command, lost):
    before = generations(own_cloud)
    done = command("redrive", f"gs://{own_cloud.input}", "--dry-run", OUTPUT_BUCKET=own_cloud.output)
    assert done.status == 0 and "would be delivered again" in done.out and "3 manifests found" in done.out
    assert generations(own_cloud) == before


def test_failures_are_delivered_again_when_asked_for(own_cloud, command, lost):
    before = generations(own_cloud)
    done = command("redrive", f"gs://{own_cloud.input}/s", "--output", f"gs://{own_cloud.output}", "--failed")
    assert "s/failed.json: it failed: manifest_invalid; written again" in done.out
    assert generations(own_cloud)["s/failed.json"] > before["s/failed.json"]


def test_posting_to_a_function_settles_and_writes_nothing_to_the_input(own_cloud, command, lost):
    before = generations(own_cloud)
    done = command(
        "redrive", f"gs://{own_cloud.input}/s", "--output", f"gs://{own_cloud.output}", "--url", lost.url
    )  # fmt: skip
    assert done.status == 0 and done.out.count("delivered and settled") == 3
    rows = {"s/lost/000001.json"}
    assert {name: at for name, at in generations(own_cloud).items() if name not in rows} == before
    assert own_cloud.sidecar("s/lost.json")["status"] == "failed"
    assert own_cloud.sidecar("s/lost.csv.json")["rows_written"] == 1


def test_a_function_that_does_not_answer_is_said(own_cloud, command, lost):
    done = command(
        "redrive", f"gs://{own_cloud.input}/s", "--output", f"gs://{own_cloud.output}", "--url", "http://127.0.0.1:9"
    )  # fmt: skip
    assert done.status == 1 and "no answer" in done.out


def test_what_a_delivery_holds_is_left_alone(own_cloud, command, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", own_cloud.gcs.url)
    body, headers = own_cloud.event(own_cloud.put("held.json", "{}"))
    lease = acquire_lease(Storage(), own_cloud.output, parse_event(headers, body), Deadline(60))
    before = generations(own_cloud)
    done = command("redrive", f"gs://{own_cloud.input}", "--output", f"gs://{own_cloud.output}")
    assert done.status == 0 and "a delivery is at work" in done.out
    assert generations(own_cloud) == before
    lease.close()


def test_a_catalogues_row_stays_its_own_when_it_is_written_again(own_cloud, command, lost):
    catalogue = own_cloud.client.bucket(own_cloud.input).get_blob("s/lost.csv")
    assert own_cloud.deliver(lost, dict(catalogue._properties)).status == 200
    command("redrive", f"gs://{own_cloud.input}/s/lost/", "--output", f"gs://{own_cloud.output}")
    row = own_cloud.client.bucket(own_cloud.input).get_blob("s/lost/000001.json")
    assert row.metadata["catalogue"] == f"gs://{own_cloud.input}/s/lost.csv"


def test_nothing_lost_is_nothing_to_do(own_cloud, command):
    own_cloud.put("product.png", product_png())
    done = command("redrive", f"gs://{own_cloud.input}", "--output", own_cloud.output)
    assert done.status == 0 and "everything is settled" in done.out


@pytest.mark.parametrize("arguments", [[], ["--output", "gs://x-y-z", "--failed", "--url", "http://127.0.0.1:9"]])
def test_what_cannot_be_done_is_an_error_in_words(own_cloud, command, arguments):
    done = command("redrive", f"gs://{own_cloud.input}", *arguments)
    assert done.status == 2 and done.err.startswith("error: ")
