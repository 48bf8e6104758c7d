"""The packages that look at pixels import each other one way only, and know nothing of what runs them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import function

ROOT = Path(function.__file__).parent
# Each may import itself, and those named; "errors" are those of a file that cannot be read.
ALLOWED = {
    "imaging": {"errors"},
    "registration": {"imaging"},
    "matching": {"imaging"},
    "restoration": {"imaging", "registration", "matching"},
    "judging": {"imaging", "registration", "matching", "restoration"},
}
# What a text model thinks of a picture is asked over the network.
NO_PIXELS = {"second_opinion.py"}


def imported(path: Path) -> set[str]:
    """Packages of the function that a module imports, at its top or anywhere else."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names.add(f"{node.module}." if node.module != "function" else f"function.{node.names[0].name}.")
        elif isinstance(node, ast.Import):
            names.update(f"{alias.name}." for alias in node.names)
    return {name.split(".")[1] for name in names if name.startswith("function.")}


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_go_one_way(package):
    found = {path.name: imported(path) for path in (ROOT / package).glob("*.py") if path.name not in NO_PIXELS}
    assert len(found) > 2
    other = {name: packages - ALLOWED[package] - {package} for name, packages in found.items()}
    assert {name: packages for name, packages in other.items() if packages} == {}
