"""The words of one version of the prompts, as data: `prompts/VERSION.json`.

A text is a string, or a list of its lines. What stands in braces is filled in by `prompt.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from function.generation.pose import Pose, PoseWords

# Rises with every change of the words: a sidecar says by it which words its pictures were asked for with. Stored
# answers need no version, for they are found by all the words.
PROMPT_VERSION = "3"
FOLDER = Path(__file__).parent / "prompts"


@dataclass(frozen=True)
class PromptTemplates:
    """Templates of the three prompts, and the parts that are put into them.

    composite       places the product of [2] into the scene [1]. Feathering and strict preservation together are what
                    stops clipped edges: a version keeps both
    sketch          lights a product that was laid into the scene
    scene           an empty scene from a user's words
    style, wishes   a house's own words, field by field: above the rules, which are said to win
    no_image        the one thing that an earlier attempt may have got wrong that no check of a picture sees
    """

    version: str
    composite: str
    sketch: str
    scene: str
    on_transparent: str
    on_plain: str
    padding: str
    style: str
    wishes: dict[str, str]
    feedback: str
    lessons: str
    no_image: str
    poses: dict[Pose, PoseWords]


def read_templates(path: Path) -> PromptTemplates:
    """The version in a file, which is called after it. Raises OSError, ValueError, KeyError, TypeError."""
    parts = json.loads(path.read_text(encoding="utf-8"))
    poses = {pose: PoseWords(**words) for pose, words in parts.pop("poses").items()}
    wishes = parts.pop("wishes")
    texts = {name: _text(part) for name, part in parts.items()}
    return PromptTemplates(version=path.stem, poses=poses, wishes=wishes, **texts)


def _text(part: Any) -> str:
    return part if isinstance(part, str) else "\n".join(part)


TEMPLATES = read_templates(FOLDER / f"{PROMPT_VERSION}.json")
