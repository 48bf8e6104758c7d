"""Finding pairs by name, label, batch, model, cost, reviewer and risk; and accepting many at once."""

from dataclasses import replace

import pytest

from tests.tools.review.browser import kept, names
from tests.tools.review.samples import make_pair


@pytest.fixture
def four():
    """In two batches, by two models, decided by two people."""
    first, second, third, fourth = ({"value": value} for value in (0.2, 0.9, 0.5, 0.7))
    dear = {"id": "gemini-3-pro-image"}
    return [
        make_pair("spring/000001.json", labels={"sku": "MUG-1", "name": "Blue mug"}, usd=0.0, risk=first),
        replace(
            make_pair("spring/000002.json", labels={"sku": "MUG-2"}, usd=0.04, placement="by the window", risk=second),
            decision="accept", decided_by="jo", decided_at="2026-11-20T12:00:00+00:00",
        ),
        replace(make_pair("autumn/000001.json", labels={}, usd=0.08, risk=third), decision="reject", decided_by="al"),
        make_pair("autumn/000002.json", labels={"sku": "POT"}, usd=0.2, model=dear, risk=fourth,
            style={"name": "warm", "uri": "gs://in/_styles/warm.json", "generation": 12, "sha256": "ab"},
        ),
    ]  # fmt: skip


def test_cards_are_called_by_name_or_sku_with_the_object_below(open_page, four):
    page = open_page(four)
    page.locator("#sort").select_option("name")
    assert page.locator(".title").all_text_contents() == ["000001", "POT", "Blue mug", "MUG-2"]
    assert names(page) == ["000001", "000002", "000001", "000002"]
    page.locator(".card", has_text="Blue mug").click()
    assert page.locator("#detail-heading").inner_text().split() == ["Blue", "mug", "spring/000001"]


@pytest.mark.parametrize(
    ("filter_id", "option", "found"),
    [
        ("label", "sku: MUG-2 (1)", ["MUG-2"]),
        ("batch", "spring/ (2)", ["Blue mug", "MUG-2"]),
        ("model", "gemini-3-pro-image (1)", ["POT"]),
        ("reviewer", "al (1)", ["000001"]),
        ("style", "warm (1)", ["POT"]),
        ("cost", "Nothing paid", ["Blue mug"]),
        ("cost", "Over $0.10", ["POT"]),
    ],
)
def test_more_filters(open_page, four, filter_id, option, found):
    page = open_page(four)
    page.get_by_role("button", name="More").click()
    page.locator(f"#filter-{filter_id}").select_option(label=option)
    assert sorted(page.locator(".title").all_text_contents()) == sorted(found)


def test_the_style_and_which_one_is_told(open_page, four):
    page = open_page(four)
    page.locator(".card", has_text="POT").click()
    assert "warm generation 12" in page.locator("#facts").inner_text()


def test_who_decided_and_when_is_told(open_page, four):
    page = open_page(four)
    said = page.locator(".card", has_text="MUG-2").locator(".mark").get_attribute("title")
    assert said.startswith("jo accepted it, Nov 20, 2026, ")
    page.locator(".card", has_text="MUG-2").click()
    assert page.locator("#decided").inner_text() == said


def test_search_looks_into_the_placement_and_risk_sorts(open_page, four):
    page = open_page(four)
    page.locator("#sort").select_option("risk")
    assert page.locator(".title").all_text_contents() == ["MUG-2", "POT", "000001", "Blue mug"]
    page.get_by_label("Search").fill("window")
    assert page.locator(".title").all_text_contents() == ["MUG-2"]


def test_a_filtered_list_is_accepted_at_once_and_taken_back(open_page, four):
    page = open_page(four)
    assert page.locator("#bulk").is_hidden()  # not everything by one slip
    page.locator("#filter-decision").select_option("none")
    page.get_by_role("button", name="Accept these 2").click()
    assert sorted(entry["decision"] for entry in kept(page).values()) == ["accept", "accept"]
    assert page.locator("#toast-text").inner_text() == "2 pictures accepted."
    page.get_by_role("button", name="Undo").click()
    assert [entry["decision"] for entry in kept(page).values()] == [None, None]
    assert len(names(page)) == 2
