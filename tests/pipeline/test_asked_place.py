"""An exact place on its way through the function: told, judged, laid and recorded."""

from __future__ import annotations

import json

import numpy as np
import pytest

from function.errors import InvalidManifestError
from function.generation.models import model_table
from function.generation.spot_words import place_words
from function.imaging.frame import plan_letterbox
from function.manifest.parse import manifest_from
from function.manifest.references import manifest_targets
from function.matching.asked_place import AskedPlace
from function.pipeline.asked_place import asked_place, check_mask, spot_in
from function.settings import DEFAULT_MODEL, Settings
from function.tools.cli.folder_documents import read_document
from function.tools.review.ask_again import asked_again
from function.tools.review.decisions import Decision
from tests.delivery.test_http_api import post_form
from tests.pipeline.test_attempts import put_large, seed_of
from tests.support import png, product_png, scene_png

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"})
BOX = [0.4, 0.35, 0.25, 0.45]
GOOD = {"product": "p.png", "scene": "s.png"}


def mask(size=(640, 360), white=(0.55, 0.78, 0.85, 0.9)) -> np.ndarray:
    """(h, w) uint8: white from left, top to right, bottom."""
    ground = np.zeros(size[::-1], np.uint8)
    left, top, right, bottom = (round(share * size[k % 2]) for k, share in enumerate(white))
    ground[top:bottom, left:right] = 255
    return ground


def placed(**placement):
    return manifest_from(GOOD | {"placement": placement}, SETTINGS).exact_placement


def test_a_place_is_told_in_the_picture_that_is_sent_with_its_frame():
    frame = plan_letterbox((1000, 400), model_table().find(DEFAULT_MODEL).native_sizes, 768)
    x, y, width, height = frame.content_box
    assert y > 0
    spot = spot_in(frame, AskedPlace((0.5, 0.5, 0.25, 0.5), height=0.5), "left")
    across, down = frame.sent_size
    assert spot.box == pytest.approx(
        ((x + 0.5 * width) / across, (y + 0.5 * height) / down, 0.25 * width / across, 0.5 * height / down)
    )
    assert (spot.height, spot.facing) == (pytest.approx(0.5 * height / down), "left")
    assert spot_in(frame, None, None) is None


def test_a_height_follows_from_the_scale_of_either_kind():
    by_scale = placed(height_cm=20, scene_cm_per_px=0.1)
    assert asked_place(by_scale, "stand", (1000, 800)).height == pytest.approx(0.25)
    by_reference = placed(height_cm=20, reference={"box": [0, 0.1, 0.2, 0.8], "height_cm": 80})
    assert asked_place(by_reference, "stand", (1000, 800)).height == pytest.approx(0.2)
    with pytest.raises(InvalidManifestError, match=r"2.50 times as tall as the scene"):
        asked_place(placed(height_cm=200, scene_cm_per_px=0.1), "stand", (1000, 800))
    assert asked_place(placed(words="left", facing="away"), "stand", (1000, 800)) is None


@pytest.mark.parametrize(
    ("size", "white", "said"),
    [((640, 400), (0, 0, 1, 1), "not the shape of the scene"), ((640, 360), (0, 0, 0, 0), "it has no white pixels")],
)
def test_a_mask_that_cannot_be_meant_is_refused(size, white, said):
    with pytest.raises(InvalidManifestError, match=said):
        check_mask("placement.mask", size, mask(size, white), (1920, 1080))


def test_a_product_beside_its_box_is_seen_the_next_attempt_is_told_and_what_was_asked_is_recorded(cloud, server):
    cloud.gemini.control(faults=[{"kind": "spot_missed_aside", "times": 1}])
    placement = {"words": "on the table", "box": [0.2, 0.35, 0.25, 0.45], "facing": "front", "tolerance": 0.1}
    resource = put_large(cloud, seed=seed_of(cloud), placement=placement, identity="model")
    assert cloud.deliver(server, resource).status == 200
    sidecar = cloud.sidecar()
    first, second = sidecar["attempts"]
    assert [n for n, c in first["checks"].items() if not c["passed"]] == ["placed_as_asked"]
    assert "too far to the right" in first["checks"]["placed_as_asked"]["reason"]
    assert second["verdict"] == sidecar["status"] == "accepted"
    check = sidecar["checks"]["placed_as_asked"]
    assert check["value"] < 0.04 and check["threshold"] == 0.1
    told, again = (request["text"] for request in cloud.gemini.requests)
    assert "on the table. The spot is exact: the product stands in the box" in told
    assert "was not where it was asked to be" in again and "The spot is exact" in again
    assert sidecar["placement"] == "on the table"
    assert sidecar["asked_place"] == {
        "box": [269, 265, 336, 340], "areas": [], "height": None, "facing": "front", "tolerance": 0.1,
    }  # fmt: skip
    assert "mask" not in sidecar["inputs"]


def test_a_mask_is_waited_for_and_the_product_stands_in_its_white_as_tall_as_asked(cloud, server):
    placement = {"mask": "free.png", "height_cm": 30, "scene_cm_per_px": 0.1}
    resource = put_large(cloud, seed=seed_of(cloud), placement=placement, identity="exact")
    assert cloud.deliver(server, resource).status == 503
    assert cloud.calls() == 0
    ground = mask()
    cloud.put("free.png", png(np.dstack([ground, ground, ground])))
    assert cloud.deliver(server, resource).status == 200
    sidecar = cloud.sidecar()
    assert (sidecar["status"], [a["method"] for a in sidecar["attempts"]]) == ("accepted", ["sketch"])
    assert sidecar["inputs"]["mask"]["width"] == 640 and sidecar["inputs"]["mask"]["uri"].endswith("free.png")
    x, y, width, height = sidecar["identity"]["box"]
    assert height == pytest.approx(300, abs=2)
    assert (x + width / 2, y + height) == pytest.approx((0.7 * 1344, 0.84 * 756), abs=12)
    assert sidecar["checks"]["placed_as_asked"]["passed"] and sidecar["asked_place"]["height"] == 300
    (area,) = sidecar["asked_place"]["areas"]
    assert len(area) == 4


def test_another_mask_is_another_request():
    frame = plan_letterbox((640, 360), model_table().find(DEFAULT_MODEL).native_sizes, 640)
    whites = (0.55, 0.78, 0.85, 0.9), (0.56, 0.78, 0.85, 0.9), (0.55, 0.78, 0.85, 0.8)
    asked = [AskedPlace(ground=mask(white=white)) for white in whites]
    assert len({place_words(spot_in(frame, one, None), "stand") for one in asked}) == 3


def test_a_mask_in_a_bucket_that_may_not_be_read_is_refused_by_name(cloud, server):
    cloud.deliver(server, cloud.put_pair(placement={"mask": "gs://not-allowed/free.png"}))
    error = cloud.sidecar()["error"]
    assert error["code"] == "reference_forbidden" and error["message"].startswith("placement.mask: ")


def test_a_form_brings_the_mask_as_a_file_and_the_rest_as_fields(gemini, session_http_server):
    ground = mask()
    files = {"scene": scene_png(), "product": product_png(), "placement.mask": png(np.dstack([ground] * 3))}
    fields = {"placement": "on the table", "placement.height_cm": "12", "placement.scene_cm_per_px": "0.1"}
    response = post_form(session_http_server, files, fields | {"attempts": "1"})
    assert response.status == 200, response.body
    sidecar = response.json()["sidecar"]
    assert sidecar["inputs"]["mask"]["uri"] == "upload:placement.mask" and sidecar["asked_place"]["height"] == 120
    assert "on the table. The spot is exact" in gemini.requests[0]["text"]
    twice = post_form(session_http_server, files, {"placement.mask": "gs://b/m.png"})
    assert twice.status == 400 and "placement is given twice" in twice.json()["error"]["message"]


def test_a_mask_of_a_catalogue_is_found_from_the_folder_of_its_rows(tmp_path):
    rows = b"product,scene,placement,placement.mask\np.png,s.png,left,masks/free.png\n"
    catalogue = tmp_path / "spring.csv"
    catalogue.write_bytes(rows)
    document = read_document(catalogue, "a/spring.csv", "in-bucket", SETTINGS, [])
    (pair,) = document.pairs
    assert json.loads(pair.body)["placement"] == {"words": "left", "mask": "../masks/free.png"}
    targets = manifest_targets(pair.manifest, SETTINGS, "in-bucket", pair.name)
    assert targets["placement.mask"].name == "a/masks/free.png"


def test_a_persons_new_words_leave_the_box():
    body = json.dumps(GOOD | {"placement": {"words": "left", "box": BOX}}).encode()
    again = json.loads(asked_again(body, Decision("gs://out/p.png", "1", "redo", placement="right")))
    assert again["placement"] == {"words": "right", "box": BOX}
