"""Stores again what tests/restoration/test_renditions.py compares with: for a change to the pixels that is meant.

Raise PIPELINE_VERSION in function/__init__.py first: without that, changed results are not stored. Look at the files
this writes, and commit all of it together.

python -m tests.bench.renditions              from the stored answers
python -m tests.bench.renditions --answers    from answers redrawn, after a change to the cases or their imitation
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from PIL import Image

from function import PIPELINE_VERSION
from tests.cases import renditions
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS
from tests.cases.renditions import RENDITIONS, Made, Rendition

ANSWER_QUALITY = 80
SEED = 3


def main() -> None:
    """Make every rendition, say which have changed, and write all with the version that made them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", action="store_true", help="draw the imitated answers again as well")
    draw = parser.parse_args().answers
    if draw:
        renditions.FOLDER.mkdir(exist_ok=True)
        for rendition in RENDITIONS:
            draw_answer(rendition)
    with tempfile.TemporaryDirectory() as folder:
        made = renditions.make_all(Path(folder))
    changed = [rendition.name for rendition in RENDITIONS if draw or has_changed(rendition, made[rendition.name])]
    print("changed:", ", ".join(changed) or "none")
    if changed and not draw and renditions.record()["pipeline_version"] == PIPELINE_VERSION:
        parser.exit(1, f"not stored: raise PIPELINE_VERSION first, which is still {PIPELINE_VERSION}\n")
    for rendition in RENDITIONS:
        renditions.store(rendition, made[rendition.name].image)
        print(f"{rendition.result_path.name}: {rendition.result_path.stat().st_size:,} bytes")
    record = {
        "pipeline_version": PIPELINE_VERSION,
        "verdicts": {name: result.verdict for name, result in made.items() if result.verdict},
    }
    (renditions.FOLDER / renditions.RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def draw_answer(rendition: Rendition) -> None:
    """Imitate the model and keep its answer, lossy: the file is what the pipeline is given."""
    answer = imitate(rendition.small_case(), rendition.frame(), MANNERS[rendition.manner], SEED)
    Image.fromarray(answer).save(rendition.answer_path, quality=ANSWER_QUALITY, method=6)


def has_changed(rendition: Rendition, made: Made) -> bool:
    """Whether the test would fail with what is stored."""
    if not rendition.result_path.exists():
        return True
    share = renditions.same_share(made.image, renditions.stored(rendition))
    return share < renditions.SAME_SHARE or made.verdict != renditions.record()["verdicts"].get(rendition.name)


if __name__ == "__main__":
    main()
