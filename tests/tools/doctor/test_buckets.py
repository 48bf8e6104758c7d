"""Buckets as the doctor tries them, with the storage emulator behind a proxy that spoils calls."""

import json

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from function.tools.doctor.buckets import check_batch_expiry, check_expiry
from tests.fault_proxy import FaultProxy


@pytest.fixture
def proxy(gcs):
    with FaultProxy(gcs.url) as running:
        yield running


def test_an_output_bucket_that_is_missing(doctor):
    visit = doctor(OUTPUT_BUCKET="there-is-none")
    assert visit.status == 1
    (line,) = visit.lines("output bucket", "problem")
    assert "there is no bucket gs://there-is-none" in line and "create it" in line


@pytest.mark.parametrize(("operation", "words"), [("insert", "written"), ("get", "read"), ("delete", "deleted")])
def test_a_right_that_is_missing_is_named_with_its_role(doctor, own_cloud, proxy, operation, words):
    fault = proxy.add("403", operation, times=1)
    visit = doctor(STORAGE_EMULATOR_HOST=proxy.url)
    assert fault.fired == 1
    assert visit.status == 1
    (line,) = visit.lines("output bucket", "problem")
    assert f"may not be {words}" in line and "roles/storage.objectUser" in line
    assert own_cloud.names(work=True) == [], "what was written is gone"


def test_a_bucket_that_overwrites_in_spite_of_a_precondition(doctor, small_server):
    """An answer that takes every write, as an emulator without preconditions does."""
    body = b'{"name": "x", "bucket": "out", "generation": "1", "size": "1"}'
    visit = doctor(STORAGE_EMULATOR_HOST=small_server(body))
    assert visit.status == 1
    assert "preconditions do not hold" in visit.lines("output bucket", "problem")[0]


def rule(*prefixes, **condition):
    """A lifecycle rule of the bucket, as the API has it."""
    return {"action": {"type": "Delete"}, "condition": {"age": 7, "matchesPrefix": list(prefixes), **condition}}


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        ([], "_work/ and _http/"),
        ([rule("_work/")], "_http/"),
        ([rule("_work/", "_http/", isLive=False)], "_work/ and _http/"),
        ([rule("_work/"), rule("_http/")], None),
    ],
)
def test_an_output_bucket_that_keeps_for_ever_what_should_go(doctor, small_server, rules, missing):
    body = json.dumps({"name": "out", "lifecycle": {"rule": rules}}).encode()
    client = storage.Client("p", AnonymousCredentials(), client_options={"api_endpoint": small_server(body)})
    finding = check_expiry(client, "out")
    assert finding.status == ("warning" if missing else "ok")
    assert (f"deletes {missing}:" if missing else "by itself") in finding.found


def test_the_doctor_says_what_stays_for_ever(doctor, own_cloud):
    visit = doctor()
    assert visit.status == 0
    assert "no lifecycle rule that deletes _work/ and _http/" in visit.lines("expiry", "warning")[0]


def test_input_and_output_must_differ(doctor, own_cloud):
    visit = doctor("--input", f"gs://{own_cloud.output}")
    assert visit.status == 1
    assert "both input and output" in visit.lines("buckets", "problem")[0]


def test_an_input_bucket_that_is_missing(doctor):
    visit = doctor("--input", "gs://there-is-none")
    assert visit.status == 1
    assert "there is no bucket gs://there-is-none" in visit.lines("input bucket", "problem")[0]


def test_deliveries_that_are_paused_are_a_warning(doctor, own_cloud):
    own_cloud.put("_paused", b"")
    visit = doctor("--input", f"gs://{own_cloud.input}")
    assert visit.status == 0
    (line,) = visit.lines("input bucket", "warning")
    assert "paused since" in line and f"resume gs://{own_cloud.input}" in line


def test_allowed_buckets_are_tried_too(doctor, own_cloud):
    visit = doctor(ALLOWED_BUCKETS=f"{own_cloud.input},there-is-none")
    assert visit.status == 1
    assert own_cloud.input in visit.lines("allowed bucket", "ok")[0]
    assert "there-is-none" in visit.lines("allowed bucket", "problem")[0]


@pytest.mark.exhaustive
def test_the_bucket_of_batches_is_written_and_has_an_end(doctor, own_cloud):
    assert doctor().lines("batch bucket") == []
    visit = doctor(BATCH_BUCKET="there-is-none")
    assert visit.status == 1 and "create it" in visit.lines("batch bucket", "problem")[0]
    own_cloud.client.create_bucket(batches := f"{own_cloud.output}-b")
    visit = doctor("--input", f"gs://{batches}", BATCH_BUCKET=batches)
    assert "can be written and read" in visit.lines("batch bucket", "ok")[0]
    assert "delete after 14 days" in visit.lines("batch expiry", "warning")[0]
    assert "BATCH_BUCKET" in visit.lines("buckets", "problem")[0]
    assert own_cloud.names(batches) == []


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ([], "warning"),
        ([rule("jobs/")], "warning"),
        ([{"action": {"type": "Delete"}, "condition": {"age": 3}}], "warning"),
        ([{"action": {"type": "Delete"}, "condition": {"age": 14}}], "ok"),
    ],
)
def test_what_the_bucket_of_batches_deletes(small_server, rules, status):
    body = json.dumps({"name": "b", "lifecycle": {"rule": rules}}).encode()
    client = storage.Client("p", AnonymousCredentials(), client_options={"api_endpoint": small_server(body)})
    assert check_batch_expiry(client, "b").status == status


@pytest.mark.parametrize(
    ("date", "words"),
    [("Thu, 01 Jan 2026 00:00:00 GMT", "ahead of"), ("Fri, 01 Jan 2100 00:00:00 GMT", "behind")],
)
def test_a_clock_that_is_off_is_a_warning(doctor, small_server, date, words):
    visit = doctor(STORAGE_EMULATOR_HOST=small_server(date=date))
    (line,) = visit.lines("clock", "warning")
    assert words in line and "NTP" in line
