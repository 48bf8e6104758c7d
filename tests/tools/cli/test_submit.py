"""`submit`: nothing goes up that the function would refuse, and nothing twice."""

import json
import os
import pty
import select
import subprocess
import sys
import time
import unicodedata

import pytest

from function.manifest.spreadsheet import read_rows
from function.tools.cli.left_out import without_rows
from tests.support import PATIENCE_S, png, product_array, scene_png
from tests.tiers import exhaustive
from tests.tools.cli.conftest import OFFLINE, ROOT

EVERYTHING = ["images/p1.png", "images/p2.png", "images/p3.png", "images/scene.png", "pair.json", "spring.csv"]


def test_a_folder_goes_up_with_what_it_names_and_the_cost_is_said(own_cloud, command, spring):
    done = command("submit", spring, f"gs://{own_cloud.input}/2027/s", "--yes")
    assert done.status == 0, done.err
    assert own_cloud.names(own_cloud.input) == [f"2027/s/{name}" for name in EVERYTHING]
    assert "1 manifest, 1 catalogue and 4 images" in done.out and "4 pairs to make" in done.out
    assert "about $0.16 (4 pictures by gemini-2.5-flash-image at $0.039 a picture), at most $0.47 (12 pic" in done.out
    blob = own_cloud.client.bucket(own_cloud.input).get_blob("2027/s/images/p1.png")
    assert blob.content_type == "image/png"


def test_images_go_up_before_the_manifests_that_name_them(own_cloud, command, spring):
    command("submit", spring, f"gs://{own_cloud.input}", "--yes")
    made = {blob.name: blob.time_created for blob in own_cloud.client.list_blobs(own_cloud.input)}
    images = [time for name, time in made.items() if name.startswith("images/")]
    assert max(images) <= min(made["pair.json"], made["spring.csv"])


def test_a_dry_run_says_what_it_would_cost_and_uploads_nothing(own_cloud, command, spring):
    done = command("submit", spring, f"gs://{own_cloud.input}", "--dry-run")
    assert done.status == 0
    assert "4 pairs to make" in done.out and "$" in done.out
    assert own_cloud.names(own_cloud.input) == []


def test_submitting_again_uploads_nothing(own_cloud, command, spring):
    command("submit", spring, f"gs://{own_cloud.input}/s", "--yes")
    before = {blob.name: blob.generation for blob in own_cloud.client.list_blobs(own_cloud.input)}
    done = command("submit", spring, f"gs://{own_cloud.input}/s/")
    assert (done.status, "nothing to do" in done.out) == (0, True)
    assert {blob.name: blob.generation for blob in own_cloud.client.list_blobs(own_cloud.input)} == before


def test_a_catalogue_alone_takes_the_images_that_it_names(own_cloud, command, spring):
    assert command("submit", spring / "spring.csv", f"gs://{own_cloud.input}", "--yes").status == 0
    assert own_cloud.names(own_cloud.input) == [name for name in EVERYTHING if name != "pair.json"]


def test_a_changed_image_makes_its_pairs_again_and_no_others(own_cloud, command, spring):
    own_cloud_rows = f"gs://{own_cloud.input}/s"
    command("submit", spring, own_cloud_rows, "--yes")
    with own_cloud.server() as function:
        blob = own_cloud.client.bucket(own_cloud.input).get_blob("s/spring.csv")
        assert own_cloud.deliver(function, dict(blob._properties)).status == 200
    before = {blob.name: blob.generation for blob in own_cloud.client.list_blobs(own_cloud.input)}
    (spring / "images/p2.png").write_bytes(png(product_array(200)))
    done = command("submit", spring, own_cloud_rows, "--yes")
    assert "1 pair to make" in done.out
    after = {blob.name: blob.generation for blob in own_cloud.client.list_blobs(own_cloud.input)}
    again = {name for name in after if after[name] != before.get(name)}
    assert again == {"s/images/p2.png", "s/spring/000002.json"}
    row = own_cloud.client.bucket(own_cloud.input).get_blob("s/spring/000002.json")
    assert row.metadata["catalogue"] == f"gs://{own_cloud.input}/s/spring.csv", "it must stay the catalogue's own"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bad.json", b'{"product": "images/p1.png", "scene": "images/scene.png", "colour": "red"}', "colour"),
        ("bad.json", b'{"product": "images/p9.png", "scene": "images/scene.png"}', "neither in the folder nor"),
        ("bad.json", b'{"product": "../../../etc/passwd", "scene": "images/scene.png"}', "leads out of the bucket"),
        ("bad.json", b'{"product": "gs://BUCKET/s/../../secret.png", "scene": "images/scene.png"}', "neither in"),
        ("bad.json", b'{"product": "images/notes.txt", "scene": "images/scene.png"}', "images/notes.txt"),
        ("bad.json", b'{"product": "data:image/png;base64,aaaa", "scene": "images/scene.png"}', "product"),
        ("bad.csv", b"product,scene\nimages/p1.png,images/scene.png\nimages/p1.png,\n", "row 2 (line 3): scene"),
        ("bad.csv", b"product,picture\na,b\n", "picture"),
        ("bad.jsonl", b'"x"\n', "row 1 (line 1)"),
    ],
)
def test_what_the_function_would_refuse_is_named_and_nothing_goes_up(own_cloud, command, spring, name, content, said):
    (spring / name).write_bytes(content.replace(b"BUCKET", own_cloud.input.encode()))
    done = command("submit", spring, f"gs://{own_cloud.input}/s", "--yes")
    assert done.status == 1
    assert name in done.out and said in done.out
    assert own_cloud.names(own_cloud.input) == []


def test_limits_of_the_environment_are_checked(own_cloud, command, spring):
    target = f"gs://{own_cloud.input}"
    assert "pixels" in command("submit", spring, target, "--yes", MAX_SOURCE_PIXELS="1000").out
    assert "bytes" in command("submit", spring, target, "--yes", MAX_SOURCE_BYTES="1000").out
    assert command("submit", spring, target, "--yes", MAX_ATTEMPTS="none").status == 2
    assert own_cloud.names(own_cloud.input) == []


def test_skip_bad_uploads_what_is_good(own_cloud, command, spring):
    (spring / "bad.json").write_text("{}")
    done = command("submit", spring, f"gs://{own_cloud.input}", "--yes", "--skip-bad")
    assert done.status == 0 and "bad.json" in done.out
    assert own_cloud.names(own_cloud.input) == EVERYTHING


def test_skip_bad_uploads_no_bad_row_and_the_others_keep_their_numbers(own_cloud, command, spring):
    (spring / "images/p2.png").write_bytes(b"no picture")
    assert command("submit", spring, f"gs://{own_cloud.input}", "--yes", "--skip-bad").status == 0
    rows = read_rows("spring.csv", own_cloud.get("spring.csv", own_cloud.input))
    skus = [row.fields.get("labels", {}).get("sku") for row in rows]
    assert skus == ["SKU-1", None, "SKU-3"] and "images/p2.png" not in own_cloud.names(own_cloud.input)
    with own_cloud.server() as function:
        blob = own_cloud.client.bucket(own_cloud.input).get_blob("spring.csv")
        assert own_cloud.deliver(function, dict(blob._properties)).status == 200
    written = [name for name in own_cloud.names(own_cloud.input) if name.startswith("spring/")]
    assert written == ["spring/000001.json", "spring/000003.json"]
    again = command("submit", spring, f"gs://{own_cloud.input}", "--yes", "--skip-bad")
    assert "nothing to do" in again.out
    sheet = (spring / "spring.csv").read_bytes()
    (spring / "spring.csv").write_bytes(sheet.replace(b"SKU-1", b"OTHER"))
    priced = command("submit", spring, f"gs://{own_cloud.input}", "--dry-run", "--skip-bad").out
    assert "1 pair to make\n  1 pair of them with a picture that is paid for already" in priced
    assert "cost: nothing" in priced


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_rows_that_are_left_out_are_refused_and_nothing_else_changes(ending):
    good = {"csv": b'product,scene\r\na,b\r\n\r\n"c\nd",e\r\nf,g', "jsonl": b'{"a": 1}\n\n{"a": 2}\n{"a": 3}'}[ending]
    name = f"x.{ending}"
    rows = read_rows(name, good)
    left = read_rows(name, without_rows(name, good, rows, {2}))
    assert [row.number for row in left] == [1, 2, 3]
    assert (left[0].fields, left[2].fields) == (rows[0].fields, rows[2].fields)
    assert not isinstance(left[1].fields, dict) or "scene" not in left[1].fields


def test_a_dry_run_needs_no_storage(own_cloud, command, spring):
    done = command("submit", spring, f"gs://{own_cloud.input}", "--dry-run", **OFFLINE)
    assert done.status == 0, done.err
    assert "note: you are not signed in" in done.out and "4 pairs to make" in done.out and "$0.16" in done.out
    assert command("submit", spring, f"gs://{own_cloud.input}", "--yes", **OFFLINE).status == 2


def test_images_that_stand_in_buckets_are_found_there(own_cloud, command, tmp_path):
    own_cloud.put("shared/scene.png", scene_png(), bucket=own_cloud.output)
    own_cloud.put("s/product.png", scene_png())
    fields = {"product": "product.png", "scene": f"gs://{own_cloud.output}/shared/scene.png"}
    (tmp_path / "pair.json").write_text(json.dumps(fields))
    done = command("submit", tmp_path, f"gs://{own_cloud.input}/s", "--yes")
    assert done.status == 0, done.out
    assert f"must be allowed to read {own_cloud.output}" in done.out


@pytest.mark.parametrize(
    ("model", "price"),
    [("gemini-3-pro-image", "$0.139 a picture), at most $0.42"), ("somebody-else", "$0.156 a picture), at most $0.47")],
)
def test_the_price_is_that_of_the_model_or_the_dearest_and_it_says_so(own_cloud, command, tmp_path, model, price):
    fields = {"product": "p.png", "scene": {"prompt": "a beach"}, "model": model, "attempts": 2}
    (tmp_path / "pair.json").write_text(json.dumps(fields))
    (tmp_path / "p.png").write_bytes(scene_png())
    out = command("submit", tmp_path, f"gs://{own_cloud.input}", "--yes", ALLOWED_MODELS=model).out
    assert f"(2 pictures by {model} at {price}" in out
    unknown = "no price is known for somebody-else: priced as gemini-3-pro-image"
    assert (unknown in out) == (model == "somebody-else")


@pytest.mark.parametrize(
    ("source", "said"), [("missing", "not there"), ("images", "no manifest"), ("x.txt", "neither")]
)
def test_what_is_nothing_to_submit_says_so(own_cloud, command, spring, source, said):
    (spring / "x.txt").write_text("")
    done = command("submit", spring / source, f"gs://{own_cloud.input}")
    assert done.status == 2 and said in done.err


def test_with_nobody_to_ask_nothing_goes_up(own_cloud, command, spring):
    done = command("submit", spring, f"gs://{own_cloud.input}", typed="y\n")
    assert done.status == 2 and "--yes" in done.err
    assert own_cloud.names(own_cloud.input) == []


@pytest.mark.parametrize(("answer", "uploaded"), [(b"\n", []), (b"y\n", EVERYTHING), *exhaustive((b"n\n", []))])
def test_a_person_is_asked_and_sees_a_bar(own_cloud, spring, answer, uploaded):
    controller, terminal = pty.openpty()
    environment = {**os.environ, "STORAGE_EMULATOR_HOST": own_cloud.gcs.url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "function", "submit", str(spring), f"gs://{own_cloud.input}"]
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment) as process:
        os.close(terminal)
        shown, give_up, answered = b"", time.monotonic() + PATIENCE_S, False
        while time.monotonic() < give_up:
            if select.select([controller], [], [], 0.1)[0]:
                try:
                    shown += os.read(controller, 65536)
                except OSError:  # the other end is closed
                    break
            if b"[y/N]" in shown and not answered:
                os.write(controller, answer)
                answered = True
        assert process.wait(PATIENCE_S) == 0
    os.close(controller)
    assert answered and b"cost: about" in shown.split(b"[y/N]")[0]
    assert ("█".encode() in shown.split(b"[y/N]")[1]) == bool(uploaded)
    assert own_cloud.names(own_cloud.input) == uploaded


def test_a_bucket_that_is_not_there_is_an_error_in_words(command, spring):
    done = command("submit", spring, "gs://no-such-bucket-here", "--yes")
    assert done.status == 2 and "no-such-bucket-here" in done.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda folder: (folder / "images/p1.png").write_bytes(b"\n\n" + product_bytes()),
            "2 blank bytes precede",
        ),
        (lambda folder: (folder / "images/p1.png").write_bytes(b"\x89PNG\n\x1a\n" + b"0" * 50), "text conversion"),
        (lambda folder: (folder / "images/p1.png").write_bytes(LFS_POINTER), "git lfs pull"),
        (lambda folder: (folder / "images/p1.png").write_bytes(b"8BPS" + b"\0" * 50), "Photoshop document; export it"),
        (lambda folder: (folder / "images/p1.png").write_bytes(png(product_array(20))), "20 x 20 pixels are too few"),
        (lambda folder: (folder / "pair.json").write_bytes(LFS_POINTER), "git lfs pull"),
        (lambda folder: (folder / "more.jsonl").write_bytes(b'[{"product": "a"}]'), "JSON array"),
        (lambda folder: name_product(folder, "images/p1.png "), 'write \\"images/p1.png\\"'),
        (lambda folder: name_product(folder, "images\\p1.png"), 'write \\"images/p1.png\\"'),
        (
            lambda folder: name_product(folder, "https://storage.googleapis.com/shop/x.png"),
            'write \\"gs://shop/x.png\\"',
        ),
        (lambda folder: (folder / "pair.JSON").write_bytes((folder / "pair.json").read_bytes()), "same results"),
        (lambda folder: (folder / "spring.jsonl").write_text(PAIR), "same results"),
    ],
)
def test_what_the_function_would_refuse_is_said_before_anything_goes_up(own_cloud, command, spring, change, words):
    change(spring)
    done = command("submit", spring, f"gs://{own_cloud.input}", "--yes")
    assert done.status == 1
    assert words.replace('\\"', '"') in done.out, done.out
    assert own_cloud.names(own_cloud.input) == []


LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
PAIR = '{"product": "images/p1.png", "scene": "images/scene.png"}'


def product_bytes() -> bytes:
    return png(product_array(64))


def name_product(folder, name: str) -> None:
    (folder / "pair.json").write_text(json.dumps({"product": name, "scene": "images/scene.png"}))


def test_a_file_whose_name_is_spelled_in_the_other_normal_form_goes_up_as_it_is_named(own_cloud, command, spring):
    (spring / "images" / unicodedata.normalize("NFD", "grün.png")).write_bytes(product_bytes())
    name_product(spring, unicodedata.normalize("NFC", "images/grün.png"))
    assert command("submit", spring / "pair.json", f"gs://{own_cloud.input}", "--yes").status == 0
    assert unicodedata.normalize("NFC", "images/grün.png") in own_cloud.names(own_cloud.input)


def test_what_an_operator_does_not_read_is_not_uploaded(own_cloud, command, spring):
    done = command("submit", spring, f"gs://{own_cloud.input}", "--yes", SOURCE_FORMATS="jpeg")
    assert (done.status, "JPEG are read here" in done.out) == (1, True)
