"""One result, one sidecar, and every listed attempt paid for once: however often, late or together events come."""

from __future__ import annotations

import json
import threading
import time

import pytest

from function.delivery.cloud_event import parse_event
from function.delivery.lease_record import Lease, lease_name
from tests.fault_proxy import FaultProxy
from tests.held_model import held_model
from tests.support import PATIENCE_S, http, log_lines, product_png, scene_png, wait_until
from tests.tiers import exhaustive


def identity(cloud, resource):
    """The event of a resource as the function sees it."""
    body, headers = cloud.event(resource)
    return parse_event(headers, body)


def claim_of(cloud, resource):
    """The claim's object."""
    return cloud.client.bucket(cloud.output).blob(lease_name(identity(cloud, resource)))


def write_claim(cloud, resource, **changes):
    """Leave a claim as another machine would."""
    fields = {
        "manifest_generation": int(resource["generation"]), "state": "in_progress",
        "expires": time.time() + 3600, "machine": "elsewhere", "run": "somebody",
    }  # fmt: skip
    claim_of(cloud, resource).upload_from_string(Lease(**{**fields, **changes}).model_dump_json())


def in_background(call, *arguments):
    """Start a call in a thread → (thread, list that its result is put into)."""
    results = []
    thread = threading.Thread(target=lambda: results.append(call(*arguments)))
    thread.start()
    return thread, results


def generations(cloud):
    """Object generation by name: unchanged when nothing was written."""
    return {blob.name: blob.generation for blob in cloud.client.list_blobs(cloud.output, prefix=cloud.prefix)}


# --- one event, many deliveries


def test_twelve_deliveries_at_once_and_five_later_make_one_result(cloud, server):
    cloud.gemini.control(latency_s=1.0)
    resource = cloud.put_pair()
    statuses = [response.status for response in cloud.deliver_many(server, resource, 12)]
    assert set(statuses) <= {200, 503} and 200 in statuses
    stands = generations(cloud)
    assert [cloud.deliver(server, resource).status for _ in range(5)] == [200] * 5
    assert cloud.names() == ["pair.json", "pair.png"]
    assert cloud.calls() == len(cloud.gemini.requests) == len(cloud.sidecar()["attempts"])
    assert generations(cloud) == stands
    lines = log_lines(server, f"{cloud.input}/{cloud.prefix}pair.json")
    assert [line["message"] for line in lines].count("settled") == 1


def test_two_processes_share_one_pair(own_cloud):
    with own_cloud.server() as one, own_cloud.server() as other:
        resource = own_cloud.put_pair()
        with held_model(own_cloud.gemini):
            thread, first = in_background(own_cloud.deliver, one, resource)
            wait_until(lambda: own_cloud.gemini.requests)
            assert own_cloud.deliver(other, resource).status == 503
            assert own_cloud.names() == []
        thread.join()
        assert own_cloud.deliver(other, resource).status == first[0].status == 200
    assert own_cloud.calls() == len(own_cloud.sidecar()["attempts"])


def test_a_settled_delivery_reads_one_object_and_no_image(own_cloud):
    with FaultProxy(own_cloud.gcs.url) as proxy, own_cloud.server(STORAGE_EMULATOR_HOST=proxy.url) as server:
        resource = own_cloud.put_pair()
        assert own_cloud.deliver(server, resource).status == 200
        proxy.requests.clear()
        calls = len(own_cloud.gemini.requests)
        assert own_cloud.deliver(server, resource).status == 200
        requests = [made for made in proxy.requests if made != ("stat", f"{own_cloud.input}/_paused")]
        assert requests == [("stat", f"{own_cloud.output}/pair.json")]
        assert len(own_cloud.gemini.requests) == calls


# --- generations


def test_a_higher_generation_replaces_and_a_late_lower_one_changes_nothing(cloud, server):
    lower = cloud.put_pair(labels={"version": "1"})
    assert cloud.deliver(server, lower).status == 200
    higher = cloud.put_pair(labels={"version": "2"})
    assert cloud.deliver(server, higher).status == 200
    assert cloud.sidecar()["labels"] == {"version": "2"}
    assert cloud.metadata("pair.png")["version"] == "2"
    stands, calls = generations(cloud), cloud.calls()
    assert cloud.deliver(server, lower).status == 200
    assert generations(cloud) == stands and cloud.calls() == calls


def test_a_lower_generation_that_can_still_be_read_changes_nothing_either(cloud, server):
    """Input buckets keep older generations, and the claim is gone after a week: the sidecar alone has to do."""
    versioned = cloud.client.bucket(f"in3-{cloud.prefix[:-1]}")
    versioned.versioning_enabled = True
    cloud.client.create_bucket(versioned)
    for name, content in (("scene.png", scene_png()), ("product.png", product_png())):
        cloud.put(name, content, bucket=versioned.name)
    lower, higher = (
        cloud.put("pair.json", {"scene": "scene.png", "product": "product.png", "attempts": 1, "seed": seed},
                  bucket=versioned.name)
        for seed in (1, 2)
    )  # fmt: skip
    assert versioned.blob(lower["name"], generation=int(lower["generation"])).download_as_bytes()
    assert cloud.deliver(server, higher).status == 200
    claim_of(cloud, higher).delete()
    stands, calls = generations(cloud), cloud.calls()
    assert cloud.deliver(server, lower).status == 200
    assert generations(cloud) == stands and cloud.calls() == calls


@pytest.mark.parametrize("output", [None, *exhaustive({"format": "jpeg"})])
def test_a_lower_generation_that_is_overtaken_at_work_never_writes(cloud, server, output):
    """The lower one waits for the model while the higher one comes, is settled, and stays."""
    lower = cloud.put_pair(labels={"version": "1"}, **({"output": output} if output else {}))
    with held_model(cloud.gemini, calls=1):
        thread, late = in_background(cloud.deliver, server, lower)
        wait_until(lambda: cloud.gemini.requests)
        higher = cloud.put_pair(labels={"version": "2"})
        assert cloud.deliver(server, higher).status == 200
        stands = generations(cloud)
    thread.join()
    assert late[0].status == 200
    assert cloud.names() == ["pair.json", "pair.png"]
    assert generations(cloud) == stands
    assert cloud.sidecar()["labels"] == {"version": "2"}


@pytest.fixture
def paused(own_cloud):
    """A server behind a proxy that can hold its requests → (server, proxy)."""
    with FaultProxy(own_cloud.gcs.url) as proxy, own_cloud.server(STORAGE_EMULATOR_HOST=proxy.url) as slow:
        yield slow, proxy


@pytest.mark.exhaustive
def test_a_result_that_was_already_on_its_way_when_a_higher_generation_came_is_taken_back(own_cloud, paused):
    slow, proxy = paused
    lower = own_cloud.put_pair(output={"format": "jpeg"})
    pause = proxy.add("pause", "insert", "*/pair.jpg")
    thread, late = in_background(own_cloud.deliver, slow, lower)
    assert pause.held.wait(PATIENCE_S)
    with own_cloud.server() as other:
        assert own_cloud.deliver(other, own_cloud.put_pair()).status == 200
    stands = generations(own_cloud)
    pause.released.set()
    thread.join()
    assert late[0].status == 200
    assert ("insert", f"{own_cloud.output}/pair.jpg") in proxy.requests
    assert generations(own_cloud) == stands and own_cloud.names() == ["pair.json", "pair.png"]


@pytest.mark.exhaustive
def test_a_sidecar_that_was_already_on_its_way_when_another_delivery_settled_changes_nothing(own_cloud, paused):
    slow, proxy = paused
    resource = own_cloud.put_pair(attempts=1)
    pause = proxy.add("pause", "insert", "*/pair.json")
    thread, late = in_background(own_cloud.deliver, slow, resource)
    assert pause.held.wait(PATIENCE_S)
    write_claim(own_cloud, resource, expires=0.0)
    with own_cloud.server() as other:
        assert own_cloud.deliver(other, resource).status == 200
    stands = generations(own_cloud)
    pause.released.set()
    thread.join()
    assert late[0].status == 200
    assert generations(own_cloud) == stands
    assert own_cloud.calls() == 1


def test_a_result_of_a_lower_generation_that_was_killed_after_it_was_overtaken_goes(cloud, server):
    lower = cloud.put_pair()
    higher = cloud.put_pair()
    assert cloud.deliver(server, higher).status == 200
    orphan = cloud.client.bucket(cloud.output).blob(cloud.prefix + "pair.jpg")
    orphan.metadata = {"manifest": identity(cloud, lower).uri, "manifest-generation": str(lower["generation"])}
    orphan.upload_from_string(b"written a moment too late")
    assert cloud.deliver(server, lower).status == 200
    assert cloud.names() == ["pair.json", "pair.png"]


def test_a_lower_generation_does_not_start_while_a_higher_one_is_at_work(cloud, server):
    lower = cloud.put_pair()
    higher = cloud.put_pair()
    with held_model(cloud.gemini):
        thread, first = in_background(cloud.deliver, server, higher)
        wait_until(lambda: cloud.gemini.requests)
        assert cloud.deliver(server, lower).status == 200
        assert cloud.names() == []
    thread.join()
    assert first[0].status == 200
    assert cloud.sidecar()["manifest"]["generation"] == int(higher["generation"])


@pytest.mark.parametrize("killed", [True, *exhaustive(False)])
def test_another_output_format_removes_the_older_result(cloud, server, killed):
    cloud.deliver(server, cloud.put_pair(output={"format": "jpeg"}))
    assert cloud.names() == ["pair.jpg", "pair.json"]
    higher = cloud.put_pair(output={"format": "webp"})
    if killed:
        write_claim(cloud, higher, expires=0.0, replaces_older=True)
        cloud.client.bucket(cloud.output).blob(cloud.prefix + "pair.json").delete()
    assert cloud.deliver(server, higher).status == 200
    assert cloud.names() == ["pair.json", "pair.webp"]


def test_a_failure_of_a_higher_generation_leaves_no_older_result(cloud, server):
    cloud.deliver(server, cloud.put_pair())
    assert cloud.deliver(server, cloud.put("pair.json", {"scene": "scene.png"})).status == 200
    assert cloud.names() == ["pair.json"]
    assert cloud.sidecar()["error"]["code"] == "manifest_invalid"


# --- claims


def test_a_living_claim_elsewhere_is_answered_503_and_nothing_is_touched(cloud, server):
    resource = cloud.put_pair()
    write_claim(cloud, resource)
    assert cloud.deliver(server, resource).status == 503
    write_claim(cloud, resource, first_delivery=time.time() - 86_000)
    assert cloud.deliver(server, resource, age_s=86_000).status == 503
    assert cloud.names() == [] and cloud.calls() == 0


def test_a_claim_of_another_machine_is_taken_over_once_it_has_expired(cloud, server):
    resource = cloud.put_pair()
    write_claim(cloud, resource, expires=time.time() + 60)
    assert cloud.deliver(server, resource).status == 503
    write_claim(cloud, resource, expires=time.time() - 1)
    assert cloud.deliver(server, resource).status == 200
    assert cloud.calls() == len(cloud.sidecar()["attempts"])


def test_a_claim_of_a_dead_process_of_this_machine_is_taken_over_at_once(own_cloud, server):
    with own_cloud.server() as doomed, own_cloud.server() as other:
        resource = own_cloud.put_pair()
        with held_model(own_cloud.gemini):
            thread, _ = in_background(_post_and_forget, own_cloud, doomed, resource)
            wait_until(lambda: own_cloud.gemini.requests)
            assert own_cloud.deliver(other, resource).status == 503
            doomed.kill()
            thread.join()
        assert own_cloud.deliver(other, resource).status == 200
    assert own_cloud.names() == ["pair.json", "pair.png"]


def _post_and_forget(cloud, server, resource):
    try:
        return cloud.deliver(server, resource)
    except OSError:
        return None


def test_a_run_whose_claim_was_taken_over_writes_nothing_and_comes_again(cloud, server):
    """Its acknowledgement would count for the other delivery too, and that one may die yet."""
    resource = cloud.put_pair(attempts=1)
    write_claim(cloud, resource, state="free", first_delivery=time.time() - 86_000)
    with held_model(cloud.gemini):
        thread, late = in_background(cloud.deliver, server, resource)
        wait_until(lambda: cloud.gemini.requests)
        write_claim(cloud, resource)
    thread.join()
    assert late[0].status == 503
    assert cloud.names() == []
    assert json.loads(claim_of(cloud, resource).download_as_bytes())["run"] == "somebody"


def test_a_claim_that_nobody_can_read_is_replaced(cloud, server):
    resource = cloud.put_pair()
    claim_of(cloud, resource).upload_from_string(b"{}")
    assert cloud.deliver(server, resource).status == 200
    assert cloud.sidecar()["status"] != "failed"


def test_calls_that_killed_deliveries_have_begun_count(cloud, server):
    """With as many begun as allowed, one is made all the same, so that the pair has a picture, and no second."""
    cloud.gemini.control(faults=[{"kind": "NO_IMAGE", "times": None}])
    resource = cloud.put_pair(attempts=3)
    write_claim(cloud, resource, state="free", calls=[{"number": n, "seed": n} for n in (1, 2, 3)])
    assert cloud.deliver(server, resource).status == 200
    outcomes = [attempt["outcome"] for attempt in cloud.sidecar()["attempts"]]
    assert sorted(outcomes) == ["interrupted", "interrupted", "interrupted", "no_image"]
    assert len(cloud.gemini.requests) == 1


# --- what is in the way


def test_a_foreign_object_at_the_results_place_is_recorded_and_left_alone(cloud, server):
    cloud.put("pair.png", b"somebody's own", bucket=cloud.output)
    assert cloud.deliver(server, cloud.put_pair()).status == 200
    assert cloud.get("pair.png") == b"somebody's own"
    assert cloud.sidecar()["status"] == "failed"
    assert cloud.sidecar()["error"]["code"] == "output_conflict"


@pytest.mark.parametrize(
    "content", [b"{}", b"not JSON", b'{"manifest": {"bucket": "b", "name": "n", "generation": 1}}']
)
def test_a_foreign_object_at_the_sidecars_place_is_recorded_beside_it(cloud, server, content):
    cloud.put("pair.json", content, bucket=cloud.output)
    resource = cloud.put_pair()
    assert cloud.deliver(server, resource).status == 200
    assert cloud.deliver(server, resource).status == 200
    assert cloud.get("pair.json") == content
    assert cloud.names() == ["pair.conflict.json", "pair.json"]
    assert cloud.sidecar("pair.conflict.json")["error"]["code"] == "output_conflict"
    assert cloud.calls() == 0


def test_manifests_of_two_input_buckets_do_not_overwrite_each_other(cloud, server):
    other = f"in2-{cloud.prefix[:-1]}"
    cloud.client.create_bucket(other)
    mine = cloud.put_pair()
    for name, content in (("scene.png", scene_png()), ("product.png", product_png())):
        cloud.put(name, content, bucket=other)
    hers = cloud.put("pair.json", {"scene": "scene.png", "product": "product.png"}, bucket=other)
    assert cloud.deliver(server, mine).status == 200
    stands = cloud.get("pair.json"), cloud.get("pair.png")
    assert cloud.deliver(server, hers).status == 200
    assert (cloud.get("pair.json"), cloud.get("pair.png")) == stands
    conflict = cloud.sidecar("pair.conflict.json")
    assert conflict["error"]["code"] == "output_conflict" and conflict["manifest"]["bucket"] == other


# --- answers found again


def test_the_same_pair_again_is_answered_from_the_store(cloud, server):
    assert cloud.deliver(server, cloud.put_pair("one.json", seed=77)).status == 200
    calls = cloud.calls()
    assert cloud.deliver(server, cloud.put_pair("two.json", seed=77, labels={"other": "label"})).status == 200
    assert cloud.calls() == calls == len(cloud.gemini.requests)
    first, again = cloud.sidecar("one.json"), cloud.sidecar("two.json")
    assert [attempt["outcome"] for attempt in again["attempts"]] == ["reused"] * len(first["attempts"])
    assert again["cost"]["usd"] == 0 and first["cost"]["usd"] > 0
    assert again["result"]["sha256"] == first["result"]["sha256"]


@pytest.mark.exhaustive
def test_another_seed_is_another_picture(cloud, server):
    for seed in (78, 900):
        assert cloud.deliver(server, cloud.put_pair(f"{seed}.json", seed=seed, attempts=1)).status == 200
    assert cloud.calls() == 2
    assert cloud.sidecar("900.json")["attempts"][0]["outcome"] == "generated"


@pytest.mark.exhaustive
def test_a_refusal_is_not_held_against_another_manifest(cloud, server):
    cloud.gemini.control(faults=[{"kind": "SAFETY"}])
    assert cloud.deliver(server, cloud.put_pair("one.json", seed=79)).status == 200
    assert cloud.sidecar("one.json")["error"]["code"] == "model_refused"
    assert cloud.deliver(server, cloud.put_pair("two.json", seed=79)).status == 200
    assert cloud.sidecar("two.json")["status"] != "failed"


def test_a_run_after_a_crash_lists_the_stored_answer_and_its_price_once(cloud, server):
    resource = cloud.put_pair(attempts=1)
    assert cloud.deliver(server, resource).status == 200
    paid = cloud.sidecar()["cost"]["usd"]
    for name in ("pair.json", "pair.png"):  # as if it had been killed before it wrote them
        cloud.client.bucket(cloud.output).blob(cloud.prefix + name).delete()
    body, headers = cloud.event(resource)
    assert http(server.url, body, headers).status == 200
    assert cloud.calls() == 1
    assert cloud.sidecar()["attempts"][0]["outcome"] == "reused"
    assert cloud.sidecar()["cost"]["usd"] == paid
