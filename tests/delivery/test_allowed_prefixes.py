"""ALLOWED_PREFIXES on the real server: a team reads its own folders, and those that are shared with it."""

from __future__ import annotations

import pytest

from tests.support import product_png, scene_png


@pytest.fixture(scope="module")
def place(gcs, gcs_client_session, gemini_session, folder):
    from tests.support import Cloud

    place = Cloud(gcs, gcs_client_session, gemini_session, folder)
    for name in ("team-a/product.png", "team-b/product.png"):
        place.put(name, product_png())
    place.put("brand/scene.png", scene_png())
    return place


@pytest.fixture(scope="module")
def server(place):
    with place.server(ALLOWED_PREFIXES="team-a/, team-b/, =brand/") as process:
        yield process


def test_a_team_reads_its_own_folder_and_the_shared_one(gemini, place, server):
    manifest = place.put("team-a/pair.json", {"product": "product.png", "scene": "/brand/scene.png", "seed": 31})
    assert place.deliver(server, manifest).status == 200
    assert place.sidecar("team-a/pair.json")["status"] in {"accepted", "review"}


@pytest.mark.parametrize("product", ["../team-b/product.png", "/team-b/product.png", "gs://{}/team-b/product.png"])
def test_no_way_of_writing_it_leads_into_another_teams_folder(gemini, place, server, product):
    fields = {"product": product.format(place.input), "scene": "/brand/scene.png"}
    assert place.deliver(server, place.put("team-a/spy.json", fields)).status == 200
    error = place.sidecar("team-a/spy.json")["error"]
    assert error["code"] == "reference_forbidden" and "ALLOWED_PREFIXES" in error["message"]
    assert gemini.requests == []


def test_a_catalogue_reads_what_its_own_folder_may_not_what_its_rows_might(gemini, place, server):
    """The rows of `team-b.csv` would be manifests below `team-b/`."""
    rows = "product,scene\nteam-b/product.png,brand/scene.png\nbrand/scene.png,brand/scene.png\n"
    assert place.deliver(server, place.put("team-b.csv", rows)).status == 200
    sidecar = place.sidecar("team-b.csv.json")
    assert (sidecar["rows_written"], sidecar["rows_refused"]) == (1, 1)
    assert "ALLOWED_PREFIXES" in sidecar["refused"][0]["reason"]


def test_a_team_has_profiles_of_its_own(gemini, place, server):
    place.put("team-a/_styles/own.json", {"light": "of team a"})
    place.put("team-b/_styles/own.json", {"light": "of team b"})
    fields = {"product": "product.png", "scene": "/brand/scene.png", "seed": 33, "style": "own"}
    assert place.deliver(server, place.put("team-a/styled.json", fields)).status == 200
    assert place.sidecar("team-a/styled.json")["style"]["uri"].endswith("/team-a/_styles/own.json")
    assert "of team a" in gemini.requests[0]["text"]
    theirs = fields | {"style": f"gs://{place.input}/team-b/_styles/own.json"}
    assert place.deliver(server, place.put("team-a/theirs.json", theirs)).status == 200
    assert place.sidecar("team-a/theirs.json")["error"]["code"] == "reference_forbidden"
