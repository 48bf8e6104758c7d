"""The command line itself: the README's commands are understood, and help comes at once."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from function.tools.command_line import command_line
from tests.support import PATIENCE_S

ROOT = Path(__file__).parents[2]
START = ".venv/bin/python -m function "
COMMANDS = [
    line.removeprefix(START)
    for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    if line.startswith(START)
]


@pytest.mark.parametrize("written", COMMANDS)
def test_every_command_of_the_readme_is_understood(written):
    assert callable(command_line().parse_args(shlex.split(written)).run)


@pytest.mark.parametrize("arguments", [["--help"], ["schema", "manifest"]])
def test_help_and_schemas_load_neither_storage_nor_pixel_libraries(arguments):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "function", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "argparse" in loaded
    assert not loaded & {"cv2", "numpy", "PIL", "google.cloud.storage", "google.genai", "flask"}
