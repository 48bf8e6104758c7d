"""The settled pairs of a bucket with their pictures."""

import base64
import json
from urllib.parse import quote

import pytest

from function.tools.review.cloud import CloudStore
from function.tools.review.pair import load_pairs
from tests.tools.review.samples import PRODUCT_COLOUR, RESULT_COLOUR, SCENE_COLOUR, png


def test_settled_pairs_with_their_pictures_in_the_order_of_names(own_cloud, storage, settle):
    settle("a/two.json", status="failed")
    settle("a/one.json")
    settle("b/elsewhere.json")
    first, second = load_pairs(CloudStore(storage), f"gs://{own_cloud.output}/a/")
    assert (first.name, second.name) == ("a/one.json", "a/two.json")
    assert first.scene() == png(SCENE_COLOUR) and first.result() == png(RESULT_COLOUR)
    assert first.product() == png((*PRODUCT_COLOUR, 200), (200, 300))
    assert second.result is None
    assert first.link is None  # an emulator's address is of no use in a page that is kept


def test_what_is_no_pairs_sidecar_is_passed_over(own_cloud, storage, settle):
    settle()
    output = own_cloud.client.bucket(own_cloud.output)
    catalogue = {"catalogue": {"bucket": "in", "name": "s.csv"}, "rows_written": 3}
    for name, body in {
        "a/s.csv.json": json.dumps(catalogue),
        "a/broken.json": '{"status": "accepted", "manifest"',
        "a/list.json": "[]",
        "a/deep.json": "[" * 100_000,
        "_work/claims/x.json": json.dumps({"status": "accepted", "manifest": {}}),
    }.items():
        output.blob(name).upload_from_string(body)
    assert [pair.name for pair in load_pairs(CloudStore(storage), f"gs://{own_cloud.output}")] == ["a/one.json"]


def test_a_source_that_was_replaced_since_is_not_shown_as_the_one_that_was_used(own_cloud, storage, settle):
    settle()
    own_cloud.client.bucket(own_cloud.input).blob("a/one-scene.png").upload_from_string(png((1, 2, 3)))
    (pair,) = load_pairs(CloudStore(storage), f"gs://{own_cloud.output}")
    assert pair.scene() is None


INLINE = png((9, 9, 9))
BASE64 = base64.b64encode(INLINE).decode()


@pytest.mark.parametrize(
    "reference",
    [
        f"data:image/png;base64,{BASE64}",
        f"DATA:image/png;BASE64,{BASE64}",
        f"data:;base64,{BASE64}",
        f"data:image/png;base64,{BASE64.rstrip('=')}",
        f"data:image/png;base64,{base64.urlsafe_b64encode(INLINE).decode()}",
        f"data:image/png;base64,{base64.urlsafe_b64encode(INLINE).decode().rstrip('=')}",
        f"data:image/png;base64,{base64.encodebytes(INLINE).decode()}",
        f"data:image/png,{quote(INLINE)}",
    ],
    ids=["plain", "capitals", "untyped", "unpadded", "URL-safe", "URL-safe and unpadded", "in lines", "percent"],
)
def test_a_picture_inside_the_manifest_is_shown_however_the_function_reads_it(own_cloud, storage, settle, reference):
    """Each of these is composited; base64 of one alphabet read as the other gives other bytes, or none."""
    assert {"+", "/", "="} <= set(BASE64)
    settle_inline({"scene": "s.png", "product": reference}, own_cloud, settle)
    (pair,) = load_pairs(CloudStore(storage), f"gs://{own_cloud.output}")
    assert pair.product() == INLINE
    assert pair.scene() is None  # the manifest names a file there


@pytest.mark.parametrize(
    "reference", [None, 5, ["data:image/png;base64,"], {"prompt": "a beach"}, "data:image/png;base64,***"]
)
def test_what_no_picture_can_be_read_from_is_none(own_cloud, storage, settle, reference):
    settle_inline({"scene": reference}, own_cloud, settle)
    (pair,) = load_pairs(CloudStore(storage), f"gs://{own_cloud.output}")
    assert (pair.scene(), pair.product()) == (None, None)


def settle_inline(manifest: dict, own_cloud, settle) -> None:
    """Upload a manifest, and the sidecar that a pair has whose pictures came inside it."""
    blob = own_cloud.client.bucket(own_cloud.input).blob("a/one.json")
    blob.upload_from_string(json.dumps(manifest))
    sidecar = settle()
    sidecar["manifest"]["generation"] = blob.generation
    for field in ("scene", "product"):
        sidecar["inputs"][field] |= {"uri": "data:", "generation": None}
    own_cloud.client.bucket(own_cloud.output).blob("a/one.json").upload_from_string(json.dumps(sidecar))
