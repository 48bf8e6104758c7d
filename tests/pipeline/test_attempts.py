"""Attempts: a bad picture is asked for again, told what was wrong, within a cap, and the best one is kept."""

from __future__ import annotations

import pytest

from function.judging.risk import shipped_calibration
from tests.support import picture, png, product_array, scene_array


def put_large(cloud, **fields):
    """A pair large enough for every check to measure."""
    cloud.put("scene.png", png(scene_array(1344, 756)))
    cloud.put("product.png", png(product_array(1000)))
    return cloud.put("pair.json", {"scene": "scene.png", "product": "product.png", **fields})


def seed_of(cloud) -> int:
    return int(cloud.prefix[1:-1], 16) % 2**30


def test_a_bad_picture_is_followed_by_a_stricter_prompt_and_a_good_one(cloud, server):
    cloud.gemini.control(faults=[{"kind": "wrong_colour", "times": 1}])
    resource = put_large(cloud, seed=seed_of(cloud), identity="model")
    assert cloud.deliver(server, resource).status == 200
    sidecar = cloud.sidecar()
    assert cloud.gemini.faults.report()["fired"] == {"wrong_colour": 1}
    first, second = sidecar["attempts"][:2]
    assert first["verdict"] != "accepted" and second["verdict"] == "accepted"
    assert not first["checks"]["product_colour"]["passed"] and first["checks"]["product_colour"]["reason"]
    assert second["seed"] == first["seed"] + 1
    assert sidecar["status"] == "accepted" and len(sidecar["attempts"]) == 2
    assert sidecar["risk"] == second["risk"]
    assert second["risk"]["value"] < 0.5 < first["risk"]["value"]
    assert sidecar["risk"]["calibration"] == shipped_calibration().version
    prompts = [request["text"] for request in cloud.gemini.requests]
    assert "earlier attempt" not in prompts[0]
    assert "earlier attempt" in prompts[1] and "exactly the colours of [2]" in prompts[1]
    assert sidecar["cost"]["usd"] == pytest.approx(first["usd"] + second["usd"])
    assert sidecar["cost"]["prompt_tokens"] == sum(a["usage"]["prompt_tokens"] for a in sidecar["attempts"])


def test_the_first_accepted_picture_is_taken_at_once(cloud, server):
    assert cloud.deliver(server, put_large(cloud, seed=seed_of(cloud))).status == 200
    sidecar = cloud.sidecar()
    assert sidecar["status"] == "accepted", [c for c in sidecar["checks"].values() if not c["passed"]]
    assert len(sidecar["attempts"]) == cloud.calls() == 1
    for check in sidecar["checks"].values():
        assert check["passed"] and check["reason"]


def test_pictures_that_stay_bad_end_at_the_cap_in_review_or_failure(cloud, server):
    cloud.gemini.control(faults=[{"kind": "no_shadow", "times": None}])
    assert cloud.deliver(server, put_large(cloud, seed=seed_of(cloud), attempts=2)).status == 200
    sidecar = cloud.sidecar()
    assert len(sidecar["attempts"]) == cloud.calls() == 2
    assert sidecar["status"] in {"review", "failed"}


def test_pictures_that_show_nothing_fail_with_the_reason(cloud, server):
    cloud.gemini.control(faults=[{"kind": "black_image", "times": None}])
    assert cloud.deliver(server, put_large(cloud, seed=seed_of(cloud))).status == 200
    sidecar = cloud.sidecar()
    assert sidecar["status"] == "failed" and sidecar["error"]["code"] == "model_no_image"
    assert len(sidecar["attempts"]) == cloud.calls() == 3
    assert {attempt["verdict"] for attempt in sidecar["attempts"]} == {"unusable"}
    assert cloud.names() == ["pair.json"]
    assert sidecar["risk"] is None


def test_a_picture_worth_keeping_is_kept_when_the_next_ones_are_worse(cloud, server):
    faults = [{"kind": "no_shadow", "times": 1}, {"kind": "black_image", "times": None}]
    cloud.gemini.control(faults=faults)
    assert cloud.deliver(server, put_large(cloud, seed=seed_of(cloud), attempts=2)).status == 200
    sidecar = cloud.sidecar()
    assert [attempt["verdict"] for attempt in sidecar["attempts"]] == ["review", "unusable"]
    assert sidecar["status"] == "review"
    assert picture(cloud.get("pair.png")).mean() > 50
    assert not all(check["passed"] for check in sidecar["checks"].values())


@pytest.mark.exhaustive
def test_the_cap_holds_over_all_deliveries(own_cloud, short_deadline_s):
    # The second call is answered by a fault that lasts: each delivery ends with 503, and none may pay again.
    faults = [{"kind": "black_image", "times": 1}, {"kind": "503", "times": None}]
    with own_cloud.server(EVENT_DEADLINE_S=short_deadline_s, MAX_ATTEMPTS="2") as server:
        own_cloud.warm_up(server)
        own_cloud.gemini.control(reset=True, faults=faults)
        resource = put_large(own_cloud)
        assert [own_cloud.deliver(server, resource).status for _ in range(2)] == [503, 503]
        own_cloud.gemini.control(reset=True, faults=[{"kind": "black_image", "times": None}])
        own_cloud.deliver_until_settled(server, resource)  # more than once where the deadline is too short
    sidecar = own_cloud.sidecar()
    assert len(sidecar["attempts"]) == 2
    assert own_cloud.calls() == 1  # the first picture came from the store
    assert sidecar["attempts"][0]["outcome"] == "reused" and sidecar["attempts"][0]["usd"] > 0
