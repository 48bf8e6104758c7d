"""Real processes for every test: storage emulator, Gemini emulator, functions-framework server."""

from __future__ import annotations

import os
import uuid

# OpenCV and BLAS would otherwise take every core for themselves in each of several processes.
os.environ.setdefault("OMP_NUM_THREADS", "2")

import pytest
from hypothesis import HealthCheck, settings

from function.tools.emulator.server import GeminiEmulator
from function.tools.local.storage_emulator import gcs_client, gcs_server
from tests.fault_proxy import FaultProxy
from tests.support import Cloud
from tests.tiers import FULL

# How long an example takes says something of the machine's other work, and nothing of the function.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
SHORTEST_DEADLINE_S, PAIRS_IN_A_DEADLINE = 4.0, 5
LONGEST = "test_keeps_its_own_promises"  # begins first, so that no worker is alone with it at the end


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="run the exhaustive tests too, and more examples of others")


def pytest_configure(config):
    os.environ.pop(FULL, None)
    if config.getoption("full"):
        os.environ[FULL] = "1"  # before the tests are imported, here and in the workers


def pytest_collection_modifyitems(config, items):
    """Deselect what is exhaustive. It is not skipped: a skipped test says that something is missing here."""
    items.sort(key=lambda item: item.name != LONGEST)
    if config.getoption("full"):
        return
    kept = [item for item in items if item.get_closest_marker("exhaustive") is None]
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("exhaustive")])
    items[:] = kept


@pytest.fixture(scope="session")
def gcs(tmp_path_factory):
    """The storage emulator's process; clients reach it through STORAGE_EMULATOR_HOST."""
    with gcs_server(tmp_path_factory.mktemp("gcs") / "gcs.log") as process:
        yield process


@pytest.fixture(scope="session")
def gcs_client_session(gcs):
    """A real google-cloud-storage client on the emulator."""
    return gcs_client(gcs.url)


@pytest.fixture(scope="session")
def gemini_session(gcs):
    """The Gemini emulator, in this process."""
    with GeminiEmulator(storage_url=gcs.url) as emulator:
        yield emulator


@pytest.fixture
def gemini(gemini_session):
    """The Gemini emulator with nothing asked of it yet and no fault set."""
    gemini_session.control(reset=True, latency_s=0.0)
    return gemini_session


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where servers log."""
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def session_server(gcs, gcs_client_session, gemini_session, folder):
    """The function server that most tests share."""
    place = Cloud(gcs, gcs_client_session, gemini_session, folder, prefix="shared/")
    place.create_buckets()
    with place.server() as process:
        yield process


@pytest.fixture(scope="session")
def session_http_server(gcs, gcs_client_session, gemini_session, folder, session_server):
    """`composite_http`, shared."""
    place = Cloud(gcs, gcs_client_session, gemini_session, folder, prefix="shared/")
    with place.server(target="composite_http") as process:
        yield process


@pytest.fixture
def cloud(gcs, gcs_client_session, gemini, folder):
    """A folder of this test's own in the shared buckets; goes with `server`."""
    return Cloud(gcs, gcs_client_session, gemini, folder, prefix=f"t{uuid.uuid4().hex[:8]}/")


@pytest.fixture
def server(session_server):
    """The shared function server."""
    return session_server


@pytest.fixture(scope="session")
def short_deadline_s(gcs, gcs_client_session, gemini_session, folder, session_server):
    """EVENT_DEADLINE_S for a test that lets it pass: short, and still several times what a pair takes here and now."""
    gemini_session.control(reset=True, latency_s=0.0)
    place = Cloud(gcs, gcs_client_session, gemini_session, folder, prefix=f"t{uuid.uuid4().hex[:8]}/")
    return f"{max(SHORTEST_DEADLINE_S, PAIRS_IN_A_DEADLINE * place.warm_up(session_server)):.1f}"


@pytest.fixture
def own_cloud(gcs, gcs_client_session, gemini, folder):
    """Buckets of this test's own; it starts its servers itself."""
    return Cloud(gcs, gcs_client_session, gemini, folder)


@pytest.fixture(scope="module")
def proxy(gcs):
    """The proxy before the storage emulator, for servers whose requests to it are to fail or wait."""
    with FaultProxy(gcs.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def place(gcs, gcs_client_session, gemini_session, folder):
    """Buckets of this file's own."""
    return Cloud(gcs, gcs_client_session, gemini_session, folder)
