"""`provenance` and `verify`: what files say of their origin, and whether results stand as described."""

from function.imaging.encode import encode
from function.imaging.xmp import Carried, Rights, xmp_packet
from tests.imaging.samples import photo
from tests.provenance.samples import CREDENTIALS, encoded, signed_png, time_left


def test_a_file_s_credentials_are_printed_and_judged(command, tmp_path):
    good, changed, none = (tmp_path / name for name in ("good.png", "changed.png", "none.jpg"))
    good.write_bytes(signed_png())
    changed.write_bytes(signed_png()[:-500] + bytes([signed_png()[-500] ^ 1]) + signed_png()[-499:])
    none.write_bytes(encoded("JPEG"))
    printed = command("provenance", good)
    assert printed.status == 0 and "valid, signed with a TEST certificate" in printed.out
    assert "made of: componentOf the model's answer" in printed.out
    assert "says: c2pa.placed compositeWithTrainedAlgorithmicMedia" in printed.out
    several = command("provenance", good, changed, none)
    assert several.status == 1
    assert f"{changed}: DOES NOT HOLD" in several.out and "assertion.dataHash.mismatch" in several.out
    assert f"{none}: no content credentials" in several.out
    assert command("provenance", tmp_path / "missing").status == 2


def test_what_is_carried_unsigned_is_told_apart(command, tmp_path):
    scene = CREDENTIALS.read(signed_png(), "image/png", "scene", time_left())
    roles = ("scene", "products.tall-mug.1")  # and a photograph, as the manifest's fields are called
    packet = xmp_packet(Rights(("Ann",)), [Carried(role, scene.sha256, scene.archive) for role in roles])
    (tmp_path / "carried.png").write_bytes(encode(photo(64, 48), "png", xmp=packet))
    printed = command("provenance", tmp_path / "carried.png")
    assert printed.status == 1 and "no content credentials" in printed.out
    assert "creator: Ann" in printed.out and "a composite with something generated (IPTC)" in printed.out
    assert "carried along, unsigned: credentials of the scene (parentOf scene, with its own credentials)" in printed.out
    assert "carried along, unsigned: credentials of the products.tall-mug.1 (" in printed.out


def test_every_result_under_a_prefix_is_verified(own_cloud, command):
    with own_cloud.server(SIGNING_KEY="test") as server:
        pair = own_cloud.put_pair("s/pair.json", outputs=[{"name": "a"}, {"name": "b", "format": "jpeg"}])
        assert own_cloud.deliver(server, pair).status == 200
    done = command("verify", f"gs://{own_cloud.output}/s")
    assert (done.status, done.out) == (0, "2 results: 2 signed, and whole; 0 not signed; 0 not as described\n")
    blob = own_cloud.client.bucket(own_cloud.output).get_blob("s/pair/b.jpg")
    content = blob.download_as_bytes()
    blob.upload_from_string(content[:-9] + bytes(7) + content[-2:])
    done = command("verify", f"gs://{own_cloud.output}/s")
    assert done.status == 1 and "b.jpg: IS NOT THE FILE that its sidecar describes" in done.out
    assert command("verify", f"gs://{own_cloud.output}/none").status == 1
    assert command("verify", "nowhere").status == 2
