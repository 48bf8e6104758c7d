"""Style profiles on the real servers: told to the model, echoed, waited for, and never taken for a manifest."""

from __future__ import annotations

import hashlib
import json

from tests.delivery.test_http_api import pair, post_json
from tests.support import product_png

WARM = {"light": "late sun, long and low", "colours": {"lid": "#c8102e"}, "output": {"format": "webp"}}


def put_style(cloud, name, profile, bucket=None):
    """At the bucket's root, where the shared folder's manifests look for it → the object's resource."""
    content = profile if isinstance(profile, str) else json.dumps(profile)
    blob = cloud.client.bucket(bucket or cloud.input).blob(f"_styles/{name}.json")
    blob.upload_from_string(content)
    return dict(blob._properties)


def prompts(cloud):
    return [seen["text"] for seen in cloud.gemini.requests if seen["code"] == 200]


def test_a_pair_is_asked_for_in_its_style_and_the_sidecar_says_which(cloud, server):
    uploaded = put_style(cloud, "echoed", WARM)
    assert cloud.deliver(server, uploaded).body == b"ignored\n"
    assert cloud.deliver(server, cloud.put_pair(style="echoed", seed=71)).status == 200
    sidecar = cloud.sidecar()
    digest = hashlib.sha256(json.dumps(WARM).encode()).hexdigest()
    assert sidecar["style"] == {
        "name": "echoed", "uri": f"gs://{cloud.input}/_styles/echoed.json",
        "generation": int(uploaded["generation"]), "sha256": digest,
    }  # fmt: skip
    assert sidecar["result"]["mime_type"] == "image/webp"  # the profile's default
    assert "late sun" in prompts(cloud)[0] and "lid #c8102e" in prompts(cloud)[0]

    asked = cloud.calls()
    put_style(cloud, "echoed", WARM | {"output": {"format": "png"}})
    assert cloud.deliver(server, cloud.put_pair(style="echoed", seed=71)).status == 200
    assert cloud.calls() == asked  # the same words: paid for already
    put_style(cloud, "echoed", WARM | {"light": "overcast"})
    assert cloud.deliver(server, cloud.put_pair(style="echoed", seed=71)).status == 200
    assert cloud.calls() > asked and "overcast" in prompts(cloud)[-1]
    assert cloud.sidecar()["style"]["sha256"] != digest


def test_what_a_style_has_measured_and_could_not_be_is_looked_at_by_a_person(cloud, server):
    """No place was asked for, so nothing is measured of one."""
    put_style(cloud, "measured", {"checks": ["placed_as_asked", "product_present"]})
    assert cloud.deliver(server, cloud.put_pair(style="measured", seed=71)).status == 200
    sidecar = cloud.sidecar()
    check = sidecar["checks"]["placed_as_asked"]
    assert sidecar["status"] == "review" and sidecar["style"]["checks"] == ["placed_as_asked", "product_present"]
    assert not check["passed"] and check["reason"].startswith("The style asks for this check. Does not apply: ")
    (attempt,) = sidecar["attempts"]  # another picture would not be measured either
    assert attempt["checks"]["placed_as_asked"]["passed"] and sidecar["checks"]["product_present"]["passed"]


def test_a_profile_that_is_not_there_yet_is_waited_for_as_an_image_is(cloud, server):
    resource = cloud.put_pair(style="late")
    assert cloud.deliver(server, resource).status == 503
    cloud.backdate_first_delivery(resource, 601.0)
    assert cloud.deliver(server, resource).status == 200
    error = cloud.sidecar()["error"]
    assert error["code"] == "source_missing" and "/_styles/late.json" in error["message"]
    assert cloud.calls() == 0


def test_a_profile_that_is_wrong_costs_nothing_and_says_what_is_wrong(cloud, server):
    put_style(cloud, "wrong", {"light": "soft", "feathering": "off"})
    assert cloud.deliver(server, cloud.put_pair(style="wrong")).status == 200
    error = cloud.sidecar()["error"]
    assert error["code"] == "manifest_invalid" and "feathering: unknown field" in error["message"]
    assert cloud.calls() == 0


def test_a_rows_style_and_a_catalogue_that_would_write_among_the_profiles(cloud, server):
    cloud.put("rows/p.png", product_png())
    rows = "product,scene,style\np.png,p.png,warm\np.png,p.png,gs://elsewhere/_styles/a.json\np.png,p.png,../a\n"
    assert cloud.deliver(server, cloud.put("rows/spring.csv", rows)).status == 200
    assert [row["row"] for row in cloud.sidecar("rows/spring.csv.json")["refused"]] == [2, 3]
    written = cloud.client.bucket(cloud.input).blob(f"{cloud.prefix}rows/spring/000001.json")
    assert json.loads(written.download_as_bytes())["style"] == "warm"
    assert cloud.deliver(server, cloud.put("rows/_styles.csv", rows)).status == 200
    assert "style profiles" in cloud.sidecar("rows/_styles.csv.json")["error"]["message"]


def test_a_request_names_a_profile_by_its_address(cloud):
    put_style(cloud, "web", {"light": "of the web"})
    fields = pair(seed=72, style=f"gs://{cloud.input}/_styles/web.json")
    with cloud.server(target="composite_http", ALLOWED_BUCKETS=cloud.input) as server:
        response = post_json(server, fields)
        assert response.status == 200 and response.json()["sidecar"]["style"]["name"] == "web"
        assert "of the web" in prompts(cloud)[0]
        named = post_json(server, fields | {"style": "web"})
    assert named.status == 400 and "gs://bucket/_styles/web.json" in named.json()["error"]["message"]


def test_a_request_reads_a_profile_only_where_it_could_read_an_image(cloud, session_http_server):
    response = post_json(session_http_server, pair(style=f"gs://{cloud.input}/_styles/web.json"))
    assert (response.status, cloud.calls()) == (403, 0)
