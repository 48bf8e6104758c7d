"""How libraries use the process that the function runs in."""

from __future__ import annotations

import io
import os
import subprocess
import sys

from PIL import Image

DECODE = """
import sys
from function.telemetry.native_tuning import prepare_libraries
prepare_libraries()
from function.errors import UnreadableSourceError
from function.imaging.decode import decode
try:
    decode(sys.stdin.buffer.read(), "scene", max_pixels=10**6)
except UnreadableSourceError:
    print("refused")
"""


def animation_of_one_damaged_frame() -> bytes:
    """A WebP of which OpenCV complains by itself; found by tests/bench/hostile.py."""
    frames = [Image.effect_noise((64, 48), 80).convert("RGB") for _ in range(2)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    content = bytearray(file.getvalue())
    frame = content.index(b"ANMF")
    content = content[: frame + 8 + int.from_bytes(content[frame + 4 : frame + 8], "little")]
    content[4:8] = (len(content) - 8).to_bytes(4, "little")
    damaged = content.index(b"VP8 ") + 24
    content[damaged : damaged + 36] = bytes(byte ^ 0xFF for byte in content[damaged : damaged + 36])
    return bytes(content)


def test_a_damaged_picture_makes_no_line_that_is_no_log_entry():
    environment = {name: value for name, value in os.environ.items() if name != "OPENCV_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", DECODE],
        input=animation_of_one_damaged_frame(), capture_output=True, check=True, env=environment,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (b"refused\n", b"")
