"""The command line itself: help comes at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import PATIENCE_S

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("arguments", [["--help"], ["schema", "manifest"]])
def test_help_and_schemas_load_neither_storage_nor_pixel_libraries(arguments):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "function", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "argparse" in loaded
    assert not loaded & {"cv2", "numpy", "PIL", "google.cloud.storage", "google.genai", "flask"}
