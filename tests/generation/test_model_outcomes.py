"""Whatever the model answers is a recorded outcome: an image, a refusal in its own words, or a retry with an end."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest

from function.tools.local.processes import free_port
from tests.support import KEY, PATIENCE_S, log_lines
from tests.tiers import exhaustive

# What a slow and busy machine may add to a deadline. Without one, the answer that trickles would take five minutes.
MARGIN_S = 60.0
MAX_AGE_S = "1"  # shorter than a delivery that uses up its deadline: the second one is past it


def settle(cloud, server, faults, **fields):
    """Deliver one pair under faults → (status of the delivery, sidecar or None); every fault has to have fired."""
    cloud.gemini.control(faults=faults)
    resource = cloud.put_pair(**fields)
    status = cloud.deliver(server, resource).status
    report = cloud.gemini.faults.report()
    for fault in faults:
        assert report["fired"].get(fault["kind"]), f"{fault['kind']} never fired"
    return status, cloud.sidecar() if "pair.json" in cloud.names() else None


@pytest.mark.parametrize(
    "reason",
    ["SAFETY", *exhaustive("PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "IMAGE_PROHIBITED_CONTENT")],
)
def test_a_refusal_that_cannot_change_is_recorded_at_once(cloud, server, reason):
    status, sidecar = settle(cloud, server, [{"kind": reason, "times": None}])
    assert status == 200
    assert sidecar["status"] == "failed" and sidecar["error"]["code"] == "model_refused"
    assert reason in sidecar["error"]["message"]
    assert [attempt["finish_reason"] for attempt in sidecar["attempts"]] == [reason]
    assert len(cloud.gemini.requests) == 1


@pytest.mark.parametrize("reason", ["IMAGE_SAFETY", *exhaustive("RECITATION", "IMAGE_RECITATION", "LANGUAGE")])
def test_a_refusal_of_one_picture_is_tried_again_up_to_the_cap(cloud, server, reason):
    status, sidecar = settle(cloud, server, [{"kind": reason, "times": None}])
    assert status == 200
    assert sidecar["error"]["code"] == "model_refused"
    assert [attempt["outcome"] for attempt in sidecar["attempts"]] == ["refused"] * 3
    assert len({attempt["seed"] for attempt in sidecar["attempts"]}) == 3
    assert len(cloud.gemini.requests) == 3


@pytest.mark.parametrize(
    "kind",
    ["NO_IMAGE", "A_REASON_OF_NEXT_YEAR", "truncated_image", "odd_form",
     *exhaustive("no_candidates", "text_only", "broken_base64", "IMAGE_OTHER", "MAX_TOKENS", "OTHER",
                 "MALFORMED_RESPONSE", "empty_candidate", "empty_parts", "thought_only", "garbage_image",
                 "empty_image")],
)  # fmt: skip
def test_an_answer_without_a_picture_is_an_attempt_and_ends(cloud, server, kind):
    status, sidecar = settle(cloud, server, [{"kind": kind, "times": None}], attempts=2)
    assert status == 200
    assert sidecar["status"] == "failed" and sidecar["error"]["code"] == "model_no_image"
    assert len(sidecar["attempts"]) == len(cloud.gemini.requests) == 2
    assert sidecar["error"]["message"]


def test_after_an_answer_without_a_picture_the_next_one_is_taken(cloud, server):
    status, sidecar = settle(cloud, server, [{"kind": "NO_IMAGE"}])
    assert status == 200 and sidecar["status"] != "failed"
    outcomes = [attempt["outcome"] for attempt in sidecar["attempts"]]
    assert outcomes[:2] == ["no_image", "generated"]
    assert len(outcomes) == len(cloud.gemini.requests)


def test_a_blocked_prompt_is_recorded_with_its_reason(cloud, server):
    status, sidecar = settle(cloud, server, [{"kind": "block_reason", "value": "PROHIBITED_CONTENT"}])
    assert status == 200
    assert sidecar["error"]["code"] == "model_refused"
    assert sidecar["attempts"][0]["finish_reason"] == "PROHIBITED_CONTENT"


@pytest.mark.parametrize(
    "kind", ["thought_first", "data_uri_in_text", "jpeg_labelled_png", "larger_answer",
             *exhaustive("two_images", "jpeg_answer", "webp_answer", "no_usage", "numeric_reason")]
)  # fmt: skip
def test_a_picture_in_any_wrapping_is_found(cloud, server, kind):
    status, sidecar = settle(cloud, server, [{"kind": kind, "times": None}])
    assert status == 200
    assert sidecar["status"] in {"accepted", "review"}
    assert sidecar["result"]["width"] == 640


@pytest.mark.parametrize("kind", ["429", *exhaustive("503", "408", "500", "502", "504")])
def test_a_busy_service_is_asked_again_within_the_delivery(cloud, server, kind):
    status, sidecar = settle(cloud, server, [{"kind": kind, "times": 2}])
    assert status == 200
    assert sidecar["status"] != "failed"
    assert len(cloud.gemini.requests) == len(sidecar["attempts"]) + 2


@pytest.mark.parametrize(
    "kind", ["reset", *exhaustive("truncated_json", "reset_midway", "broken_stream", "garbage_body", "empty_body")]
)
def test_an_answer_lost_on_its_way_is_asked_for_again_and_listed(cloud, server, kind):
    """It may have been billed: so many pictures as the manifest may cost are asked for, lost ones included."""
    status, sidecar = settle(cloud, server, [{"kind": kind, "times": 2}])
    assert status == 200
    assert sidecar["status"] != "failed"
    assert [attempt["outcome"] for attempt in sidecar["attempts"]][:3] == ["interrupted", "interrupted", "generated"]
    assert len(cloud.gemini.requests) == len(sidecar["attempts"])


def test_lost_answers_cost_no_more_than_the_cap_and_then_one_a_delivery(own_cloud):
    own_cloud.gemini.control(faults=[{"kind": "truncated_json", "times": None}])
    with own_cloud.server() as server:
        resource = own_cloud.put_pair(attempts=2)
        assert own_cloud.deliver(server, resource).status == 503
        assert len(own_cloud.gemini.requests) == 2
        assert own_cloud.deliver(server, resource).status == 503
        assert len(own_cloud.gemini.requests) == 3
        own_cloud.gemini.faults.clear()
        assert own_cloud.deliver(server, resource).status == 200
    outcomes = [attempt["outcome"] for attempt in own_cloud.sidecar()["attempts"]]
    assert outcomes == ["interrupted"] * 3 + ["generated"]


def test_the_models_own_words_are_recorded(cloud, server):
    _, sidecar = settle(cloud, server, [{"kind": "IMAGE_OTHER", "times": None}])
    assert sidecar["attempts"][0]["message"].startswith("The model could not generate the image")
    assert "The model could not generate the image" in sidecar["error"]["message"]


def test_a_service_that_does_not_say_what_it_billed_is_priced_by_the_list(cloud, server):
    _, sidecar = settle(cloud, server, [{"kind": "no_usage", "times": None}])
    (attempt,) = sidecar["attempts"]
    assert attempt["usd"] == sidecar["cost"]["usd"] == pytest.approx((1290 * 30 + 516 * 0.3) / 1e6, abs=1e-6)
    assert "did not say" in attempt["message"]


@pytest.mark.parametrize("kind", ["400", "403"])
def test_a_request_that_was_not_taken_is_no_interrupted_call(cloud, server, kind):
    _, sidecar = settle(cloud, server, [{"kind": kind, "times": None}])
    assert sidecar["attempts"] == []


def test_a_service_that_cannot_be_reached_has_cost_nothing(own_cloud, short_deadline_s):
    """No connection, nothing sent: the calls are made again, and none of them is listed as perhaps billed."""
    with own_cloud.server(
        GOOGLE_GEMINI_BASE_URL=f"http://127.0.0.1:{free_port()}",
        EVENT_DEADLINE_S=short_deadline_s,
        EVENT_MAX_AGE_S=MAX_AGE_S,
    ) as server:
        resource = own_cloud.put_pair()
        # Until the libraries are loaded the deadline may end before the model's turn comes.
        assert own_cloud.deliver(server, resource).status == 503
        assert own_cloud.deliver(server, other := own_cloud.put_pair("other.json")).status == 503
        assert "could not be reached" in log_lines(server)[-1]["reason"]
        assert own_cloud.deliver(server, other).status == 200
    sidecar = own_cloud.sidecar("other.json")
    assert sidecar["error"]["code"] == "model_unavailable" and sidecar["error"]["retryable"] is True
    assert "could not be reached: ConnectError" in sidecar["error"]["message"]
    assert sidecar["attempts"] == [] and sidecar["cost"]["usd"] == 0


@pytest.mark.parametrize("seconds", [4.0, 30.0, 300.0])
def test_a_deadline_that_ends_while_the_service_cannot_be_reached_names_the_service(monkeypatch, seconds):
    """Time goes by in waiting only, so that the deadline always ends before the tries do."""
    from function.deadline import Deadline
    from function.errors import ModelUnavailableError
    from function.generation.gemini import client as client_module
    from function.generation.provider import Request

    deadline, waits = Deadline(seconds), []
    monkeypatch.setattr(deadline, "remaining", lambda: max(0.0, seconds - seconds / 2.1 * len(waits)))
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=waits.append)
    monkeypatch.setattr(client_module, "time", clock)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", f"http://127.0.0.1:{free_port()}")
    client = client_module.GeminiClient(api_key="k", vertexai=False, project=None, location="", api_version=None)
    with pytest.raises(ModelUnavailableError, match="could not be reached: ConnectError"):
        client.generate(Request("gemini-2.5-flash-image", "a table", (), "1:1", None, 7), deadline)
    assert len(waits) == 2, "it ended for another reason than the deadline"


@pytest.mark.exhaustive
def test_an_answer_that_trickles_ends_with_the_deadline(own_cloud, short_deadline_s):
    with own_cloud.server(EVENT_DEADLINE_S=short_deadline_s) as server:
        own_cloud.warm_up(server)
        own_cloud.gemini.control(faults=[{"kind": "trickle", "times": None}])
        resource = own_cloud.put_pair(attempts=1)
        started = time.monotonic()
        assert own_cloud.deliver(server, resource).status == 503
        assert time.monotonic() - started < float(short_deadline_s) + MARGIN_S
    assert own_cloud.gemini.faults.report()["fired"]["trickle"]


@pytest.mark.parametrize("kind", exhaustive("503", "reset", "garbage_body"))
def test_a_lasting_fault_comes_again_and_is_recorded_in_the_end(own_cloud, short_deadline_s, kind):
    with own_cloud.server(EVENT_DEADLINE_S=short_deadline_s, EVENT_MAX_AGE_S=MAX_AGE_S) as server:
        own_cloud.warm_up(server)
        own_cloud.gemini.control(faults=[{"kind": kind, "times": None}])
        resource = own_cloud.put_pair()
        assert own_cloud.deliver(server, resource).status == 503
        assert own_cloud.names() == []
        assert own_cloud.deliver(server, resource).status == 200
    sidecar = own_cloud.sidecar()
    assert sidecar["status"] == "failed"
    assert sidecar["error"]["code"] == "model_unavailable"
    assert sidecar["error"]["retryable"] is True


@pytest.mark.exhaustive
def test_a_stalled_call_is_given_up_and_made_again_inside_the_deadline(own_cloud, short_deadline_s):
    """The stall takes half of the deadline, and the other half is still several times what the pair takes."""
    with own_cloud.server(EVENT_DEADLINE_S=f"{2 * float(short_deadline_s):.1f}") as server:
        own_cloud.warm_up(server)
        own_cloud.gemini.control(faults=[{"kind": "stall", "value": PATIENCE_S}])
        resource = own_cloud.put_pair()
        assert own_cloud.deliver(server, resource).status == 200
    assert own_cloud.sidecar()["status"] != "failed"
    assert own_cloud.sidecar()["attempts"][0]["outcome"] == "interrupted"
    assert own_cloud.gemini.faults.report()["fired"] == {"stall": 1}


def test_no_call_is_begun_in_too_little_time(gemini):
    """A picture takes about ten seconds: one that is asked for with two left is paid for in vain."""
    from function.deadline import Deadline
    from function.errors import DeadlineExceededError
    from function.generation.gemini.client import GeminiClient
    from function.generation.provider import Request

    client = GeminiClient(api_key="k", vertexai=False, project=None, location="global", api_version=None)
    almost_over = Deadline(300)
    almost_over._end -= 270  # as if that much of it had passed
    before = len(gemini.requests)
    with pytest.raises(DeadlineExceededError):
        client.generate(Request("gemini-2.5-flash-image", "a table", (), "1:1", None, 7), almost_over)
    assert len(gemini.requests) == before


@pytest.mark.parametrize(
    ("kind", "code"),
    [("400", "model_refused"), ("key_invalid", "model_unavailable"), ("401", "model_unavailable"),
     ("403", "model_unavailable"), ("no_quota", "model_unavailable"), ("PUP_LIMITED_DISABLED", "model_refused")],
)  # fmt: skip
def test_a_request_that_is_not_taken_is_recorded_at_once(cloud, server, kind, code):
    status, sidecar = settle(cloud, server, [{"kind": kind, "times": None}])
    assert status == 200
    assert sidecar["error"]["code"] == code
    assert len(cloud.gemini.requests) == 1


def test_a_quota_of_zero_says_what_to_do(cloud, server):
    _, sidecar = settle(cloud, server, [{"kind": "no_quota", "times": None}])
    assert "enable billing" in sidecar["error"]["message"] and sidecar["error"]["retryable"] is False


def test_the_reason_that_came_most_often_is_recorded(cloud, server):
    faults = [{"kind": "IMAGE_SAFETY", "times": 2}, {"kind": "NO_IMAGE", "times": None}]
    _, sidecar = settle(cloud, server, faults)
    assert sidecar["error"]["code"] == "model_refused"
    assert "3 pictures" in sidecar["error"]["message"] and "2 times: IMAGE_SAFETY" in sidecar["error"]["message"]


@pytest.mark.parametrize("image_size", ["2K", *exhaustive("4K")])
def test_larger_answers_are_restored_and_judged(own_cloud, image_size):
    environment = {"GEMINI_MODEL": "gemini-nano-banana-2.1", "MAX_IMAGE_SIZE": image_size, "EVENT_DEADLINE_S": "300"}
    with own_cloud.server(**environment) as server:
        resource = own_cloud.put_pair(output={"width": 4200, "height": 2363})
        assert own_cloud.deliver(server, resource).status == 200
    sidecar = own_cloud.sidecar()
    assert sidecar["status"] == "accepted", sidecar["checks"]
    assert sidecar["model"]["image_size"] == image_size
    tokens = {"2K": 1680, "4K": 3767}[image_size]
    first = sidecar["attempts"][0]
    expected = first["usage"]["prompt_tokens"] * 1.5 + tokens * 30
    expected += (first["usage"]["output_tokens"] - tokens + first["usage"]["thought_tokens"]) * 7.5
    assert first["usd"] == pytest.approx(expected / 1e6, abs=1e-5)


def test_vertex_mode_calls_the_vertex_path(own_cloud, tmp_path):
    # Application default credentials of the "external account" kind would need a token server; an
    # authorized user with a token endpoint on the emulator is not spoken by it, so only the wiring is
    # tested here: project and location are in the request path.
    from function.generation.gemini.client import GeminiClient

    client = GeminiClient(api_key=None, vertexai=True, project="p1", location="europe-west4", api_version=None)
    import google.auth.credentials
    from google import genai
    from google.genai import types

    class Token(google.auth.credentials.Credentials):
        def refresh(self, request):
            self.token = "t"

    client._client = genai.Client(
        vertexai=True, project="p1", location="europe-west4", credentials=Token(),
        http_options=types.HttpOptions(base_url=own_cloud.gemini.url, api_version=client._api_version),
    )  # fmt: skip
    from function.deadline import Deadline
    from function.generation.provider import Request

    request = Request("gemini-3-pro-image", "an empty table", (), "1:1", "2K", 7, asks_for_png=True)
    answer = client.generate(request, Deadline(30))
    assert answer.mime_type == "image/png", "it answers JPEG unless it is asked for PNG"
    assert answer.outcome == "image"
    (seen,) = own_cloud.gemini.requests
    assert (seen["api"], seen["version"], seen["seed"], seen["aspect_ratio"]) == ("vertex", "v1beta1", 7, "1:1")
    assert seen["mime_type"] == "image/png"


def test_what_is_sent_is_the_scene_first_and_the_product_with_its_alpha(cloud, server):
    cloud.deliver(server, cloud.put_pair(placement="left of the lemons"))
    seen = cloud.gemini.requests[0]
    assert (seen["api"], seen["version"], seen["aspect_ratio"]) == ("key", "v1beta", "16:9")
    assert [image["mode"] for image in seen["images"]] == ["RGB", "RGBA"]
    assert max(seen["images"][0]["width"], seen["images"][0]["height"]) <= 768
    for words in (
        "left of the lemons",
        "contact shadow",
        "feather",
        "every detail of its label",
        "transparent background",
    ):
        assert words in seen["text"].lower()


def test_feedback_makes_another_request_of_the_same_pair_and_seed(cloud, server):
    cloud.deliver(server, cloud.put_pair(seed=7701))
    cloud.deliver(server, cloud.put_pair(seed=7701, feedback="The cap is cut off."))
    assert cloud.calls() == 2 and "The cap is cut off." in cloud.gemini.requests[1]["text"]
    assert cloud.sidecar()["feedback"] == "The cap is cut off."
    cloud.deliver(server, cloud.put_pair(seed=7701, feedback="x" * 501))
    assert cloud.sidecar()["error"]["code"] == "manifest_invalid" and cloud.calls() == 2


def test_a_product_that_hangs_is_asked_for_so_and_needs_no_surface_to_stand_on(cloud, server):
    cloud.deliver(server, cloud.put_pair(pose="hang"))
    assert "It hangs freely" in cloud.gemini.requests[0]["text"]
    sidecar = cloud.sidecar()
    assert sidecar["pose"] == "hang" and sidecar["status"] == "accepted"
    for name in ("contact_shadow", "product_upright"):
        assert sidecar["checks"][name]["reason"] == "Does not apply: the product was asked to hang."


def test_usage_and_cost_are_what_was_billed(cloud, server):
    cloud.deliver(server, cloud.put_pair())
    sidecar = cloud.sidecar()
    usage = sidecar["attempts"][0]["usage"]
    assert usage["prompt_image_tokens"] == 516
    assert sidecar["cost"]["prompt_tokens"] == sum(a["usage"]["prompt_tokens"] for a in sidecar["attempts"])
    assert sidecar["cost"]["usd"] == pytest.approx(sum(a["usd"] for a in sidecar["attempts"]))
    estimated, billed = sidecar["cost"]["estimated_prompt_tokens_uncompressed"], sidecar["cost"]["prompt_tokens"]
    saved = sidecar["cost"]["prompt_tokens_saved_percent"]
    assert saved == pytest.approx(100 * (1 - billed / estimated), abs=0.06)
    assert sidecar["attempts"][0]["usd"] == pytest.approx((usage["prompt_tokens"] * 0.3 + 1290 * 30) / 1e6, abs=1e-4)


def test_no_secret_and_no_image_data_is_logged(own_cloud):
    own_cloud.gemini.control(faults=[{"kind": "403"}])
    with own_cloud.server() as server:
        own_cloud.deliver(server, own_cloud.put_pair("one.json"))
        own_cloud.deliver(server, own_cloud.put_pair("two.json"))
        data = "data:image/png;base64," + "QUJD" * 2000
        own_cloud.deliver(server, own_cloud.put("three.json", {"scene": data, "product": data}))
        text = json.dumps(log_lines(server))
    assert KEY not in text and "base64," not in text and "QUJDQUJD" not in text


def test_a_scene_made_from_text_is_composited_like_any_other(cloud, server):
    from tests.support import product_png

    cloud.put("product.png", product_png())
    prompt = {"prompt": f"an oak table by a window, light from the left, {cloud.prefix}"}
    manifest = {"scene": prompt, "product": "product.png"}
    assert cloud.deliver(server, cloud.put("pair.json", manifest)).status == 200
    sidecar = cloud.sidecar()
    assert sidecar["status"] in {"accepted", "review"}, sidecar["error"]
    assert [attempt["purpose"] for attempt in sidecar["attempts"]][:2] == ["scene", "composite"]
    assert "oak table" in cloud.gemini.requests[0]["text"]
    assert sidecar["cost"]["usd"] == pytest.approx(sum(a["usd"] for a in sidecar["attempts"]))
