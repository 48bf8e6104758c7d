"""Small results of the shipped cases that are stored, so that no change to the pixels goes unnoticed.

The model's answers are stored beside them: only registration, restoration and judging run again, in a process of
their own and with one instruction set (see `ONE_INSTRUCTION_SET`). A stored result is transparent where it has the
scene's own pixels.

python -m tests.cases.renditions FOLDER    makes all of them, with the instructions of this processor
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from function.imaging.frame import Frame, plan_letterbox
from function.judging.judge import judge
from function.restoration.analyse import analyse
from function.restoration.plain_upscale import plain_upscale
from function.restoration.restore import restore
from tests.cases.cases import SHIPPED, Case, load_case, small_case

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "data" / "renditions"
RECORD = "record.json"
SCENE_WIDTH_PX = 960
# Half of what the model returns, so that a scene of this width is larger than the answer, as scenes are.
NATIVE_SIZES = {"16:9": (672, 384), "4:3": (592, 432)}
PLAIN_WIDTH_PX, PLAIN_NATIVE_SIZES = 320, {"16:9": (224, 128)}

# OpenCV, OpenBLAS, numpy and the C library each choose their code by the processor, and each choice rounds otherwise:
# one pixel in a thousand differs by more than a grey level, and now and then a pose is refined to another end. With
# the oldest instructions that each of them has, all x86-64 processors give the same pixels.
ONE_INSTRUCTION_SET = {
    "OPENCV_CPU_DISABLE": "AVX512-SKX,AVX2,FMA3,AVX,FP16,SSE4.2,SSE4.1,SSSE3,POPCNT",
    "OPENCV_IPP": "disabled",
    "OPENBLAS_CORETYPE": "Nehalem",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 X86_V3 AVX512_ICL AVX512_SPR",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-FMA,-FMA4",
    # One thread and several sum in another order: a few pixels in a million.
    "OMP_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "2",
}
# Pixels that differ by at most one grey level in every channel are the same; so many have to be. Other processors
# round otherwise whatever they are told.
SAME_WITHIN = 1
SAME_SHARE = 0.9999 if platform.machine() in {"x86_64", "AMD64"} else 0.999


@dataclass(frozen=True)
class Rendition:
    """A case of tests/data/cases under one manner of tests/cases/manners.py; `plain`: without restoration."""

    case: str
    manner: str
    plain: bool = False

    @property
    def name(self) -> str:
        return f"{self.case}-{'plain' if self.plain else self.manner}"

    @property
    def answer_path(self) -> Path:
        return FOLDER / f"{self.name}.answer.webp"

    @property
    def result_path(self) -> Path:
        return FOLDER / f"{self.name}.result.webp"

    def small_case(self) -> Case:
        return _small(self.case, PLAIN_WIDTH_PX if self.plain else SCENE_WIDTH_PX)

    def frame(self) -> Frame:
        height, width = self.small_case().scene.shape[:2]
        return plan_letterbox((width, height), PLAIN_NATIVE_SIZES if self.plain else NATIVE_SIZES, 768)


# A flat front, a round body, and one that is found by its outline only. Of the manners those in which no decision of
# the pipeline is so close that rounding could turn it.
RENDITIONS = [
    Rendition("box", "mild"),
    Rendition("can", "recoloured"),
    Rendition("can", "noisy"),
    Rendition("mug", "typical"),
    Rendition("mug", "severe"),
    Rendition("mug", "typical", plain=True),
]


@dataclass(frozen=True)
class Made:
    """image (h, w, 3) uint8 RGB at the scene's size, and the verdict on the answer; no verdict for a plain one."""

    image: np.ndarray
    verdict: str | None


def make_all(folder: Path) -> dict[str, Made]:
    """What the code makes of the stored answers now, by the rendition's name; `folder` is for what is written."""
    command = [sys.executable, "-m", "tests.cases.renditions", str(folder)]
    environment = {**os.environ, **ONE_INSTRUCTION_SET}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    verdicts = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    return {name: Made(_read(folder / f"{name}.png", "RGB"), verdict) for name, verdict in verdicts.items()}


def make(rendition: Rendition) -> Made:
    """The same for one of them, in this process and with this processor's instructions."""
    case, frame = rendition.small_case(), rendition.frame()
    answer = _read(rendition.answer_path, "RGB")
    if rendition.plain:
        return Made(plain_upscale(answer, frame), None)
    analysis = analyse(case.scene, case.product, answer, frame)
    return Made(restore(case.scene, case.product, analysis, frame).image, judge(analysis).verdict)


def stored(rendition: Rendition) -> np.ndarray:
    """The stored result, (h, w, 3) uint8 RGB."""
    picture = _read(rendition.result_path, "RGBA")
    return np.where(picture[..., 3:] > 0, picture[..., :3], rendition.small_case().scene)


def same_share(one: np.ndarray, other: np.ndarray) -> float:
    """Share 0..1 of the pixels of two pictures that are the same up to `SAME_WITHIN` grey levels in every channel."""
    distance = np.abs(one.astype(np.int16) - other)
    return float((distance <= SAME_WITHIN).all(axis=2).mean())


def store(rendition: Rendition, image: np.ndarray) -> None:
    """Write the result's file."""
    own = (image == rendition.small_case().scene).all(axis=2, keepdims=True)
    picture = np.dstack([np.where(own, 0, image), np.where(own, 0, 255).astype(np.uint8)])
    Image.fromarray(picture).save(rendition.result_path, lossless=True, quality=100, method=6)


def record() -> dict:
    """`pipeline_version` that the stored results were made with, and `verdicts` by the rendition's name."""
    return json.loads((FOLDER / RECORD).read_text(encoding="utf-8"))


@cache
def _small(name: str, width: int) -> Case:
    return small_case(load_case(SHIPPED / name), width)


def _read(path: Path, mode: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert(mode))


def main() -> None:
    """Make every rendition and write it, with all verdicts, into the folder named on the command line."""
    folder, verdicts = Path(sys.argv[1]), {}
    for rendition in RENDITIONS:
        made = make(rendition)
        Image.fromarray(made.image).save(folder / f"{rendition.name}.png", compress_level=1)
        verdicts[rendition.name] = made.verdict
    (folder / RECORD).write_text(json.dumps(verdicts), encoding="utf-8")


if __name__ == "__main__":
    main()
