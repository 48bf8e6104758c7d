"""From picture to picture with the keyboard, and where decisions go."""

import csv
from pathlib import Path

from function.tools.review.decisions import read_decisions
from tests.tools.review.browser import current, kept, names
from tests.tools.review.samples import make_pair


class TestKeyboard:
    def test_through_the_pairs_and_back(self, open_page, six_pairs):
        page = open_page(six_pairs)
        page.keyboard.press("Enter")
        assert current(page) == "a/five"
        page.keyboard.press("ArrowRight")
        page.keyboard.press("j")
        assert (current(page), page.locator("#position").inner_text()) == ("a/six", "3 of 6")
        page.keyboard.press("k")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")  # there is none before the first
        assert current(page) == "a/five"
        page.keyboard.press("s")
        assert page.locator("#side").is_visible() and page.locator("#side img").count() == 3
        page.keyboard.press("Escape")
        assert not page.locator("#detail").is_visible()
        # The dialog is gone a moment before its close event, which brings the focus back.
        page.wait_for_function("document.activeElement.querySelector('.name')?.textContent === 'five'")
        page.keyboard.press("?")
        assert page.locator("#help").is_visible()

    def test_accept_and_reject_lead_on_and_are_kept(self, open_page, six_pairs):
        page = open_page(six_pairs)
        page.get_by_role("button", name="Review 2 pictures").click()
        page.keyboard.press("a")
        assert current(page) == "a/two"
        page.keyboard.press("x")
        assert page.locator("#done-text").inner_text() == "1 accepted, 1 rejected."
        page.keyboard.press("Escape")
        page.reload()
        assert page.locator("#progress-text").inner_text() == "2 of 4 decided"
        page.locator("#filter-decision").select_option("reject")
        assert names(page) == ["two"]
        page.keyboard.press("Enter")
        page.keyboard.press("u")
        assert page.locator("#reject").get_attribute("aria-pressed") == "false"
        assert current(page) == "a/two"

    def test_a_held_key_decides_once(self, open_page, six_pairs):
        page = open_page(six_pairs)
        page.keyboard.press("Enter")
        for _ in range(4):
            page.keyboard.down("a")  # what a held key sends
        page.keyboard.up("a")
        assert [entry["decision"] for entry in kept(page).values()] == ["accept"]

    def test_a_failed_pair_has_nothing_to_decide(self, open_page, six_pairs):
        page = open_page(six_pairs)
        page.locator(".card", has_text="three").click()
        page.keyboard.press("a")
        assert current(page) == "a/three" and kept(page) == {}
        assert page.locator("#accept").is_disabled()
        assert "IMAGE_SAFETY" in page.locator("#facts").inner_text()

    def test_letters_typed_into_the_search_are_letters(self, open_page, six_pairs):
        page = open_page(six_pairs)
        page.keyboard.press("/")
        page.keyboard.type("axj?")
        assert page.get_by_label("Search").input_value() == "axj?"
        assert kept(page) == {}

    def test_a_pairs_address_opens_it_and_back_closes_it(self, open_page, six_pairs):
        page = open_page(six_pairs)
        page.locator(".card", has_text="four").click()
        assert page.url.endswith("#a%2Ffour")
        page.reload()
        assert current(page) == "a/four"
        page.keyboard.press("Escape")
        page.locator(".card", has_text="one").click()
        page.go_back()
        assert not page.locator("#detail").is_visible()


class TestDecisions:
    def export(self, page, name: str, tmp_path: Path) -> Path:
        page.get_by_role("button", name="Download decisions").click()
        with page.expect_download() as waiting:
            page.get_by_role("button", name=name).click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        page.keyboard.press("Escape")
        return path

    def test_json_can_be_read_back_and_written_to_the_bucket(self, open_page, six_pairs, tmp_path):
        page = open_page(six_pairs)
        page.locator(".card", has_text="four").click()
        page.keyboard.press("a")
        page.keyboard.press("x")
        page.keyboard.press("Escape")
        decisions = read_decisions(self.export(page, "Download JSON", tmp_path))
        assert [(row.result_uri, row.manifest_generation, row.decision) for row in decisions] == [
            ("gs://out/a/one.png", "17", "reject"),
            ("gs://out/a/four.png", "17", "accept"),
        ]

    def test_csv_opens_in_a_spreadsheet_and_runs_nothing_there(self, open_page, tmp_path):
        name = '=cmd|"/c calc"!A1,\nx'
        page = open_page([make_pair(f"{name}.json", "review", failed=("label_legible",))])
        page.keyboard.press("Enter")
        page.keyboard.press("a")
        page.keyboard.press("Escape")
        text = self.export(page, "Download CSV", tmp_path).read_text(encoding="utf-8-sig")
        (row,) = csv.DictReader(text.splitlines(keepends=True))
        assert row["name"] == f"'{name}"
        assert (row["decision"], row["failed_checks"], row["cost_usd"]) == ("accept", "label_legible", "0.04")

    def test_a_new_picture_has_no_old_decision(self, open_page):
        page = open_page([make_pair("a/one.json")])
        page.keyboard.press("Enter")
        page.keyboard.press("a")
        anew = make_pair("a/one.json")
        anew.sidecar["manifest"]["generation"] = 18
        entries = page.evaluate("JSON.stringify(localStorage)")
        page = open_page([anew], before=f"Object.assign(localStorage, {entries})")
        assert len(kept(page)) == 1  # it is there, and belongs to the picture before
        assert page.locator("#progress").is_hidden()

    def test_what_the_bucket_has_recorded_is_shown_and_can_be_taken_back(self, open_page, tmp_path):
        pair = make_pair("a/one.json")
        page = open_page([type(pair)(pair.name, pair.sidecar, pair.scene, pair.product, pair.result, "accept")])
        assert page.locator(".mark").get_attribute("aria-label") == "You accepted it"
        page.keyboard.press("Enter")
        page.keyboard.press("u")
        page.keyboard.press("Escape")
        (row,) = read_decisions(self.export(page, "Download JSON", tmp_path))
        assert row.decision is None

    def test_a_browser_that_keeps_nothing_is_said_so(self, open_page, six_pairs):
        blocked = (
            "Object.defineProperty(window, 'localStorage', "
            "{ get() { throw new DOMException('no', 'SecurityError'); } })"
        )
        page = open_page(six_pairs, before=blocked)
        page.keyboard.press("Enter")
        page.keyboard.press("a")
        page.keyboard.press("Escape")
        assert "download your decisions" in page.locator("#notice").inner_text()
        assert page.locator("#progress-text").inner_text() == "1 of 4 decided"
