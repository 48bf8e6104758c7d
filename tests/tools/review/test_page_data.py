"""From a sidecar, whoever wrote it, to what the page shows."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.tools.review.page import embed_json, render_page
from function.tools.review.page_data import pair_data
from function.tools.review.pair import ReviewPair
from tests.tiers import examples
from tests.tools.review.samples import make_pair

FIELDS = ["status", "created", "manifest", "inputs", "result", "model", "attempts", "cost", "checks"]
FIELDS += [
    "change",
    "timings_ms",
    "labels",
    "error",
    "placement",
    "pose",
    "risk",
    "method",
    "identity",
    "results",
    "earlier",
    "person",
    "style",
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=12,
)


@examples(200)
@given(st.dictionaries(st.sampled_from(FIELDS), anything))
def test_a_sidecar_of_any_shape_can_be_shown(sidecar):
    data = pair_data(ReviewPair("a/b.json", sidecar), {})
    assert json.loads(embed_json(data)) == data
    assert data["status"] in ("review", "failed", "accepted")


@examples(200)
@given(anything)
def test_embedded_json_cannot_end_its_script_and_reads_back(value):
    value = json.loads(json.dumps(value).replace("NaN", "0").replace("Infinity", "0"))
    text = embed_json(value)
    assert not set(text) & set("<>&\u2028\u2029") and text.isascii()
    assert json.loads(text) == value


def test_a_failed_check_comes_first_and_says_which_way_its_limit_goes():
    checks = {
        "colour": {"value": 3.0, "threshold": 6.0, "passed": True, "unit": "ΔE"},
        "label": {"value": 0.4, "threshold": 0.6, "passed": False, "unit": "ratio"},
        "halo": {"value": 9, "threshold": 5, "passed": False},
        "equal": {"value": 5, "threshold": 5, "passed": True},
    }
    data = pair_data(make_pair(checks=checks), {})
    limits = [(check["name"], check["limit"]) for check in data["checks"]]
    assert limits == [("label", "least"), ("halo", "most"), ("colour", "most"), ("equal", None)]


@pytest.mark.parametrize(("said", "shown"), [({"value": 0.31}, 0.31), ({"value": 7}, None), ({}, None), (0.3, None)])
def test_a_risk_is_a_share_or_nothing(said, shown):
    assert pair_data(make_pair(risk=said), {})["risk"] == shown


def test_a_check_of_a_number_that_is_none_keeps_its_sentence():
    checks = {"label": {"value": None, "threshold": None, "passed": False, "reason": "Too small to read."}}
    (check,) = pair_data(make_pair(checks=checks), {})["checks"]
    assert (check["value"], check["reason"], check["passed"]) == (None, "Too small to read.", False)


def test_each_result_says_which_part_of_the_scene_it_shows_and_whether_it_can_be_laid_over_it():
    def result(name, size, shown=None):
        return {"name": name, "uri": f"gs://out/a/one/{name}.jpg", "width": size[0], "height": size[1], "shown": shown}

    results = [result("story", (108, 192), [219, 0, 202, 360]), result("square", (200, 200)), result("small", (64, 36)),
               result("odd", (64, 36), [1, 2, 0, 4])]  # fmt: skip
    pair = make_pair(results=results)
    shown = pair_data(pair, {})["results"]
    assert [one["name"] for one in shown] == ["story"]  # of the others nothing was read
    shown = pair_data(pair, {}, others=[(None, None)] * 3)["results"]
    assert [one["compares"] for one in shown] == [True, False, True, False]
    assert shown[0]["shown"] == [0.3422, 0.0, 0.3156, 1.0] and shown[2]["shown"] is None
    (alone,) = pair_data(make_pair(), {})["results"]
    assert alone["uri"] == "gs://out/a/one.png" and alone["compares"] is True


def test_where_the_product_is_not_its_photograph_is_a_share_of_the_scene():
    identity = {"asked": "auto", "box": [400, 300, 200, 300], "changed": [[440, 360, 100, 60], "nonsense"]}
    inputs = {"scene": {"width": 1000, "height": 600}}
    shown = pair_data(make_pair(identity=identity, inputs=inputs, method="sketch"), {})
    assert shown["method"] == "sketch"
    assert shown["identity"] == {"asked": "auto", "box": [0.4, 0.5, 0.2, 0.5], "changed": [[0.44, 0.6, 0.1, 0.1]]}
    assert pair_data(make_pair(identity=identity, inputs={}), {})["identity"]["box"] is None
    assert pair_data(make_pair(), {})["identity"] is None


def test_a_title_cannot_leave_its_place():
    page = render_page([], "</title><script>alert(1)</script>{{script}}")
    assert "<script>alert" not in page
    assert page.count("{{script}}") == 2  # once in the title, once in the data: as text, never filled in


def test_content_credentials_are_told_with_issuer_verdict_and_test():
    sidecar = {
        "result": {"provenance": {"state": "valid", "issuer": "TEST …", "test": True, "note": ""}},
        "inputs": {
            "scene": {"provenance": {"state": "invalid", "issuer": "Camera <b>Ltd</b>", "note": "does not hold: x"}},
            "product": {"provenance": None},
        },
    }
    assert pair_data(ReviewPair("a/b.json", sidecar), {})["provenance"] == [
        ["Result", "valid with a TEST certificate"],
        ["Scene", "invalid signed by Camera <b>Ltd</b>. does not hold: x"],
    ]
    sidecar["inputs"]["views"] = [{"provenance": None}, {"provenance": {"state": "valid", "issuer": "Studio"}}]
    said = pair_data(ReviewPair("a/b.json", sidecar), {})["provenance"]
    assert said[2:] == [["Photograph 2", "valid signed by Studio"]]
