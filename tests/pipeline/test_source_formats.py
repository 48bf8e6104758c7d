"""The rarer formats through the whole function: what comes out of them, what can be narrowed, what is refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.imaging.heif_files import heic_grid
from tests.imaging.samples import saved, tiff
from tests.support import product_array, product_png, scene_array, scene_png

SCENE = Image.fromarray(scene_array())
SCENES = {  # the scene, and the ending and format of its result
    "avif": (saved(SCENE, "AVIF", quality=90), "avif", "AVIF"),
    "heic": (heic_grid(1, 2, 1024, 512, name="tile", side=512), "jpg", "JPEG"),
    "tiff": (tiff(scene_array().astype(np.uint16) * 257, photometric="rgb", compression="zlib"), "png", "PNG"),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_of_a_rarer_format_gives_a_result(cloud, server, name):
    content, ending, result_format = SCENES[name]
    cloud.put("scene", content)
    cloud.put("product", saved(product_array(), "AVIF" if name == "avif" else "TIFF"))
    resource = cloud.put("pair.json", {"scene": "scene", "product": "product", "seed": 11})
    assert cloud.deliver(server, resource).status == 200
    sidecar = cloud.sidecar()
    assert sidecar["status"] != "failed", sidecar["error"]
    assert sidecar["inputs"]["scene"]["mime_type"] == f"image/{name}"
    result = Image.open(io.BytesIO(cloud.get(f"pair.{ending}")))
    assert result.format == result_format
    assert list(result.size) == [sidecar["inputs"]["scene"][side] for side in ("width", "height")]
    assert b"compositeWithTrainedAlgorithmicMedia" in cloud.get(f"pair.{ending}")


def test_a_result_can_be_asked_for_as_avif_and_one_too_large_is_refused_before_it_is_paid(cloud, server):
    output = {"format": "avif", "quality": 70}
    cloud.deliver(server, cloud.put_pair(output=output))
    assert cloud.sidecar()["result"]["mime_type"] == "image/avif"
    paid = cloud.calls()
    cloud.deliver(server, cloud.put_pair("large.json", output=output | {"width": 8000}))
    error = cloud.sidecar("large.json")["error"]
    assert error["code"] == "manifest_invalid" and "16,777,216" in error["message"] and "jpeg" in error["message"]
    assert cloud.calls() == paid


def test_an_operator_can_narrow_what_is_read(own_cloud):
    own_cloud.put("scene.png", SCENES["avif"][0])
    own_cloud.put("product.png", product_png())
    with own_cloud.server(SOURCE_FORMATS="png,jpeg") as server:
        own_cloud.deliver(server, own_cloud.put("pair.json", {"scene": "scene.png", "product": "product.png"}))
    error = own_cloud.sidecar()["error"]
    assert error["code"] == "source_unsupported"
    assert "AVIF" in error["message"] and "PNG and JPEG are read here (SOURCE_FORMATS)" in error["message"]
    assert own_cloud.calls() == 0


@pytest.mark.parametrize("scene", ["scene.png", {"prompt": "a table"}])
def test_an_icon_is_refused_before_anything_is_paid(cloud, server, scene):
    cloud.put("scene.png", scene_png())
    cloud.put("product.png", saved(product_array(31), "PNG"))
    cloud.deliver(server, cloud.put("pair.json", {"scene": scene, "product": "product.png"}))
    error = cloud.sidecar()["error"]
    assert error["code"] == "source_unsupported" and "31 x 31" in error["message"]
    assert cloud.calls() == 0
