"""The house: which package may import which, and where each is found in the order of the way of a pair."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import function

ROOT = Path(function.__file__).parent
# From the bottom to the top. A module may import from layers below its own and from its own package, and from nothing
# else: not from above, and not from its neighbours in a layer.
LAYERS = (
    ("errors", "telemetry", "termination"),
    ("deadline", "sidecar"),
    ("storage", "imaging"),
    ("budget", "provenance"),
    ("generation", "registration", "matching"),
    ("settings",),
    ("manifest", "restoration"),
    ("judging",),
    ("pipeline",),
    ("batch",),
    ("delivery",),
    ("service",),
    ("tools",),
    ("__main__",),
)
LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}


@cache
def imports_of(path: Path) -> tuple[str, ...]:
    """Dotted names of what a module of function/ imports of function/, inside functions and for types too."""
    return tuple(_imports_in(path))


def _imports_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            raise AssertionError(f"{path}: relative imports cannot be searched for")
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "function":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "function")


def package_of(dotted: str) -> str | None:
    """`function.storage.client.Storage` → "storage"; None for what function/__init__.py holds."""
    parts = dotted.split(".")
    known = (ROOT / parts[1]).is_dir() or (ROOT / f"{parts[1]}.py").is_file()
    return parts[1] if known else None


def modules() -> Iterator[tuple[str, Path]]:
    """(package or top-level module, path) of every module of function/."""
    for path in sorted(ROOT.rglob("*.py")):
        inner = path.relative_to(ROOT)
        if inner.parts != ("__init__.py",):
            yield inner.parts[0].removesuffix(".py"), path


def test_the_first_two_shell_blocks_of_the_readme_run_it_and_test_it():
    readme = (ROOT.parent / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)\n```$", readme, re.DOTALL | re.MULTILINE)
    assert blocks[0].endswith("python -m function demo")
    assert blocks[1].endswith("python -m pytest -q -n 3 --dist worksteal tests")


def test_every_package_has_its_layer():
    assert {package for package, _ in modules()} == set(LAYER_OF)


@pytest.mark.parametrize("package", LAYER_OF)
def test_a_package_imports_only_from_below(package):
    wrong = [
        f"{path.relative_to(ROOT)} imports {dotted}"
        for own, path in modules()
        for dotted in imports_of(path)
        if own == package
        and (other := package_of(dotted)) not in (None, package)
        and LAYER_OF[other] >= LAYER_OF[package]
    ]
    assert not wrong


def test_no_module_imports_itself_through_others():
    """Inside a package too: a cycle of modules works or not by who is imported first."""
    graph: dict[str, set[str]] = {}
    for _, path in modules():
        name = ".".join(("function", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
        graph[name] = set()
        for dotted in imports_of(path):
            module = next(
                (
                    m
                    for m in (dotted, dotted.rpartition(".")[0])
                    if (ROOT.parent / f"{m.replace('.', '/')}.py").is_file()
                ),
                None,
            )
            if module:
                graph[name].add(module)
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " → ".join((*way[way.index(name) :], name))
        if name not in done:
            for other in sorted(graph.get(name, ())):
                visit(other, (*way, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())
