"""What the model is sent of a photograph, and what the prompt says of it: cut out where that is sure, else as it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.cases.packshots import packshots
from tests.support import Cloud


def sent(cloud: Cloud, server, photograph: np.ndarray) -> tuple[dict, str]:
    """The product's picture and the prompt of the first call for a JPEG of `photograph` (h, w, 3) uint8."""
    # What it would answer does not matter here.
    cloud.gemini.control(faults=[{"kind": "400", "times": None}])
    manifest = cloud.put_pair(product="product.jpg")
    cloud.put("product.jpg", cv2.imencode(".jpg", photograph[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 93])[1].tobytes())
    cloud.deliver(server, manifest)
    first = cloud.gemini.requests[0]
    return first["images"][1], first["text"]


@pytest.mark.parametrize("name", ["mug-gradient", "chair-paper"])
def test_a_packshot_is_sent_cut_out_through_its_openings(cloud, server, name):
    shot = next(packshots(name))
    image, prompt = sent(cloud, server, shot.photograph)
    assert image["mode"] == "RGBA"
    assert image["transparent"] == pytest.approx((shot.truth[..., 3] < 16).mean(), abs=0.01)
    assert "[2] is the product on a transparent background" in prompt


def test_glass_is_sent_as_it_was_photographed(cloud, server):
    image, prompt = sent(cloud, server, next(packshots("glass-white")).photograph)
    assert image["mode"] == "RGB"
    assert "[2] is the product on its own background, which is not part of it" in prompt


def test_a_photograph_before_a_room_is_sent_as_it_is(cloud, server):
    rows, columns = np.mgrid[0:420, 0:420]
    room = np.where((rows // 30 + columns // 40) % 2 == 0, 190, 110).astype(np.uint8)
    image, prompt = sent(cloud, server, np.dstack([room] * 3))
    assert image["mode"] == "RGB"
    assert "transparent background" not in prompt
