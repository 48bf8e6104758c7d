"""What the READMEs say: their commands are understood, the eight lines run as written, and the picture is current."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from PIL import Image

from function.tools.local.command import STORAGE_PORT
from function.tools.local.processes import free_port
from tests.bench.readme_way import TO, WAY, draw
from tests.support import PATIENCE_S
from tests.tools.local.running import environment, processes_under
from tests.tools.understood import understood

ROOT = Path(__file__).parents[1]
FILES = [ROOT / name for name in ("README.md", "function/README.md", "infra/README.md", "tests/README.md")]
START = ".venv/bin/python -m function "
FENCE = re.compile(r"^```(.*)$", re.MULTILINE)
BLOCK = re.compile(r"^```bash\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?://|/)([^)#]*)(#[^)]*)?\)")
SERVING = {"errors", "telemetry", "termination", "deadline", "sidecar", "settings", "service", "tools", "__main__"}


def commands() -> list[str]:
    """Every command of ours in a block, without `&` and what comments it."""
    lines = (line for path in FILES for block in BLOCK.findall(path.read_text()) for line in block.splitlines())
    return [line.removeprefix(START).removesuffix(" &") for line in lines if line.startswith(START)]


@pytest.mark.parametrize("written", commands())
def test_every_command_of_the_readmes_is_understood(written):
    assert understood(shlex.split(written, comments=True))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name or "README")
def test_every_fence_has_a_language_and_every_link_a_target(path):
    text = path.read_text()
    assert all(FENCE.findall(text)[::2]) and not any(FENCE.findall(text)[1::2])
    for target, heading in LINK.findall(text):
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), target
        titles = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE) if heading else []
        anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not heading or heading.removeprefix("#") in anchors, (target, heading)


def test_the_picture_of_the_way_is_current_and_leaves_no_package_out():
    assert TO.read_text(encoding="utf-8") == draw(), "python -m tests.bench.readme_way"
    named = {package for step in WAY for package in step.packages}
    packages = {path.stem for path in (ROOT / "function").iterdir() if path.suffix == ".py" or path.is_dir()}
    hidden = {name for name in packages if name.startswith(".")}
    assert named == packages - SERVING - {"__init__", "__pycache__"} - hidden


@pytest.mark.exhaustive
def test_one_catalogue_goes_from_spreadsheet_to_approved_pictures_in_the_lines_of_the_readme(tmp_path):
    """Before `decide` the person decides."""
    (tmp_path / "person.py").write_text(PERSON_DECIDES)
    decide = f"{START}decide"
    said = run_as_written("sample spring\n", tmp_path, {decide: f"{shlex.quote(sys.executable)} person.py\n{decide}"})
    assert "4 of 4 settled" in said and "4 of 4 decisions written" in said


@pytest.mark.exhaustive
def test_a_styled_catalogue_gives_five_formats_of_each_product_in_the_lines_of_the_readme(tmp_path):
    said = run_as_written("sample spring --styled\n", tmp_path)
    assert "house.json: a good profile" in said and "4 of 4 settled" in said
    formats = ("web.webp", "square-white.jpg", "portrait-4x5.jpg", "story-9x16.jpg", "banner-16x9.jpg")
    skus = ("ALDERMOOR-500", "ALDERMOOR-500-B", "CAN-01", "CAN-01-B")
    wanted = {f"{sku}-{name}" for sku in skus for name in formats}
    made = {path.name for path in (tmp_path / "approved").iterdir()} - {"export.csv"}
    # The judge decides which products are approved; of each that is, all five formats are there.
    assert made <= wanted and len(made) >= 5 and len(made) % 5 == 0
    sizes = {
        path.name.partition("-")[2]: Image.open(path).size for path in (tmp_path / "approved").glob("CAN-01-[!B]*")
    }
    assert not sizes or (sizes["01-square-white.jpg"], sizes["01-banner-16x9.jpg"]) == ((2000, 2000), (1920, 1080))


def run_as_written(sample: str, folder: Path, changes: Mapping[str, str] = MappingProxyType({})) -> str:
    """Run the eight lines of the README that begin with this sample, but for the port, which another test may have, and
    these changes → what they print."""
    blocks = BLOCK.findall(FILES[0].read_text(encoding="utf-8"))
    written = next(block for block in blocks if f"{START}{sample}" in block)
    assert len(written.splitlines()) == 8
    port = free_port()
    written = written.replace(str(STORAGE_PORT), str(port)).replace(f"{START}local", f"{START}local --port {port}")
    for old, new in changes.items():
        written = written.replace(old, new)
    (folder / ".venv").symlink_to(sys.prefix)
    done = subprocess.run(
        ["bash", "-c", f"set -eu\n{written}\nwait\n"], cwd=folder, env=environment(), capture_output=True, text=True,
        timeout=2 * PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stdout + done.stderr
    assert processes_under(folder) == []
    return done.stdout


# Accepts every result of the page, in the form in which the page downloads decisions.
PERSON_DECIDES = """
import json, re
from pathlib import Path
page = Path("spring-review/index.html").read_text()
pairs = json.loads(re.search(r'type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)[1])["pairs"]
rows = [json.loads(path.read_text()) for path in Path("composite-local/results/spring/sample").glob("*.json")]
assert len(pairs) == len(rows) == 4
decisions = [
    {"result": row["result"]["uri"], "manifest_generation": row["manifest"]["generation"], "decision": "accept"}
    for row in rows
]
Path("decisions.json").write_text(json.dumps({"decisions": decisions}))
"""
