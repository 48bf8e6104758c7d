"""What an image reference points at, and that it points nowhere else."""

from __future__ import annotations

import pytest

from function.errors import CompositeError, ForbiddenReferenceError, InvalidManifestError
from function.manifest.parse import manifest_from
from function.manifest.references import InlineImage, bucket_of, manifest_targets, one_folder_deeper, resolve
from function.settings import Settings
from tests.imaging.test_data_uri import SPELLINGS

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"})


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("scene.png", "a/b/scene.png"),
        ("/scene.png", "scene.png"),
        ("../scene.png", "a/scene.png"),
        ("./c/./scene.png", "a/b/c/scene.png"),
        ("gs://mine/x/../y.png", "x/../y.png"),
        ("späti 🍋'\".png", "a/b/späti 🍋'\".png"),
        ("..scene..png", "a/b/..scene..png"),
        ("shoe:red.png", "a/b/shoe:red.png"),
    ],
)
def test_references_are_resolved_against_the_manifests_folder(reference, name):
    target = resolve(reference, "scene", allowed_buckets={"mine"}, bucket="mine", folder="a/b")
    assert (target.bucket, target.name) == ("mine", name)


@pytest.mark.parametrize(
    ("reference", "instead"),
    [
        ("scene.png ", "scene.png"),
        (" scene.png", "scene.png"),
        ("scene.png\u00a0", "scene.png"),
        ("scene.png\t", "scene.png"),
        ("\u200bscene.png", "scene.png"),
        ("gs://mine/scene.png ", "gs://mine/scene.png"),
        ("images\\mug.png", "images/mug.png"),
        ("..\\mug.png", "../mug.png"),
        ("gs://mine/a\\b.png", "gs://mine/a/b.png"),
    ],
)
def test_a_slip_of_the_keyboard_is_refused_at_once_with_what_to_write(reference, instead):
    with pytest.raises(InvalidManifestError) as caught:
        resolve(reference, "scene", allowed_buckets={"mine"}, bucket="mine", folder="a/b")
    assert caught.value.message.startswith("scene: ")
    assert caught.value.message.endswith(f'write "{instead}"')


@pytest.mark.parametrize(
    "reference",
    [
        "https://storage.googleapis.com/mine/a/b c.png",
        "https://storage.googleapis.com/mine/a/b%20c.png",
        "http://storage.googleapis.com/mine/a/b%20c.png?X-Goog-Signature=0a",
        "https://storage.cloud.google.com/mine/a/b%20c.png?authuser=1",
        "https://mine.storage.googleapis.com/a/b%20c.png",
        "https://console.cloud.google.com/storage/browser/_details/mine/a/b%20c.png;tab=live_object",
        "HTTPS://Storage.GoogleApis.com/mine/a/b%20c.png#x",
    ],
)
def test_a_web_address_of_cloud_storage_is_offered_back_as_gs(reference):
    with pytest.raises(ForbiddenReferenceError) as caught:
        resolve(reference, "scene", allowed_buckets={"mine"}, bucket="mine", folder="a/b")
    assert caught.value.message.endswith('write "gs://mine/a/b c.png"')


@pytest.mark.parametrize("reference", ["https://storage.googleapis.com/", "https://storage.googleapis.com.evil/mine/a"])
def test_other_web_addresses_are_not(reference):
    with pytest.raises(ForbiddenReferenceError, match="only gs:// and data:"):
        resolve(reference, "scene", allowed_buckets={"mine"}, bucket="mine", folder="a/b")


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        ("../../../etc/passwd", ForbiddenReferenceError),
        ("/..", ForbiddenReferenceError),
        ("file:///etc/passwd", ForbiddenReferenceError),
        ("http://169.254.169.254/", ForbiddenReferenceError),
        ("https://example.com/a.png", ForbiddenReferenceError),
        ("sftp://host/a.png", ForbiddenReferenceError),
        ("FILE:/etc/passwd", ForbiddenReferenceError),
        ("gs://other/a.png", ForbiddenReferenceError),
        ("GS://other/a.png", InvalidManifestError),
        ("gs://mine", InvalidManifestError),
        ("gs://mine/", InvalidManifestError),
        ("gs:///a.png", InvalidManifestError),
        ("a\nb.png", InvalidManifestError),
        ("n" * 1025, InvalidManifestError),
        ("\ud800.png", InvalidManifestError),
        ("data:image/png;base64,@@@", InvalidManifestError),
        ("data:image/png", InvalidManifestError),
    ],
)
def test_no_reference_leads_anywhere_else(reference, error):
    with pytest.raises(CompositeError) as caught:
        resolve(reference, "scene", allowed_buckets={"mine"}, bucket="mine", folder="a/b")
    assert type(caught.value) is error
    assert caught.value.message.startswith("scene: ")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_image_may_come_as_a_data_uri_however_it_is_spelled(spelling):
    content = bytes(range(256)) * 3 + b"x"
    target = resolve(SPELLINGS[spelling](content), "scene", allowed_buckets=set())
    assert isinstance(target, InlineImage) and target.content == content


@pytest.mark.parametrize(
    ("reference", "deeper"),
    [
        ("s.png", "../s.png"),
        ("../s.png", "../../s.png"),
        ("/s.png", "/s.png"),
        ("gs://mine/s.png", "gs://mine/s.png"),
        ("data:,x", "data:,x"),
        ("DATA:,x", "DATA:,x"),
        ("gs:name", "../gs:name"),
    ],
)
def test_a_catalogues_reference_means_the_same_one_folder_deeper(reference, deeper):
    assert one_folder_deeper(reference) == deeper


@pytest.mark.parametrize(
    ("reference", "bucket"), [("gs://mine/a", "mine"), ("gs://mine/", None), ("gs://NO/a", None), ("a.png", None)]
)
def test_the_bucket_of_an_address(reference, bucket):
    assert bucket_of(reference) == bucket


def test_a_manifests_own_bucket_may_be_read_and_no_other():
    manifest = manifest_from({"product": "p.png", "scene": "gs://mine/s.png"}, SETTINGS)
    targets = manifest_targets(manifest, SETTINGS, "mine", "a/b/pair.json")
    assert {field: target.uri for field, target in targets.items()} == {
        "product": "gs://mine/a/b/p.png", "scene": "gs://mine/s.png",
    }  # fmt: skip
    with pytest.raises(ForbiddenReferenceError):
        manifest_targets(manifest, SETTINGS, "theirs", "pair.json")
    with pytest.raises(InvalidManifestError, match="relative"):
        manifest_targets(manifest, SETTINGS, None, "", skip={"scene"})
