"""Every bad manifest is refused with one message that names what is wrong and what would be right."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from function.errors import InvalidManifestError
from function.manifest.parse import parse_manifest
from function.settings import Settings
from tests.support import product_png, scene_png

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "out", "GEMINI_API_KEY": "k"})
GOOD = {"scene": "s.png", "product": "p.png"}


def refusal(body: bytes | dict) -> str:
    with pytest.raises(InvalidManifestError) as caught:
        parse_manifest(json.dumps(body).encode() if isinstance(body, dict) else body, SETTINGS)
    return caught.value.message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "line 1"),
        (b"\xff\xfa{}", "not UTF-8"),
        (b"[1]", "a list"),
        (b"null", "null"),
        (b"7", "a single value"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"scene": "a", "scene": "b", "product": "c"}', "duplicate field"),
        ({}, "product: is required; scene: is required"),
        (GOOD | {"colour": 1, "size": 2}, "colour: unknown field"),
        (GOOD | {"colour": 1, "size": 2}, "size: unknown field"),
        (
            GOOD | {"output": {"format": "gif"}},
            "output.format: Input should be 'png', 'jpeg', 'webp' or 'avif', got \"gif\"",
        ),
        (GOOD | {"output": {"quality": 0}}, "output.quality"),
        (GOOD | {"output": {"quality": 101}}, "output.quality"),
        (GOOD | {"output": {"width": 0}}, "output.width"),
        (GOOD | {"output": {"width": "100"}}, "output.width"),
        (GOOD | {"output": {"depth": 1}}, "output.depth: unknown field (known: format"),
        (GOOD | {"max_px": 255}, "max_px"),
        (GOOD | {"max_px": 4097}, "max_px"),
        (GOOD | {"max_px": 512.5}, "max_px"),
        (GOOD | {"attempts": 0}, "attempts"),
        (GOOD | {"attempts": 4}, "more than the 3 allowed"),
        (GOOD | {"seed": -1}, "seed"),
        (GOOD | {"seed": 2**31}, "seed"),
        (GOOD | {"seed": True}, "seed"),
        (GOOD | {"restore": "half"}, "restore: Input should be 'full' or 'off'"),
        (GOOD | {"placement": "x" * 501}, "placement"),
        (GOOD | {"placement": 5}, "placement"),
        (GOOD | {"pose": "float"}, "pose: Input should be 'stand', 'lie', 'hang', 'wear' or 'hold'"),
        (GOOD | {"model": "no spaces please"}, "model"),
        (GOOD | {"labels": {"a": 1}}, "labels.a"),
        (GOOD | {"labels": {str(n): "" for n in range(33)}}, "labels"),
        (GOOD | {"labels": {"a": "x" * 1025}}, "longer than 1024 bytes"),
        (GOOD | {"labels": ["a"]}, "labels"),
        (GOOD | {"labels": {"review-decision": "accept"}}, "review-decision"),
        (GOOD | {"labels": {"Review-Decided-By": "the boss"}}, "Review-Decided-By"),
        (GOOD | {"labels": {" Status": "accepted"}}, "Status"),
        (GOOD | {"labels": {"goog-reserved-file-mtime": "1"}}, "goog-reserved-file-mtime"),
        ({"scene": "", "product": "p"}, "scene"),
        ({"scene": 7, "product": "p"}, "scene"),
        ({"scene": {"prompt": ""}, "product": "p"}, "scene.prompt"),
        ({"scene": {"prompt": "a", "light": "b"}, "product": "p"}, "scene.light: unknown field (known: prompt)"),
        ({"scene": "s", "product": {"prompt": "no"}}, "product"),
    ],
)
def test_a_bad_value_is_named(body, words):
    assert words in refusal(body)


MEANINGFUL = [
    "review-decision",
    "review-decided-by",
    "review-decided-at",
    "review-comment",
    "status",
    "manifest",
    "manifest-generation",
    "usd",
    "error-code",
    "goog-anything",
]


@pytest.mark.parametrize("name", MEANINGFUL)
def test_a_label_cannot_use_a_name_that_means_something(name):
    assert f"label '{name}' is reserved in object metadata" in refusal(GOOD | {"labels": {name: "1"}})


def test_all_bad_values_are_named_at_once():
    message = refusal({"scene": 1, "max_px": 1, "nonsense": 1})
    assert all(name in message for name in ("scene", "product", "max_px", "nonsense"))


def test_a_byte_order_mark_does_no_harm():
    assert parse_manifest(b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), SETTINGS).scene == "s.png"


@pytest.mark.parametrize(
    ("manifest", "code", "words"),
    [
        (b"not json", "manifest_invalid", "not JSON"),
        ({"scene": "scene.png"}, "manifest_invalid", "product: is required"),
        ({"scene": "scene.png", "product": "product.png", "x": 1}, "manifest_invalid", "x: unknown field"),
        ({"scene": "gs://elsewhere/s.png", "product": "product.png"}, "reference_forbidden", "elsewhere"),
        ({"scene": "../../../../x.png", "product": "product.png"}, "reference_forbidden", "out of the bucket"),
        ({"scene": "http://localhost/x.png", "product": "product.png"}, "reference_forbidden", "http"),
    ],
)
def test_a_bad_manifest_gets_a_failed_sidecar_and_no_model_call(cloud, server, manifest, code, words):
    body = manifest if isinstance(manifest, bytes) else json.dumps(manifest)
    assert cloud.deliver(server, cloud.put("pair.json", body)).status == 200
    sidecar = cloud.sidecar()
    assert sidecar["status"] == "failed" and sidecar["result"] is None
    assert sidecar["error"]["code"] == code and words in sidecar["error"]["message"]
    assert cloud.names() == ["pair.json"]
    assert cloud.calls() == 0


def test_images_may_come_inside_the_manifest(cloud, server):
    pictures = {"scene": scene_png(), "product": product_png()}
    fields = {name: "data:image/png;base64," + base64.b64encode(data).decode() for name, data in pictures.items()}
    assert cloud.deliver(server, cloud.put("pair.json", fields)).status == 200
    sidecar = cloud.sidecar()
    assert sidecar["status"] != "failed"
    assert sidecar["inputs"]["scene"]["uri"] == "data:" and sidecar["inputs"]["scene"]["generation"] is None
    assert sidecar["inputs"]["scene"]["bytes"] == len(pictures["scene"])


@pytest.mark.parametrize("document", ["manifest", "sidecar"])
def test_the_schemas_are_printed(document):
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-m", "function", "schema", document], cwd=root, capture_output=True, text=True, check=True
    )
    schema = json.loads(ran.stdout)
    assert {"manifest": "placement", "sidecar": "drift"}[document] in schema["properties"]
