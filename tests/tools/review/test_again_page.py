"""Redo and pick on a page that is a file: in the decisions that it exports, and as commands to copy."""

import shlex
from dataclasses import replace

import pytest

from function.tools.review.decisions import InvalidDecisionsError, decision_from, read_decisions
from tests.tools.review.browser import draw_box
from tests.tools.review.samples import RESULT_COLOUR, make_pair, png, record
from tests.tools.understood import understood

ASKED = {"box": [64, 36, 128, 180], "areas": [], "height": None, "facing": None, "tolerance": None}
HOSTILE = 'it\'s $(rm -rf /) `x` "y"\n; z'


def two_attempts():
    """A pair whose two attempts are kept, the second one shown."""
    pictures = {1: png((9, 99, 9)), 2: png(RESULT_COLOUR)}
    attempts = [
        {
            "number": number, "seed": number, "outcome": "generated", "verdict": "review", "finish_reason": "STOP",
            "latency_ms": 8000, "usd": 0.04, "answer": record("gs://out/_work/answers/x", picture),
            "checks": {"no_halo": {"value": number, "threshold": 0, "passed": False}},
        }
        for number, picture in pictures.items()
    ]  # fmt: skip
    pair = make_pair("a/one.json", "review", attempts=attempts, checks=attempts[1]["checks"], placement="left")
    return replace(pair, attempts={number: (lambda data=data: data) for number, data in pictures.items()})


def parsed(command: str):
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "function"]
    return understood(words[3:])


def exported(page, tmp_path):
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Download decisions").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download JSON").click()
    waiting.value.save_as(tmp_path / "decisions.json")
    return read_decisions(tmp_path / "decisions.json")


def test_a_redo_is_a_decision_and_a_command(open_page, tmp_path):
    page = open_page([two_attempts()])
    page.locator("#by").fill("jo")
    page.keyboard.press("Escape")
    page.locator(".card").click()
    page.keyboard.press("r")
    assert "bright cut-out fringe" in parsed(page.locator("#redo-command").text_content())["reason"]
    page.locator("#redo-chips label").click()
    page.locator("#redo-words").fill(HOSTILE)
    page.locator("#redo-placement").fill("right")
    page.locator("#redo-seed").fill("7")
    page.locator("#redo-attempts").fill("2")
    assert "at most $0.07" in page.locator("#redo-price").inner_text()
    options = parsed(page.locator("#redo-command").text_content())
    said = [options[name] for name in ("target", "redo", "placement", "seed", "attempts", "by")]
    assert said == ["gs://out/a", ("a/one",), "right", 7, 2, "jo"]
    assert options["reason"] == HOSTILE and options["decisions_file"] is None
    page.locator("#redo-send").click()
    assert "To be made again" in page.locator("#decided").inner_text()
    (row,) = exported(page, tmp_path)
    assert (row.decision, row.sidecar, row.manifest_generation, row.by) == ("redo", "a/one.json", "17", "jo")
    assert (row.feedback, row.placement, row.seed, row.attempts) == (HOSTILE, "right", 7, 2)


def test_a_box_that_is_drawn_on_the_scene_is_asked_for(open_page, tmp_path):
    page = open_page([make_pair("a/one.json", asked_place=ASKED)])
    page.locator(".card").click()
    page.keyboard.press("r")
    assert page.locator("#redo-picture .asked-line").count() == 1 and page.locator(".drawn").is_hidden()
    assert parsed(page.locator("#redo-command").text_content())["box"] == ()
    draw_box(page, [0.5, 0.25, 0.2, 0.5])
    drawn = page.locator(".drawn").bounding_box()
    scene = page.locator("#redo-picture img").bounding_box()
    assert (drawn["x"] - scene["x"]) / scene["width"] == pytest.approx(0.5, abs=0.01)
    assert (drawn["y"] + drawn["height"] - scene["y"]) / scene["height"] == pytest.approx(0.75, abs=0.01)
    (said,) = parsed(page.locator("#redo-command").text_content())["box"]
    assert [float(share) for share in said.split()] == pytest.approx([0.5, 0.25, 0.2, 0.5], abs=0.01)
    page.mouse.click(scene["x"] + 9, scene["y"] + 9)  # is no box
    assert page.locator("#redo-box").input_value() == said
    page.locator("#redo-box-clear").click()
    assert page.locator(".drawn").is_hidden() and parsed(page.locator("#redo-command").text_content())["box"] == ()
    page.locator("#redo-box").fill("0.9 0.1 0.2 0.2")
    page.locator("#redo-send").click()
    assert page.locator("#redo").is_visible()  # it lies outside of the scene, and the browser says so
    page.locator("#redo-box").fill("0.7, 0.1, 0.2, 0.2")
    page.locator("#redo-send").click()
    (row,) = exported(page, tmp_path)
    assert (row.decision, row.boxes) == ("redo", {"product": [0.7, 0.1, 0.2, 0.2]})
    for boxes in ([0.1] * 4, {"a/b": [0.1] * 4}, {"product": [0.1] * 3}, {"product": "0.1"}, dict.fromkeys("abcde")):
        with pytest.raises(InvalidDecisionsError):
            decision_from({"decision": "redo", "sidecar": "a/one.json", "boxes": boxes})


def test_each_of_several_products_has_a_box_of_its_own(open_page, tmp_path):
    products = [{"name": name, "placement": None, "checks": {}} for name in ("tonic", "soda")]
    page = open_page([make_pair("a/one.json", products=products)])
    page.locator(".card").click()
    page.keyboard.press("r")
    for number, name in enumerate(("tonic", "soda", "tonic")):
        page.locator("#redo-whose").select_option(name)
        page.locator("#redo-box").fill(f"0.{number} 0.1 0.2 0.3")
    said = parsed(page.locator("#redo-command").text_content())["box"]
    assert said == ("tonic=0.2 0.1 0.2 0.3", "soda=0.1 0.1 0.2 0.3")
    page.locator("#redo-whose").select_option("soda")
    assert page.locator("#redo-box").input_value() == "0.1 0.1 0.2 0.3"
    page.locator("#redo-send").click()
    (row,) = exported(page, tmp_path)
    assert row.boxes == {"tonic": [0.2, 0.1, 0.2, 0.3], "soda": [0.1, 0.1, 0.2, 0.3]}


def test_on_a_scene_that_will_be_another_one_nothing_is_drawn(open_page):
    made = [{"number": 0, "purpose": "scene", "outcome": "generated"}]
    page = open_page([make_pair("a/one.json", attempts=made)])
    page.locator(".card").click()
    page.keyboard.press("r")
    assert page.locator("#redo-words").is_visible() and page.locator("#redo-place").is_hidden()


def test_an_attempt_is_looked_at_and_picked(open_page, tmp_path):
    page = open_page([two_attempts()])
    page.locator(".card").click()
    assert page.locator("#filmstrip li.is-shown").inner_text().startswith("2.")
    page.locator("#filmstrip button").first.click()
    assert page.locator("#pick-text").inner_text().startswith("Did not pass: No halo.")
    options = parsed(page.locator("#pick-command").text_content())
    assert (options["pick"], options["attempt"]) == (("a/one",), 1)
    page.locator("#pick-use").click()
    (row,) = exported(page, tmp_path)
    assert (row.decision, row.attempt) == ("pick", 1)


def test_attempts_from_before_a_redo_stand_first_and_can_be_picked(open_page, tmp_path):
    pair = two_attempts()
    first, second = pair.sidecar["attempts"]
    person = {"asked": "redo", "by": "jo", "at": "", "redone": 1}
    sidecar = pair.sidecar | {
        "earlier": [first | {"number": 101, "model": "m"}],
        "attempts": [second],
        "person": person,
    }
    page = open_page([replace(pair, sidecar=sidecar, attempts={101: pair.attempts[1], 2: pair.attempts[2]})])
    page.locator(".card").click()
    strip = page.locator("#filmstrip li")
    assert strip.count() == 2 and strip.first.inner_text().startswith("before: ")
    assert "before it was made again" not in page.locator("#facts").inner_text()
    page.locator("#filmstrip button").first.click()
    assert page.locator("#pick-title").inner_text() == "Attempt 1, before it was made again"
    page.locator("#pick-use").click()
    (row,) = exported(page, tmp_path)
    assert (row.decision, row.attempt) == ("pick", 101)


def test_that_nothing_of_before_can_be_picked_is_said(open_page):
    person = {"asked": "redo", "by": "jo", "at": "", "redone": 1}
    page = open_page([make_pair("a/one.json", person=person)])
    page.locator(".card").click()
    assert "Earlier pictures cannot be chosen here" in page.locator("#facts").inner_text()


def test_a_failed_pair_can_be_asked_for_again_and_a_comment_is_kept(open_page, tmp_path):
    page = open_page([make_pair("a/failed.json", "failed"), make_pair("a/one.json")])
    page.locator(".card", has_text="failed").click()
    page.keyboard.press("r")
    page.locator("#redo-words").fill("A plain bottle of oil.")
    page.locator("#redo-send").click()
    page.keyboard.press("ArrowRight")
    page.locator("#comment").fill("crop it")
    page.locator("#accept").click()
    failed, one = exported(page, tmp_path)
    assert (failed.decision, failed.result_uri, failed.feedback) == ("redo", "", "A plain bottle of oil.")
    assert (one.decision, one.comment) == ("accept", "crop it")
