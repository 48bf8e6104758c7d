"""The grid of the review page, in a real browser."""

import pytest

from tests.tools.review.browser import current, names, wait_until
from tests.tools.review.samples import make_pair, png


class TestGrid:
    def test_the_head_counts_pairs_and_money(self, open_page, six_pairs):
        page = open_page(six_pairs)
        assert page.locator("#totals").inner_text() == "6 pairs · $0.29 spent · $0.073 a picture"
        assert [text.split() for text in page.locator(".chip").all_inner_texts()] == [
            ["All", "6"], ["Review", "2"], ["Failed", "2"], ["Accepted", "2"],
        ]  # fmt: skip

    def test_what_needs_a_look_comes_first(self, open_page, six_pairs):
        assert names(open_page(six_pairs)) == ["five", "two", "six", "three", "four", "one"]

    def test_filters_by_status_reason_and_words(self, open_page, six_pairs):
        page = open_page(six_pairs)
        page.get_by_label("Review 2").check()
        assert names(page) == ["five", "two"]
        page.locator("#filter-reason").select_option(label="Scene kept (1)")
        assert names(page) == ["five"]
        assert page.locator("#showing").inner_text() == "1 picture of 6, $0.08"
        page.get_by_label("Failed 2").check()
        assert names(page) == []
        page.get_by_role("button", name="Show everything").click()
        assert len(names(page)) == 6
        page.locator("#filter-reason").select_option(label="Source missing (1)")
        assert names(page) == ["six"]
        page.locator("#filter-reason").select_option("")
        page.get_by_label("Search").fill("blue MUG")
        assert names(page) == ["four"]

    def test_sorts_by_cost_name_time_risk_and_failed_check(self, open_page, six_pairs):
        page = open_page(six_pairs)
        sort = page.locator("#sort")
        sort.select_option("cost")
        assert names(page)[:3] == ["two", "five", "four"]
        sort.select_option("name")
        assert names(page) == sorted(names(page))
        sort.select_option("newest")
        assert names(page)[:2] == ["two", "three"]
        sort.select_option("risk")
        assert names(page)[:2] == ["five", "four"]
        sort.select_option("reason")
        assert names(page) == ["five", "two", "three", "six", "four", "one"]

    def test_the_risk_is_said_where_it_is_known(self, open_page, six_pairs):
        page = open_page(six_pairs)
        page.locator("#sort").select_option("risk")
        page.locator(".card").first.click()
        assert "Risk that you would reject it: 90 %." in page.locator(".verdict").inner_text()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        assert "Risk" not in page.locator(".verdict").inner_text()

    def test_one_tab_stop_for_all_cards_and_arrows_between_them(self, open_page, six_pairs):
        page = open_page(six_pairs)
        assert page.locator(".card-open[tabindex='0']").count() == 1
        page.keyboard.press("j")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.querySelector('.name').textContent") == "two"
        page.keyboard.press("k")
        page.keyboard.press("ArrowDown")  # three to a row
        assert page.evaluate("document.activeElement.querySelector('.name').textContent") == "three"
        page.keyboard.press("Enter")
        assert current(page) == "a/three"

    def test_pictures_are_shown(self, open_page, six_pairs):
        page = open_page(six_pairs)
        wait_until(page, "[...document.querySelectorAll('.card img')].every((i) => i.naturalWidth > 0)")
        assert page.locator(".card img").count() == 6


class TestManyPairs:
    @pytest.mark.exhaustive
    def test_two_thousand_pairs_are_there_and_only_the_near_ones_loaded(self, open_page):
        statuses = ("accepted", "accepted", "accepted", "review", "failed")
        pairs = [
            make_pair(
                f"spring/{n:06d}.json", statuses[n % 5], failed=("label_legible",) if n % 5 == 3 else (),
                result=png((n // 8, n % 8, 40), (96, 54)),
            )
            for n in range(2000)
        ]  # fmt: skip
        page = open_page(pairs)
        wait_until(page, "document.querySelectorAll('#grid .card').length === 2000")
        loaded = "[...document.querySelectorAll('.card img')].filter((i) => i.naturalWidth > 0).length"
        wait_until(page, f"{loaded} > 0")
        assert page.evaluate(loaded) < 200
        page.get_by_label("Review 400").check()
        wait_until(page, "document.querySelectorAll('#grid .card').length === 400")
        page.get_by_label("Search").fill("001998")
        assert names(page) == ["001998"]
        page.get_by_role("button", name="Show everything").or_(page.get_by_label("All 2,000")).first.click()
        page.get_by_label("Search").fill("")
        wait_until(page, "document.querySelectorAll('#grid .card').length === 2000")
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        wait_until(page, "document.querySelector('.card:last-child img').naturalWidth > 0")
