"""How much of the truth comes back: `python -m tests.bench.fidelity [--cases DIR] [--manners real,typical]`.

For every case and manner of answering: the plain cubic upscale against the restoration, region by region,
with the time of registration, mask and restoration, and the memory they need above the loaded pictures.
Other programs on the machine make the times worse; the pictures are the same everywhere.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from function.generation.models import FALLBACK_PROFILE, model_table
from function.imaging.frame import plan_letterbox
from function.restoration.analyse import analyse
from function.restoration.plain_upscale import plain_upscale
from function.restoration.restore import restore
from tests.bench.scores import aligned_product_ssim, can_read, character_error, label_words, score
from tests.cases.cases import SHIPPED, case_folders, load_case
from tests.cases.imitation import imitate
from tests.cases.liberties import MEASURABLE, take
from tests.cases.manners import MANNERS

REGIONS = ("outside", "shadow", "product", "whole")
SENT_PX = 768
MEASURES = ("psnr", "ssim", "delta_e", "sharpness")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=Path, default=SHIPPED, help="folder of case folders")
    parser.add_argument("--only", default="", help="comma-separated starts of case names")
    names = ", ".join([*MANNERS, *MEASURABLE])
    parser.add_argument("--manners", default="real,mild,typical", help=f"comma-separated, of {names}; or all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--read", action="store_true", help="judge legibility by OCR (slow)")
    parser.add_argument("--save", type=Path, help="folder for the results, as PNG")
    options = parser.parse_args()
    manners = [*MANNERS, *MEASURABLE] if options.manners == "all" else options.manners.split(",")
    folders = [f for f in case_folders(options.cases) if f.name.startswith(tuple(options.only.split(",")))]
    reading = options.read and can_read()
    for manner in manners:
        rows = [_run(folder, manner, options.seed, reading, options.save) for folder in folders]
        _summary(manner, rows)


def _run(folder: Path, manner: str, seed: int, reading: bool, save: Path | None) -> dict[str, float]:
    drawn = case = load_case(folder)
    if manner in MEASURABLE:
        liberty = take(case, manner, seed)
        drawn, case = liberty.drawn, liberty.right or case
    frame = plan_letterbox(
        (case.scene.shape[1], case.scene.shape[0]), model_table().find(FALLBACK_PROFILE).native_sizes, SENT_PX
    )
    answer = imitate(drawn, frame, MANNERS.get(manner, MANNERS["real"]), seed)
    before = _peak_kib(reset=True)
    started, cpu = time.perf_counter(), time.process_time()
    analysis = analyse(case.scene, case.product, answer, frame)
    analysed = time.perf_counter()
    restored = restore(case.scene, case.product, analysis, frame)
    finished, cpu = time.perf_counter(), time.process_time() - cpu
    after = _peak_kib()
    plain = plain_upscale(answer, frame, analysis.scene.registration.layout_box)
    row = {"seconds": finished - started, "cpu_seconds": cpu, "peak_mib": (after - before) / 1024}
    for name, image in (("plain", plain), ("restored", restored.image)):
        for region, measures in score(case, image).items():
            row |= {f"{name} {region} {measure}": value for measure, value in measures.items()}
        row[f"{name} aligned"] = aligned_product_ssim(case, image)
    if reading:
        words = label_words(case)
        for name, image in (("plain", plain), ("restored", restored.image), ("truth", case.truth)):
            row[f"{name} cer"] = character_error(case, image, words)
    if save:
        save.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(save / f"{folder.name}_{manner}.png"), cv2.cvtColor(restored.image, cv2.COLOR_RGB2BGR))
    drift = analysis.scene.registration.drift
    print(f"{folder.name} {manner}: {drift}, match {restored.match_quality:.2f} {restored.note}")
    print(
        f"  {analysed - started:.2f} + {finished - analysed:.2f} s ({cpu:.2f} s of processor), "
        f"peak +{row['peak_mib']:.0f} MiB; " + _line(row)
    )
    if _worse(row):
        print(f"  worse than the plain upscale: {', '.join(_worse(row))}")
    return row


def _peak_kib(reset: bool = False) -> int:
    """Peak resident memory of this process in KiB since the last reset (Linux: proc(5), clear_refs)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def _line(row: dict[str, float]) -> str:
    parts = []
    for region in REGIONS:
        measures = []
        for measure in MEASURES:
            key = f"{region} {measure}"
            if f"plain {key}" in row:
                digits = 1 if measure in ("psnr", "delta_e") else 3
                measures.append(f"{row[f'plain {key}']:.{digits}f}→{row[f'restored {key}']:.{digits}f}")
        parts.append(f"{region} " + " ".join(measures))
    parts.append(f"product aligned ssim {row['plain aligned']:.3f}→{row['restored aligned']:.3f}")
    if "plain cer" in row:
        parts.append(f"letters unread {row['plain cer']:.2f}→{row['restored cer']:.2f} (truth {row['truth cer']:.2f})")
    return " | ".join(parts)


def _worse(row: dict[str, float]) -> list[str]:
    """Regions that are less like the truth (SSIM) than in the plain upscale."""
    return [r for r in REGIONS if f"plain {r} ssim" in row and row[f"restored {r} ssim"] < row[f"plain {r} ssim"]]


def _goals(rows: list[dict[str, float]], mean: dict[str, float]) -> Iterator[tuple[str, float, bool]]:
    """Goal, what was reached, and whether that meets it."""
    worst = min(row["restored outside psnr"] for row in rows)
    yield "outside, mean of 55 dB", mean["restored outside psnr"], mean["restored outside psnr"] >= 55
    yield "outside, worst of 50 dB", worst, worst >= 50
    yield "shadow of 33 dB", mean["restored shadow psnr"], mean["restored shadow psnr"] >= 33
    yield "shadow SSIM of .96", mean["restored shadow ssim"], mean["restored shadow ssim"] >= 0.96
    gain = mean["restored product ssim"] - mean["plain product ssim"]
    yield "product SSIM up by .12", gain, gain >= 0.12
    sharpness = mean["restored product sharpness"]
    yield "product sharpness of .9 to 1.05", sharpness, 0.9 <= sharpness <= 1.05
    less = 1 - mean["restored product delta_e"] / mean["plain product delta_e"]
    yield "product colour difference less by a third", less, less >= 1 / 3
    if "plain cer" in mean:
        short = mean["restored cer"] - mean["truth cer"]
        yield "letters unread, within .05 of the truth", short, short <= 0.05
    worse = sum(bool(_worse(row)) for row in rows)
    yield "cases with a region worse than the plain upscale: none", worse, worse == 0


def _summary(manner: str, rows: list[dict[str, float]]) -> None:
    keys = [key for key in rows[0] if all(key in row for row in rows)]
    mean = {key: float(np.mean([row[key] for row in rows])) for key in keys}
    print(f"== {manner}, mean of {len(rows)}: {mean['seconds']:.2f} s; psnr ssim ΔE sharpness: {_line(mean)}")
    for goal, reached, met in _goals(rows, mean):
        print(f"   {'met   ' if met else 'MISSED'} {goal}: {reached:.3g}")
    print(flush=True)


if __name__ == "__main__":
    main()
