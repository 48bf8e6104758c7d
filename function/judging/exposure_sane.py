"""Whether brightness and colour of the whole are the scene's."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from function.imaging.array_ops import downsample2
from function.imaging.photometry import log_ratio
from function.judging.check import Check, CheckSpec, at_most
from function.judging.inspection import Inspection
from function.judging.limit import least, most
from function.restoration.analysis import SceneAnalysis
from function.restoration.relighting import MIN_GAIN

# Brightness of the whole, in stops against the scene, that colour matching still takes back without loss.
MAX_STOPS = 0.45
# The same for an answer that cannot be laid on the scene, whose product is compared too.
MAX_STOPS_ELSEWHERE = 0.9
# Unevenness of the light over the scene, root mean square in stops.
MAX_RELIT = 0.22
# Colour of the whole, difference from the scene in Lab a and b.
MAX_CAST = 14.0
# Light is compared in cells of this many to the longest side: wider than anything that was put in.
LIGHT_CELLS = 24
# Keeps ratios of dark pixels finite, 8-bit levels.
DARK_OFFSET = 8.0
# A picture whose levels spread less than this (standard deviation) shows nothing.
MIN_SPREAD = 4.0
# Every so many pixels tell as much of that.
SPREAD_STEP = 4


def exposure_sane(inspection: Inspection) -> Check:
    """Brightness and colour of the whole are the scene's, and evenly so."""
    scene = inspection.scene
    registered = scene.registration.drift.registered
    picture = scene.answer_plain if registered else scene.raw_answer
    spread = float(picture[::SPREAD_STEP, ::SPREAD_STEP].std())
    if spread < MIN_SPREAD:
        return Check(round(spread, 2), MIN_SPREAD, False, "8-bit levels", "The picture is empty: one flat tone.")
    if not registered:
        return _whole(scene, picture)
    light = light_change(scene)
    for value, limit, unit, bad in (
        (light.stops, MAX_STOPS, "stops", "The whole picture is much brighter or darker than the scene."),
        (light.cast, MAX_CAST, "Lab", "The whole picture has another colour cast than the scene."),
    ):
        if value > limit:
            return at_most(value, limit, unit, good="", bad=bad)
    if scene.relighting is not None:
        bad = "The scene was lit anew, and is shown under that light."
        return at_most(scene.relighting.strength, MIN_GAIN, "natural log of the gain", good="", bad=bad)
    return at_most(
        light.relit,
        MAX_RELIT,
        "stops",
        good="Brightness and colour are those of the scene.",
        bad="The scene was lit anew: parts of it are much brighter or darker than they were.",
    )


SPEC = CheckSpec(
    name="exposure_sane",
    lesson="Exposure or colour of the picture was off. Keep the brightness and white balance of [1].",
    needs_product=False,
    measure=exposure_sane,
    limits=(
        most("brightness, stops", MAX_STOPS, "stops"),
        most("brightness of another picture, stops", MAX_STOPS_ELSEWHERE, "stops"),
        most("relit, stops", MAX_RELIT, "stops"),
        most("cast, Lab", MAX_CAST, "Lab"),
        most("shown relit", MIN_GAIN, "natural log of the gain"),
        least("spread", MIN_SPREAD, "8-bit levels"),
    ),
)


def _whole(scene: SceneAnalysis, picture: np.ndarray) -> Check:
    """For an answer that is not registered: its mean against the scene's."""
    stops = log_ratio(float(scene.given.mean()), float(picture.mean()), DARK_OFFSET, np.log2)
    return at_most(
        abs(float(stops)),
        MAX_STOPS_ELSEWHERE,
        "stops",
        good="The picture as a whole is about as bright as the scene.",
        bad="The whole picture is much brighter or darker than the scene.",
    )


class LightChange(NamedTuple):
    """Of the answer's light against the scene's: brightness difference (stops), its unevenness (root mean square in
    stops), and the median difference in Lab a and b."""

    stops: float
    relit: float
    cast: float


def light_change(scene: SceneAnalysis) -> LightChange:
    """How the light changed away from the product."""
    rows, columns = scene.given.shape[:2]
    scale = LIGHT_CELLS / max(rows, columns)
    size = max(2, round(columns * scale)), max(2, round(rows * scale))
    # Only what both show is compared: an answer of another shape leaves out a part of the scene.
    shown = np.where(scene.registration.inside, 255 - scene.change, 0).astype(np.uint8)
    away = cv2.resize(shown, size, interpolation=cv2.INTER_AREA) > 200
    small = [
        cv2.resize(downsample2(p), size, interpolation=cv2.INTER_AREA).astype(np.float32)
        for p in (scene.given, scene.answer_plain)
    ]
    if away.sum() < 4:
        away = np.ones_like(away)
    luma = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[away] for p in small]
    stops = log_ratio(luma[0], luma[1], DARK_OFFSET, np.log2)
    before, after = (cv2.cvtColor(p / 255, cv2.COLOR_RGB2LAB)[away] for p in small)
    cast = np.median(after - before, axis=0)[1:]
    middle = float(np.median(stops))
    return LightChange(abs(middle), float(np.sqrt(np.mean((stops - middle) ** 2))), float(np.hypot(*cast)))
