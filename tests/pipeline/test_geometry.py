"""Whatever shape the scene has and the model answers with, the result has the scene's size and shape."""

from __future__ import annotations

import numpy as np
import pytest

from function.generation.models import model_table
from function.imaging.frame import plan_letterbox
from tests.support import picture, png, product_png, scene_array
from tests.tiers import exhaustive

RATIOS = model_table().models["gemini-2.5-flash-image"].native_sizes
TELLING = ["16:9", "1:1", "9:16", "panorama", "odd"]
ODD_SHAPES = [(4000, 3000), (2160, 3840), (5000, 1200), (3001, 1999), (64, 64), (1000, 31), (33, 2000)]


@pytest.mark.parametrize("size", [(3840, 2160), *ODD_SHAPES, *RATIOS.values()])
def test_the_frame_has_the_models_shape_and_the_scene_keeps_its_own(size):
    frame = plan_letterbox(size, RATIOS, 768)
    native = frame.native_size
    width, height = frame.sent_size
    assert max(width, height) <= 768
    # Whole pixels: half a pixel on the shorter side is all the rounding there may be.
    assert abs(width / height - native[0] / native[1]) <= native[0] / native[1] * 0.6 / min(width, height)
    x, y, box_width, box_height = frame.content_box
    assert x >= 0 and y >= 0 and x + box_width <= width and y + box_height <= height
    assert abs(box_width / box_height - size[0] / size[1]) <= size[0] / size[1] * 1.2 / min(box_width, box_height)
    assert box_width == width or box_height == height
    assert box_width <= size[0] and box_height <= size[1]


@pytest.mark.parametrize(
    "ratio", [*TELLING, *exhaustive(*(ratio for ratio in RATIOS if ratio not in TELLING), "4:3 exact", "tall")]
)
def test_the_result_has_the_scenes_size_undistorted(cloud, server, ratio):
    odd = {"4:3 exact": (800, 600), "panorama": (1000, 240), "odd": (601, 399), "tall": (432, 768)}
    size = odd.get(ratio) or tuple(side // 2 for side in RATIOS[ratio])
    scene = scene_array(*size)
    cloud.put("scene.png", png(scene))
    cloud.put("product.png", product_png())
    resource = cloud.put("pair.json", {"scene": "scene.png", "product": "product.png", "attempts": 1})
    assert cloud.deliver(server, resource).status == 200
    sidecar = cloud.sidecar()
    assert sidecar["status"] != "failed", sidecar["error"]
    result = picture(cloud.get("pair.png"))
    assert result.shape == scene.shape
    assert sidecar["drift"]["registered"]
    # Away from the change the result is the scene, pixel for pixel: nothing was stretched or moved.
    x, y, width, height = sidecar["change"]["box"]
    outside = np.ones(scene.shape[:2], bool)
    outside[y : y + height, x : x + width] = False
    assert outside.mean() > 0.1
    assert np.array_equal(result[outside], scene[outside])


@pytest.mark.parametrize("shape", [[768, 1344], [300, 300], *exhaustive([1024, 1024], [1536, 672])])
def test_an_answer_of_another_shape_is_not_stretched(cloud, server, shape):
    cloud.gemini.control(faults=[{"kind": "other_size", "times": None, "value": shape}])
    assert cloud.deliver(server, cloud.put_pair()).status == 200
    sidecar = cloud.sidecar()
    assert sidecar["status"] != "failed", sidecar["error"]
    assert picture(cloud.get("pair.png")).shape == (360, 640, 3)


@pytest.mark.parametrize(
    ("output", "shape"),
    [
        ({"width": 320}, (180, 320)),
        ({"height": 720}, (720, 1280)),
        ({"width": 300, "height": 300}, (300, 300)),
        ({"width": 100, "height": 360}, (360, 100)),
    ],
)
def test_an_asked_for_size_is_met_without_distortion(cloud, server, output, shape):
    assert cloud.deliver(server, cloud.put_pair(output=output)).status == 200
    assert picture(cloud.get("pair.png")).shape[:2] == shape
    assert cloud.sidecar()["result"]["width"] == shape[1]


@pytest.mark.parametrize(("format_", "ending"), [("png", "png"), ("jpeg", "jpg"), ("webp", "webp")])
def test_the_result_says_what_it_is(cloud, server, format_, ending):
    assert cloud.deliver(server, cloud.put_pair(output={"format": format_})).status == 200
    content = cloud.get(f"pair.{ending}")
    assert b"compositeWithTrainedAlgorithmicMedia" in content
    assert cloud.sidecar()["result"]["mime_type"] == f"image/{format_}"


def test_restore_off_is_the_plain_upscale(cloud, server):
    assert cloud.deliver(server, cloud.put_pair(restore="off")).status == 200
    sidecar = cloud.sidecar()
    assert sidecar["restoration"]["mode"] == "off"
    assert not np.array_equal(picture(cloud.get("pair.png"))[:20, :20], scene_array()[:20, :20])
