"""What the model took away is a change as whole as what it put in: nothing of the old thing stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.restoration.restore import restore
from tests.restoration.test_content import HEIGHT, NO_PRODUCT, WIDTH, analysed, repainted

OLD, NEW = (470, 90, 420, 600), (730, 150, 300, 400)  # x, y, width, height
PALE, DARK = (235, 235, 236), (60, 120, 40)


def laid(picture, mask, tone):
    cover = (mask / np.float32(255))[..., None]
    return picture * (1 - cover) + np.float32(tone) * cover


def mat(rng, level, grain):
    """Rubber: nearly one tone."""
    texture = cv2.GaussianBlur(rng.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 1.4)
    return np.repeat((level + grain * texture / texture.std())[..., None], 3, axis=2)


def with_things(picture):
    """What stays where it is: seams of the mat, bars and springs at the edge."""
    seams, bars, springs = np.zeros((3, HEIGHT, WIDTH), np.uint8)
    for x in range(70, WIDTH, 400):
        cv2.line(seams, (x, 0), (x, HEIGHT), 255, 3, cv2.LINE_AA)
    for x, y, width, height in ((20, 30, 190, 36), (1120, 690, 200, 50), (60, 700, 240, 40), (1090, 40, 180, 34)):
        cv2.rectangle(bars, (x, y), (x + width, y + height), 255, -1)
        cv2.line(bars, (x, y + 12), (x + width, y + 12), 120, 3, cv2.LINE_AA)
    for x, y in ((1200, 300), (1280, 480), (1140, 560), (60, 640), (380, 60)):
        for radius in (16, 22, 28):
            cv2.circle(springs, (x + radius, y), radius, 255, 2, cv2.LINE_AA)
    tone = 0.4 * float(picture.mean())
    return laid(laid(laid(picture, seams, (tone,) * 3), bars, (150, 153, 158)), springs, (170, 160, 150))


def rectangle(box):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    x, y, width, height = box
    return cv2.rectangle(mask, (x, y), (x + width, y + height), 255, -1)


def write(mask, text, at, size):
    cv2.putText(mask, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, 255, max(1, round(size)), cv2.LINE_AA)


def label(box):
    """Print as dense as on real labels: outlined letters of 130 px, a ruled band, lines of 10 px."""
    x, y, width, _ = box
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    write(mask, "HMB", (x + 24, y + 200), 6)
    mask = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8))
    mask |= rectangle((x + 20, y + 300, width - 40, 30))
    for row in range(3):
        write(mask, "S U P E R I O R  P E R F O R M A N C E", (x + 20, y + 240 + 20 * row), 0.55)
    for row in range(6):
        write(mask, "recuperacion 180 capsulas 90 porciones", (x + 20, y + 356 + 19 * row), 0.62)
    write(mask, "180 | 90", (x + 20, y + 540), 2.6)
    return mask


def lettering():
    """Words on the ground itself."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for row, word in enumerate(("FUERZA +", "RECUPER", "CION 100")):
        write(mask, word, (90, 220 + 130 * row), 2.6)
    return mask


@pytest.mark.parametrize(("level", "grain"), [(34, 4), (22, 3), (205, 3)])
@pytest.mark.parametrize("lettered", [True, False])
def test_nothing_is_left_of_a_printed_thing_that_another_replaces(level, grain, lettered):
    """Print of a dark bottle stayed beside the jar in its place: print that is gone counted as noise of texture."""
    rng = np.random.default_rng(11)
    ground = mat(rng, level, grain)
    words, print_ = lettering() if lettered else np.zeros((HEIGHT, WIDTH), np.uint8), label(OLD)
    body, ink, new = ((11, 11, 12), (215, 222, 226), (90, 190, 60)) if level < 100 else (PALE, (40, 36, 30), DARK)
    scene = laid(laid(with_things(ground), words, (170, 220, 60)), rectangle(OLD), body)
    scene = laid(scene, print_, ink)
    answer = laid(with_things(repainted(rng, ground)), rectangle(NEW), new)
    scene, answer, analysis, frame = analysed(scene, answer)
    assert analysis.scene.registration.drift.registered
    result = restore(scene, NO_PRODUCT, analysis, frame).image
    off = cv2.absdiff(result, analysis.scene.generated).max(axis=2)
    assert (off[(print_ | words) > 0] > 20).mean() < 0.001
    place = cv2.dilate(rectangle(OLD) | rectangle(NEW) | words, np.ones((73, 73), np.uint8)) > 0
    assert np.array_equal(result[~place], scene[~place]), "ground that stayed is no longer the scene's"
