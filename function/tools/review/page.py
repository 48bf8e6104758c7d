"""The review page: one HTML file with everything in it, and a folder of pictures beside it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from function.tools.review.attempts import answer_record
from function.tools.review.colours import main_colours
from function.tools.review.page_data import pair_data
from function.tools.review.pair import ReviewPair
from function.tools.review.pictures import PRODUCT_PX, PictureFolder
from function.tools.review.price import max_attempts, prices_of
from function.tools.review.shares import corners_of
from function.tools.review.values import JsonDict
from function.tools.review.view import product_record

FULL_SIZE_PAIRS = 60  # up to here the originals are copied too: about 0.5 GB at 4K
ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (
    "format.js",
    "decisions.js",
    "served.js",
    "grid.js",
    "stage.js",
    "loupe.js",
    "detail.js",
    "place.js",
    "redo.js",
    "filters.js",
    "app.js",
)  # in this order
ATTEMPT_PX = 960  # longest side of the model's own pictures, which are chosen among
WORKERS = 2 * (os.cpu_count() or 1)  # half of the time waits for storage; Pillow works outside the GIL


def write_review(
    pairs: Iterable[ReviewPair],
    folder: Path,
    title: str,
    *,
    full: bool | None = None,
    progress: Callable[[int], None] = lambda done: None,
    spending: str = "",
) -> Path:
    """Write `folder/index.html` and `folder/pictures/` → the page's path.

    `full` copies the originals beside the page, so that 100 % needs nothing else; by default up to FULL_SIZE_PAIRS
    pairs. `progress` is called with the number of pairs done. `title` names the page, and the browser keeps its
    decisions under that name; `spending` says what today's cap leaves. Raises OSError when the folder cannot be
    written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = PictureFolder(folder / "pictures")
    pairs = iter(pairs)
    first = list(islice(pairs, FULL_SIZE_PAIRS + 1))
    if full is None:
        full = len(first) <= FULL_SIZE_PAIRS
    rows: list[JsonDict] = []
    with ThreadPoolExecutor(WORKERS) as workers:
        batch = first
        while batch:
            for row in workers.map(lambda pair: page_row(pair, pictures, full), batch):
                rows.append(row)
                progress(len(rows))
            batch = list(islice(pairs, FULL_SIZE_PAIRS))
    page = folder / "index.html"
    part = folder / ".index.html.part"
    part.write_text(render_page(rows, title, spending), encoding="utf-8", errors="replace")
    part.replace(page)
    return page


def page_row(pair: ReviewPair, pictures: PictureFolder, full: bool) -> JsonDict:
    inputs = pair.sidecar.get("inputs")
    inputs = inputs if isinstance(inputs, dict) else {}
    change = pair.sidecar.get("change")
    result = pictures.add(pair.result, pair.sidecar.get("result"), thumb=True, full=full)
    stated = pair.sidecar.get("results")
    records = stated[1:] if isinstance(stated, list) else []
    others = [
        (pictures.add(load, record, thumb=True, full=full), link)
        for (load, link), record in zip(pair.others, records, strict=False)
    ]
    attempts = {
        number: pictures.add(load, answer_record(pair.sidecar, number), preview_px=ATTEMPT_PX)
        for number, load in pair.attempts.items()
    }
    product = pictures.add(pair.product, product_record(pair.sidecar), preview_px=PRODUCT_PX)
    corners = corners_of(pair.sidecar)
    colours = []
    if corners and product and product.preview and result and result.thumb:
        colours = main_colours(pictures.path(product.preview), pictures.path(result.thumb), corners)
    return pair_data(
        pair,
        {
            "result": result,
            "scene": pictures.add(pair.scene, inputs.get("scene"), thumb=result is None, full=full),
            "product": product,
            "change": pictures.add_change_mask(change.get("mask") if isinstance(change, dict) else None),
        },
        attempts,
        colours,
        others,
    )


def render_page(rows: list[JsonDict], title: str, spending: str = "", served: JsonDict | None = None) -> str:
    """The HTML of the page. `served`: what a page that is served knows beyond a file; None for a file.

    Every value from a manifest is inside the JSON, where no character can end the script element, and is shown as
    text. Should that fail one day, the content security policy runs no script but ours.
    """
    style = (ASSETS / "style.css").read_text(encoding="utf-8")
    scripts = (ASSETS / name for name in SCRIPTS)
    script = '"use strict";\n' + "\n".join(path.read_text(encoding="utf-8") for path in scripts)
    data = {
        "title": title,
        "id": hashlib.sha256(title.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        "generated": datetime.now(UTC).isoformat(timespec="seconds"),
        "spending": spending,
        "output": title if title.startswith("gs://") else "gs://OUTPUT_BUCKET",
        "prices": prices_of(rows),
        "attempts": max_attempts(),
        "served": served,
        "pairs": rows,
    }
    connect = "'self'" if served else "'none'"
    policy = (
        f"default-src 'none'; img-src 'self' file:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; connect-src {connect}; base-uri 'none'; form-action 'none'"
    )
    page = (ASSETS / "page.html").read_text(encoding="utf-8")
    values = {
        "{{policy}}": html.escape(policy),
        "{{title}}": html.escape(title),
        "{{style}}": style,
        "{{data}}": embed_json(data),
        "{{script}}": script,
    }
    before, parts = page, []
    for marker, value in values.items():  # in the page's order; a value is never searched for a marker
        head, found, before = before.partition(marker)
        if not found:
            raise ValueError(f"page.html has no {marker}")
        parts += [head, value]
    return "".join([*parts, before])


def embed_json(value: object) -> str:
    """JSON that can stand inside <script>: ASCII, and no < > & as such. Raises ValueError for NaN."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode("utf-8")).digest()).decode("ascii")
