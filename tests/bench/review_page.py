"""How fast the review page is: written, opened, filtered, scrolled.

    python -m tests.bench.review_page [--pairs 2000]

Needs Chromium and Playwright. The pictures are distinct 640 x 360 JPEGs of the shipped scene; so that loading is
real, nothing comes from a cache. "Waited" is what a person waits, other load included; "main thread" is the
page's own work.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageEnhance
from playwright.sync_api import sync_playwright

from function.tools.review.page import write_review
from function.tools.review.pair import ReviewPair
from tests.tools.review.conftest import FLAGS
from tests.tools.review.samples import encoded, make_pair

SCENE = Path(__file__).parents[1] / "data" / "demo" / "scene.jpg"
STATUSES = ("accepted", "accepted", "accepted", "review", "failed")

# Frames while the page is scrolled by a screen four times a second.
SCROLL = """() => new Promise((resolve) => {
  const frames = [], start = performance.now();
  let last = start;
  const frame = (now) => {
    frames.push(now - last);
    last = now;
    window.scrollTo(0, (now - start) * 3.2);
    if (now - start < 5000) requestAnimationFrame(frame);
    else resolve(frames.slice(2).sort((a, b) => a - b));
  };
  requestAnimationFrame(frame);
})"""

TIMED = """(action) => new Promise((resolve) => {
  const start = performance.now();
  new Function(action)();
  requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
})"""

ACTIONS = {
    "status": "document.querySelector('#statuses .is-review').click()",
    "all": "document.querySelector('#statuses .is-all').click()",
    "search": "const s = document.querySelector('#search'); s.value = '19'; "
    "s.dispatchEvent(new Event('input', {bubbles: true}))",
    "clear": "document.querySelector('#filters').reset(); document.querySelector('#clear').click()",
    "open pair": "document.querySelector('.card-open').click()",
    "next pair": "document.querySelector('#next').click()",
    "accept": "document.querySelector('#accept').click()",
    "close": "document.querySelector('#close').click()",
}

SHOWN = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"


def distinct_pairs(number: int) -> list[ReviewPair]:
    scene = Image.open(SCENE).convert("RGB").resize((640, 360))
    pairs = []
    for n in range(number):
        picture = encoded(
            ImageEnhance.Color(scene).enhance(n / number * 2), "JPEG", quality=90, comment=str(n).encode()
        )
        failed = ("label_legible",) if n % 5 == 3 else ()
        pairs.append(make_pair(f"spring/{n:06d}.json", STATUSES[n % 5], failed=failed, result=picture))
    return pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=2000)
    number = parser.parse_args().pairs
    pairs = distinct_pairs(number)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        start = time.monotonic()
        page_file = write_review(pairs, Path(folder), "bench")
        print(f"written      {time.monotonic() - start:8.1f} s   {page_file.stat().st_size / 1e6:.1f} MB of page")
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True).new_page()
        page.goto(page_file.as_uri())
        metrics = page.context.new_cdp_session(page)
        metrics.send("Performance.enable", {"timeDomain": "threadTicks"})

        def main_thread_ms() -> float:
            values = metrics.send("Performance.getMetrics")["metrics"]
            return 1000 * next(value["value"] for value in values if value["name"] == "TaskDuration")

        print("                  waited   main thread")
        page.reload(wait_until="commit")
        page.wait_for_load_state("domcontentloaded")
        waited = page.evaluate(SHOWN)
        print(f"open         {waited:8.0f} ms {main_thread_ms():8.0f} ms")
        page.wait_for_timeout(3000)
        for name, action in ACTIONS.items():
            before = main_thread_ms()
            waited = page.evaluate(TIMED, action)
            print(f"{name:12} {waited:8.0f} ms {main_thread_ms() - before:8.0f} ms")
            page.wait_for_timeout(1500)
        before = main_thread_ms()
        frames = page.evaluate(SCROLL)
        each = (main_thread_ms() - before) / len(frames)
        print(f"scrolling    {frames[len(frames) // 2]:8.1f} ms {each:8.1f} ms a frame; at worst {frames[-1]:.0f} ms")
        browser.close()


if __name__ == "__main__":
    main()
