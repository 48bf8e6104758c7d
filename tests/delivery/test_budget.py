"""Spending caps as uploaders and callers meet them: through the real server, over several instances."""

from __future__ import annotations

import json

import pytest

from function.budget.ledger import catalogue_name
from tests.support import http, log_lines

JUST_ONE = "0.05"  # a picture costs 0.039, and 0.042 are set aside for it


def todays_ledger(cloud):
    (blob,) = cloud.client.list_blobs(cloud.output, prefix="_budget/days/")
    return json.loads(blob.download_as_bytes())


def test_a_used_up_day_is_waited_for_and_loses_nothing(own_cloud):
    with own_cloud.server(MAX_USD_PER_DAY=JUST_ONE, EVENT_MAX_AGE_S="1") as server:
        first, second = own_cloud.put_pair("first.json"), own_cloud.put_pair("second.json")
        assert own_cloud.deliver(server, first).status == 200
        assert [own_cloud.deliver(server, second, age_s=9000).status for _ in range(3)] == [503] * 3
        said = [line for line in log_lines(server) if line["message"] == "budget exhausted"]
        assert said[0]["account"] == "day" and said[0]["cap_usd"] == 0.05 and said[0]["severity"] == "ERROR"
    assert own_cloud.names() == ["_budget/days/" + todays_ledger(own_cloud)["account"] + ".json", "first.json",
                                 "first.png"]  # fmt: skip
    assert own_cloud.calls() == 1
    with own_cloud.server(MAX_USD_PER_DAY="1") as server:
        assert own_cloud.deliver(server, second).status == 200
    assert own_cloud.sidecar("second.json")["status"] != "failed"


@pytest.mark.exhaustive
def test_a_used_up_day_is_recorded_where_that_is_asked_for(own_cloud):
    with own_cloud.server(MAX_USD_PER_DAY=JUST_ONE, ON_BUDGET="fail") as server:
        for name in ("first.json", "second.json"):
            assert own_cloud.deliver(server, own_cloud.put_pair(name)).status == 200
    error = own_cloud.sidecar("second.json")["error"]
    assert error["code"] == "budget_exhausted" and "MAX_USD_PER_DAY" in error["message"]
    assert own_cloud.calls() == 1


@pytest.mark.exhaustive
def test_an_instance_that_ends_gives_back_what_is_left(own_cloud):
    """By SIGTERM, as the platform ends one; so does the end of the block."""
    with own_cloud.server(MAX_USD_PER_DAY="1") as server:
        assert own_cloud.deliver(server, own_cloud.put_pair()).status == 200
        assert todays_ledger(own_cloud)["instances"], "a slice is taken before the call"
    ledger = todays_ledger(own_cloud)
    assert ledger["instances"] == {}
    assert ledger["closed_usd"] == pytest.approx(own_cloud.sidecar()["cost"]["usd"])


@pytest.mark.exhaustive
def test_a_call_without_an_answer_counts_as_spent_and_one_that_was_refused_does_not(own_cloud):
    own_cloud.gemini.control(faults=[{"kind": "truncated_json"}, {"kind": "503", "times": 2}])
    with own_cloud.server(MAX_USD_PER_DAY="1") as server:
        assert own_cloud.deliver(server, own_cloud.put_pair()).status == 200
        (lost,) = [line for line in log_lines(server) if line["message"] == "model call without an answer"]
        answered = [line for line in log_lines(server) if line["message"] == "model answered"]
    assert 0.0389 < lost["usd_at_most"] < 0.05
    assert [line["model"] for line in answered] == ["gemini-2.5-flash-image"] * len(answered)
    billed = own_cloud.sidecar()["cost"]["usd"]
    assert sum(line["usd"] for line in answered) == pytest.approx(billed)
    assert todays_ledger(own_cloud)["closed_usd"] == pytest.approx(billed + lost["usd_at_most"])


def test_a_picture_in_hand_is_delivered_when_the_budget_ends_before_a_better_one(own_cloud):
    own_cloud.gemini.control(faults=[{"kind": "no_shadow", "times": None}])
    with own_cloud.server(MAX_USD_PER_DAY=JUST_ONE) as server:
        assert own_cloud.deliver(server, own_cloud.put_pair()).status == 200
    sidecar = own_cloud.sidecar()
    assert sidecar["status"] == "review" and len(sidecar["attempts"]) == 1
    assert "MAX_USD_PER_DAY" in sidecar["cost"]["stopped_by"]


def test_a_pair_keeps_to_a_budget_of_its_own(cloud, server):
    assert cloud.deliver(server, cloud.put_pair(budget_usd=0.01)).status == 200
    error = cloud.sidecar()["error"]
    assert error["code"] == "budget_exhausted" and "budget_usd" in error["message"]
    assert cloud.gemini.requests == []


def test_over_http_a_used_up_budget_is_429_with_the_time_to_come_again(own_cloud):
    import base64

    from tests.support import product_png, scene_png

    def image(content):
        return "data:image/png;base64," + base64.b64encode(content).decode()

    body = json.dumps({"scene": image(scene_png()), "product": image(product_png())}).encode()
    with own_cloud.server(target="composite_http", MAX_USD_PER_DAY="0.01") as server:
        response = http(server.url, body, {"Content-Type": "application/json"})
    assert response.status == 429 and response.json()["error"]["code"] == "budget_exhausted"
    assert 0 < int(response.headers["Retry-After"]) <= 86401


def rows(cloud, count, budget):
    from tests.support import product_png, scene_png

    cloud.put("scene.png", scene_png())
    cloud.put("product.png", product_png())
    lines = ["product,scene,seed,budget_usd", *(f"product.png,scene.png,{n},{budget}" for n in range(count))]
    return cloud.put("spring.csv", "\n".join(lines))


def row_events(cloud):
    blobs = cloud.client.list_blobs(cloud.input, prefix=cloud.prefix + "spring/")
    return {blob.name: dict(blob._properties) for blob in blobs}


def test_a_catalogue_keeps_to_its_budget_and_is_done_when_that_is_raised(own_cloud):
    with own_cloud.server() as server:
        assert own_cloud.deliver(server, rows(own_cloud, 3, JUST_ONE)).status == 200
        events = row_events(own_cloud)
        for event in events.values():
            assert own_cloud.deliver(server, event).status == 200
        statuses = [own_cloud.sidecar(f"spring/{n:06}.json")["status"] for n in (1, 2, 3)]
        assert statuses.count("failed") == 2
        failed = own_cloud.sidecar("spring/000003.json")["error"]
        assert failed["code"] == "budget_exhausted" and "spring.csv" in failed["message"]
        assert own_cloud.sidecar("spring.csv.json")["budget_usd"] == 0.05
    with own_cloud.server() as server:
        # Raised: the rows are the same, so none of them is started again by itself …
        assert own_cloud.deliver(server, rows(own_cloud, 3, "1.00")).status == 200
        assert {name: one["generation"] for name, one in row_events(own_cloud).items()} == {
            name: one["generation"] for name, one in events.items()
        }
        # … but the failed ones can be written again, as `redrive --failed` does.
        blob = own_cloud.client.bucket(own_cloud.input).get_blob("spring/000003.json")
        again = own_cloud.client.bucket(own_cloud.input).blob(blob.name)
        again.metadata = blob.metadata
        again.upload_from_string(blob.download_as_bytes())
        assert own_cloud.deliver(server, dict(again._properties)).status == 200
    assert own_cloud.sidecar("spring/000003.json")["status"] != "failed"
    stored = own_cloud.client.bucket(own_cloud.output).blob(catalogue_name(f"gs://{own_cloud.input}/spring.csv"))
    assert json.loads(stored.download_as_bytes())["cap_usd"] == 1.0


def test_a_catalogue_with_two_budgets_is_refused(cloud, server):
    lines = "product,scene,budget_usd\np.png,s.png,5\np.png,s.png,6\n"
    assert cloud.deliver(server, cloud.put("two.csv", lines)).status == 200
    error = cloud.sidecar("two.csv.json")["error"]
    assert error["code"] == "manifest_invalid" and "row 1 says 5" in error["message"]


@pytest.mark.parametrize(
    ("stated", "name", "believed"),
    [("gs://in-bucket/a/spring.csv", "a/spring/000001.json", True),
     ("gs://other/a/spring.csv", "a/spring/000001.json", False),
     ("gs://in-bucket/a/spring.csv", "a/summer/000001.json", False),
     ("", "a/spring/000001.json", False), ("gs://in-bucket/spring", "spring/000001.json", False)],
)  # fmt: skip
def test_only_a_row_of_a_catalogue_is_counted_as_one(stated, name, believed):
    """Metadata is what an uploader says: nobody spends another's budget."""
    from datetime import UTC, datetime

    from function.delivery.cloud_event import Upload
    from function.delivery.row_writer import catalogue_of

    upload = Upload("", "in-bucket", name, 1, datetime.now(UTC))
    assert catalogue_of(upload, {"catalogue": stated}) == (stated if believed else None)
