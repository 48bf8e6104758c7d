"""The old version's server and today's on the same buckets, as during a deploy: nothing is lost, doubled or hidden."""

from __future__ import annotations

import hashlib
import random
import threading
import time

import pytest

from tests.held_model import held_model
from tests.old_version import HistoryMissingError, old_server, put_sources, small_pair, unpack_old_version
from tests.storage.test_storage_faults import calls_for
from tests.support import wait_until

PAIRS = 8
KILLS = 10
BETWEEN_KILLS_S = (0.2, 3.0)
DEADLINE_S = "15"  # an old lease lasts so long and 15 s more
SETTLED_OUTCOMES = ("accepted", "review")

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The old version's files."""
    try:
        return unpack_old_version(tmp_path_factory.mktemp("old"))
    except HistoryMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def revisions(own_cloud, tree, tmp_path):
    """What starts a server of either version, each on a machine of its own."""
    numbers = iter(range(1000))

    def environment():
        scratch = tmp_path / f"machine-{next(numbers)}"
        scratch.mkdir()
        return own_cloud.environment(EVENT_DEADLINE_S=DEADLINE_S, TMPDIR=str(scratch))

    put_sources(own_cloud)
    return {
        "1.0.0": lambda: old_server(tree, tmp_path / "old.log", environment()),
        "today": lambda: own_cloud.server(**environment()),
    }


@pytest.mark.parametrize(("first", "second"), [("1.0.0", "today"), ("today", "1.0.0")])
def test_each_respects_the_others_lease(own_cloud, gemini, revisions, first, second):
    resource = small_pair(own_cloud, "pair.json", seed=1)
    with revisions[first]() as one, revisions[second]() as other:
        with held_model(gemini):
            thread = threading.Thread(target=own_cloud.deliver, args=(one, resource))
            thread.start()
            wait_until(lambda: gemini.requests)
            assert own_cloud.deliver(other, resource).status == 503
        thread.join()
        assert own_cloud.deliver(other, resource).status == 200
    assert [attempt["outcome"] for attempt in own_cloud.sidecar()["attempts"]] == ["generated"]
    assert own_cloud.calls() == 1


def test_both_at_work_and_killed_again_and_again(own_cloud, gemini, revisions):
    gemini.control(latency_s=0.5)
    stems = [f"pair-{number}" for number in range(PAIRS)]
    uploads = [small_pair(own_cloud, f"{stem}.json", placement=f"on the table ({stem})") for stem in stems]
    running = {name: start() for name, start in revisions.items()}
    for server in running.values():
        server.start()
    try:
        queues = [
            threading.Thread(target=own_cloud.deliver_until_settled, args=(lambda name=name: running[name], upload))
            for upload in uploads
            for name in running
        ]
        for queue in queues:
            queue.start()
        moments = random.Random(21)
        for _ in range(KILLS):
            time.sleep(moments.uniform(*BETWEEN_KILLS_S))
            name = moments.choice(list(running))
            running[name].kill()
            running[name] = revisions[name]()
            running[name].start()
        for queue in queues:
            queue.join()
        settled = {blob.name: blob.generation for blob in own_cloud.client.list_blobs(own_cloud.output)}
        for server in running.values():
            assert {own_cloud.deliver(server, upload).status for upload in uploads} == {200}
        after = {blob.name: blob.generation for blob in own_cloud.client.list_blobs(own_cloud.output)}
        assert {name: made for name, made in after.items() if name.startswith("pair-")} == {
            name: made for name, made in settled.items() if name.startswith("pair-")
        }
    finally:
        for server in running.values():
            server.stop()
    versions = set()
    for stem in stems:
        sidecar = own_cloud.sidecar(f"{stem}.json")
        versions.add(sidecar["pipeline_version"])
        assert sidecar["status"] in SETTLED_OUTCOMES
        result = own_cloud.get(f"{stem}.jpg")
        assert hashlib.sha256(result).hexdigest() == sidecar["result"]["sha256"]
        assert 1 <= calls_for(own_cloud, stem) <= len(sidecar["attempts"])
    assert len(versions) == 2, "both took part"
