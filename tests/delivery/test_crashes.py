"""kill -9 anywhere: the next delivery finishes the pair, and no answer that was stored is paid for again."""

from __future__ import annotations

import random
import threading
import time

import pytest

from tests.held_model import held_model
from tests.storage.test_storage_faults import REQUESTS, calls_for, is_whole, put_pair
from tests.support import PATIENCE_S, wait_until
from tests.tiers import exhaustive

WRITES = ("claim", "answer", "result", "sidecar")
RANDOM_KILLS = 4  # the soak in tests/bench makes as many as one likes
LONGEST_RUN_S = 3.0  # about what a small pair takes: kills are spread over it


@pytest.fixture(scope="module")
def survivor(place):
    """The server that takes the next delivery."""
    with place.server() as server:
        yield server


@pytest.fixture(autouse=True)
def no_fault(proxy):
    """No test leaves a fault to the next."""
    yield
    proxy.clear()


def deliver_in_background(place, server, resource):
    """A delivery whose server dies under it."""

    def deliver():
        try:
            place.deliver(server, resource)
        except OSError:
            return

    thread = threading.Thread(target=deliver)
    thread.start()
    return thread


STAGES = [(what, "pause") for what in REQUESTS] + [(what, "pause_after") for what in WRITES]
# Before anything was written, around the model's answer, and between the two outputs.
TELLING = [("answer", "pause"), ("answer", "pause_after"), ("result", "pause_after")]


@pytest.mark.parametrize(
    ("what", "kind"), [*TELLING, *exhaustive(*(stage for stage in STAGES if stage not in TELLING))]
)
def test_killed_at_a_request_to_storage(place, proxy, survivor, gemini, what, kind):
    """Before the request reached storage, and with a write done but its acknowledgement not received."""
    stem = f"{kind}-{what}".replace(" ", "-").replace("'", "")
    resource = put_pair(place, stem)
    operation, name = REQUESTS[what]
    with place.server(STORAGE_EMULATOR_HOST=proxy.url) as doomed:
        pause = proxy.add(kind, operation, name.format(stem=stem))
        thread = deliver_in_background(place, doomed, resource)
        assert pause.held.wait(PATIENCE_S), f"{what} was never asked for"
        doomed.kill()
        thread.join()
    assert place.deliver(survivor, resource).status == 200
    sidecar = is_whole(place, stem)
    lost = what == "answer" and kind == "pause"  # answered, and killed before the answer was stored
    assert calls_for(place, stem) == len(sidecar["attempts"]) == (2 if lost else 1)
    assert [a["outcome"] for a in sidecar["attempts"]].count("interrupted") == (1 if lost else 0)


def test_killed_while_the_model_is_at_work(place, survivor, gemini):
    resource = put_pair(place, "model")
    with held_model(gemini), place.server() as doomed:
        thread = deliver_in_background(place, doomed, resource)
        wait_until(lambda: gemini.requests)
        doomed.kill()
        thread.join()
    assert place.deliver(survivor, resource).status == 200
    # The call that was cut off may have been billed: it is listed, and counts against the cap.
    outcomes = [attempt["outcome"] for attempt in is_whole(place, "model")["attempts"]]
    assert outcomes == ["interrupted", "generated"]


@pytest.mark.exhaustive
def test_killed_at_random_again_and_again(place, survivor, gemini):
    """The same pair is hit several times at moments of no choosing; what was answered and stored is not asked again."""
    moments = random.Random(5)
    resource = put_pair(place, "random")
    calls_once_stored = None
    for _ in range(RANDOM_KILLS):
        with place.server() as doomed:
            thread = deliver_in_background(place, doomed, resource)
            time.sleep(moments.uniform(0, LONGEST_RUN_S))
            doomed.kill()
            thread.join()
        if calls_once_stored is None and has_stored_answer(place, resource):
            calls_once_stored = calls_for(place, "random")
    assert place.deliver(survivor, resource).status == 200
    attempts = is_whole(place, "random")["attempts"]
    assert [attempt["outcome"] for attempt in attempts if attempt["outcome"] != "interrupted"] in (
        ["generated"],
        ["reused"],
    )
    assert calls_for(place, "random") <= len(attempts)
    if calls_once_stored is not None:
        assert calls_for(place, "random") == calls_once_stored


def has_stored_answer(place, resource):
    """Whether an answer to this manifest stands in the work prefix."""
    owner = f"gs://{resource['bucket']}/{resource['name']}#{resource['generation']}"
    stored = place.client.list_blobs(place.output, prefix="_work/answers/")
    return any((blob.metadata or {}).get("owner") == owner for blob in stored)
