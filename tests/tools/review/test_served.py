"""The served page: from rejected pictures to approved ones, and who may speak to the server."""

import http.client
import json
from contextlib import ExitStack

import pytest

from function.storage.client import Storage
from function.tools import command_line
from function.tools.local.event_relay import Relay
from function.tools.review.live import Live
from function.tools.review.server import ReviewServer
from tests.support import product_png, scene_png, wait_until
from tests.tiers import exhaustive
from tests.tools.review.browser import draw_box, names
from tests.tools.review.browser import wait_until as wait_for

BOX = [0.35, 0.35, 0.25, 0.5]  # on the demo's table


@pytest.fixture
def storage(own_cloud) -> Storage:
    return Storage(make_client=lambda **_: own_cloud.client)


@pytest.fixture
def serve(own_cloud, storage, tmp_path):
    """Serves the output bucket's page → the server."""
    with ExitStack() as stack:

        def start() -> ReviewServer:
            live = stack.enter_context(Live(storage, f"gs://{own_cloud.output}", tmp_path / "page"))
            return stack.enter_context(ReviewServer(live, "jo@example.com"))

        yield start


@pytest.fixture
def open_served(browser):
    """Opens a served page; an error on it fails the test."""
    faults, contexts = [], []

    def open_it(server: ReviewServer):
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 800}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.goto(server.url)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert faults == []


def results(cloud) -> list:
    return [blob for blob in cloud.client.list_blobs(cloud.output) if blob.name.endswith(".png")]


class TestFromRejectedToApproved:
    @pytest.mark.parametrize(("pairs", "bad"), [(4, 2), *exhaustive((20, 6))])
    def test_bad_ones_are_made_again_on_the_page_and_by_decide_and_all_are_approved(
        self, own_cloud, serve, open_served, monkeypatch, pairs, bad
    ):
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", own_cloud.gcs.url)
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", own_cloud.client.project)
        own_cloud.put("p.png", product_png())
        own_cloud.put("s.png", scene_png())
        own_cloud.gemini.control(faults=[{"kind": "no_shadow", "times": bad}])
        rows = "".join(f"p.png,s.png,{n},SKU-{n:03}\n" for n in range(1, pairs + 1))
        catalogue = "product,scene,seed,labels.sku\n" + rows
        own_cloud.put("spring.csv", catalogue)
        with (
            own_cloud.server(MAX_ATTEMPTS="1") as function,
            Relay(own_cloud.client, own_cloud.input, function.url, first_backoff_s=0.5) as relay,
        ):
            wait_until(lambda: len(results(own_cloud)) == pairs and relay.unsettled == 0)
            page = open_served(serve())
            assert page.locator("#totals").inner_text().startswith(f"{pairs} pairs")
            page.get_by_label(f"Review {bad}").check()
            assert len(names(page)) == bad and page.locator(".title").first.inner_text().startswith("SKU-")
            by_command, *on_page = sorted(names(page))
            for name in on_page:  # a box is drawn for the first of them
                page.locator(".card", has_text=name).click()
                page.keyboard.press("r")
                assert "Contact shadow" in page.locator("#redo-chips").inner_text()
                page.locator("#redo-words").fill("Ground it on the table.")
                assert "at most $0.1" in page.locator("#redo-price").inner_text()
                if name == on_page[0]:
                    draw_box(page, BOX)
                page.locator("#redo-send").click()
                page.keyboard.press("Escape")
            redo = ["decide", f"gs://{own_cloud.output}", "--redo", f"spring/{by_command}", "--yes", "--by", "al"]
            assert command_line.main(redo) == 0
            wait_for(page, f"pairs.filter((pair) => pair.status === 'accepted').length === {pairs}")
            told = [seen["text"] for seen in own_cloud.gemini.requests if "put right" in seen["text"]]
            assert len(told) == bad and sum("Ground it on the table." in text for text in told) == bad - 1
            drawn = json.loads(own_cloud.get(f"spring/{on_page[0]}.json", own_cloud.input))["placement"]["box"]
            assert drawn == pytest.approx(BOX, abs=0.01)
            sidecar = own_cloud.sidecar(f"spring/{on_page[0]}.json")
            assert sidecar["asked_place"]["box"] == pytest.approx([224, 126, 160, 180], abs=7)
            assert sidecar["checks"]["placed_as_asked"]["passed"]
            (exact,) = (text for text in told if "The spot is exact" in text)
            assert "Ground it on the table." in exact
            own_cloud.put("spring.csv", catalogue + f"p.png,s.png,{pairs + 1},SKU-new\n")
            wait_for(page, f"pairs.length === {pairs + 1}")  # it shows by itself, and nothing else was made again
            assert len(own_cloud.gemini.requests) == pairs + bad + 1
        page.get_by_label(f"All {pairs + 1}").check()
        page.get_by_label("Search").fill("SKU-")
        for times in range(2):
            page.get_by_role("button", name=f"Accept these {pairs + 1}").click()
            wait_for(page, f"pairs.filter((pair) => pair.recorded === 'accept').length === {pairs + 1}")
            if not times:
                page.get_by_role("button", name="Undo").click()
                wait_for(page, "pairs.every((pair) => pair.recorded === null)")
        decided = [(one.metadata["review-decision"], one.metadata["review-decided-by"]) for one in results(own_cloud)]
        assert decided == [("accept", "jo@example.com")] * (pairs + 1)

    @pytest.mark.exhaustive
    def test_another_attempt_is_picked_with_a_comment_and_the_reviewers_name(self, own_cloud, serve, open_served):
        own_cloud.gemini.control(faults=[{"kind": "no_shadow"}, {"kind": "wrong_colour"}])
        own_cloud.put_pair("a/one.json")
        with (
            own_cloud.server(MAX_ATTEMPTS="2") as function,
            Relay(own_cloud.client, own_cloud.input, function.url, first_backoff_s=0.5),
        ):
            wait_until(lambda: "a/one.json" in own_cloud.names())
            page = open_served(serve())
            page.locator("#by").fill("Kim")
            page.locator(".card").click()
            shown = page.evaluate("pairs[0].shown_attempt")
            page.locator(f"#filmstrip li:nth-child({3 - shown}) button").click()
            assert "Did not pass" in page.locator("#pick-text").inner_text()
            page.locator("#pick-use").click()
            wait_for(page, f"pairs[0].shown_attempt === {3 - shown} && pairs[0].person?.by === 'Kim'")
            assert len(own_cloud.gemini.requests) == 2
        page.locator("#comment").fill("fine for the web")
        page.keyboard.press("Tab")
        page.locator("#accept").click()
        wait_for(page, "pairs[0].recorded === 'accept'")
        metadata = own_cloud.metadata("a/one.png")
        said = [metadata[f"review-{key}"] for key in ("decision", "decided-by", "comment")]
        assert said == ["accept", "Kim", "fine for the web"]

    def test_what_the_bucket_refuses_is_taken_back_and_said(self, own_cloud, settle, serve, open_served):
        settle("a/one.json")
        page = open_served(serve())
        blob = own_cloud.client.bucket(own_cloud.output).get_blob("a/one.png")
        page.evaluate("pairs[0].generation = '16'")  # the page is older than the picture
        page.locator(".card").click()
        page.keyboard.press("a")
        page.keyboard.press("Escape")
        wait_for(page, "document.querySelector('#toast-text').textContent.includes('made again since')")
        assert page.locator(".mark").is_hidden()
        assert "review-decision" not in (own_cloud.client.bucket(own_cloud.output).get_blob(blob.name).metadata)


class TestWhoMaySpeakToIt:
    def ask(self, server: ReviewServer, method: str, path: str, body: str | None = None, **headers: str) -> int:
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        line.request(method, path, body, {"Host": f"127.0.0.1:{server.port}", **names})
        answer = line.getresponse()
        answer.read()
        line.close()
        return answer.status

    def test_only_this_machines_browser_with_the_sessions_token(self, own_cloud, settle, serve):
        uri = settle("a/one.json")["result"]["uri"]
        server = serve()
        base, own = f"/{server.token}/", f"http://127.0.0.1:{server.port}"
        assert server._server.server_address[0] == "127.0.0.1"
        body = json.dumps({"decisions": [{"result": uri, "decision": "accept"}]})
        assert self.ask(server, "GET", base) == 200
        assert self.ask(server, "GET", base + "changes?since=0") == 200
        for path in ("/", "/index.html", f"/{server.token[:-1]}/", f"/{server.token}x/changes"):
            assert self.ask(server, "GET", path) == 403
        for path in ("pictures/../index.html", "pictures/..%2f..%2fetc/passwd", "x", "decisions"):
            assert self.ask(server, "GET", base + path) == 404
        for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1"):  # DNS rebinding
            assert self.ask(server, "GET", base, Host=host) == 403
        send = {"Content_Type": "application/json"}
        for origin in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}):
            assert self.ask(server, "POST", base + "decisions", body, **send, **origin) == 403
        assert self.ask(server, "POST", "/decisions", body, Origin=own, **send) == 403
        assert self.ask(server, "POST", base + "decisions", body, Origin=own, Content_Type="text/plain") == 404
        assert self.ask(server, "POST", base + "decisions", "{", Origin=own, **send) == 400
        assert "review-decision" not in own_cloud.metadata("a/one.png")
        assert self.ask(server, "POST", base + "decisions", body, Origin=own, **send) == 200
        assert own_cloud.metadata("a/one.png")["review-decision"] == "accept"

    def test_nothing_outside_of_the_reviewed_prefix_is_changed(self, own_cloud, settle, storage, tmp_path):
        settle("a/one.json")
        uri = settle("b/two.json")["result"]["uri"]
        with Live(storage, f"gs://{own_cloud.output}/a/", tmp_path / "page") as live:
            server = ReviewServer(live, "jo")
            rows = [
                {"result": uri, "decision": "accept"},
                {"sidecar": "b/two.json", "decision": "redo"},
                {"sidecar": "b/two.json", "decision": "pick", "attempt": 1},
            ]
            outcomes = server.carry_out({"decisions": rows})["outcomes"]
            server._server.server_close()
        assert [one["outcome"] for one in outcomes] == ["elsewhere"] * 3
