"""Places for batches, on Vertex AI and with a key; a worker's tests share the servers and the buckets."""

from __future__ import annotations

import uuid
from unittest.mock import patch

import pytest

from function.settings import Settings
from function.storage.read_deadline import DeadlineAdapter
from tests.batch.place import BatchPlace
from tests.batch.story import Mortal, Story
from tests.support import Cloud


@pytest.fixture(scope="session")
def servers(gcs, gcs_client_session, gemini_session, folder):
    """A place by mode, started when a test first asks for it."""
    started: dict[bool, BatchPlace] = {}

    def start(vertex: bool) -> BatchPlace:
        if vertex not in started:
            place = BatchPlace(Cloud(gcs, gcs_client_session, gemini_session, folder), folder, vertex=vertex)
            place.server = place.cloud.server(**place.environment())
            place.server.start()
            started[vertex] = place
        return started[vertex]

    yield start
    for place in started.values():
        place.server.stop()


@pytest.fixture
def vertex_place(servers, gemini):
    """A folder of this test's own, with a server that is on Vertex AI."""
    return servers(True).begin(f"t{uuid.uuid4().hex[:8]}/")


@pytest.fixture
def key_place(servers, gemini):
    """The same with a key."""
    return servers(False).begin(f"t{uuid.uuid4().hex[:8]}/")


@pytest.fixture(params=["vertex", "key"])
def place(request):
    """Both, one after the other."""
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture
def mortal():
    """See Mortal."""
    made = Mortal()

    def send(adapter, request, **options):
        return made.send(adapter, request, **options)

    with patch.object(DeadlineAdapter, "send", send):
        yield made


@pytest.fixture
def own_place(gcs, gcs_client_session, gemini, folder, monkeypatch):
    """Buckets of a test's own; the function's code runs in this process."""
    gemini.control(batch_s=0.5)  # a job does not end within the sweep that makes it
    place = BatchPlace(Cloud(gcs, gcs_client_session, gemini, folder), folder, vertex=True)
    environment = place.cloud.environment(**place.environment(BATCH_GATHER_S="0.3"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    place.settings = Settings.from_environment({name: value for name, value in environment.items() if value})
    return place


@pytest.fixture
def story(own_place, mortal):
    """See Story."""
    return Story(own_place, mortal)
