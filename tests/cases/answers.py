"""Small cases and imitated answers that the fidelity tests share."""

from __future__ import annotations

from functools import cache

import numpy as np

from function.generation.models import FALLBACK_PROFILE, model_table
from function.imaging.frame import Frame, plan_letterbox
from function.restoration.analyse import analyse
from function.restoration.analysis import Analysis
from tests.cases.cases import SHIPPED, Case, load_case, small_case
from tests.cases.imitation import imitate
from tests.cases.manners import MANNERS, Imitation

WIDTH = 1400  # wider than the model's answer, so that there is detail to lose


@cache
def case(name: str, width: int = WIDTH) -> Case:
    return small_case(load_case(SHIPPED / name), width)


def frame_of(scene: np.ndarray) -> Frame:
    size = scene.shape[1], scene.shape[0]
    return plan_letterbox(size, model_table().find(FALLBACK_PROFILE).native_sizes, 768)


@cache
def answer_to(name: str, manner: str | Imitation) -> np.ndarray:
    pictures = case(name)
    return imitate(pictures, frame_of(pictures.scene), MANNERS.get(manner, manner), seed=3)


@cache
def analysis_of(name: str, manner: str | Imitation) -> Analysis:
    pictures = case(name)
    return analyse(pictures.scene, pictures.product, answer_to(name, manner), frame_of(pictures.scene))
