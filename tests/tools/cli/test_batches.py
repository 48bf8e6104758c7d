"""`submit --batch`, `batches` and what `status` says of it, on one pair from its upload to its end."""

import json

import pytest

from tests.support import wait_until


@pytest.mark.exhaustive
def test_a_pair_is_submitted_listed_swept_and_cancelled(own_cloud, command, spring):
    batch = f"{own_cloud.output}-batch"
    own_cloud.client.create_bucket(batch)
    settings = own_cloud.environment(BATCH_BUCKET=batch, BATCH_GATHER_S="0.1")
    source, output = f"gs://{own_cloud.input}", f"gs://{own_cloud.output}"

    done = command("submit", spring / "pair.json", source, "--batch", "--finish-by", "tomorrow", "--yes")
    assert done.status == 2 and "2027-03-01T08:00:00Z" in done.err
    done = command("submit", spring / "pair.json", source, "--batch", "--yes")
    assert done.status == 0 and "by batch about $0.02" in done.out and "at once about $0.04" in done.out

    with own_cloud.server(BATCH_BUCKET=batch, BATCH_GATHER_S="0.1") as server:
        manifest = dict(own_cloud.client.bucket(own_cloud.input).get_blob("pair.json")._properties)
        assert own_cloud.deliver(server, manifest).status == 200
        assert command("batches", "list", output).out == "1 picture waits for a job\n"
        own_cloud.gemini.control(batch_faults=[{"kind": "stuck"}])
        wait_until(lambda: "1 made" in command("batches", "sweep", **settings).out)
        (line, _) = command("batches", "list", output, "--json").out.splitlines()
        job = json.loads(line)
        assert (job["state"], job["requests"]) == ("running", 1)
        assert "1 picture in jobs (1 running" in command("status", output, "--input", source).out

        assert command("batches", "cancel", output, "no-such-job", "--yes").status == 1
        assert command("batches", "cancel", output, job["id"], "--yes").status == 0
        wait_until(lambda: "1 closed" in command("batches", "sweep", **settings).out)
        assert f"{job['id']}  closed (CANCELLED), 1 picture" in command("batches", "list", output).out
        manifest = dict(own_cloud.client.bucket(own_cloud.input).get_blob("pair.json")._properties)
        assert own_cloud.deliver(server, manifest).status == 200
    assert [attempt["outcome"] for attempt in own_cloud.sidecar()["attempts"]] == ["generated"]


def test_rows_that_are_submitted_for_batches_say_so(own_cloud, command, spring):
    target = f"gs://{own_cloud.input}"
    arguments = ("submit", spring / "spring.csv", target, "--batch", "--finish-by", "2027-03-01T08:00:00Z", "--yes")
    assert command(*arguments).status == 0
    catalogue = dict(own_cloud.client.bucket(own_cloud.input).get_blob("spring.csv")._properties)
    with own_cloud.server(BATCH_BUCKET=f"{own_cloud.output}-batch") as server:
        assert own_cloud.deliver(server, catalogue).status == 200
    rows = [json.loads(own_cloud.get(name, own_cloud.input)) for name in own_cloud.names(own_cloud.input)
            if name.startswith("spring/")]  # fmt: skip
    assert [(row["batch"], row["finish_by"]) for row in rows] == [(True, "2027-03-01T08:00:00Z")] * 3
    assert "nothing to do" in command(*arguments).out
