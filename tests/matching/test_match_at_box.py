"""What keypoints do not find is aligned from the silhouette, and believed only where it correlates."""

from __future__ import annotations

import cv2
import numpy as np

from function.matching.match import match_product
from function.matching.match_at_box import MIN_HEIGHT_PX, match_at_box
from function.matching.reference_template import ReferenceTemplate
from tests.matching.samples import HEIGHT, WIDTH, cut_out, faint, room

BOX = (260, 120, 150, 200)  # x, y, width, height of the front in the room
NEAR = (256.0, 125.0, 158.0, 193.0)  # a silhouette is a few pixels off


def shown(front: np.ndarray, box: tuple[int, int, int, int] = BOX) -> np.ndarray:
    """The room with `front` in `box`, softened, and with grain."""
    x, y, wide, tall = box
    picture = room()
    picture[y : y + tall, x : x + wide] = cv2.resize(front[..., :3], (wide, tall), interpolation=cv2.INTER_AREA)
    grain = np.random.default_rng(3).normal(0, 4, picture.shape)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 1.5) + grain, 0, 255).astype(np.uint8)


def template(front: np.ndarray) -> ReferenceTemplate:
    made = ReferenceTemplate.of(cut_out(front))
    assert made is not None
    return made


def worn_leather() -> np.ndarray:
    """A front (h, w, 4) uint8 of broad uneven tones, without print."""
    tones = cv2.resize(np.random.default_rng(8).normal(110, 9, (24, 18)), (360, 480), interpolation=cv2.INTER_CUBIC)
    rgb = np.repeat(np.clip(tones, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


def test_faint_print_that_keypoints_do_not_find_is_placed_from_its_silhouette():
    answer = shown(faint())
    assert match_product(template(faint()), answer) is None
    match = match_at_box(template(faint()), answer, NEAR)
    assert match is not None and match.detail and not match.mirrored and match.instances == 1
    x, y, wide, tall = match.box
    here = np.stack(np.meshgrid(np.arange(wide) + x + 0.5, np.arange(tall) + y + 0.5), axis=-1)
    photograph = np.array(cut_out(faint()).shape[1::-1])
    there = (match.mapping * photograph - 60) / (360, 480) * BOX[2:] + BOX[:2]
    off = np.linalg.norm(there - here, axis=2)[match.weight > 127]
    assert off.size > 500 and np.percentile(off, 95) < 1.0


def test_mirrored_print_is_called_mirrored():
    match = match_at_box(template(faint()), shown(np.ascontiguousarray(faint()[:, ::-1])), NEAR)
    assert match is not None and match.mirrored


def test_texture_is_placed_too_and_its_mirror_image_is_no_match():
    """What has no print may be seen from its other side."""
    assert not template(worn_leather()).bears_print
    match = match_at_box(template(worn_leather()), shown(worn_leather()), NEAR)
    assert match is not None and not match.detail and not match.mirrored
    assert match_at_box(template(worn_leather()), shown(np.ascontiguousarray(worn_leather()[:, ::-1])), NEAR) is None
    blank = worn_leather()
    blank[..., :3] = 110
    assert match_at_box(template(worn_leather()), shown(blank), NEAR) is None


def test_other_words_are_no_match():
    assert match_at_box(template(faint()), shown(faint(("WORXYV", "QZUHAG", "BYJUWO"))), NEAR) is None
    assert match_at_box(template(faint()), room(), NEAR) is None


def test_marks_that_agree_as_well_with_their_mirror_image_are_no_match():
    front = faint()
    front[:, 180:, :3] = front[:, :180, :3][:, ::-1]
    assert match_at_box(template(front), shown(front), NEAR) is None


def test_a_product_too_small_for_print_is_no_match():
    small = (260, 120, 60, 80)
    assert small[3] < MIN_HEIGHT_PX
    answer = shown(faint(), small)
    assert match_at_box(template(faint()), answer, tuple(map(float, small))) is None


def test_a_box_at_the_border_or_beyond_raises_nothing():
    answer = shown(faint())
    for box in ((-150.0, -90.0, 160.0, 200.0), (WIDTH - 20.0, HEIGHT - 30.0, 160.0, 200.0), (9e3, 9e3, 160.0, 200.0)):
        assert match_at_box(template(faint()), answer, box) is None
