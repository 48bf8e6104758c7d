"""`python -m function prompt show MANIFEST`: what the model would be sent for a pair, without sending it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from function.deadline import Deadline
from function.errors import CompositeError
from function.generation.model_chain import ModelChain
from function.generation.models import model_table
from function.generation.paid_calls import PaidCalls
from function.generation.prompt import WORDING, Wording
from function.generation.prompt_templates import PROMPT_VERSION
from function.generation.provider import Request
from function.imaging.data_uri import decode_data_uri, is_data_uri
from function.manifest.model import Manifest, ScenePrompt
from function.manifest.parse import parse_manifest
from function.pipeline.attempts import first_request
from function.pipeline.context import PairContext
from function.pipeline.decode import decode_sources
from function.pipeline.fetch import Source
from function.pipeline.memory_budget import MemoryBudget
from function.pipeline.prepare import prepare_inputs
from function.pipeline.record import RunRecord
from function.pipeline.requests import scene_request
from function.pipeline.resources import PairResources
from function.pipeline.style import read_style
from function.settings import InvalidSettingsError, Settings
from function.tools.cli.style import find_style_file
from function.tools.cli.terminal import fail, limits_here
from function.tools.explain import UsageError

HELP = """\
Prints the request to the image model for the first picture of a pair: model, ratio, size, seed, images and words.
Nothing is sent and nothing is spent. The manifest, its images and its style (_styles/NAME.json beside it, or in a
folder above) are files of this machine; settings are those of the environment.

\b
  python -m function prompt show pair.json
"""


@click.command(help=HELP)
@click.argument("what", type=click.Choice(["show"]), expose_value=False)
@click.argument("path", type=click.Path(path_type=Path), metavar="MANIFEST")
def prompt(path: Path) -> int:
    """Print it. 0: printed; 2: it cannot be done."""
    try:
        settings = limits_here()
        manifest = parse_manifest(path.read_bytes(), settings)
        _show(_request(manifest, path.parent, settings))
    except (UsageError, InvalidSettingsError, CompositeError, ValueError, OSError) as error:
        return fail(error)
    if isinstance(manifest.scene, ScenePrompt):
        print("\n(The scene comes first; what asks for the product depends on the scene that was made.)")
    return 0


def _request(manifest: Manifest, folder: Path, settings: Settings) -> Request:
    """The first request of the pair. Raises UsageError, CompositeError, OSError."""
    model = model_table().find(manifest.model or settings.gemini_model)
    manifest, wording = _styled(manifest, folder)
    if isinstance(manifest.scene, ScenePrompt):
        return scene_request(manifest, manifest.scene.prompt, model, settings, wording)
    sources = {name: _source(reference, folder) for name, reference in manifest.references.items()}
    deadline = Deadline(settings.event_deadline_s)
    with PairResources(MemoryBudget.of_process(), deadline) as resources:
        models = ModelChain(settings.model_chain, None)
        no_calls = cast("PaidCalls", None)  # nothing is asked
        pair = PairContext(
            manifest, sources, no_calls, settings, deadline, RunRecord(), resources, models, wording=wording
        )
        pair.model = model
        decode_sources(pair)
        prepare_inputs(pair)
        return first_request(pair)


def _styled(manifest: Manifest, folder: Path) -> tuple[Manifest, Wording]:
    """With the style's defaults, and its words; the profile lies in `_styles` beside the manifest, or above."""
    if manifest.style is None:
        return manifest, WORDING
    if manifest.style.startswith("gs://"):
        raise UsageError(f"{manifest.style} is not on this machine: put it into _styles/, and name it without folders")
    path = find_style_file(folder, manifest.style)
    style = read_style(path.read_bytes(), str(path))
    return style.fill(manifest), Wording(style=style.words)


def _source(reference: str, folder: Path) -> Source:
    if is_data_uri(reference):
        return Source("data:", None, decode_data_uri(reference))
    if reference.startswith("gs://"):
        raise UsageError(f"{reference} is not on this machine: put the image beside the manifest, and name it there")
    return Source(reference, None, (folder / reference.lstrip("/")).read_bytes())


def _show(request: Request) -> None:
    print(f"model: {request.model}")
    print(f"prompt version: {PROMPT_VERSION}")
    size = request.image_size or "the model's only size"
    print(f"asked for: {request.aspect_ratio}, {size}, seed {request.seed}")
    for number, (content, mime_type) in enumerate(request.images, start=1):
        print(f"[{number}]: {mime_type}, {len(content):,} bytes")
    print(f"\n{request.prompt}")
