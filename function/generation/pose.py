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


_ON_SURFACE = (
    "render a soft contact shadow shaped to the product's footprint, darkest where it touches the surface, and a "
    "cast shadow that follows the scene's light. The product touches the surface; it does not float."
)
_ONCE = "inside the frame, and appears exactly once."

POSE_WORDS: dict[Pose, PoseWords] = {
    "stand": PoseWords(
        where="stand it on the most fitting surface of the scene, where a product photographer would put it.",
        stance=f"It stands upright, whole and {_ONCE}",
        shadow=_ON_SURFACE,
        asked="stand",
    ),
    "lie": PoseWords(
        where="lay it on the most fitting surface of the scene, where a product photographer would lay it.",
        stance=f"It lies on the surface, whole and {_ONCE}",
        shadow=_ON_SURFACE,
        asked="lie",
    ),
    "hang": PoseWords(
        where="hang it where the scene lets such a product hang: from a hook, a rail, a ceiling or on a wall.",
        stance=f"It hangs freely as its weight draws it, whole and {_ONCE}",
        shadow="render a soft contact shadow where the product is fastened or touches what is behind it, and a cast "
        "shadow on what is behind it that follows the scene's light. Something in the scene holds the product; it "
        "does not float.",
        asked="hang",
    ),
    "wear": PoseWords(
        where="put it on the person, animal or figure in the scene, where such a product is worn.",
        stance=f"It is worn: it follows the body, and body, hair and clothes hide what they are in front of. It is "
        f"{_ONCE}",
        shadow="render soft contact shadows where the product lies on body and clothes, and a cast shadow that follows "
        "the scene's light.",
        asked="be worn",
    ),
    "hold": PoseWords(
        where="put it into a hand of the person in the scene, as such a product is held.",
        stance=f"It is held: fingers close round it, and hide what they are in front of. It is {_ONCE}",
        shadow="render soft contact shadows between the product and the hand, and a cast shadow that follows the "
        "scene's light.",
        asked="be held",
    ),
}
