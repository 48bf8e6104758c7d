"""How long a fault that may pass is waited for: from the first delivery on, however long the event had queued."""

from __future__ import annotations

import json

import pytest

from function.deadline import Deadline
from function.delivery.cloud_event import parse_event
from function.delivery.lease_record import Lease, lease_name
from function.delivery.process_once import process_once
from function.delivery.services import Delivery
from function.errors import ErrorCode, TransientError
from function.service import Service
from function.settings import Settings
from tests.fault_proxy import FaultProxy
from tests.support import Cloud, product_png

QUEUED_S = 3 * 3600.0  # a row of a large catalogue waits this long for its turn
OVER_AN_HOUR_S = 3601.0


@pytest.fixture(scope="module")
def faulty(gcs, gcs_client_session, gemini_session, folder, session_server):
    """A server whose storage can be spoiled → (server, proxy)."""
    place = Cloud(gcs, gcs_client_session, gemini_session, folder, prefix="shared/")
    with FaultProxy(gcs.url) as proxy, place.server(STORAGE_EMULATOR_HOST=proxy.url, EVENT_DEADLINE_S="8") as server:
        yield server, proxy


@pytest.fixture
def unreadable_scene(cloud, faulty):
    """Reading scenes fails until the test is over: a fault that may pass."""
    fault = faulty[1].add("503", "get", f"*/{cloud.prefix}scene.png", times=None)
    yield fault
    faulty[1].clear()


def lease_of(cloud, resource) -> dict:
    """The stored lease."""
    body, headers = cloud.event(resource)
    return json.loads(
        cloud.client.bucket(cloud.output).blob(lease_name(parse_event(headers, body))).download_as_bytes()
    )


@pytest.mark.exhaustive
def test_an_event_that_queued_for_hours_still_has_its_hour(cloud, faulty, unreadable_scene):
    resource = cloud.put_pair()
    assert cloud.deliver(faulty[0], resource, age_s=QUEUED_S).status == 503
    assert cloud.deliver(faulty[0], resource, age_s=QUEUED_S).status == 503
    assert unreadable_scene.fired and cloud.names() == []
    cloud.backdate_first_delivery(resource, OVER_AN_HOUR_S)
    assert cloud.deliver(faulty[0], resource, age_s=QUEUED_S).status == 200
    error = cloud.sidecar()["error"]
    assert error["retryable"] is True and "503" in error["message"]


def test_a_missing_image_of_an_event_that_queued_for_hours_is_waited_for(cloud, server):
    cloud.put("product.png", product_png())
    resource = cloud.put("pair.json", {"scene": "scene.png", "product": "product.png"})
    assert cloud.deliver(server, resource, age_s=QUEUED_S).status == 503
    cloud.put_pair("other.json")  # brings the scene
    assert cloud.deliver(server, resource, age_s=QUEUED_S).status == 200
    assert cloud.sidecar()["status"] != "failed"


@pytest.mark.exhaustive
def test_the_first_delivery_is_kept_by_later_ones_and_not_by_a_newer_upload(cloud, faulty, unreadable_scene):
    resource = cloud.put_pair()
    cloud.deliver(faulty[0], resource)
    first = lease_of(cloud, resource)["first_delivery"]
    cloud.deliver(faulty[0], resource)
    assert lease_of(cloud, resource)["first_delivery"] == first
    cloud.backdate_first_delivery(resource, OVER_AN_HOUR_S)
    newer = cloud.put_pair()
    assert cloud.deliver(faulty[0], newer).status == 503
    assert lease_of(cloud, newer)["first_delivery"] > first


@pytest.mark.exhaustive
def test_a_lease_of_an_earlier_version_begins_its_patience_now(cloud, faulty, unreadable_scene):
    resource = cloud.put_pair()
    lease = Lease(
        manifest_generation=int(resource["generation"]), state="free", expires=0.0, machine="elsewhere", run="somebody"
    )
    body, headers = cloud.event(resource)
    place = cloud.client.bucket(cloud.output).blob(lease_name(parse_event(headers, body)))
    place.upload_from_string(lease.model_dump_json(exclude={"first_delivery"}))
    assert cloud.deliver(faulty[0], resource, age_s=QUEUED_S).status == 503
    assert unreadable_scene.fired and lease_of(cloud, resource)["first_delivery"] is not None


# --- an older picture


@pytest.mark.exhaustive
def test_a_newer_upload_that_fails_for_what_may_pass_keeps_the_older_picture(cloud, server, faulty):
    assert cloud.deliver(server, cloud.put_pair()).status == 200
    picture = cloud.get("pair.png")
    newer = cloud.put_pair()
    fault = faulty[1].add("503", "get", f"*/{cloud.prefix}scene.png", times=None)
    assert cloud.deliver(faulty[0], newer).status == 503
    cloud.backdate_first_delivery(newer, OVER_AN_HOUR_S)
    assert cloud.deliver(faulty[0], newer).status == 200
    faulty[1].clear()
    assert fault.fired and cloud.sidecar()["status"] == "failed"
    assert cloud.sidecar()["manifest"]["generation"] == int(newer["generation"])
    assert cloud.get("pair.png") == picture
    # Another upload replaces it as ever, in another format too.
    assert cloud.deliver(server, cloud.put_pair(output={"format": "jpeg"})).status == 200
    assert cloud.names() == ["pair.jpg", "pair.json"]


# --- what does not use patience


class BudgetGoneError(TransientError):
    """Stands for errors that are the deployment's: they say nothing of the pair."""

    code, uses_patience = ErrorCode.MODEL_UNAVAILABLE, False


class FailingWork:
    """Work whose runs fail with the errors it is given, one after the other."""

    sidecar_name, conflict_name = "failing.json", "failing.conflict.json"

    def __init__(self, *errors: Exception):
        self.errors, self.waited_s, self.recorded = list(errors), [], []

    def run(self, delivery, lease):
        raise self.errors.pop(0)

    def give_up(self, error, delivery, waited_s):
        self.waited_s.append(waited_s)
        return error if waited_s > delivery.services.settings.event_max_age_s else None

    def record(self, delivery, error, name, *, replaces_older):
        self.recorded.append(error)
        return True

    def reconcile(self, delivery, lease):
        pass


def test_what_does_not_use_patience_is_never_given_up_and_lets_patience_start_again(own_cloud, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", own_cloud.gcs.url)
    services = Service(Settings.from_environment(own_cloud.environment())).services()
    resource = own_cloud.put("failing.json", "{}")
    body, headers = own_cloud.event(resource)
    upload = parse_event(headers, body)
    work = FailingWork(TransientError("a"), BudgetGoneError("b"), TransientError("c"), TransientError("d"))

    def deliver():
        process_once(work, Delivery(upload, services, Deadline(60)))

    with pytest.raises(TransientError):
        deliver()
    own_cloud.backdate_first_delivery(resource, OVER_AN_HOUR_S)
    with pytest.raises(BudgetGoneError):
        deliver()
    assert lease_of(own_cloud, resource)["first_delivery"] is None and work.recorded == []
    with pytest.raises(TransientError):
        deliver()
    assert work.waited_s == [0.0, 0.0], "what came before it still counts"
    own_cloud.backdate_first_delivery(resource, OVER_AN_HOUR_S)
    deliver()
    assert [error.message for error in work.recorded] == ["d"]
