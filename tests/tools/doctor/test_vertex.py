"""The doctor on Vertex AI: credentials of Google Cloud, locations, and what is called there."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

pytestmark = pytest.mark.exhaustive  # what the other files of this folder show once is in the first tier

ONLY_GLOBAL = "gemini-nano-banana-2.1"
TOKEN = b'{"access_token": "ya29.secretTokenOfATest", "expires_in": 3600, "token_type": "Bearer"}'
WHO = "composite-runtime@shop-project.iam.gserviceaccount.com"


@pytest.fixture
def signed_in(tmp_path, small_server):
    """A service account's key file, whose tokens come from a server of this test → the path."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "account.json"
    account = {"type": "service_account", "project_id": "shop-project", "private_key_id": "1", "client_email": WHO}
    path.write_text(json.dumps({**account, "private_key": key.decode(), "token_uri": small_server(TOKEN) + "/token"}))
    return str(path)


@pytest.fixture
def vertex(doctor, gemini, signed_in):
    """Run the command with Vertex AI in place of a key."""

    def run(*arguments, **changes):
        environment = {
            "GEMINI_API_KEY": None,
            "GOOGLE_GENAI_USE_VERTEXAI": "true",
            "GOOGLE_CLOUD_PROJECT": "shop-project",
            "GOOGLE_VERTEX_BASE_URL": gemini.url,
            "GOOGLE_APPLICATION_CREDENTIALS": signed_in,
        }
        visit = doctor(*arguments, **{**environment, **changes})
        assert "secretTokenOfATest" not in visit.out + visit.err
        return visit

    return run


def test_all_well_on_vertex_ai(vertex):
    visit = vertex()
    assert (visit.status, visit.problems) == (0, []), visit.out
    assert WHO in visit.lines("credentials", "ok")[0]
    assert len(visit.lines("model", "ok")) == 3


def test_a_location_that_does_not_serve_a_model_of_the_chain_is_a_warning(vertex):
    visit = vertex(GOOGLE_CLOUD_LOCATION="europe-west4")
    assert (visit.status, visit.problems) == (0, [])
    (line,) = [line for line in visit.lines("settings", "warning") if ONLY_GLOBAL in line]
    assert "europe-west4 does not serve it" in line and "global" in line
    assert not any(ONLY_GLOBAL in line for line in visit.lines("model")), "it is not called elsewhere"
    assert len(visit.lines("model", "ok")) == 2


def test_a_location_that_serves_none_is_a_problem(vertex):
    visit = vertex(GOOGLE_CLOUD_LOCATION="europe-west4", GEMINI_MODEL=ONLY_GLOBAL, GEMINI_FALLBACK_MODEL=ONLY_GLOBAL)
    assert visit.status == 1
    assert "use global" in visit.lines("settings", "problem")[0]


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("api_disabled", "gcloud services enable aiplatform.googleapis.com"),
        ("403", "aiplatform.endpoints.predict"),
        ("401", "gcloud auth application-default login"),
    ],
)
def test_a_refusal_is_mended_where_it_comes_from(vertex, gemini, kind, advice):
    gemini.control(faults=[{"kind": kind, "times": None}])
    visit = vertex()
    assert visit.status == 1
    assert all(advice in line for line in visit.lines("model", "problem"))


def test_nobody_is_signed_in(vertex):
    visit = vertex(GOOGLE_APPLICATION_CREDENTIALS=None)
    assert visit.status == 1
    assert "gcloud auth application-default login" in visit.lines("credentials", "problem")[0]
    assert visit.lines("model") == []


def test_a_token_that_is_refused(vertex, signed_in, small_server):
    import pathlib

    path = pathlib.Path(signed_in)
    account = json.loads(path.read_text())
    path.write_text(json.dumps({**account, "token_uri": small_server(b'{"error": "invalid_grant"}')}))
    visit = vertex()
    assert visit.status == 1
    assert "gives no token" in visit.lines("credentials", "problem")[0]
