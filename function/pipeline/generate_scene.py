"""A scene that the manifest asks for in words → its picture, generated and paid for like any other."""

from __future__ import annotations

from function.manifest.model import ScenePrompt
from function.pipeline.ask import ask, no_picture
from function.pipeline.context import PairContext
from function.pipeline.fetch import Source
from function.pipeline.requests import scene_request
from function.pipeline.source_limits import inspect_source


def generate_scene(pair: PairContext) -> None:
    """Add the scene to the pair's sources. Raises ModelRefusedError, ModelNoImageError when there is no picture of
    it."""
    scene = pair.manifest.scene
    if not isinstance(scene, ScenePrompt) or pair.decoded is not None or "scene" in pair.sources:
        return
    for field, source in pair.sources.items():  # before the scene is paid for
        inspect_source(source.content, field, pair.settings)
    request = scene_request(pair.manifest, scene.prompt, pair.model, pair.settings, pair.wording)
    answered = ask(pair, request, 0)
    if answered.answer.outcome != "image":
        raise no_picture(answered)
    pair.sources["scene"] = Source(answered.uri, None, answered.answer.image)
