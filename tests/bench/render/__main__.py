"""Command line: `--out DIR [--only jar,bag] [--sets outdoor] [--samples 6] [--frontal]`; cases that are there stay."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.bench.render.case import make, photograph, plans


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.render", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="comma-separated products; default all")
    parser.add_argument("--sets", default="", help="comma-separated sets; default all")
    parser.add_argument("--samples", type=int, default=6, help="per pixel, before denoising")
    parser.add_argument("--frontal", action="store_true", help="products seen as on their photographs")
    options = parser.parse_args()
    photos = options.out / "photographs"
    photos.mkdir(parents=True, exist_ok=True)
    for plan in plans(frontal=options.frontal):
        wanted = all(
            not names or value in names.split(",")
            for names, value in ((options.only, plan.product), (options.sets, plan.set_name))
        )
        if not wanted or (options.out / plan.name / "case.json").exists():
            continue
        photo = photos / f"{plan.product}.png"
        if not photo.exists():
            photograph(plan.product, photo)
        make(plan, photo, options.out, options.samples)
        print(plan.name, flush=True)


if __name__ == "__main__":
    main()
