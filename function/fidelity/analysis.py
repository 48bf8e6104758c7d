"""Everything that is found out about the model's answer, at about its own resolution."""

from __future__ import annotations

import time
from dataclasses import dataclass

import cv2
import numpy as np

from function.fidelity.change import find_evidence, find_light, find_product, half
from function.fidelity.colour import ColourMatch, match_colours
from function.fidelity.matte import product_coverage, rough_coverage
from function.fidelity.product import ProductMatch, match_product
from function.fidelity.register import Box, Drift, register
from function.imaging.frame import Frame, fit_within

# Longest side of the analysis: that of the largest native picture of the 1-megapixel model. A 2K answer is
# analysed at this size too; its pixels are taken from the answer itself.
ANALYSIS_SIDE_PX = 1344
# The product photograph is matched at this size.
PRODUCT_SIDE_PX = 1024
# A log ratio under this moves a mid grey by less than one 8-bit level: not a change.
LEAST_LOG_RATIO = 0.006


@dataclass(frozen=True)
class Analysis:
    """What was found, at analysis size (h, w): about the answer's resolution, the scene's shape, no padding.

    scene         (h, w, 3) uint8, the scene shrunk
    answer        (h, w, 3) uint8, the answer registered to the scene, colours matched to it
    answer_plain  (h, w, 3) uint8, registered, colours as the model gave them
    product       (ph, pw, 4) uint8 RGBA, the photograph shrunk
    drift         how far the answer's geometry strays
    change        (h, w) uint8 soft mask of product, shadow and reflection, 0..255
    product_mask  (h, w) uint8 coverage of the product in the answer; all zero where none was found
    match         how the photograph lies in `answer`; None where it was not found
    raw_answer    (h', w', 3) uint8, the answer as returned
    mapping       (h, w, 2) float32, x and y in `raw_answer` of each analysis pixel
    colours       the fit that takes the answer's colours to the scene's
    light         (h/2, w/2, 3) float32, log of the smooth ratio that carries shadow and reflection
    layout_box    (x, y, width, height) of the scene in the answer, the nominal layout that it follows
    found_share   share 0..1 of the scene's textured area that was found again in the answer
    timings_ms    what each step took
    """

    scene: np.ndarray
    answer: np.ndarray
    answer_plain: np.ndarray
    product: np.ndarray
    drift: Drift
    change: np.ndarray
    product_mask: np.ndarray
    match: ProductMatch | None
    raw_answer: np.ndarray
    mapping: np.ndarray
    colours: ColourMatch
    light: np.ndarray
    layout_box: Box
    found_share: float
    timings_ms: dict[str, float]


def analyse(scene: np.ndarray, product: np.ndarray, answer: np.ndarray, frame: Frame) -> Analysis:
    """Register `answer` to `scene`, match its colours, and find what changed and where the product stands.

    scene (H, W, 3) uint8 RGB, at full resolution or shrunk; product (h, w, 4) uint8 RGBA; answer (h, w, 3)
    uint8 RGB as returned. Any picture content is answered, never refused: what cannot be registered has
    `drift.registered` False and an empty change mask.
    """
    timings: dict[str, float] = {}
    clock = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        timings[name] = round(1000 * (now - clock), 1)
        clock = now

    side = min(ANALYSIS_SIDE_PX, max(answer.shape[:2]), max(scene.shape[:2]))
    size = fit_within((scene.shape[1], scene.shape[0]), side)
    small = scene if size == (scene.shape[1], scene.shape[0]) else cv2.resize(scene, size, interpolation=cv2.INTER_AREA)
    photograph = _shrunk(product, PRODUCT_SIDE_PX)
    lap("shrink")
    registration = register(small, answer, frame)
    plain = sample(answer, registration.mapping)
    lap("register")
    colours = match_colours(small, plain, registration.inside)
    matched = colours.apply(plain)
    matched_bytes = np.clip(matched + 0.5, 0, 255).astype(np.uint8)
    lap("colour")
    height, width = small.shape[:2]
    change = np.zeros((height, width), np.uint8)
    product_mask = np.zeros_like(change)
    match = None
    light = np.zeros((*half(change).shape, 3), np.float32)
    if registration.drift.registered:
        evidence = find_evidence(small, matched, registration.inside)
        rough = find_product(evidence)
        lap("change")
        prior = rough_coverage(rough, None, size) if rough.any() else None
        match = match_product(photograph, matched_bytes, prior)
        lap("match")
        coverage = None if match is None else match.coverage
        product_mask = rough_coverage(rough, coverage, size)
        light = find_light(evidence, half(product_mask).astype(np.float32) / 255)
        product_mask = product_coverage(small, matched, light, rough, coverage)
        light = find_light(evidence, half(product_mask).astype(np.float32) / 255)
        change = _change_mask(light, product_mask)
        lap("light")
    return Analysis(
        small,
        matched_bytes,
        plain,
        photograph,
        registration.drift,
        change,
        product_mask,
        match,
        answer,
        registration.mapping,
        colours,
        light,
        registration.layout_box,
        registration.found_share,
        timings,
    )


def sample(answer: np.ndarray, mapping: np.ndarray) -> np.ndarray:
    """`answer` at the places of `mapping` (h, w, 2) float32, cubic; uint8."""
    return cv2.remap(answer, mapping[..., 0], mapping[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _shrunk(picture: np.ndarray, side_px: int) -> np.ndarray:
    size = fit_within((picture.shape[1], picture.shape[0]), side_px)
    if size == (picture.shape[1], picture.shape[0]):
        return picture
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _change_mask(light: np.ndarray, product_mask: np.ndarray) -> np.ndarray:
    """Soft mask 0..255: the product, and light as far as it shows, full from a tenth of a stop on."""
    strength = np.abs(light).max(axis=2)
    soft = np.clip((strength - LEAST_LOG_RATIO) / (0.07 - LEAST_LOG_RATIO), 0, 1) * 255
    size = product_mask.shape[1], product_mask.shape[0]
    soft = cv2.resize(soft.astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
    return np.maximum(soft, product_mask)
