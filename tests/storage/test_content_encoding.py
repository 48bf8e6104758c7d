"""Objects stored packed: read as what they are, under the same limits, on the real client and the emulator."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys

import pytest

from function.deadline import Deadline
from function.storage.client import ObjectTooLargeError, Storage
from function.storage.content_encoding import DamagedContentError, InflatedTooLargeError, unpacked
from tests.support import PATIENCE_S, product_png, scene_png

PACKED = gzip.compress(b"some text " * 1000, mtime=0)  # the same in every process: it names tests


def put_packed(cloud, name: str, content: bytes, encoding: str = "gzip"):
    """Store bytes as they are, with a Content-Encoding → the object's resource."""
    blob = cloud.client.bucket(cloud.input).blob(cloud.prefix + name)
    blob.content_encoding = encoding
    blob.upload_from_string(content)
    return dict(blob._properties)


def test_a_packed_object_is_read_as_what_was_meant(own_cloud):
    storage = Storage(make_client=lambda **_: own_cloud.client)
    put_packed(own_cloud, "a.txt", PACKED)
    assert storage.read(own_cloud.input, "a.txt", Deadline(PATIENCE_S), limit=10_000) == b"some text " * 1000
    with pytest.raises(ObjectTooLargeError):
        storage.read(own_cloud.input, "a.txt", Deadline(PATIENCE_S), limit=9_999)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_only_what_says_gzip_and_is_gzip_is_unpacked(encoding):
    assert unpacked(PACKED, encoding, 10**5) == b"some text " * 1000
    assert unpacked(PACKED, None, 10**5) == unpacked(PACKED, "identity", 10**5) == PACKED
    assert unpacked(b"\x89PNG", encoding, 10**5) == b"\x89PNG"  # was unpacked by what uploaded it


def test_several_members_and_padding_are_one_file():
    assert unpacked(PACKED + PACKED + b"\0" * 100, "gzip", 10**5) == b"some text " * 2000
    with pytest.raises(InflatedTooLargeError):
        unpacked(PACKED + PACKED, "gzip", 15_000)


@pytest.mark.parametrize("damaged", [PACKED[:-1], PACKED[:20], PACKED[:40] + b"\0" * 20, PACKED[:2], PACKED * 2000])
def test_what_is_damaged_is_said(damaged):
    with pytest.raises(DamagedContentError):
        unpacked(damaged, "gzip", 10**9)


def test_a_bomb_is_refused_before_it_is_in_memory():
    script = (
        "import sys; from function.storage.content_encoding import InflatedTooLargeError, unpacked\n"
        "def peak(): return int(next(l for l in open('/proc/self/status') if l.startswith('VmHWM')).split()[1])\n"
        "content, before = sys.stdin.buffer.read(), peak()\n"
        "try: unpacked(content, 'gzip', 1_000_000)\n"
        "except InflatedTooLargeError: print(peak() - before)\n"
    )
    bomb = gzip.compress(bytes(300_000_000))
    done = subprocess.run([sys.executable, "-c", script], input=bomb, capture_output=True, check=True)
    assert int(done.stdout) < 10_000  # KiB


def test_a_packed_manifest_and_packed_images_give_a_result(cloud, server):
    put_packed(cloud, "scene.png", gzip.compress(scene_png()))
    put_packed(cloud, "product.png", gzip.compress(product_png()))
    manifest = json.dumps({"scene": "scene.png", "product": "product.png"}).encode()
    assert cloud.deliver(server, put_packed(cloud, "pair.json", gzip.compress(manifest))).status == 200
    sidecar = cloud.sidecar()
    assert sidecar["status"] != "failed", sidecar["error"]
    assert sidecar["inputs"]["scene"]["bytes"] == len(scene_png())


def test_a_packed_catalogue_becomes_its_rows(cloud, server):
    resource = put_packed(cloud, "spring.csv", gzip.compress(b"product,scene\np.png,s.png\n"))
    assert cloud.deliver(server, resource).status == 200
    assert cloud.sidecar("spring.csv.json")["rows_written"] == 1


def test_a_damaged_or_swollen_one_is_refused_with_words(own_cloud):
    own_cloud.put("product.png", product_png())
    put_packed(own_cloud, "cut.png", gzip.compress(scene_png())[:-20])
    put_packed(own_cloud, "large.png", gzip.compress(bytes(3_000_000)))
    with own_cloud.server(MAX_SOURCE_BYTES="2000000") as server:
        for name, words in (("cut", "cannot be unpacked"), ("large", "unpacks to more; 2,000,000")):
            manifest = {"scene": f"{name}.png", "product": "product.png"}
            assert own_cloud.deliver(server, own_cloud.put(f"{name}.json", manifest)).status == 200
            assert words in own_cloud.sidecar(f"{name}.json")["error"]["message"]
        assert own_cloud.deliver(server, put_packed(own_cloud, "bad.json", gzip.compress(b"{}")[:-9])).status == 200
        assert own_cloud.sidecar("bad.json")["error"]["code"] == "manifest_invalid"
    assert own_cloud.calls() == 0
