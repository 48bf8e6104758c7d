"""`pause` and `resume`: they write the switch, and `status` says what it says."""

import json

import pytest

from tests.support import wait_until

SWITCH = "_paused"


def test_a_paused_bucket_settles_nothing_until_it_is_resumed(own_cloud, command):
    paused = command("pause", f"gs://{own_cloud.input}")
    assert paused.status == 0, paused.err
    assert f"function resume gs://{own_cloud.input}" in paused.out and "16 hours" in paused.out
    resource = own_cloud.put("s/bad.json", "{}")
    with own_cloud.server() as server:
        assert own_cloud.deliver(server, resource).status == 503
        resumed = command("resume", f"gs://{own_cloud.input}/")
        assert resumed.status == 0 and "runs again" in resumed.out and "redrive" in resumed.out
        wait_until(lambda: own_cloud.deliver(server, resource).status == 200)
    blob = own_cloud.client.bucket(own_cloud.input).get_blob(SWITCH)
    assert blob.metadata == {"state": "running"} and blob.download_as_bytes() == b"running\n"


def test_what_is_so_already_is_left_as_it_is(own_cloud, command):
    assert "is not paused" in command("resume", f"gs://{own_cloud.input}").out
    assert own_cloud.names(own_cloud.input) == []
    command("pause", f"gs://{own_cloud.input}")
    first = own_cloud.client.bucket(own_cloud.input).get_blob(SWITCH).generation
    assert "is paused already" in command("pause", f"gs://{own_cloud.input}").out
    assert own_cloud.client.bucket(own_cloud.input).get_blob(SWITCH).generation == first


@pytest.mark.exhaustive
def test_status_says_that_the_bucket_is_paused(own_cloud, command):
    with own_cloud.server() as server:
        assert own_cloud.deliver(server, own_cloud.put("s/bad.json", "{}")).status == 200
    target = f"gs://{own_cloud.output}/s"
    assert json.loads(command("status", target, "--json").out)["paused"] == []
    command("pause", f"gs://{own_cloud.input}")
    assert json.loads(command("status", target, "--json").out)["paused"] == [own_cloud.input]
    assert f"gs://{own_cloud.input} is paused" in command("status", target).out
    nothing = command("status", f"gs://{own_cloud.output}/none", "--input", f"gs://{own_cloud.input}")
    assert "is paused" in nothing.out
    command("resume", f"gs://{own_cloud.input}")
    assert "paused" not in command("status", target).out


@pytest.mark.parametrize("name", ["pause", "resume"])
@pytest.mark.parametrize("target", ["input", "gs://", "gs://input/a/prefix", "gs://no-such-bucket-here"])
def test_a_bad_address_is_an_error_in_words(command, name, target):
    done = command(name, target)
    assert done.status == 2 and done.err.startswith("error: ") and done.out == ""
