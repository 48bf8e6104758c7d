"""What the model is sent, within the limits that the table states for it."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import pytest

from function.errors import ModelRejectedError
from function.generation.models import model_table
from function.imaging.frame import plan_letterbox
from function.manifest.model import Manifest
from function.manifest.parse import manifest_from
from function.pipeline.context import Prepared
from function.pipeline.requests import MAX_SEED, composite_request, scene_request, seed_from
from function.pipeline.targets import Target
from function.settings import DEFAULT_MODEL, Settings

MODEL = model_table().find(DEFAULT_MODEL)
SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"})
PAIR = Manifest(scene="s.png", product="p.png")
PREPARED = Prepared(
    frame=plan_letterbox((1920, 1080), MODEL.native_sizes, 768),
    images=((b"scene", "image/png"), (b"product", "image/png")),
    product_future=Future(),
    product_is_cut_out=True,
    is_letterboxed=False,
    base_seed=MAX_SEED,
    targets=(Target(None, (1920, 1080), "png", None),),
)


def test_each_attempt_has_a_seed_of_its_own_inside_int32():
    seeds = [composite_request(PREPARED, MODEL, SETTINGS, PAIR, number, []).seed for number in (1, 2, 3)]
    assert seeds == [MAX_SEED, 0, 1]


def test_a_model_that_takes_fewer_images_than_a_pair_sends_is_not_asked():
    one_image = MODEL.model_copy(update={"max_input_images": 1})
    with pytest.raises(ModelRejectedError, match="at most 1 images"):
        composite_request(PREPARED, one_image, SETTINGS, PAIR, 1, [])


def test_a_scene_made_from_text_has_the_shape_of_the_result_that_was_asked_for():
    fields = {"product": "data:,", "scene": {"prompt": "a table"}}
    tall = manifest_from(fields | {"output": {"width": 900, "height": 1600}}, SETTINGS)
    assert scene_request(tall, "a table", MODEL, SETTINGS).aspect_ratio == "9:16"
    assert scene_request(manifest_from(fields, SETTINGS), "a table", MODEL, SETTINGS).aspect_ratio == "4:3"


@pytest.mark.parametrize(
    ("result_size", "limit", "image_size"),
    [((1344, 768), "4K", "1K"), ((1920, 1080), "4K", "2K"), ((3840, 2160), "4K", "4K"), ((3840, 2160), "2K", "2K"),
     ((3840, 2160), "", "1K")],
)  # fmt: skip
def test_no_larger_picture_is_asked_for_than_the_result_needs(result_size, limit, image_size):
    settings = Settings.from_environment(
        {"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k", "MAX_IMAGE_SIZE": limit}
    )
    model = model_table().find("gemini-nano-banana-2.1")
    prepared = replace(
        PREPARED,
        frame=plan_letterbox((1920, 1080), model.native_sizes, 768),
        targets=(Target(None, result_size, "png", None),),
    )
    request = composite_request(prepared, model, settings, PAIR, 1, [])
    assert (request.image_size, request.thinking_level) == (image_size, "minimal")


def test_a_model_that_takes_no_thinking_level_is_sent_none():
    assert composite_request(PREPARED, MODEL, SETTINGS, PAIR, 1, []).thinking_level is None


def test_a_seed_follows_from_the_content_alone():
    assert seed_from(b"a", b"b") == seed_from(b"a", b"b") != seed_from(b"ab")
    assert 0 <= seed_from(b"") <= MAX_SEED
