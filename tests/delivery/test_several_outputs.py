"""Several pictures from one answer: written beside each other, replaced together, paid for once."""

from __future__ import annotations

import base64

from tests.delivery.test_http_api import pair, post_json
from tests.support import picture

OUTPUTS = [
    {"name": "banner", "width": 640, "height": 200, "format": "png"},
    {"name": "story", "width": 108, "height": 192},
    {"name": "square", "preset": "square-white", "width": 200, "height": 200, "format": "webp"},
    {"name": "small", "width": 64, "format": "avif"},
]
FILES = {"banner.png": (640, 200), "story.png": (108, 192), "square.webp": (200, 200), "small.avif": (64, 36)}


def test_one_answer_gives_every_picture_and_an_upload_with_fewer_removes_the_others(cloud, server):
    resource = cloud.put_pair("sets/cup.json", outputs=OUTPUTS)
    assert cloud.deliver(server, resource).status == 200
    sidecar = cloud.sidecar("sets/cup.json")
    assert cloud.calls() == len(sidecar["attempts"])  # not once a picture
    assert sidecar["result"] == sidecar["results"][0]
    assert [one["name"] for one in sidecar["results"]] == ["banner", "story", "square", "small"]
    assert [one["uri"].rpartition("/sets/cup/")[2] for one in sidecar["results"]] == list(FILES)
    for (name, size), result in zip(FILES.items(), sidecar["results"], strict=True):
        content = cloud.get(f"sets/cup/{name}")
        assert (result["width"], result["height"], result["bytes"]) == (*size, len(content))
        assert picture(content).shape[1::-1] == size
        assert cloud.metadata(f"sets/cup/{name}")["status"] == sidecar["status"]
    square = picture(cloud.get("sets/cup/square.webp"))
    assert (square[:4] == 255).all() and sidecar["results"][2]["shown"] is None
    _, y, width, height = sidecar["results"][1]["shown"]
    assert (y, height) == (0, 360) and abs(width - 360 * 108 / 192) < 1  # whole pixels, wherever the product stands

    again = cloud.put_pair("sets/cup.json", outputs=OUTPUTS[1:2], seed=sidecar["attempts"][0]["seed"])
    assert cloud.deliver(server, again).status == 200
    assert cloud.calls() == len(sidecar["attempts"])  # the stored answer serves other sizes
    assert [name for name in cloud.names() if name.startswith("sets/cup")] == ["sets/cup.json", "sets/cup/story.png"]

    single = cloud.put_pair("sets/cup.json", seed=sidecar["attempts"][0]["seed"])
    assert cloud.deliver(server, single).status == 200
    assert [name for name in cloud.names() if name.startswith("sets/cup")] == ["sets/cup.json", "sets/cup.png"]


def test_more_pixels_than_are_allowed_cost_nothing(cloud, server):
    huge = [{"name": f"n{number}", "width": 5000, "height": 5000, "format": "jpeg"} for number in range(3)]
    resource = cloud.put_pair("sets/huge.json", outputs=huge)
    assert cloud.deliver(server, resource).status == 200
    error = cloud.sidecar("sets/huge.json")["error"]
    assert error["code"] == "manifest_invalid" and "together more than 64,000,000 pixels" in error["message"]
    assert cloud.calls() == 0


def test_what_another_manifest_wrote_under_a_pictures_name_is_left_alone(cloud, server):
    cloud.put("sets/mine/banner.png", b"somebody's", bucket=cloud.output)
    resource = cloud.put_pair("sets/mine.json", outputs=OUTPUTS[:1])
    assert cloud.deliver(server, resource).status == 200
    assert cloud.get("sets/mine/banner.png") == b"somebody's"
    assert cloud.sidecar("sets/mine.json")["error"]["code"] == "output_conflict"


def test_over_http_all_pictures_are_in_the_answer_and_the_first_is_the_picture(gemini, session_http_server):
    response = post_json(session_http_server, pair(outputs=OUTPUTS))
    assert response.status == 200
    images = response.json()["images"]
    sizes = {name: picture(base64.b64decode(image.partition(",")[2])).shape[1::-1] for name, image in images.items()}
    assert sizes == {name.partition(".")[0]: size for name, size in FILES.items()}
    assert response.json()["image"] == images["banner"]
    first = {"name": "banner", "width": 640, "height": 200}  # in the format that the caller likes
    as_picture = post_json(session_http_server, pair(outputs=[first, *OUTPUTS[1:]]), Accept="image/webp")
    assert as_picture.headers["Content-Type"] == "image/webp"
    assert picture(as_picture.body).shape[1::-1] == (640, 200)
