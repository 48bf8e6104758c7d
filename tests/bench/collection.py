"""The judge over a collection of cases: `python -m tests.bench.collection --rows FILE [--cases DIR ...] [--every N]`.

Good answers in the real model's manner, and every kind of fault of tests/cases/strengths.py in three strengths. One
line of JSON is written to FILE for each judged picture: what it was, the verdict, every check's value, limit and
outcome, every measure of measures.py, and the CPU it took. Pictures that FILE has already are not judged again, so a
run goes on where it was stopped, and `--report` only prints. A calibration is fitted on these rows; each names its
product and its set, so that either can be left out.

`--every N` takes a different N-th of the faults of each case, and of its rarer good pictures. `--look DIR` writes the
answers that were judged wrong. The cases are the shipped ones and what tests/bench/render renders.
"""

from __future__ import annotations

import argparse
import json
import time
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from function.generation.models import FALLBACK_PROFILE, model_table
from function.imaging.frame import plan_letterbox
from function.judging.judge import Judgement, judge
from function.matching.reference_image import photograph_alpha
from function.restoration.analyse import analyse
from function.restoration.analysis import Analysis
from tests.bench.collection_report import report
from tests.bench.measures import measure
from tests.cases.cases import SHIPPED, Case, case_folders, load_case, small_case
from tests.cases.faults import GOOD, spoiled
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS
from tests.cases.strengths import KINDS, OF_PRINT, PRINTED, STRENGTHS, spoiled_by

SENT_PX, SIDE_PX = 768, 1344
BAD_MANNERS = ("real", "mild", "real_worse")
CUT_OUT, ON_WHITE, WHITE_NAME = "cut out", "on white", "product_on_white.jpg"


@dataclass(frozen=True)
class Picture:
    """One picture to be judged; `strength` "" and a kind of tests/cases/faults.GOOD or "" for a good one."""

    case: str
    product: str
    set_name: str
    kind: str
    strength: str
    manner: str
    seed: int
    photograph: str = CUT_OUT

    @property
    def good(self) -> bool:
        return not self.strength


@dataclass(frozen=True)
class Source:
    """A case, and its product's photograph on white (h, w, 4), the white taken off, where there is one."""

    case: Case
    on_white: np.ndarray | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=Path, required=True, help="file of JSON lines, read and added to")
    parser.add_argument("--cases", type=Path, nargs="*", default=[SHIPPED], help="folders of case folders")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--kinds", default="", help="comma-separated; default all, and the good ones")
    parser.add_argument("--report", action="store_true", help="judge nothing, print the tables")
    parser.add_argument("--look", type=Path, help="folder for the answers that were judged wrong")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rows = read_rows(options.rows)
    if not options.report:
        kinds = options.kinds.split(",") if options.kinds else ["", *KINDS]
        done = {key(row) for row in rows}
        folders = [folder for root in options.cases for folder in case_folders(root)]
        for folder in folders:
            asked = [p for p in _of_case(folder, options.every) if ("" if p.good else p.kind) in kinds]
            left = [picture for picture in asked if key(asdict(picture)) not in done]
            if not left:
                continue
            source, other = load(folder), load(_another(folder, folders)).case
            for picture in left:
                row = _row(picture, source, other, options.look)
                rows.append(row)
                with options.rows.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
    report(rows)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """What the file has so far."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def key(row: dict[str, Any]) -> tuple[Any, ...]:
    """What tells one picture from the others."""
    return tuple(row[name] for name in Picture.__dataclass_fields__)


def load(folder: Path) -> Source:
    """At about the size that a model answers in."""
    case = load_case(folder)
    height, width = case.scene.shape[:2]
    small = small_case(case, round(min(1.0, SIDE_PX / max(width, height)) * width))
    path = folder / WHITE_NAME
    if not path.exists():
        return Source(small, None)
    rgb = np.asarray(Image.open(path).convert("RGB"))
    return Source(small, np.dstack([rgb, photograph_alpha(rgb)]))


def _about(folder: Path) -> tuple[str, str]:
    """Product and set."""
    about = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    return about["product"], about.get("set", "shipped")


def _another(folder: Path, folders: list[Path]) -> Path:
    """The next case of another product in another set, if there is one; itself where it is alone."""
    at, own = folders.index(folder), _about(folder)
    following = folders[at + 1 :] + folders[:at]
    return max(
        following or [folder], key=lambda other: sum(one != mine for one, mine in zip(_about(other), own, strict=True))
    )


def _of_case(folder: Path, every: int) -> Iterator[Picture]:
    product, set_name = _about(folder)
    of, number = (folder.name, product, set_name), zlib.crc32(folder.name.encode())
    whites = [
        Picture(*of, "", "", manner, 1, ON_WHITE) for manner in ("real", "mild") if (folder / WHITE_NAME).exists()
    ]
    for manner in ("real", "real_worse", "mild"):
        yield Picture(*of, "", "", manner, 1)
    yield from whites[:1]
    more = [Picture(*of, "", "", "real", 2), *(Picture(*of, kind, "", "real", 1) for kind in GOOD), *whites[1:]]
    yield from (picture for count, picture in enumerate(more) if (count + number) % every == 0)
    cells = [(kind, strength) for kind in KINDS for strength in STRENGTHS]
    for count, (kind, strength) in enumerate(cells):
        # Where N is a multiple of three, every kind would come in one strength only.
        skewed = count // len(STRENGTHS) if every % len(STRENGTHS) == 0 else 0
        if (count + skewed + number) % every or (kind in OF_PRINT and product not in PRINTED):
            continue
        yield Picture(*of, kind, strength, BAD_MANNERS[(count // 2 + number) % len(BAD_MANNERS)], 1)


def answer_to(picture: Picture, source: Source, other: Case) -> tuple[np.ndarray, Analysis]:
    """The imitated answer (h, w, 3) uint8 RGB, and what is found out about it."""
    case = source.case
    if picture.strength:
        case = spoiled_by(case, picture.kind, picture.strength, picture.seed, other)
    elif picture.kind:
        case = spoiled(case, picture.kind, picture.seed, other)
    size = case.scene.shape[1], case.scene.shape[0]
    frame = plan_letterbox(size, model_table().find(FALLBACK_PROFILE).native_sizes, SENT_PX)
    answer = imitate(case, frame, MANNERS[picture.manner], picture.seed)
    product = source.on_white if picture.photograph == ON_WHITE else case.product
    return answer, analyse(case.scene, product, answer, frame)


def _row(picture: Picture, source: Source, other: Case, look: Path | None) -> dict[str, Any]:
    answer, analysis = answer_to(picture, source, other)
    started = time.process_time()
    judgement: Judgement = judge(analysis)
    judge_s = time.process_time() - started
    accepted = judgement.verdict == "accepted"
    if look and accepted is not picture.good:
        look.mkdir(parents=True, exist_ok=True)
        name = "_".join(str(part) for part in key(asdict(picture)) if part).replace(" ", "-")
        Image.fromarray(answer).save(look / f"{name}.png")
    checks = {
        name: {"value": check.value, "threshold": check.threshold, "passed": check.passed, "reason": check.reason}
        for name, check in judgement.checks.items()
    }
    verdict = {
        "good": picture.good,
        "verdict": judgement.verdict,
        "score": judgement.score,
        "judge_s": round(judge_s, 4),
    }
    measures = {name: round(value, 5) for name, value in measure(analysis).items()}
    return {**asdict(picture), **verdict, "checks": checks, "measures": measures}


if __name__ == "__main__":
    main()
