"""The pictures beside the page."""

import base64

import numpy as np
import pytest
from PIL import Image, ImageCms

from function.errors import UnreadableSourceError
from function.imaging.decode import decode
from function.tools.review.pictures import PREVIEW_PX, THUMB_PX, PictureFolder
from tests.imaging.heif_files import heic
from tests.tools.review.samples import BOX, SIZE, encoded, mask_uri, png, record


def read(folder, name: str) -> Image.Image:
    return Image.open(folder.parent / name)


def test_a_large_picture_gets_a_thumbnail_and_a_preview_of_its_own_shape(tmp_path):
    folder = tmp_path / "pictures"
    picture = PictureFolder(folder).add(png((90, 80, 70), (2400, 1350)), thumb=True)
    assert picture.size == (2400, 1350)
    assert read(folder, picture.thumb).size == (THUMB_PX, THUMB_PX * 9 // 16)
    assert read(folder, picture.preview).size == (PREVIEW_PX, PREVIEW_PX * 9 // 16)
    assert picture.full is None


def test_a_small_picture_is_never_enlarged(tmp_path):
    folder = tmp_path / "pictures"
    picture = PictureFolder(folder).add(png((90, 80, 70), (60, 40)), thumb=True)
    assert read(folder, picture.thumb).size == (60, 40)


def test_the_original_is_copied_byte_for_byte(tmp_path):
    data = png((1, 2, 3))
    picture = PictureFolder(tmp_path / "pictures").add(data, full=True)
    assert (tmp_path / picture.full).read_bytes() == data
    assert picture.full.endswith(".png")


def test_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = encoded(Image.new("RGB", (300, 200), (9, 9, 9)), "JPEG", exif=exif)
    picture = PictureFolder(tmp_path / "pictures").add(lying)
    assert picture.size == (200, 300)
    assert read(tmp_path / "pictures", picture.preview).size == (200, 300)


def test_colours_are_converted_from_the_pictures_own_profile(tmp_path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"----").replace(b"bXYZ", b"rXYZ").replace(b"----", b"bXYZ")
    data = encoded(Image.new("RGB", (64, 64), (200, 60, 40)), icc_profile=swapped)
    picture = PictureFolder(tmp_path / "pictures").add(data)
    shown = np.asarray(read(tmp_path / "pictures", picture.preview).convert("RGB"))[32, 32]
    assert np.abs(shown.astype(int) - (40, 60, 200)).max() <= 6


def test_a_broken_profile_does_not_cost_the_picture(tmp_path):
    data = encoded(Image.new("RGB", (64, 64), (200, 60, 40)), icc_profile=b"no profile at all")
    assert PictureFolder(tmp_path / "pictures").add(data) is not None


def test_sixteen_bits_of_grey_become_eight(tmp_path):
    levels = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    picture = PictureFolder(tmp_path / "pictures").add(encoded(Image.fromarray(levels)))
    shown = np.asarray(read(tmp_path / "pictures", picture.preview).convert("L"))
    assert np.abs(shown.astype(int) - (levels >> 8)).max() <= 12


def test_a_telephones_jpeg_with_further_pictures_in_it_is_a_jpeg(tmp_path):
    """Pillow calls such a file MPO: a photograph with a preview, a depth map or a gain map behind it."""
    photograph, behind = Image.new("RGB", (64, 48), (9, 9, 9)), Image.new("RGB", (32, 24))
    data = encoded(photograph, "MPO", save_all=True, append_images=[behind])
    picture = PictureFolder(tmp_path / "pictures").add(data, full=True)
    assert picture.size == (64, 48) and picture.full.endswith(".jpg")


def test_a_damaged_source_that_can_be_seen_is_shown(tmp_path):
    """The function refuses a PNG with a wrong checksum: a person may want to see why the pair has failed."""
    data = bytearray(encoded(Image.new("RGB", (64, 48), (200, 60, 40))))
    data[data.index(b"IEND") - 6] ^= 1  # in the checksum of the pixels
    with pytest.raises(UnreadableSourceError):
        decode(bytes(data), "scene", max_pixels=10_000)
    picture = PictureFolder(tmp_path / "pictures").add(bytes(data))
    assert picture.size == (64, 48)
    shown = np.asarray(read(tmp_path / "pictures", picture.preview).convert("RGB"))[24, 32]
    assert np.abs(shown.astype(int) - (200, 60, 40)).max() <= 6


def test_a_cut_out_stays_see_through(tmp_path):
    picture = PictureFolder(tmp_path / "pictures").add(png((10, 200, 10, 0)))
    assert read(tmp_path / "pictures", picture.preview).mode == "RGBA"


def test_what_is_no_picture_is_none(tmp_path):
    folder = PictureFolder(tmp_path / "pictures")
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    cut = png((1, 2, 3))[:200]
    gif = encoded(Image.new("RGB", (4, 4)), "GIF")
    for data in (None, b"", b"\x00" * 100, svg, cut, gif):
        assert folder.add(data, thumb=True, full=True) is None

    def missing():
        raise FileNotFoundError("gone")

    assert folder.add(missing) is None
    assert list((tmp_path / "pictures").iterdir()) == []


def test_equal_pictures_are_stored_once(tmp_path):
    folder = PictureFolder(tmp_path / "pictures")
    first, second = (folder.add(png((5, 5, 5)), thumb=True) for _ in range(2))
    assert first == second
    assert len(list((tmp_path / "pictures").iterdir())) == 2


def test_a_picture_that_stands_there_is_not_read_again(tmp_path):
    data, reads = png((7, 7, 7)), []

    def read_it():
        reads.append(1)
        return data

    folder, known = PictureFolder(tmp_path / "pictures"), record("gs://in/x.png", data)
    first = folder.add(read_it, known, thumb=True)
    assert folder.add(read_it, known, thumb=True) == first
    assert len(reads) == 1
    assert folder.add(read_it, known, thumb=True, full=True).full  # now more is wanted
    assert len(reads) == 2


def test_a_digest_from_a_sidecar_cannot_name_a_file_elsewhere(tmp_path):
    (tmp_path / "secret-1600.webp").write_bytes(b"x")
    known = {"sha256": "../secret", "width": 10, "height": 10}
    picture = PictureFolder(tmp_path / "pictures").add(png((1, 1, 1)), known)
    assert "secret" not in picture.preview


def test_the_change_mask_becomes_a_see_through_tint(tmp_path):
    change = PictureFolder(tmp_path / "pictures").add_change_mask(mask_uri())
    alpha = np.asarray(Image.open(tmp_path / change.overlay).convert("RGBA"))[..., 3]
    height, width = alpha.shape
    assert alpha[0, 0] == 0
    assert 60 < alpha[height // 2, width // 2] < 160  # inside: the picture shines through
    assert alpha.max() > 200  # its edge is plain to see
    x, y, box_width, box_height = BOX
    assert change.centre == pytest.approx(((x + box_width / 2) / SIZE[0], (y + box_height / 2) / SIZE[1]), abs=0.01)


def test_a_mask_that_is_none_is_none(tmp_path):
    folder = PictureFolder(tmp_path / "pictures")
    huge = "data:image/png;base64," + base64.b64encode(encoded(Image.new("L", (4000, 10)))).decode()
    empty, broken, drawn = "data:image/png;base64,", "data:image/png;base64,!!", "data:image/svg+xml,<svg/>"
    for value in (None, 5, "", empty, broken, drawn, huge):
        assert folder.add_change_mask(value) is None


TIFF = encoded(Image.new("RGB", (70, 50)), "TIFF")


@pytest.mark.parametrize(("data", "size"), [(heic(), (64, 64)), (TIFF, (70, 50))])
def test_what_a_browser_does_not_show_has_a_preview_and_no_original(tmp_path, data, size):
    picture = PictureFolder(tmp_path / "pictures").add(data, full=True)
    assert read(tmp_path / "pictures", picture.preview).size == size
    assert picture.full is None


def test_an_avif_is_shown_as_it_is(tmp_path):
    data = encoded(Image.new("RGB", (70, 50)), "AVIF")
    assert PictureFolder(tmp_path / "pictures").add(data, full=True).full.endswith(".avif")


@pytest.mark.parametrize("data", [heic()[:400], TIFF[:100]])
def test_a_damaged_one_of_those_is_no_picture(tmp_path, data):
    assert PictureFolder(tmp_path / "pictures").add(data) is None
