"""Checks the exposure and white balance of the whole image against the scene.

Away from the product both are averaged in coarse cells: the median difference in stops is exposure, its root mean
square around that uneven relighting, the median difference in CIELAB a, b a colour cast. An image that could not be
registered is compared by its mean only. An image of one flat tone fails at once.

In: `SceneAnalysis` at analysis size. Out: a `Check`, in stops, Lab or 8-bit levels. What the colour transfer takes back
without loss is no fault: a mean difference in Lab over all pixels was tried, and turned away strongly recoloured images
whose results carry the scene's own light.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from function.imaging.array_ops import downsample2
from function.imaging.photometry import log_ratio
from function.judging.check import Check, CheckSpec, at_most
from function.judging.inspection import Inspection
from function.judging.limit import max_limit, min_limit
from function.restoration.analysis import SceneAnalysis
from function.restoration.relighting import MIN_GAIN

# Largest difference in exposure, stops: the colour transfer takes that back without loss.
MAX_STOPS = 0.45
# The same of an image that is not registered, the product included.
MAX_STOPS_UNREGISTERED = 0.9
# Largest uneven relighting, root mean square in stops.
MAX_RELIGHT_RMS = 0.22
# Largest colour cast, distance in Lab a, b.
MAX_CAST_AB = 14.0
# Cells along the longest side in which light is averaged: wider than a product.
LIGHT_CELLS = 24
# Keeps ratios of dark pixels finite, 8-bit levels.
DARK_OFFSET = 8.0
# An image of a smaller standard deviation (8-bit levels) is empty; it is sampled with this stride.
MIN_STD = 4.0
STD_STRIDE = 4


def exposure_sane(inspection: Inspection) -> Check:
    """Exposure and white balance are the scene's, evenly over the image."""
    scene = inspection.scene
    registered = scene.registration.drift.registered
    picture = scene.generated_plain if registered else scene.generated_raw
    spread = float(picture[::STD_STRIDE, ::STD_STRIDE].std())
    if spread < MIN_STD:
        return Check(round(spread, 2), MIN_STD, False, "8-bit levels", "The picture is empty: one flat tone.")
    if not registered:
        return _unregistered(scene, picture)
    light = illumination_change(scene)
    for value, limit, unit, bad in (
        (light.stops, MAX_STOPS, "stops", "The whole picture is much brighter or darker than the scene."),
        (light.cast, MAX_CAST_AB, "Lab", "The whole picture has another colour cast than the scene."),
    ):
        if value > limit:
            return at_most(value, limit, unit, good="", bad=bad)
    if scene.relighting is not None:
        bad = "The scene was relit, and is shown under that light."
        return at_most(scene.relighting.strength, MIN_GAIN, "natural log of the gain", good="", bad=bad)
    return at_most(
        light.unevenness,
        MAX_RELIGHT_RMS,
        "stops",
        good="Brightness and colour are those of the scene.",
        bad="The scene was relit: parts of it are much brighter or darker than they were.",
    )


SPEC = CheckSpec(
    name="exposure_sane",
    lesson="Exposure or colour of the picture was off. Keep the brightness and white balance of [1].",
    needs_product=False,
    measure=exposure_sane,
    limits=(
        max_limit("brightness, stops", MAX_STOPS, "stops"),
        max_limit("brightness of another picture, stops", MAX_STOPS_UNREGISTERED, "stops"),
        max_limit("relit, stops", MAX_RELIGHT_RMS, "stops"),
        max_limit("cast, Lab", MAX_CAST_AB, "Lab"),
        max_limit("shown relit", MIN_GAIN, "natural log of the gain"),
        min_limit("spread", MIN_STD, "8-bit levels"),
    ),
)


def _unregistered(scene: SceneAnalysis, picture: np.ndarray) -> Check:
    """For an image that is not registered: its mean against the scene's."""
    stops = log_ratio(float(scene.given.mean()), float(picture.mean()), DARK_OFFSET, np.log2)
    return at_most(
        abs(float(stops)),
        MAX_STOPS_UNREGISTERED,
        "stops",
        good="The picture as a whole is about as bright as the scene.",
        bad="The whole picture is much brighter or darker than the scene.",
    )


class IlluminationChange(NamedTuple):
    """Exposure difference (stops), unevenness (root mean square in stops), and colour cast (distance in Lab a, b)."""

    stops: float
    unevenness: float
    cast: float


def illumination_change(scene: SceneAnalysis) -> IlluminationChange:
    """The illumination away from the product, generated image against scene."""
    rows, columns = scene.given.shape[:2]
    scale = LIGHT_CELLS / max(rows, columns)
    size = max(2, round(columns * scale)), max(2, round(rows * scale))
    # An image of another aspect ratio does not show all of the scene.
    shown = np.where(scene.registration.inside, 255 - scene.change, 0).astype(np.uint8)
    away = cv2.resize(shown, size, interpolation=cv2.INTER_AREA) > 200
    small = [
        cv2.resize(downsample2(p), size, interpolation=cv2.INTER_AREA).astype(np.float32)
        for p in (scene.given, scene.generated_plain)
    ]
    if away.sum() < 4:
        away = np.ones_like(away)
    luma = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[away] for p in small]
    stops = log_ratio(luma[0], luma[1], DARK_OFFSET, np.log2)
    before, after = (cv2.cvtColor(p / 255, cv2.COLOR_RGB2LAB)[away] for p in small)
    cast = np.median(after - before, axis=0)[1:]
    middle = float(np.median(stops))
    return IlluminationChange(abs(middle), float(np.sqrt(np.mean((stops - middle) ** 2))), float(np.hypot(*cast)))
