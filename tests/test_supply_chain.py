"""Which packages are deployed, pinned how, and what .ci/run says of them."""

import ast
import json
import platform
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, files, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
READ_AUDIT = ROOT / ".ci" / "read_audit.py"
SAFE = {"name": "flask", "version": "3.1.3", "vulns": []}
HOLED = {"name": "pillow", "version": "9.0.0", "vulns": [{"id": "PYSEC-2022-10", "fix_versions": ["9.0.1"]}]}
UNKNOWN = {"name": "numpy", "skip_reason": "Dependency not found on PyPI"}
MAX_DEPLOYED_BYTES = 300_000_000
PACKAGES = {"deployed": ROOT / "requirements.txt", "development": ROOT / "tests" / "requirements.txt"}


def pins(requirements: Path) -> dict[str, list[str]]:
    """Pinned requirement, as "name==version ; marker" → its hashes."""
    text = requirements.read_text(encoding="utf-8")
    entries = re.findall(r"^(\w[^\\\n]*?) \\\n((?: +--hash=\S+(?: \\)?\n)+)", text, re.MULTILINE)
    return {pinned: re.findall(r"--hash=sha256:([0-9a-f]{64})", hashes) for pinned, hashes in entries}


def direct(inputs: Path) -> set[str]:
    """Names of the packages that a requirements.in asks for itself."""
    lines = inputs.read_text(encoding="utf-8").splitlines()
    return {re.match(r"[\w-]+", line)[0] for line in lines if re.match(r"\w", line)}


def imported(files) -> set[str]:
    """First parts of what modules import by full name, in functions and for types too."""
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    dotted = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    dotted += [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in dotted}


def verdict_of(tmp_path, *packages):
    report = tmp_path / "audit.json"
    report.write_text(json.dumps({"dependencies": packages, "fixes": []}))
    ran = subprocess.run([sys.executable, str(READ_AUDIT), str(report)], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    return ran.returncode, ran.stdout.strip()


def test_a_known_vulnerability_stops_the_run_and_is_named(tmp_path):
    assert verdict_of(tmp_path, SAFE, HOLED, UNKNOWN) == (1, "pillow 9.0.0: PYSEC-2022-10, fixed in 9.0.1")


def test_what_was_not_looked_up_is_not_called_safe(tmp_path):
    assert verdict_of(tmp_path, SAFE, UNKNOWN) == (0, "no known vulnerability in 1 packages; not looked up: numpy")
    assert verdict_of(tmp_path, UNKNOWN)[1].startswith("SKIPPED")


def test_without_a_network_it_says_so(tmp_path):
    ran = subprocess.run(
        [sys.executable, str(READ_AUDIT), str(tmp_path / "none.json")], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout[:8]) == (0, "SKIPPED:")


def test_the_bill_of_materials_is_no_part_of_the_work_tree():
    written = re.search(r"-o (\S+\.cdx\.json) requirements\.txt", (ROOT / ".ci" / "run").read_text())[1]
    ignored = subprocess.run(["git", "check-ignore", "-q", written], cwd=ROOT, check=False)
    assert ignored.returncode in {0, 128}  # 128: not a clone
    assert "/build/" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_providers_lock_is_kept_with_the_code():
    assert ".terraform.lock.hcl" not in (ROOT / ".gitignore").read_text()
    assert "terraform providers lock" in (ROOT / "infra" / "README.md").read_text()


@pytest.mark.parametrize("requirements", PACKAGES.values(), ids=PACKAGES)
def test_every_pinned_package_has_its_hashes(requirements):
    pinned = pins(requirements)
    named = [line for line in requirements.read_text(encoding="utf-8").splitlines() if re.match(r"\w", line)]
    assert len(named) == len(pinned) > 40
    assert all("==" in one and hashes for one, hashes in pinned.items())


def test_what_is_deployed_is_tested_in_the_same_versions():
    deployed, development = (pins(file) for file in PACKAGES.values())
    assert {one: development.get(one) for one in deployed} == deployed


def test_what_is_asked_for_is_compiled():
    for inputs, requirements in zip((ROOT / "function", ROOT / "tests"), PACKAGES.values(), strict=True):
        assert direct(inputs / "requirements.in") <= {re.split(r"==|\[", one)[0] for one in pins(requirements)}


def test_what_is_imported_is_asked_for_by_its_own_name():
    """A package that is there because another needs it goes when that other goes."""
    tools = set((ROOT / "function" / "tools").rglob("*.py"))
    deployed = {*(ROOT / "function").rglob("*.py"), ROOT / "main.py"} - tools
    asked = direct(ROOT / "function" / "requirements.in")
    _assert_asked_for(imported(deployed), asked)
    _assert_asked_for(imported(tools), asked | direct(ROOT / "tests" / "requirements.in"))


def _assert_asked_for(modules, asked):
    providers = packages_distributions()
    for module in modules - {"google", "pydantic_core", "function"} - sys.stdlib_module_names:
        assert {name.lower().replace("_", "-") for name in providers[module]} & asked, module


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="other wheels than are deployed are installed"
)
def test_what_is_deployed_by_default_is_small_enough():
    """An image is fetched for each new instance. The library of content credentials is deployed on request alone."""
    on_request = {"c2pa-python", "toml"}
    names = {re.split(r"==|\[", entry)[0] for entry in pins(PACKAGES["deployed"])}
    assert on_request <= names
    size = sum(_installed_bytes(name) for name in names - on_request)
    assert 100_000_000 < size < MAX_DEPLOYED_BYTES


def _installed_bytes(name):
    try:
        parts = [part.locate() for part in files(name) or [] if part.suffix != ".pyc"]
    except PackageNotFoundError:  # of another system or another Python
        return 0
    return sum(part.stat().st_size for part in parts if part.is_file())
