"""The product is found wherever it stands, its own print comes back, and nothing is invented where it is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from function.matching import features
from function.matching.candidate import Sought
from function.matching.inverse_map import invert
from function.matching.match import match_product
from function.matching.photograph import photograph_alpha
from function.matching.photometric_refine import sample
from function.matching.relief_model import PARAMETERS, is_turned, photograph_grid, project, relief_of_revolution
from function.restoration.detail_transfer import transfer_detail

WIDTH, HEIGHT = 720, 480
# How far a photograph pixel may be misplaced (answer pixels): a third of a stroke of the smallest print.
PLACED_PX = 0.6


def label(seed: int = 3, size: tuple[int, int] = (360, 480)) -> np.ndarray:
    """A printed front (h, w, 4) uint8: words, rules and an emblem on a ground of one colour; opaque rectangle."""
    rng = np.random.default_rng(seed)
    width, height = size
    front = np.empty((height, width, 3), np.uint8)
    front[:] = rng.integers(120, 220, 3)
    ink = tuple(int(value) for value in rng.integers(0, 70, 3))
    for row in range(30, height - 20, 34):
        word = "".join(rng.choice(list("ABCDEFGHKLMNPRSTUVXYZ2345678"), 11))
        cv2.putText(front, word, (24, row), cv2.FONT_HERSHEY_DUPLEX, float(rng.uniform(0.7, 1.25)), ink, 2, cv2.LINE_AA)
    cv2.circle(front, (width // 3, height // 3), 40, (200, 60, 40), 5, cv2.LINE_AA)
    return np.dstack([front, np.full((height, width), 255, np.uint8)])


def cut_out(front: np.ndarray, margin: int = 60) -> np.ndarray:
    """`front` in the middle of a transparent photograph."""
    return cv2.copyMakeBorder(front, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(255, 255, 255, 0))


def room(seed: int = 0) -> np.ndarray:
    """A scene (HEIGHT, WIDTH, 3) uint8 with structure of its own."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 200, (24, 36, 3)).astype(np.uint8)
    return cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def stand(scene: np.ndarray, front: np.ndarray, view: np.ndarray, depth: np.ndarray | None = None):
    """`scene` with `front` laid by `view` (11,) and softened, and where each pixel of `front` then lies."""
    depth = np.zeros(front.shape[:2], np.float32) if depth is None else depth
    x, y = project(view, *photograph_grid(front.shape[:2]), depth)
    u, v, placed = invert(x, y, (0, 0, WIDTH, HEIGHT))
    solid = (placed & (u > 1) & (v > 1) & (u < front.shape[1] - 1) & (v < front.shape[0] - 1)).astype(np.float32)
    mean = cv2.GaussianBlur(front[..., :3], (0, 0), 0.9)
    seen = cv2.remap(mean, u - np.float32(0.5), v - np.float32(0.5), cv2.INTER_LINEAR)
    alpha = cv2.GaussianBlur(solid, (0, 0), 0.7)[..., None]
    picture = scene * (1 - alpha) + seen * alpha
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 0.7) + 0.5, 0, 255).astype(np.uint8), (x, y)


def flat_view(size: float = 260, x: float = 340, y: float = 240, **terms: float) -> np.ndarray:
    """A front of `size` pixels height around (x, y), slightly turned and in perspective."""
    view = np.zeros(PARAMETERS)
    view[:6] = size * 0.94, -0.04 * size, x, 0.05 * size, size, y
    view[6:8] = 0.10, -0.03
    for place, value in terms.items():
        view["abcdefgk".index(place)] = value
    return view


def misplaced_px(match, photograph_shape, margin: int, truth) -> float:
    """95th percentile distance (px) of the match's mapping from the `truth` positions of a margined front."""
    x, y, width, height = match.box
    rows, columns = photograph_shape[:2]
    u, v = match.mapping[..., 0] * columns - margin - 0.5, match.mapping[..., 1] * rows - margin - 0.5
    there_x, there_y = (cv2.remap(axis, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR) for axis in truth)
    here_x, here_y = np.meshgrid(np.arange(width) + x + 0.5, np.arange(height) + y + 0.5)
    sure = match.weight > 128
    assert sure.any()
    return float(np.percentile(np.hypot(there_x - here_x, there_y - here_y)[sure], 95))


def test_a_front_in_perspective_is_placed_to_a_fraction_of_a_pixel():
    photograph = cut_out(label())
    answer, truth = stand(room(), label(), flat_view())
    match = match_product(Sought.of(photograph), answer)
    assert not match.mirrored
    assert match.instances == 1
    x, y, width, height = match.box
    inside = match.coverage[y : y + height, x : x + width] > 127
    assert (match.weight[inside] > 127).mean() > 0.75  # the print ends before the rim
    assert misplaced_px(match, photograph.shape, 60, truth) < PLACED_PX


def test_a_turned_can_is_placed_by_its_round_shape():
    front = label(5, (300, 420))
    depth = relief_of_revolution(front[..., 3])
    view = flat_view(270)
    view[:2], view[8:10] = [270 * 0.95, 0], [270 * 0.26, 270 * 0.12]  # turned by 15 degrees, seen from above
    photograph = cut_out(front)
    answer, truth = stand(room(2), front, view, depth)
    match = match_product(Sought.of(photograph), answer)
    assert match.kind == "round"
    assert misplaced_px(match, photograph.shape, 60, truth) < PLACED_PX


def test_a_bent_front_is_followed_where_neither_plane_nor_roundness_fits():
    front = label()
    bend = np.sin(np.linspace(0, 2 * np.pi, front.shape[0], dtype=np.float32))[:, None] * np.float32(10)
    columns, rows = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in front.shape[1::-1]))
    bent = cv2.remap(front, columns + bend, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    answer, (x, y) = stand(room(), bent, flat_view())
    truth = [sample(axis, columns + np.float32(0.5) - bend, rows + np.float32(0.5)) for axis in (x, y)]
    match = match_product(Sought.of(cut_out(front)), answer)
    assert misplaced_px(match, cut_out(front).shape, 60, truth) < 4 * PLACED_PX  # half of what the stiff view misses


@pytest.mark.parametrize("turned", [False, True])
def test_an_outline_that_tapers_evenly_speaks_for_a_turned_body(turned):
    alpha = np.full((200, 100), 255, np.uint8)
    if turned:
        alpha[:60, :30] = alpha[:60, 70:] = 0
    assert is_turned(alpha) == turned
    alpha[70:130, :40] = 0  # a bite on one side: no body of revolution
    assert not is_turned(alpha)


def test_the_outline_of_the_match_is_the_product_s_own():
    answer, truth = stand(room(), label(), flat_view())
    match = match_product(Sought.of(cut_out(label())), answer)
    corners = np.float32(
        [[axis[row, column] for axis in truth] for row, column in ((0, 0), (0, -1), (-1, -1), (-1, 0))]
    )
    expected = cv2.fillConvexPoly(np.zeros((HEIGHT, WIDTH), np.uint8), np.round(corners).astype(int), 255)
    both = np.minimum(expected, match.coverage).sum() / np.maximum(expected, match.coverage).sum()
    assert both > 0.96


def test_a_product_that_is_not_there_is_not_found():
    answer, _ = stand(room(), label(), flat_view())
    assert match_product(Sought.of(cut_out(label(99))), answer) is None
    assert match_product(Sought.of(cut_out(label())), room()) is None


def test_a_mirrored_product_is_called_mirrored_and_lends_no_detail():
    photograph = cut_out(label())
    answer, _ = stand(room(), np.ascontiguousarray(label()[:, ::-1]), flat_view())
    match = match_product(Sought.of(photograph), answer)
    assert match.mirrored
    picture, weight = transfer_detail(photograph, match, answer, (0, 0, WIDTH, HEIGHT), (WIDTH, HEIGHT))
    assert not weight.any()
    assert np.array_equal(picture, answer)


def test_a_product_that_stands_twice_is_counted_twice():
    answer, _ = stand(room(), label(), flat_view(200, 200))
    answer, _ = stand(answer, label(), flat_view(200, 520))
    assert match_product(Sought.of(cut_out(label())), answer).instances == 2


def test_only_what_the_prior_allows_is_searched():
    answer, _ = stand(room(), label(), flat_view())
    prior = np.zeros((HEIGHT, WIDTH), np.uint8)
    assert match_product(Sought.of(cut_out(label())), answer, prior) is None
    prior[:, :120] = 255
    assert match_product(Sought.of(cut_out(label())), answer, prior) is None
    prior[60:430, 180:500] = 255
    assert match_product(Sought.of(cut_out(label())), answer, prior) is not None


def test_a_photograph_on_white_is_found_as_a_cut_out_is():
    photograph = cut_out(label())
    on_white = np.where(photograph[..., 3:] > 0, photograph[..., :3], 255).astype(np.uint8)
    answer, truth = stand(room(), label(), flat_view())
    match = match_product(Sought.of(on_white), answer)
    assert misplaced_px(match, on_white.shape, 60, truth) < PLACED_PX


def test_white_inside_the_product_is_not_background():
    photograph = np.full((200, 200, 3), 255, np.uint8)
    photograph[40:160, 50:150] = 30
    photograph[80:120, 70:130] = 255
    alpha = photograph_alpha(photograph)
    assert alpha[100, 100] == 255
    assert alpha[10, 10] == 0
    assert alpha[60, 60] == 255


def test_a_picture_without_uniform_background_is_all_product():
    photograph = np.random.default_rng(1).integers(0, 255, (120, 90, 3)).astype(np.uint8)
    assert (photograph_alpha(photograph) == 255).all()


def packshot(colour, shadow: float) -> tuple[np.ndarray, np.ndarray]:
    """An opaque photograph on white of a box of `colour` with a soft shadow of that depth, and the box's outline."""
    picture, depth = np.full((1200, 1000, 3), 247, np.float32), np.zeros((1200, 1000), np.float32)
    cv2.ellipse(depth, (500, 985), (330, 45), 0, 0, 360, 1, -1)
    picture *= 1 - shadow * cv2.GaussianBlur(depth, (0, 0), 30)[..., None]
    outline = np.zeros((1200, 1000), bool)
    outline[250:1000, 280:720] = True
    picture[outline] = colour
    grain = np.random.default_rng(0).normal(0, 1, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8), outline


@pytest.mark.parametrize("colour", [(180, 40, 40), (30, 30, 34), (60, 90, 160)])
def test_the_shadow_of_a_packshot_is_no_product(colour):
    picture, outline = packshot(colour, 0.45)
    covered = photograph_alpha(picture) > 127
    assert (covered & ~outline).sum() < 0.015 * outline.sum()
    assert (covered & outline).sum() > 0.98 * outline.sum()


def test_a_grey_product_is_not_taken_for_its_shadow():
    """Softened all over, it goes over into the background without an edge, as shadows do."""
    picture, outline = packshot((150, 150, 150), 0.0)
    picture = cv2.GaussianBlur(picture, (0, 0), 25)
    assert (photograph_alpha(picture)[outline] > 127).mean() > 0.95


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (40, 40)])
@pytest.mark.parametrize("fill", [0, 255, None])
def test_no_picture_content_raises(shape, fill):
    rng = np.random.default_rng(7)
    make = lambda *s: (rng.integers(0, 256, s) if fill is None else np.full(s, fill)).astype(np.uint8)  # noqa: E731
    assert match_product(Sought.of(make(*shape, 4)), room()) is None
    assert match_product(Sought.of(cut_out(label())), make(*shape, 3)) is None


def test_lost_print_comes_back_under_the_answer_s_light():
    front = label()
    photograph = cut_out(front)
    answer, (x, y) = stand(room(), front, flat_view())
    fall_off = np.linspace(0.55, 1.05, WIDTH, dtype=np.float32)[None, :, None] * np.float32([1.0, 0.92, 0.8])
    u, v, _ = invert(2 * x, 2 * y, (0, 0, 2 * WIDTH, 2 * HEIGHT))
    truth = cv2.remap(front[..., :3], u - np.float32(0.5), v - np.float32(0.5), cv2.INTER_CUBIC)
    truth = truth * np.repeat(fall_off, 2, axis=1)
    soft = cv2.GaussianBlur(np.clip(answer * fall_off, 0, 255).astype(np.uint8), (0, 0), 1.6)
    match = match_product(Sought.of(photograph), soft)
    full_size = 2 * WIDTH, 2 * HEIGHT
    picture = cv2.resize(soft, full_size, interpolation=cv2.INTER_CUBIC)
    detail, weight = transfer_detail(photograph, match, picture, (0, 0, *full_size), full_size)
    sure = weight > 250
    assert sure.mean() > 0.08
    grey = lambda rgb: cv2.cvtColor(rgb.astype(np.float32), cv2.COLOR_RGB2GRAY)  # noqa: E731
    edges = lambda rgb: np.abs(cv2.Laplacian(cv2.GaussianBlur(grey(rgb), (0, 0), 1), cv2.CV_32F))[sure].mean()  # noqa: E731
    assert edges(detail) > 1.8 * edges(picture)
    # Light and colour are the answer's, not the studio's.
    broad = lambda rgb: cv2.GaussianBlur(rgb.astype(np.float32), (0, 0), 12)  # noqa: E731
    inside = cv2.erode(sure.astype(np.uint8), np.ones((31, 31))) > 0
    assert np.abs(broad(detail) - broad(picture))[inside].mean() < 3
    error = lambda rgb: np.sqrt(((grey(rgb) - grey(truth))[sure] ** 2).mean())  # noqa: E731
    assert error(detail) < 0.6 * error(picture)


def test_a_hand_before_the_label_keeps_the_answer_s_pixels():
    photograph = cut_out(label())
    answer, _ = stand(room(), label(), flat_view())
    cv2.ellipse(answer, (360, 300), (60, 42), 20, 0, 360, (205, 160, 130), -1, cv2.LINE_AA)
    match = match_product(Sought.of(photograph), answer)
    weight = np.zeros((HEIGHT, WIDTH), np.uint8)
    x, y, width, height = match.box
    weight[y : y + height, x : x + width] = match.weight
    assert weight[290:310, 345:375].mean() < 0.1 * 255
    assert weight[130:200, 260:400].mean() > 0.7 * 255


def test_features_are_mirrored_as_if_found_in_the_mirror_image():
    grey = cv2.cvtColor(label(), cv2.COLOR_RGB2GRAY)
    found = features.detect(np.ascontiguousarray(grey[:, ::-1]))
    made = features.mirrored(features.detect(grey), grey.shape[1])
    away = np.hypot(*(found.points[:, None] - made.points[None]).transpose(2, 0, 1))
    turned = np.abs((found.angles[:, None] - made.angles[None] + 180) % 360 - 180)
    alike = (away < 1) & (turned < 10) & (np.abs(np.log(found.sizes[:, None] / made.sizes[None])) < 0.1)
    pairs = np.argwhere(alike)
    assert len(np.unique(pairs[:, 0])) > 0.6 * len(found.points)
    similarity = (found.descriptors[pairs[:, 0]] * made.descriptors[pairs[:, 1]]).sum(axis=1)
    assert np.median(similarity) > 0.99
