"""Shrinks rendered cases for tests/data: `python -m tests.bench.render.shrink --out tests/data/collection CASE ...`.

Needs no Blender. Where the product makes no difference, the shrunk truth is the shrunk scene, as cases.py loads it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tests.cases.cases import Case, load_case, small_case

LONGEST_PX, PRODUCT_PX, QUALITY = 400, 300, 90


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("cases", type=Path, nargs="+", help="case folders")
    options = parser.parse_args()
    for folder in options.cases:
        case = load_case(folder)
        height, width = case.scene.shape[:2]
        small = small_case(case, round(LONGEST_PX / max(height, width) * width))
        about = json.loads((folder / "case.json").read_text(encoding="utf-8"))
        write(small, {"product": about["product"], "set": about["set"]}, options.out / folder.name)


def write(case: Case, about: dict[str, object], folder: Path) -> None:
    """`case` as a folder that `load_case` reads; `about` goes into its case.json."""
    folder.mkdir(parents=True, exist_ok=True)
    change = (case.change_mask > 0).astype(np.uint8) * 255
    x, y, width, height = cv2.boundingRect(change)
    product = Image.fromarray(case.product)
    product.thumbnail((PRODUCT_PX, PRODUCT_PX), Image.Resampling.LANCZOS)
    for name, picture in (
        ("scene", Image.fromarray(case.scene)),
        ("truth_change", Image.fromarray(case.truth[y : y + height, x : x + width])),
        ("product", product),
    ):
        picture.save(folder / f"{name}.webp", quality=QUALITY, method=6)
    Image.fromarray(case.product_mask).save(folder / "truth_mask.png", optimize=True)
    Image.fromarray(change).save(folder / "change_mask.png", optimize=True)
    about = {**about, "change_box": [x, y, width, height]}
    (folder / "case.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
