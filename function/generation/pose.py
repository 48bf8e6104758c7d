"""How a product is carried by its scene, as a manifest's `pose` says, and what the image model is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Pose = Literal["stand", "lie", "hang", "wear", "hold"]


@dataclass(frozen=True)
class PoseWords:
    """Parts of the prompt for one pose.

    where     the placement where the manifest names none
    stance    how the product is shown, one sentence
    shadow    what its shadow looks like, and what carries it
    asked     what was asked for, after "the product was asked to"
    """

    where: str
    stance: str
    shadow: str
    asked: str
