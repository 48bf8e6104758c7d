"""`python -m function style check NAME|FILE`: whether a style profile is right, and what the model is told of it."""

from __future__ import annotations

from pathlib import Path

import click

from function.deadline import Deadline
from function.errors import CompositeError
from function.generation.prompt_templates import TEMPLATES
from function.generation.style_words import OF_NEW_SCENES, OF_PRODUCTS, style_text
from function.manifest.references import StoredImage
from function.manifest.style import Style
from function.pipeline.style import fetch_style, read_style
from function.storage.client import AccessDeniedError
from function.storage.names import STYLE_SUFFIX, STYLES_FOLDER, is_style, split_gs_uri
from function.tools.cli.terminal import bucket_and_prefix, fail, open_storage
from function.tools.explain import UsageError
from function.tools.timeouts import CALL_S

HELP = """\
Reads a style profile as the function does, and prints what it adds to the prompt. A file needs no network; a name is
looked for in a bucket, at its root or in a team's folder.

\b
  python -m function style check _styles/warm.json
  python -m function style check warm gs://INPUT
  python -m function style check warm gs://INPUT/team-a
"""


@click.command(help=HELP)
@click.argument("what", type=click.Choice(["check"]), expose_value=False)
@click.argument("profile", metavar="NAME-OR-FILE", help="a file, a profile's name, or its gs:// address")
@click.argument("place", required=False, metavar="[gs://INPUT[/TEAM]]", help="where the name is looked for")
def style(profile: str, place: str | None) -> int:
    """Check it and show it. 0: it is right; 1: it is not; 2: it could not be read."""
    try:
        found, which = _read(profile, place)
    except (UsageError, AccessDeniedError, OSError) as error:
        return fail(error)
    except CompositeError as error:
        return fail(error.message, code=1)
    print(f"{which}: a good profile")
    for field in ("output", "outputs", "identity"):
        if (value := getattr(found, field)) is not None:
            print(f"default {field}: {_plain(value)}")
    if found.checks:
        print(f"has to be measured: {', '.join(found.checks)}")
    _tell("a product is placed", style_text(found.words, TEMPLATES, without=OF_NEW_SCENES))
    _tell("a scene is generated", style_text(found.words, TEMPLATES, without=OF_PRODUCTS))
    return 0


def find_style_file(folder: Path, name: str) -> Path:
    """The profile beside a manifest's folder or above it, the nearest one. Raises UsageError."""
    for above in (folder.resolve(), *folder.resolve().parents):
        if (path := above / STYLES_FOLDER / f"{name}{STYLE_SUFFIX}").is_file():
            return path
    raise UsageError(f"style: there is no {STYLES_FOLDER}/{name}{STYLE_SUFFIX} in {folder}, nor above it")


def _read(profile: str, place: str | None) -> tuple[Style, str]:
    if place is None and not profile.startswith("gs://"):
        path = Path(profile)
        if not path.is_file():
            path = find_style_file(Path(), profile)
        return read_style(path.read_bytes(), str(path)), str(path)
    if place is not None:
        bucket, prefix = bucket_and_prefix(place)
        name = f"{prefix}/{STYLES_FOLDER}" if prefix else STYLES_FOLDER
        name += f"/{profile}{STYLE_SUFFIX}"
    else:
        bucket, name = split_gs_uri(profile)
    if not is_style(name):
        raise UsageError(f"a profile's address is gs://bucket/{STYLES_FOLDER}/NAME{STYLE_SUFFIX}")
    stored = StoredImage(bucket=bucket, name=name)
    style, record = fetch_style(stored, open_storage(bucket), Deadline(CALL_S))
    return style, f"{stored.uri}, generation {record.generation}"


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(one.stem for one in value)
    dump = getattr(value, "model_dump", None)
    return str(dump(exclude_none=True)) if dump else str(value)


def _tell(when: str, words: str) -> None:
    said = words.strip() or "nothing: it has no words for that"
    print(f"\nwhen {when}, the model is told above its rules:\n{said}")
