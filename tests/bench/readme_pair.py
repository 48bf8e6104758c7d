"""Makes the README's first picture from a demo's results.

python -m function demo --folder FOLDER
python -m tests.bench.readme_pair FOLDER
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

DATA = Path(__file__).parents[1] / "data"
TO = DATA / "readme" / "pair.webp"
HEIGHT, GAP = 420, 12
QUALITY = 88


def main() -> None:
    """Scene, product, result, and the label at 100 %, side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    results = parser.parse_args().folder / "results" / "demo"
    sidecar = json.loads((results / "bottle.json").read_text(encoding="utf-8"))
    result = Image.open(results / Path(sidecar["result"]["uri"]).name).convert("RGB")
    scene = Image.open(DATA / "demo" / "scene.jpg").convert("RGB")
    product = Image.open(DATA / "demo" / "product.png")
    white = Image.new("RGB", product.size, "white")
    white.paste(product, mask=product.getchannel("A"))
    row = [at_height(white), at_height(scene), at_height(result), label(result, sidecar["change"]["box"])]
    width = sum(picture.width for picture in row) + GAP * (len(row) - 1)
    sheet = Image.new("RGB", (width, HEIGHT), "white")
    x = 0
    for picture in row:
        sheet.paste(picture, (x, 0))
        x += picture.width + GAP
    sheet.save(TO, quality=QUALITY, method=6)
    print(f"{TO}: {TO.stat().st_size:,} bytes, {sheet.size}")


def at_height(picture: Image.Image) -> Image.Image:
    """Shrunk to the row's height."""
    return picture.resize((round(picture.width * HEIGHT / picture.height), HEIGHT), Image.Resampling.LANCZOS)


def label(result: Image.Image, box: list[int]) -> Image.Image:
    """A square of the row's height around the busiest part of the change: the label, pixel for pixel."""
    x, y, width, height = box
    grey = np.asarray(result.crop((x, y, x + width, y + height)).convert("L"), float)
    detail = np.abs(np.diff(grey, axis=1, append=0)) + np.abs(np.diff(grey, axis=0, append=0))
    sums = detail.cumsum(0).cumsum(1)
    side = min(HEIGHT, width - 1, height - 1)
    windows = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    top, left = np.unravel_index(windows.argmax(), windows.shape)
    crop = result.crop((x + left, y + top, x + left + side, y + top + side))
    return crop.resize((HEIGHT, HEIGHT), Image.Resampling.LANCZOS) if side != HEIGHT else crop


if __name__ == "__main__":
    main()
