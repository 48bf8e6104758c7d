"""The words that are sent to the image model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from function.generation.pose import Pose, PoseWords
from function.generation.prompt_templates import TEMPLATES, PromptTemplates
from function.generation.spot_words import Spot, place_words, size_words, with_marked_scene
from function.generation.style_words import OF_NEW_SCENES, OF_PRODUCTS, StyleWords, style_text
from function.generation.view_words import with_views


@dataclass(frozen=True)
class Wording:
    """Which version of the words a prompt is made of, and the style that it tells of."""

    templates: PromptTemplates = TEMPLATES
    style: StyleWords | None = None


WORDING = Wording()


def composite_prompt(
    placement: str | None,
    pose: Pose,
    *,
    product_is_cut_out: bool,
    is_letterboxed: bool,
    views: int = 1,
    feedback: str | None = None,
    lessons: Sequence[str] = (),
    wording: Wording = WORDING,
    spot: Spot | None = None,
) -> str:
    """The prompt that goes with [1] the scene, [2] the product, [3] and on the rest of its `views`, and last the marked
    copy of the scene, where the `spot` is shown in one.

    `is_letterboxed`: the scene was padded with visible bars. `feedback`: a person's words on an earlier picture.
    `spot`: the exact place in [1], beside the words of `placement`.
    `lessons`: what the earlier attempt got wrong, each with the instruction that it missed, made stricter.
    """
    templates = wording.templates
    said = " ".join((feedback or "").split())
    words = templates.poses[pose]
    template = with_views(templates.composite, views)
    if spot is not None and spot.mark is not None:
        template = with_marked_scene(template, spot.mark.number)
    return template.format(
        product_background=templates.on_transparent if product_is_cut_out else templates.on_plain,
        style=style_text(wording.style, templates, without=OF_NEW_SCENES),
        placement=_placement(" ".join((placement or "").split()), words, pose, spot),
        stance=words.stance if spot is None else f"{words.stance} {size_words(spot)}".rstrip(),
        shadow=words.shadow,
        padding=templates.padding if is_letterboxed else "",
        feedback=templates.feedback.format(feedback=said) if said else "",
        lessons=lessons_text(lessons, templates),
    )


def sketch_prompt(
    pose: Pose,
    box: tuple[float, float, float, float],
    *,
    is_letterboxed: bool,
    lessons: Sequence[str] = (),
    wording: Wording = WORDING,
) -> str:
    """The prompt that goes with [1] a scene that the product was laid into, and [2] the product.

    box (x, y, width, height), in shares 0..1 of [1], of the product in it; the others as in `composite_prompt`.
    """
    templates = wording.templates
    left, top, width, height = (100 * share for share in box)
    return templates.sketch.format(
        style=style_text(wording.style, templates, without=OF_NEW_SCENES),
        left=f"{left:.1f}",
        right=f"{left + width:.1f}",
        top=f"{top:.1f}",
        bottom=f"{top + height:.1f}",
        shadow=templates.poses[pose].shadow,
        padding=templates.padding if is_letterboxed else "",
        lessons=lessons_text(lessons, templates),
    )


def lessons_text(lessons: Sequence[str], templates: PromptTemplates) -> str:
    """The part of a prompt that tells what the earlier attempt got wrong; "" where there was none."""
    return templates.lessons.format(lessons="\n".join(f"- {one}" for one in lessons)) if lessons else ""


def _placement(said: str, words: PoseWords, pose: Pose, spot: Spot | None) -> str:
    where = "" if spot is None else place_words(spot, pose)
    if not where:
        return said or words.where
    return f"{said.rstrip(' .')}. {where}" if said else where


def scene_prompt(prompt: str, wording: Wording = WORDING) -> str:
    """The prompt that generates an empty scene from a user's words."""
    style = style_text(wording.style, wording.templates, without=OF_PRODUCTS)
    return wording.templates.scene.format(prompt=" ".join(prompt.split()), style=style)
