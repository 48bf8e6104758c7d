"""What a hostile manifest cannot do to the review page."""

from tests.tools.review.samples import make_pair

HOSTILE = "</script><script>window.hacked=1</script>\"'`<img src=x onerror=window.hacked=1>\u2028&amp;${1}{{data}}"


class TestHostileManifests:
    def test_everything_from_a_manifest_is_shown_as_text(self, open_page):
        check = {"value": 0.1, "threshold": 0.5, "passed": False, "unit": HOSTILE, "reason": HOSTILE}
        attempt = {
            "number": 1,
            "outcome": HOSTILE,
            "finish_reason": HOSTILE,
            "message": HOSTILE,
            "checks": {HOSTILE: check},
        }
        named = make_pair(
            f"{HOSTILE}.json", "review", labels={HOSTILE: HOSTILE, "lone": "\ud800"}, checks={HOSTILE: check},
            attempts=[attempt], placement=HOSTILE, model={"id": HOSTILE}, created=HOSTILE, timings_ms={HOSTILE: 5},
        )  # fmt: skip
        error = {"code": HOSTILE, "message": HOSTILE, "stage": HOSTILE, "retryable": HOSTILE}
        page = open_page([named, make_pair("failed.json", "failed", error=error)], HOSTILE)
        for _ in range(2):
            page.keyboard.press("Enter")
            assert HOSTILE[:40] in page.locator("#facts").inner_text()
            page.keyboard.press("Escape")
            page.keyboard.press("j")
        assert page.locator("#source").inner_text().startswith("</script><script>window.hacked")
        assert page.evaluate("window.hacked") is None
        assert page.locator("script").count() == 2 and page.locator("main img").count() == 2

    def test_a_link_is_never_a_script(self, open_page):
        pair = make_pair("a/one.json")
        pair.sidecar["result"]["uri"] = "javascript:window.hacked=1"
        page = open_page([pair])
        page.keyboard.press("Enter")
        assert page.locator("#facts a").count() == 0

    def test_the_policy_runs_no_other_script(self, open_page, six_pairs, faults):
        page = open_page(six_pairs)
        with page.expect_console_message():
            page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x: onerror=window.hacked=1>')")
        assert page.evaluate("window.hacked") is None
        assert any("Content Security Policy" in fault for fault in faults)
        faults.clear()
