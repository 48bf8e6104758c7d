"""`python -m function sample`: a small catalogue with pictures, to try everything with."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import click
from PIL import Image

from function.storage.names import STYLE_SUFFIX, STYLES_FOLDER
from function.tools.cli.terminal import counted, fail
from function.tools.explain import UsageError

DATA = Path(__file__).parents[3] / "tests" / "data"
SCENE_PX, PRODUCT_PX = 1024, 800  # longest side: a pair takes a second or two in local emulation
SCENES = {"kitchen.jpg": DATA / "demo" / "scene.jpg", "boutique.jpg": DATA / "boutique" / "scene.webp"}
PRODUCTS = {"bottle.png": DATA / "demo" / "product.png", "can.png": DATA / "boutique" / "product.png"}
COLUMNS = ("product", "scene", "placement", "labels.sku")
ROWS = (
    ("images/bottle.png", "images/kitchen.jpg", "on the counter, a little right of the centre", "ALDERMOOR-500"),
    ("images/bottle.png", "images/kitchen.jpg", "on the counter, far left", "ALDERMOOR-500-B"),
    ("images/can.png", "images/boutique.jpg", "on the table in the middle", "CAN-01"),
    ("images/can.png", "images/boutique.jpg", "on the table, to the right", "CAN-01-B"),
)
# With --styled: rows are called by their SKU, in a house style that gives each of them five formats.
STYLE = "house"
STYLED_COLUMNS = ("name", "style")
STYLED_CELLS = ("{labels.sku}", STYLE)
PROFILE = {
    "light": "soft daylight, as it falls in the scene",
    "mood": "calm and tidy",
    "do": ["leave air around the product"],
    "avoid": ["steam", "splashes"],
    "outputs": [
        {"name": "web", "format": "webp"},
        "square-white",
        "portrait-4x5",
        "story-9x16",
        {"preset": "banner-16x9", "position": "right"},
    ],
}

HELP = """\
Writes a small catalogue, sample.csv, and the pictures that it names into a new folder, to try the commands with:

\b
  python -m function sample spring
  python -m function lint spring
  python -m function submit spring/sample.csv gs://composite-input/spring

--styled adds a house style, spring/_styles/house.json, which gives each product five formats, and names rows by SKU.
"""


@click.command(help=HELP)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR", help="an empty folder, or a new one")
@click.option("--styled", is_flag=True, help="with a house style and five formats")
def sample(folder: Path, styled: bool) -> int:
    """Write it, say where it is."""
    try:
        catalogue = write_sample(folder, styled=styled)
    except (UsageError, OSError) as error:
        return fail(error)
    print(f"{catalogue}: {counted(len(ROWS), 'pair')}, pictures in {folder / 'images'}")
    return 0


def write_sample(folder: Path, *, styled: bool = False) -> Path:
    """Write the catalogue and its pictures → the catalogue. Raises UsageError where the folder holds anything."""
    if not DATA.is_dir():
        raise UsageError(f"the shipped pictures are not there: {DATA}; run this in a whole clone of the repository")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} holds files already; name a new folder")
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    for sources, side in ((SCENES, SCENE_PX), (PRODUCTS, PRODUCT_PX)):
        for name, source in sources.items():
            with Image.open(source) as opened:
                picture = opened.convert("RGB" if name.endswith(".jpg") else "RGBA")
            picture.thumbnail((side, side), Image.Resampling.LANCZOS)
            picture.save(images / name, quality=92)
    catalogue = folder / "sample.csv"
    with catalogue.open("w", encoding="utf-8-sig", newline="") as file:  # as Excel writes it, and opens it rightly
        rows = [(*row, *STYLED_CELLS) for row in ROWS] if styled else ROWS
        csv.writer(file).writerows(((*COLUMNS, *STYLED_COLUMNS) if styled else COLUMNS, *rows))
    if styled:
        (folder / STYLES_FOLDER).mkdir()
        profile = folder / STYLES_FOLDER / f"{STYLE}{STYLE_SUFFIX}"
        profile.write_text(json.dumps(PROFILE, indent=1) + "\n", encoding="utf-8")
    return catalogue
