"""SIGTERM while the model is at work: another instance settles the pair at once, and every call is listed."""

from __future__ import annotations

import os
import signal
import time

from tests.delivery.test_crashes import deliver_in_background
from tests.held_model import held_model
from tests.support import wait_until

PLATFORM_GIVES_S = 10.0  # between SIGTERM and SIGKILL


def test_a_pair_in_work_is_handed_on(own_cloud, gemini):
    resource = own_cloud.put_pair()
    with own_cloud.server() as other, held_model(gemini, calls=1) as answer, own_cloud.server() as ending:
        thread = deliver_in_background(own_cloud, ending, resource)
        wait_until(lambda: gemini.requests)
        assert own_cloud.deliver(other, resource).status == 503
        os.kill(ending.pid, signal.SIGTERM)
        asked = time.monotonic()
        wait_until(lambda: lease_is_free(own_cloud), within_s=PLATFORM_GIVES_S)
        assert time.monotonic() - asked < PLATFORM_GIVES_S
        assert own_cloud.deliver(other, resource).status == 200
        settled = own_cloud.get("pair.json")
        answer.set()  # the call in work is answered after all: its run commits nothing
        thread.join()
        assert own_cloud.get("pair.json") == settled
    attempts = own_cloud.sidecar()["attempts"]
    assert [attempt["outcome"] for attempt in attempts] == ["interrupted", "generated"]
    assert own_cloud.calls() == len(attempts)


def lease_is_free(cloud):
    """Whether the one lease was released."""
    (blob,) = cloud.client.list_blobs(cloud.output, prefix="_work/claims/")
    return b'"state":"free"' in blob.download_as_bytes()
