"""A place that is shown in a marked copy of the scene, to models for which the table says so."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from PIL import Image

from function.generation.models import model_table
from function.imaging.frame import plan_letterbox
from function.matching.asked_place import AskedPlace
from function.pipeline.context import PairContext
from function.pipeline.decode import decode_sources
from function.pipeline.marked_scene import COLOURS, is_marked, marked_scene
from function.pipeline.prepare import prepare_inputs
from function.pipeline.requests import composite_request
from function.settings import DEFAULT_MODEL
from function.tools.emulator.marked_spot import read_mark
from function.tools.emulator.protocol import GenerateRequest
from tests.bench.placement import SETTINGS, Asked, emulated, judged_pair, pair_of
from tests.judging.samples import room
from tests.pipeline.test_asked_place import mask
from tests.product_samples import large_scene_png, view_png
from tests.support import png

BOX = [0.2, 0.35, 0.25, 0.45]
MODEL = model_table().find(DEFAULT_MODEL)
MARKED = MODEL.model_copy(update={"spot_shown": "marked_scene"})
TRANSPARENT = np.zeros((8, 8, 4), np.uint8)


@cache
def pictures() -> dict[str, bytes]:
    return {"scene s": large_scene_png(), "product p": view_png("front.png"), "product q": view_png("back.png")}


def pair(**fields) -> PairContext:
    return pair_of(Asked("s", "p", BOX, 7), pictures(), None, identity="model", **fields)


def requested(asked_pair: PairContext, model=MARKED) -> GenerateRequest:
    """What the emulated model reads of the pair's first request; the pair is prepared."""
    asked_pair.model = model
    with asked_pair.resources:
        decode_sources(asked_pair)
        prepare_inputs(asked_pair)
        request = composite_request(asked_pair.prepared, model, SETTINGS, asked_pair.manifest, 1, ())
    return emulated(request)


def sent_edges(asked_pair: PairContext) -> tuple[float, float, float, float]:
    """The box in shares of the picture that is sent, which has a frame: left, top, right, bottom."""
    x, y, width, height = asked_pair.prepared.frame.content_box
    across, down = asked_pair.prepared.frame.sent_size
    left, top, wide, tall = BOX
    return (
        (x + left * width) / across,
        (y + top * height) / down,
        (x + (left + wide) * width) / across,
        (y + (top + tall) * height) / down,
    )


def test_the_box_is_outlined_in_a_third_image_and_no_number_of_it_is_told():
    asked_pair = pair()
    request = requested(asked_pair)
    scene, _, marked = (image.pixels for image in request.images)
    assert request.text.startswith("Three input images. [1] is the scene.")
    assert "[3] is [1] once more" in request.text and "no part of the outline is in it" in request.text
    told = f"the box that is outlined in {asked_pair.prepared.mark.colour} in [3]: its base on the middle of the box's"
    assert told in request.text
    assert "ymin" not in request.text
    changed = (scene != marked).any(2)
    height, width = changed.shape
    rows, columns = np.nonzero(changed)
    edges = columns.min() / width, rows.min() / height, columns.max() / width, rows.max() / height
    assert edges == pytest.approx(sent_edges(asked_pair), abs=0.006)
    assert changed.mean() < 0.02 and not changed[rows.min() + 5 : rows.max() - 5, columns.min() + 5 : -1].all(1).any()
    assert asked_pair.prepared.photographs_sent == 1
    assert len(asked_pair.record.sent_sizes) == len(asked_pair.record.full_sizes) == 3
    assert asked_pair.record.sent_sizes[2] == asked_pair.record.sent_sizes[0]


def test_what_is_drawn_is_read_to_the_pixel():
    asked_pair = pair()
    found = read_mark(requested(asked_pair))
    assert found.best is None
    assert found.box == pytest.approx(sent_edges(asked_pair), abs=0.0015)


def test_a_model_without_room_for_it_is_told_the_place_in_words():
    two_views = pair(product=["p", "q"])
    two_views.sources["product.1"] = replace(two_views.sources["product"], content=pictures()["product q"])
    request = requested(two_views)
    assert len(request.images) == MODEL.max_input_images and "ymin" in request.text
    assert two_views.prepared.mark is None and two_views.prepared.photographs_sent == 2


def test_a_place_that_is_no_outline_and_a_model_that_is_told_in_words_get_no_copy():
    box = AskedPlace((0.2, 0.2, 0.2, 0.2))
    assert is_marked(MARKED, box, 2) and not is_marked(MARKED, box, 3)
    assert not is_marked(MARKED, AskedPlace(height=0.3), 2)
    assert not any(is_marked(model, box, 2) for model in model_table().models.values())
    assert len(requested(pair(), MODEL).images) == 2


def test_a_mask_is_outlined_as_it_is():
    ground = np.zeros((360, 480), np.uint8)
    ground[200:300, 100:400] = 255
    scene, frame = room(), plan_letterbox((480, 360), MODEL.native_sizes, 768)
    sent = np.ascontiguousarray(np.pad(scene, [(0, frame.sent_size[1] - 360), (0, frame.sent_size[0] - 480), (0, 0)]))
    picture, mark, asked = marked_scene(sent, TRANSPARENT, frame, AskedPlace(ground=ground), 3)
    drawn = (picture == COLOURS[mark.colour]).all(2)
    x, y, width, height = frame.content_box
    assert drawn[y + height * 200 // 360, x + width // 2] and not drawn[y + height * 250 // 360, x + width // 2]
    assert asked.mark == COLOURS[mark.colour] and (asked.ground == ground).all()


def test_a_mask_is_read_by_its_outline():
    masked = pair(placement={"mask": "m"})
    masked.sources["placement.mask"] = replace(masked.sources["scene"], content=png(np.dstack([mask()] * 3)))
    request = requested(masked)
    assert "inside the area outlined in" in request.text and "Best is" not in request.text
    found = read_mark(request)
    x, y, width, height = masked.prepared.frame.content_box
    across, down = masked.prepared.frame.sent_size
    at = (found.best[0] * across - x) / width, (found.best[1] * down - y) / height
    assert found.box is None and 0.55 < at[0] < 0.85 and 0.8 < at[1] < 0.88  # the mask's white, not at its border


@pytest.mark.parametrize("name", COLOURS)
def test_the_line_has_no_colour_of_the_scene_or_of_the_product(name):
    coloured = np.full((20, 20, 4), (*COLOURS[name], 255), np.uint8)
    frame = plan_letterbox((480, 360), MODEL.native_sizes, 480)
    sent = np.full((frame.sent_size[1], frame.sent_size[0], 3), 200, np.uint8)
    box = AskedPlace((0.2, 0.2, 0.4, 0.4))
    assert marked_scene(sent, coloured, frame, box, 3)[1].colour != name
    sent[:40, :40] = COLOURS[name]
    assert marked_scene(sent, TRANSPARENT, frame, box, 3)[1].colour != name


def test_a_product_in_its_outline_is_accepted_and_an_outline_that_is_painted_is_seen():
    judged = judged_pair(pair(), [None, "mark_painted"], "marked_scene")
    good, painted = judged[None], judged["mark_painted"]
    assert good.verdict == "accepted", [check for check in good.checks.values() if not check.passed]
    assert good.checks["placed_as_asked"].value < 0.04
    assert painted.verdict == "review"
    assert "outline that shows the product's place" in painted.checks["nothing_added"].reason
    assert any("Change nothing but the product" in lesson for lesson in painted.lessons)


def test_a_sent_picture_that_lost_something_in_packing_is_read_too():
    asked_pair = pair()
    request = requested(asked_pair)
    buffer = io.BytesIO()
    Image.fromarray(request.images[2].pixels).save(buffer, "WEBP", quality=70)
    request.images[2] = replace(request.images[2], pixels=np.asarray(Image.open(buffer).convert("RGB")))
    assert read_mark(request).box == pytest.approx(sent_edges(asked_pair), abs=0.006)
