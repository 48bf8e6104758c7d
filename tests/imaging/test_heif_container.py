"""The directory of an AVIF or HEIC: its boxes, and where the bytes of its items are."""

import struct

import pytest

from function.imaging.heif_container import Budget, boxes, bytes_of, data_of, properties_of, read_container, uint
from tests.imaging.heif_files import box, heic


def test_boxes_are_read_in_order_with_each_form_of_size():
    wide = struct.pack(">I4sQ", 1, b"wide", 19) + b"abc"
    last = struct.pack(">I4s", 0, b"last") + b"to the end"
    read = [(kind, bytes(body)) for kind, body in boxes(memoryview(box("one ", b"x") + wide + last))]
    assert read == [("one ", b"x"), ("wide", b"abc"), ("last", b"to the end")]


@pytest.mark.parametrize("size", [7, 10, 2**31])
def test_a_box_that_does_not_fit_is_refused(size):
    with pytest.raises(ValueError, match="ends too early"):
        list(boxes(memoryview(struct.pack(">I4s", size, b"meta") + b"x")))


def test_a_number_never_reaches_behind_the_data():
    data = memoryview(b"\x01\x02\x03")
    assert uint(data, 1, 2) == 0x0203
    with pytest.raises(ValueError, match="ends too early"):
        uint(data, 2, 2)


def test_a_shipped_picture_has_its_code_and_its_size():
    content = memoryview(heic())
    container = read_container(content)
    item = container.primary
    assert container.types[item] == "hvc1"
    assert len(data_of(container, item, content)) == bytes_of(container, item, content) > 0
    (size,) = properties_of(container, item, "ispe")
    assert uint(size, 4, 4) > 0 and uint(size, 8, 4) > 0
    assert not properties_of(container, item, "none")


@pytest.mark.parametrize("count", [0, 2])
def test_a_file_has_one_directory(count):
    meta = box("meta", b"\0\0\0\0" + box("pitm", b"\0\0\0\0\0\1"))
    with pytest.raises(ValueError, match="no picture items" if not count else "there twice"):
        read_container(memoryview(count * meta + box("free", b"")))


def test_two_boxes_of_one_kind_are_refused_but_for_padding():
    one = box("pitm", b"\0\0\0\0\0\1")
    padding = box("free", b"") * 2
    assert read_container(memoryview(box("meta", b"\0\0\0\0" + padding + one))).primary == 1
    with pytest.raises(ValueError, match="part of its directory"):
        read_container(memoryview(box("meta", b"\0\0\0\0" + one + one)))


def test_a_budget_is_spent_to_its_end():
    budget = Budget(3)
    budget.spend(3)
    with pytest.raises(ValueError, match="too many parts"):
        budget.spend()
