"""The commands, run as a person runs them: `python -m function …` in a process of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import PATIENCE_S, product_png, scene_png

ROOT = Path(__file__).parents[3]
# The cloud as somebody meets it who is not signed in, on a machine that nothing is known of.
OFFLINE = {
    "STORAGE_EMULATOR_HOST": "",
    "HOME": "/nonexistent",
    "CLOUDSDK_CONFIG": "/nonexistent",
    "NO_GCE_CHECK": "true",
}


@dataclass
class Outcome:
    """What a command printed and answered."""

    status: int
    out: str
    err: str


@pytest.fixture
def command(own_cloud):
    """Run a command against the storage emulator."""

    def run(*arguments: object, typed: str | None = None, **environment: str) -> Outcome:
        names = ("PATH", "HOME", "VIRTUAL_ENV", "LANG", "TMPDIR")
        base = {name: os.environ[name] for name in names if name in os.environ}
        base |= {"STORAGE_EMULATOR_HOST": own_cloud.gcs.url, "PYTHONPATH": str(ROOT), **environment}
        done = subprocess.run(
            [sys.executable, "-m", "function", *map(str, arguments)],
            input=typed, env=base, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def spring(tmp_path):
    """A folder with a catalogue of three rows, a manifest, and their images."""
    folder = tmp_path / "spring"
    (folder / "images").mkdir(parents=True)
    (folder / "images/scene.png").write_bytes(scene_png())
    for number in (1, 2, 3):
        (folder / f"images/p{number}.png").write_bytes(product_png())
    rows = "".join(f"images/p{number}.png;images/scene.png;SKU-{number}\r\n" for number in (1, 2, 3))
    (folder / "spring.csv").write_bytes(b"\xef\xbb\xbf" + f"product;scene;labels.sku\r\n{rows}".encode())
    (folder / "pair.json").write_text('{"product": "images/p1.png", "scene": "images/scene.png"}')
    (folder / "images/notes.txt").write_text("not for the bucket")
    return folder
