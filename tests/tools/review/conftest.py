"""Small settled pairs in a bucket, and a real browser to review them in."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from function.storage.client import Storage
from function.tools.review.page import write_review
from function.tools.review.pair import ReviewPair
from tests.tools.review.samples import make_pair

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Debian's Chromium, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def faults() -> list[str]:
    """What a page did wrong: errors of its scripts, blocked or outward requests."""
    return []


@pytest.fixture
def open_page(browser, tmp_path: Path, faults: list[str]) -> Iterator[Callable]:
    """Writes a page of some pairs and opens it from its file; a fault on the page fails the test."""
    contexts = []

    def open_pairs(pairs: list[ReviewPair], title: str = "gs://out/a", *, before: str = "", **context: object):
        page_file = write_review(pairs, tmp_path / "review", title)
        context = {"viewport": {"width": 1280, "height": 800}, "accept_downloads": True} | context
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("request", lambda asked: asked.url.startswith(("file:", "blob:")) or faults.append(asked.url))
        if before:
            page.add_init_script(before)
        page.goto(page_file.as_uri())
        return page

    yield open_pairs
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def six_pairs() -> list[ReviewPair]:
    """Two of each status."""
    return [
        make_pair("a/one.json", "accepted", usd=0.04, created="2026-11-20T10:00:00Z"),
        make_pair("a/two.json", "review", failed=("label_legible",), usd=0.12, created="2026-11-20T12:00:00Z"),
        make_pair("a/three.json", "failed", usd=0.0, created="2026-11-20T11:00:00Z"),
        make_pair("a/four.json", "accepted", usd=0.05, labels={"sku": "BLUE-mug"}, risk={"value": 0.04}),
        make_pair("a/five.json", "review", failed=("scene_kept", "label_legible"), usd=0.08, risk={"value": 0.9}),
        make_pair(
            "a/six.json", "failed", usd=None,
            error={"code": "source_missing", "message": "no such object", "retryable": True, "stage": "download"},
        ),
    ]  # fmt: skip


@pytest.fixture
def storage(own_cloud) -> Storage:
    return Storage(make_client=lambda **_: own_cloud.client)


@pytest.fixture
def settle(own_cloud):
    """Puts a pair's sidecar, result and sources where the function would have."""

    def put(name: str = "a/one.json", **options: object) -> dict:
        pair, stem = make_pair(name, **options), name.removesuffix(".json")
        source, output = own_cloud.client.bucket(own_cloud.input), own_cloud.client.bucket(own_cloud.output)
        sidecar = pair.sidecar | {"manifest": {"bucket": own_cloud.input, "name": name, "generation": 17}}
        for field, data in (("scene", pair.scene), ("product", pair.product)):
            blob = source.blob(f"{stem}-{field}.png")
            blob.upload_from_string(data, "image/png")
            uri = f"gs://{own_cloud.input}/{blob.name}"
            sidecar["inputs"][field] |= {"uri": uri, "generation": blob.generation}
        if pair.result:
            blob = output.blob(f"{stem}.png")
            blob.metadata = {"manifest-generation": "17", "status": sidecar["status"]}
            blob.upload_from_string(pair.result, "image/png")
            sidecar["result"]["uri"] = f"gs://{own_cloud.output}/{blob.name}"
        output.blob(name).upload_from_string(json.dumps(sidecar), "application/json")
        return sidecar

    return put
