"""The words that are sent to the image model."""

from __future__ import annotations

from collections.abc import Sequence

from function.generation.pose import POSE_WORDS, Pose
from function.generation.view_words import with_views

# Rises with every change of the words below: a sidecar says by it which words its pictures were asked for with. Stored
# answers need no version, for they are found by all the words.
PROMPT_VERSION = "2"

# Feathering and strict preservation together are what stops clipped edges: keep both.
COMPOSITE = """\
Two input images. [1] is the scene. [2] is the product{product_background}.

Place the product from [2] into the scene [1] and return one photorealistic picture.

Placement: {placement}
Scale: size the product believably against the objects around it. {stance}
Light: match the scene's colour temperature, the direction of its highlights and the softness of its shadows.
Shadow: {shadow}
Edges: feather the product's edges into the scene by a pixel or two, so that no halo, bright fringe or hard cut-out \
is left and no part of the outline is clipped.
Preserve the product strictly: every detail of its label and lettering, material, proportions and colours stays \
exactly as in [2]. Do not redraw, translate, mirror, restyle or recolour it.
Preserve the scene strictly: same camera, crop, framing, objects and background as in [1]. Change nothing but the \
product, its shadow and its reflection.{padding}{feedback}{lessons}"""

SKETCH = """\
Two input images. [1] is a scene into which the product of [2] has been laid as a flat cut-out: at its place, at its \
size, and with every detail that it has. It lies between {left} and {right} percent of the width and between {top} and \
{bottom} percent of the height of [1]. It throws no shadow yet, and the scene's light does not fall on it yet. [2] is \
the product alone.

Return [1] as one photorealistic picture in which the product belongs to its scene. Add only this:

Light: let the scene's light fall on the product: its colour temperature, the direction of its highlights and the \
softness of its shadows, as a smooth shading over the product as it is.
Shadow: {shadow}
Reflection: where the surface is glossy, the product's reflection in it.
Edges: blend the product's edges into the scene by a pixel, so that no halo, bright fringe or hard cut-out is left.
Keep the product strictly as it is in [1]: same place, size, outline and view, and every letter and mark as it is \
there. Do not move, turn, scale, reshape, redraw, translate, mirror, restyle or recolour it.
Preserve the scene strictly: same camera, crop, framing, objects and background as in [1].{padding}{lessons}"""

ON_TRANSPARENT = " on a transparent background"
ON_PLAIN = " on its own background, which is not part of it"
PADDING = """
The flat grey bars at the border of [1] are a frame, not part of the scene: leave them exactly as they are and place \
nothing on them."""

FEEDBACK = """

A person looked at an earlier picture and asks for this to be put right: {feedback}"""

SCENE = """\
Generate one photorealistic, empty product-photography scene, ready for a product to be placed into it later.

Scene: {prompt}

Name to yourself and then show clearly: the material of the surface (its grain, gloss and colour), the position of the \
main light, and the direction in which shadows fall. Keep a generous free area on the surface near the centre, at \
eye level or slightly above. No product, no text, no logo, no people, no watermark."""

# The one thing that an earlier attempt may have got wrong that no check of a picture sees.
NO_IMAGE = "The last answer held no picture. Answer with one image."


def composite_prompt(
    placement: str | None,
    pose: Pose,
    *,
    product_is_cut_out: bool,
    has_bars: bool,
    views: int = 1,
    feedback: str | None = None,
    lessons: Sequence[str] = (),
) -> str:
    """The prompt that goes with [1] the scene, [2] the product, and [3] and on the rest of its `views`.

    `has_bars`: the scene was padded with visible bars. `feedback`: a person's words on an earlier picture.
    `lessons`: what the earlier attempt got wrong, each with the instruction that it missed, made stricter.
    """
    said = " ".join((feedback or "").split())
    words = POSE_WORDS[pose]
    return with_views(COMPOSITE, views).format(
        product_background=ON_TRANSPARENT if product_is_cut_out else ON_PLAIN,
        placement=" ".join((placement or "").split()) or words.where,
        stance=words.stance,
        shadow=words.shadow,
        padding=PADDING if has_bars else "",
        feedback=FEEDBACK.format(feedback=said) if said else "",
        lessons=told(lessons),
    )


def sketch_prompt(
    pose: Pose, box: tuple[float, float, float, float], *, has_bars: bool, lessons: Sequence[str] = ()
) -> str:
    """The prompt that goes with [1] a scene that the product was laid into, and [2] the product.

    box (x, y, width, height), in shares 0..1 of [1], of the product in it; the others as in `composite_prompt`.
    """
    left, top, width, height = (100 * share for share in box)
    return SKETCH.format(
        left=f"{left:.1f}",
        right=f"{left + width:.1f}",
        top=f"{top:.1f}",
        bottom=f"{top + height:.1f}",
        shadow=POSE_WORDS[pose].shadow,
        padding=PADDING if has_bars else "",
        lessons=told(lessons),
    )


def told(lessons: Sequence[str]) -> str:
    if not lessons:
        return ""
    return "\n\nAn earlier attempt was rejected. Strictly correct this:\n" + "\n".join(f"- {one}" for one in lessons)


def scene_prompt(prompt: str) -> str:
    """The prompt that generates an empty scene from a user's words."""
    return SCENE.format(prompt=" ".join(prompt.split()))
