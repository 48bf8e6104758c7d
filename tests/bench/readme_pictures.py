"""Makes the README's two pictures of the review page, from the shipped pairs through the whole thing.

    python -m tests.bench.readme_pictures

Starts storage, the Gemini emulator and the function on this machine, uploads the shipped pairs, lets the emulator
get three of them wrong, writes the review page, and photographs it into tests/data/readme/. Needs Chromium and
Playwright.
"""

import io
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from function.storage.client import Storage
from function.tools.emulator.server import GeminiEmulator
from function.tools.local.folder import LocalFolder
from function.tools.local.stack import EMULATOR_KEY, INPUT_BUCKET, OUTPUT_BUCKET, LocalSession, ModelAccess
from function.tools.review.cloud import CloudStore
from function.tools.review.page import write_review
from function.tools.review.pair import load_pairs
from tests.tools.review.browser import wait_until
from tests.tools.review.conftest import FLAGS

DATA = Path(__file__).parents[1] / "data"
TO = DATA / "readme"
SHOWN = "bottle-coffee"  # in the second picture
PAIRS = [  # (name, folder of the scene, folder of the product, placement)
    ("bottle-kitchen", "demo", "demo", "on the counter, a little right of the centre"),
    ("can-boutique", "boutique", "boutique", "on the table, in the middle"),
    ("tea-kitchen", "cases/box", "cases/box", "on the counter, in the middle"),
    ("mug-coffee", "cases/mug", "cases/mug", "on the table, in the middle"),
    ("can-counter", "cases/can", "cases/can", "in the middle"),
    ("tea-counter", "demo", "cases/box", "on the counter, a little left of the middle"),
    ("mug-boutique", "boutique", "cases/mug", "on the stone table, in the middle"),
    ("bottle-coffee", "cases/mug", "demo", "on the wooden table, in the middle"),
]
FAULTS = [  # what the emulator gets wrong, by the words of the placement
    {"kind": "wrong_colour", "times": None, "match": {"text": "a little left of the middle"}},
    {"kind": "IMAGE_SAFETY", "times": None, "match": {"text": "on the stone table"}},
    {"kind": "no_shadow", "times": None, "match": {"text": "on the wooden table"}},
]
WAIT_S = 900.0
SIZE_LIMIT = 250_000  # bytes a picture


def picture(folder: str, kind: str) -> Path:
    """The scene or product of a shipped pair, whatever its format."""
    (path,) = (DATA / folder).glob(f"{kind}.*")
    return path


def make_page(folder: Path) -> Path:
    """Composites every pair and writes the review page of them."""
    with GeminiEmulator() as emulator:
        emulator.control(faults=FAULTS)
        os.environ |= {"GOOGLE_GEMINI_BASE_URL": emulator.url, "GEMINI_API_KEY": EMULATOR_KEY}
        return _make_page(folder, ModelAccess.from_environment())


def _make_page(folder: Path, access: ModelAccess) -> Path:
    with LocalSession(LocalFolder(folder), access) as session:
        bucket = session.client.bucket(INPUT_BUCKET)
        for number, (name, scene, product, placement) in enumerate(PAIRS):
            manifest: dict[str, object] = {"placement": placement, "labels": {"sku": f"NV-{2040 + number}"}}
            for kind, path in (("scene", picture(scene, "scene")), ("product", picture(product, "product"))):
                manifest[kind] = f"{name}-{path.name}"
                bucket.blob(f"spring/{manifest[kind]}").upload_from_filename(path)
            bucket.blob(f"spring/{name}.json").upload_from_string(json.dumps(manifest), "application/json")
        end = time.monotonic() + WAIT_S
        store = CloudStore(Storage(make_client=lambda **_: session.client))
        while len(pairs := list(load_pairs(store, f"gs://{OUTPUT_BUCKET}/spring"))) < len(PAIRS):
            if time.monotonic() > end:
                raise TimeoutError(f"{len(pairs)} of {len(PAIRS)} pairs settled in {WAIT_S:.0f} s")
            time.sleep(1)
        return write_review(pairs, folder / "review", "gs://studio-output/spring", full=True)


def photograph(page: Page, name: str) -> None:
    """A screenshot as WebP, as good as the size limit allows."""
    wait_until(page, "[...document.images].every((i) => i.complete || i.loading === 'lazy')")
    page.wait_for_timeout(800)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for quality in (92, 85, 75, 60):
        buffer = io.BytesIO()
        shot.save(buffer, "WEBP", quality=quality, method=6)
        if buffer.tell() < SIZE_LIMIT:
            break
    TO.mkdir(parents=True, exist_ok=True)
    (TO / name).write_bytes(buffer.getvalue())
    print(TO / name, f"{buffer.tell() / 1000:.0f} kB")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        page_file = make_page(Path(folder))
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, device_scale_factor=1.5)
        page.goto(page_file.as_uri())
        for index, key in ((0, "x"), (3, "a"), (4, "a")):  # a page in use: some are decided
            page.locator(".card-open").nth(index).focus()
            page.keyboard.press(key)
        page.evaluate("document.activeElement.blur()")
        photograph(page, "review-grid.webp")
        page.locator(".card-open", has_text=SHOWN).click()
        photograph(page, "review-detail.webp")
        browser.close()


if __name__ == "__main__":
    main()
