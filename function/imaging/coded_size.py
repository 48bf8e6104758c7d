"""The size that a picture's own code states: an HEVC sequence parameter set, an AV1 sequence header.

A container may state another one, and a decoder allocates what the code says.
"""

from __future__ import annotations

from collections.abc import Iterator

from function.imaging.frame import Size

_HEVC_SPS = 33  # ITU-T H.265, table 7-1
_HEVC_FIRST_NOT_CODED = 32  # kinds below it are slices
_AV1_SEQUENCE_HEADER = 1  # AV1 specification, 6.2.2
_AV1_FRAMES = (3, 6)  # a frame's header, a frame


class _Bits:
    """Reads bits from the left. Raises ValueError at the end."""

    def __init__(self, data: bytes):
        self._data, self._at = data, 0

    def take(self, count: int) -> int:
        """The next `count` bits as a number."""
        end = self._at + count
        if end > 8 * len(self._data):
            raise ValueError("its sequence header is cut off")
        last = -(-end // 8)
        value = int.from_bytes(self._data[self._at // 8 : last], "big") >> (8 * last - end)
        self._at = end
        return value & ((1 << count) - 1)

    def exp_golomb(self) -> int:
        """ue(v): as many zeros as bits follow the next one."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("its sequence header is damaged")
        return (1 << zeros) - 1 + self.take(zeros)


def hevc_size(unit: bytes) -> Size | None:
    """The size that an HEVC NAL unit states; None of any but a sequence parameter set (H.265, 7.3.2.2)."""
    if not unit or unit[0] >> 1 & 0x3F != _HEVC_SPS:
        return None
    bits = _Bits(unit[2:256].replace(b"\0\0\3", b"\0\0"))  # emulation prevention (7.3.1.1)
    bits.take(4)
    sub_layers = bits.take(3)
    bits.take(1 + 96)
    present = [(bits.take(1), bits.take(1)) for _ in range(sub_layers)]
    bits.take(2 * (8 - sub_layers) if sub_layers else 0)
    for profile, level in present:
        bits.take(88 * profile + 8 * level)
    bits.exp_golomb()
    if bits.exp_golomb() == 3:
        bits.take(1)
    return bits.exp_golomb(), bits.exp_golomb()


def hevc_begins_picture(unit: bytes) -> bool:
    """Whether an HEVC NAL unit is the first slice of a picture (7.3.6.1)."""
    return len(unit) > 2 and unit[0] >> 1 & 0x3F < _HEVC_FIRST_NOT_CODED and unit[2] >> 7 == 1


def av1_units(units: memoryview) -> Iterator[tuple[Size | None, bool]]:
    """For each open bitstream unit the size that it states, None of any but a sequence header (5.3, 5.5), and whether
    it begins a picture."""
    position = 0
    while position < len(units):
        header = units[position]
        position += 2 if header & 4 else 1
        length = len(units) - position
        if header & 2:
            length, shift = 0, 0
            while True:
                if position >= len(units) or shift > 28:
                    raise ValueError("the file ends too early")
                byte = units[position]
                position += 1
                length |= (byte & 0x7F) << shift
                shift += 7
                if not byte & 0x80:
                    break
        if position + length > len(units):
            raise ValueError("the file ends too early")
        kind = header >> 3 & 15
        head = bytes(units[position : position + min(length, 256)])
        yield _av1_size(head) if kind == _AV1_SEQUENCE_HEADER else None, kind in _AV1_FRAMES
        position += length


def _av1_size(header: bytes) -> Size:
    bits = _Bits(header)
    bits.take(3 + 1)
    if bits.take(1):
        bits.take(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(width_bits) + 1, bits.take(height_bits) + 1


def _skip_operating_points(bits: _Bits) -> None:
    delay_bits = 0
    if bits.take(1):  # timing_info_present_flag
        bits.take(64)
        if bits.take(1):
            bits.exp_golomb()
        if bits.take(1):  # decoder_model_info_present_flag
            delay_bits = bits.take(5) + 1
            bits.take(32 + 5 + 5)
    initial_delay = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay_bits and bits.take(1):
            bits.take(2 * delay_bits + 1)
        if initial_delay and bits.take(1):
            bits.take(4)
