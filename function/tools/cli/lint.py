"""`python -m function lint`: checks manifests and catalogues against the schema, without any network."""

from __future__ import annotations

from pathlib import Path

import click

from function.errors import CompositeError
from function.pipeline.style import read_style
from function.settings import InvalidSettingsError
from function.storage.names import is_style
from function.tools.cli.folder_documents import documents_in, read_document
from function.tools.cli.terminal import counted, fail, limits_here
from function.tools.explain import UsageError

HELP = """\
Checks manifests (.json), catalogues (.csv, .jsonl) and style profiles (_styles/*.json), or folders of
them, as the function reads them: fields, limits, rows, references. It looks at no picture and at no bucket; `submit
--dry-run` does.

\b
  python -m function lint spring.csv
  python -m function lint spring more/pair.json
"""


@click.command(help=HELP)
@click.argument("sources", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="FILE-OR-FOLDER...")
def lint(sources: tuple[Path, ...]) -> int:
    """Say of each file how many pairs it has, and what is wrong with it. 0: nothing; 1: something; 2: no such file."""
    problems = 0
    try:
        settings = limits_here()
        for source in sources:
            profiles = _profiles(source)
            for path in profiles:
                problems += _lint_profile(path)
            if profiles == [source]:
                continue
            root, paths = documents_in(source)
            for path in paths:
                found: list[str] = []
                pairs = 0
                try:
                    name = path.relative_to(root).as_posix()
                    pairs = len(read_document(path, name, "any-bucket", settings, found).pairs)
                except CompositeError as error:
                    found.append(f"{path}: {error.message}")
                print(f"{path}: {counted(pairs, 'good pair')}, {counted(len(found), 'problem')}")
                for problem in found:
                    print(f"  {problem}")
                problems += len(found)
    except (UsageError, InvalidSettingsError, OSError) as error:
        return fail(error)
    return 1 if problems else 0


def _profiles(source: Path) -> list[Path]:
    """The style profiles in a folder, or the one that the file is."""
    found = [source] if source.is_file() else sorted(source.rglob("*"))
    return [path for path in found if path.is_file() and is_style(path.resolve().as_posix())]


def _lint_profile(path: Path) -> int:
    """Say whether a profile is right → the number of problems."""
    try:
        read_style(path.read_bytes(), str(path))
    except CompositeError as error:
        print(f"{path}: 1 problem\n  {error.message}")
        return 1
    print(f"{path}: a good style")
    return 0
