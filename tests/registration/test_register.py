"""The answer is found again in the scene, or it is said that it was not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.imaging.frame import plan_letterbox
from function.registration.register import register
from function.restoration.analyse import resample
from function.restoration.analysis_size import downscaled
from tests.cases.answers import answer_to, case, frame_of
from tests.cases.manners import MANNERS, Imitation
from tests.tiers import exhaustive

STILL = Imitation(wobble_px=0, blur_px=0)


def registered(name, manner):
    pictures = case(name)
    return register(downscaled(pictures.scene, 1024), answer_to(name, manner), frame_of(pictures.scene))


@pytest.mark.parametrize(
    ("layout", "size"),
    [
        ("padded", None),
        ("stretched", None),
        ("fitted", (1024, 1024)),
        ("filling", (1024, 1024)),
        ("stretched", (900, 900)),
    ],
)
def test_every_layout_of_the_scene_in_the_answer_is_found_without_drift(layout, size):
    drift = registered("can", Imitation(wobble_px=0, blur_px=0, layout=layout, size=size)).drift
    assert drift.registered
    assert abs(drift.scale_x - 1) < 0.004
    assert abs(drift.scale_y - 1) < 0.004
    assert drift.shift_px < 1.5


def test_zoom_shift_and_stretch_are_measured():
    scene = case("box").scene
    answer = answer_to("box", STILL)
    width, height = answer.shape[1], answer.shape[0]
    # x' = 1.007 x, y' = 0.997 y about the centre, then 4 right and 3 up.
    move = np.array([[1.007, 0, -0.007 * (width - 1) / 2 + 4], [0, 0.997, 0.003 * (height - 1) / 2 - 3]])
    answer = cv2.warpAffine(answer, move, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    drift = register(downscaled(scene, 1024), answer, frame_of(scene)).drift
    assert drift.registered
    assert drift.scale_x == pytest.approx(1.007, abs=0.002)
    assert drift.scale_y == pytest.approx(0.997, abs=0.002)
    assert drift.shift_px == pytest.approx(5.0, abs=0.7)


def test_a_close_crop_is_registered_and_reported_as_zoom():
    scene = case("box").scene
    answer = answer_to("box", STILL)
    height, width = answer.shape[:2]
    crop = answer[round(0.1 * height) : round(0.85 * height), round(0.05 * width) : round(0.8 * width)]
    crop = cv2.resize(crop, (width, height), interpolation=cv2.INTER_CUBIC)
    found = register(downscaled(scene, 1024), crop, frame_of(scene))
    assert found.drift.registered
    assert not found.plain
    assert found.drift.scale_x == pytest.approx(1 / 0.75, rel=0.01)
    assert 0.4 < found.inside.mean() < 0.7


@pytest.mark.parametrize(
    "manner", ["typical", "severe", *exhaustive("narrow_warp", "recoloured", "2k", "jpeg75", "noisy")]
)
@pytest.mark.parametrize("name", ["box", "can", "mug"])
def test_the_untouched_scene_comes_to_lie_on_itself(name, manner):
    pictures = case(name)
    scene = downscaled(pictures.scene, 1024)
    answer = answer_to(name, manner)
    found = register(scene, answer, frame_of(pictures.scene))
    assert found.drift.registered
    untouched = cv2.resize(pictures.change_mask, (scene.shape[1], scene.shape[0])) == 0
    assert correlation(scene, resample(answer, found.mapping), untouched) > 0.95


def correlation(scene, answer, where):
    """Of what is finer than drift of colour and coarser than made-up texture."""
    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float32) for p in (scene, answer)]
    a, b = ((cv2.GaussianBlur(g, (0, 0), 1.5) - cv2.GaussianBlur(g, (0, 0), 12))[where] for g in grey)
    return float(np.corrcoef(a, b)[0, 1])


def noise(width, height):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "answer",
    [
        np.zeros((768, 1344, 3), np.uint8),
        np.full((768, 1344, 3), 255, np.uint8),
        noise(1344, 768),
        noise(3, 2),
        np.full((1, 1, 3), 128, np.uint8),
        noise(1344, 3),
    ],
    ids=["black", "white", "noise", "3x2", "1x1", "line"],
)
def test_what_shows_no_scene_is_not_registered(answer):
    scene = case("can").scene
    found = register(downscaled(scene, 1024), answer, frame_of(scene))
    assert not found.drift.registered
    assert found.mapping.shape[:2] == found.inside.shape


def test_another_scene_is_not_registered():
    scene = case("can").scene
    assert not register(downscaled(scene, 1024), answer_to("mug", "typical"), frame_of(scene)).drift.registered


def test_a_scene_without_texture_is_registered_by_its_tones():
    ramp = np.linspace(90, 210, 1200).astype(np.uint8)
    scene = np.repeat(np.tile(ramp, (675, 1))[..., None], 3, axis=2)
    frame = plan_letterbox((1200, 675), {"16:9": (1344, 768)}, 768)
    answer = cv2.resize(scene, (1344, 768))
    found = register(scene, answer, frame)
    assert found.drift.registered and found.plain
    assert not register(scene, 255 - answer, frame).drift.registered


def test_manners_cover_every_layout():
    assert {manner.layout for manner in MANNERS.values()} == {"stretched", "padded", "fitted", "filling", "reshaped"}


@pytest.mark.parametrize("seed", [0, *exhaustive(1, 2, 3)])
def test_a_smooth_wall_gives_no_hold_and_stays_where_it_was(seed):
    """A pastel wall over a pastel floor: what a refinement by pattern finds there is noise, and it slides."""
    rng = np.random.default_rng(seed)
    scene = np.full((900, 1200, 3), (238, 190, 186), np.float32)
    scene[560:] = 231, 176, 170
    scene = cv2.GaussianBlur(scene, (0, 0), 15) * np.linspace(1.04, 0.86, 1200, dtype=np.float32)[None, :, None]
    grain = lambda shape, deviation: rng.normal(0, deviation, shape).astype(np.float32)  # noqa: E731
    answer = cv2.resize(scene, (1184, 864), interpolation=cv2.INTER_AREA)
    answer[300:700, 480:700] = cv2.resize(case("box").product[400:1600, 600:1300, :3], (220, 400))
    scene, answer = (np.clip(p + grain(p.shape, 1.2), 0, 255).astype(np.uint8) for p in (scene, answer))
    answer = cv2.imdecode(cv2.imencode(".jpg", answer, [cv2.IMWRITE_JPEG_QUALITY, 90])[1], cv2.IMREAD_COLOR)
    drift = register(downscaled(scene, 1184), answer, plan_letterbox((1200, 900), {"4:3": (1184, 864)}, 768)).drift
    assert drift.registered
    assert abs(drift.scale_x - 1) < 0.01 and abs(drift.scale_y - 1) < 0.01
    assert drift.shift_px < 4


@pytest.mark.parametrize(
    ("layout", "size", "reshaped"),
    [("stretched", None, False), ("padded", None, False), ("filling", (1024, 1024), True)],
)
def test_an_answer_of_another_shape_than_was_asked_for_is_told(layout, size, reshaped):
    assert registered("can", Imitation(wobble_px=0, blur_px=0, layout=layout, size=size)).reshaped == reshaped
