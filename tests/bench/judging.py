"""Where the judge's thresholds come from: `python -m tests.bench.judging [--cases DIR] [--set composed]`.

Good and spoiled pictures of every case are analysed and judged. Printed for each check: its limit, its values over
good pictures, false alarms, and how many of the faults that it is meant to see it missed; the same for every single
measure inside the checks, beside its values over those faults, from which its limit was set; for each fault how many
were not accepted and by which checks; and what became of each case. `--set composed` takes photographs set into
scenes instead: white, blank and glass products, a scene without texture, a shelf of the product's sisters.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from function.generation.models import FALLBACK_PROFILE, model_table
from function.imaging.frame import plan_letterbox
from function.judging.judge import Judgement, judge
from function.restoration.analyse import analyse
from tests.bench.measures import LIMITS, MEASURES, measure
from tests.cases.cases import SHIPPED, Case, case_folders, load_case, small_case
from tests.cases.composed import blank_product, busy_shelf, compose, plain_scene, tinted, white_product
from tests.cases.faults import FAULTS, GOOD, SEEN_BY, spoiled
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS

SENT_PX = 768
# Pictures are spoiled at about the size that a model answers in.
SIDE_PX = 1344
MANNERS_COMPOSED = ("real", "mild", "typical")
FAULTS_COMPOSED = (
    "product_missing",
    "product_doubled",
    "wrong_colour",
    "mirrored_product",
    "scene_replaced",
    "cropped_scene",
    "cutout_halo",
    "no_shadow",
    "floating_product",
    "black_image",
)
GOOD_MANNERS = ("real", "reshaped", "mild", "typical", "padded", "sharpened", "jpeg75")
# Warm evening and cool shade, as gains on red, green and blue.
LIGHTS = {"warm": (1.0, 0.88, 0.72), "cool": (0.82, 0.94, 1.0)}


@dataclass(frozen=True)
class Judged:
    case: str
    kind: str
    good: bool
    judgement: Judgement
    judge_s: float
    measures: dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=Path, default=SHIPPED, help="folder of case folders")
    parser.add_argument("--only", default="", help="comma-separated starts of case names")
    parser.add_argument("--set", choices=("rendered", "composed"), default="rendered")
    parser.add_argument("--faults", default="", help="comma-separated; default all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    folders = [f for f in case_folders(options.cases) if f.name.startswith(tuple(options.only.split(",")))]
    cases = [_at_answer_size(load_case(folder)) for folder in folders]
    composed = options.set == "composed"
    faults = options.faults.split(",") if options.faults else list(FAULTS_COMPOSED if composed else FAULTS)
    if composed:
        cases = list(_composed(cases))
    judged = []
    for number, case in enumerate(cases):
        other = next(c for c in cases[number + 1 :] + cases if c.scene is not case.scene or len(cases) == 1)
        of_case = list(_judge_case(case, other, faults, options.seed, composed))
        _case_row(case.name, of_case)
        judged += of_case
    report(judged)


def _at_answer_size(case: Case) -> Case:
    height, width = case.scene.shape[:2]
    return small_case(case, round(min(1.0, SIDE_PX / max(width, height)) * width))


def _composed(cases: list[Case]) -> Iterator[Case]:
    for number, case in enumerate(cases):
        scene = cases[(number + 1) % len(cases)].scene
        yield compose(f"{case.name}-elsewhere", scene, case.product, centre_x=0.4)
        yield compose(f"{case.name}-white", scene, white_product(case.product), centre_x=0.55)
        yield compose(f"{case.name}-blank", scene, blank_product(case.product), centre_x=0.45)
        yield compose(f"{case.name}-glass", scene, case.product, centre_x=0.6, opacity=0.75)
        yield compose(f"{case.name}-sweep", plain_scene(), case.product, base_y=0.75)
        yield compose(f"{case.name}-shelf", busy_shelf(scene, case.product), case.product, height=0.33)


def _judge_case(case: Case, other: Case, faults: list[str], seed: int, composed: bool) -> Iterator[Judged]:
    for manner in MANNERS_COMPOSED if composed else GOOD_MANNERS:
        yield _judged(case, "good", manner, seed, True)
    if not composed:
        for kind in GOOD:
            yield _judged(spoiled(case, kind, seed, other), kind, "typical", seed, True)
        for name, light in LIGHTS.items():
            yield _judged(tinted(case, light), name, "mild", seed, True)
    for number, fault in enumerate(faults):
        manner = ("mild", "typical")[(number + seed) % 2]
        yield _judged(spoiled(case, fault, seed, other), fault, manner, seed, False)


def _judged(case: Case, kind: str, manner: str, seed: int, good: bool) -> Judged:
    size = case.scene.shape[1], case.scene.shape[0]
    frame = plan_letterbox(size, model_table().find(FALLBACK_PROFILE).native_sizes, SENT_PX)
    analysis = analyse(case.scene, case.product, imitate(case, frame, MANNERS[manner], seed), frame)
    started = time.process_time()
    judgement = judge(analysis)
    return Judged(case.name, kind, good, judgement, time.process_time() - started, measure(analysis))


def _case_row(name: str, judged: list[Judged]) -> None:
    """What became of one case: good pictures accepted, bad ones not, and which of both went wrong."""
    accepted = [j for j in judged if j.judgement.verdict == "accepted"]
    good, bad = ([j for j in judged if j.good is wanted] for wanted in (True, False))
    alarms = [f"{j.kind}: {n} {c.value}" for j in good for n, c in j.judgement.checks.items() if not c.passed]
    missed = [j.kind for j in bad if j in accepted]
    told = f"  false alarms: {', '.join(alarms)}" * bool(alarms) + f"  MISSED: {', '.join(missed)}" * bool(missed)
    kept, stopped = sum(j in accepted for j in good), len(bad) - len(missed)
    print(f"{name:<24} good accepted {kept}/{len(good)}, bad not accepted {stopped}/{len(bad)}{told}", flush=True)


def report(judged: list[Judged]) -> None:
    """Prints the tables for `judged`."""
    good, bad = ([j for j in judged if j.good is wanted] for wanted in (True, False))
    accepted = sum(j.judgement.verdict == "accepted" for j in good)
    caught = sum(j.judgement.verdict != "accepted" for j in bad)
    print(f"\ngood accepted {accepted}/{len(good)}, bad not accepted {caught}/{len(bad)}", end="; ")
    print(f"judge {1000 * np.mean([j.judge_s for j in judged]):.0f} ms of one core on average")
    print("\ncheck                     limit  good: least, median, most          false alarms  spoiled: misses")
    for name in judged[0].judgement.checks:
        _check_row(name, good, [j for j in bad if SEEN_BY.get(j.kind) == name])
    print("\nmeasure                      limit  good: least, median, most           its faults: least, median, most")
    for name, faults in MEASURES.items():
        limit = LIMITS[name]
        of_good, of_bad = (
            _spread([j.measures[name] for j in rows if name in j.measures])
            for rows in (good, [j for j in bad if j.kind in faults])
        )
        print(f"{name:<24}{limit.passes} {limit.value:>6}  {of_good:<36}{of_bad}")
    print("\nkind                     not accepted   seen by")
    for kind in dict.fromkeys(j.kind for j in bad):
        rows = [j for j in bad if j.kind == kind]
        stopped = [j for j in rows if j.judgement.verdict != "accepted"]
        seen = Counter(n for j in stopped for n, c in j.judgement.checks.items() if not c.passed)
        told = ", ".join(f"{name} {count}" for name, count in seen.most_common(3))
        missed = " ".join(sorted(j.case for j in rows if j not in stopped))
        print(f"{kind:<26}{len(stopped):>3}/{len(rows):<3}        {told}{'   MISSED: ' + missed if missed else ''}")
    print("\ngood pictures not accepted")
    failures: dict[str, list[str]] = defaultdict(list)
    for j in good:
        for name, check in j.judgement.checks.items():
            if not check.passed:
                failures[f"{j.case} {j.kind}"].append(f"{name} {check.value} against {check.threshold}")
    for where, what in failures.items():
        print(f"  {where}: {'; '.join(what)}")


def _check_row(name: str, good: list[Judged], meant: list[Judged]) -> None:
    """One check over good pictures and over the faults that it is `meant` to see."""
    checks = [j.judgement.checks[name] for j in good]
    # A check may hold several measures; the one that usually decides is shown.
    usual = Counter(c.threshold for c in checks if c.value is not None).most_common(1)
    values = [c.value for c in checks if usual and c.threshold == usual[0][0] and c.value is not None]
    alarms = sum(not c.passed for c in checks)
    missed = [j for j in meant if j.judgement.checks[name].passed]
    limit = f"{usual[0][0]}" if usual else "-"
    misses = f"{len(missed)}/{len(meant)}" if meant else "-"
    print(f"{name:<24}{limit:>7}  {_spread(values):<34} {alarms:>6}/{len(good):<5} {misses:>8}")


def _spread(values: list[float]) -> str:
    return f"{min(values):8.3f} .. {np.median(values):8.3f} .. {max(values):8.3f}" if values else "-"


if __name__ == "__main__":
    main()
