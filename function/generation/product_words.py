"""The words that are sent with several products, each with its photographs and its placement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from function.generation.pose import Pose
from function.generation.prompt import WORDING, Wording, lessons_text
from function.generation.prompt_templates import PromptTemplates
from function.generation.spot_words import Spot, place_words, size_words
from function.generation.style_words import OF_NEW_SCENES, style_text

SEVERAL_PRODUCTS = """\
{images} input images. [1] is the scene. {photographs}

Place these {count} products into the scene [1], each of them exactly once, and return one photorealistic picture. No \
product covers another.

{style}{placements}
Scale: size every product believably against the objects around it and against the other products. Of each: {stance}
Light: match the scene's colour temperature, the direction of its highlights and the softness of its shadows.
Shadow: for each product, {shadow}
Edges: feather every product's edges into the scene by a pixel or two, so that no halo, bright fringe or hard cut-out \
is left and no part of an outline is clipped.
Preserve every product strictly: each detail of its label and lettering, material, proportions and colours stays \
exactly as in its own photograph. Do not redraw, translate, mirror, restyle or recolour it, and mix nothing of one \
product into another.
Preserve the scene strictly: same camera, crop, framing, objects and background as in [1]. Change nothing but the \
products, their shadows and their reflections.{padding}{feedback}{lessons}"""

PHOTOGRAPH = '[{number}] is the product "{name}"{background}.'
FURTHER = '{numbers} the same "{name}" from other sides or nearer by.'
PLACEMENT = 'Placement of "{name}": {placement}'
TOGETHER = "Placement of all together: {placement}"
BESIDE = "beside the other products, on the most fitting surface of the scene, clear of them"
NUMBERS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven")
COUNTS = ("no", "one", "two", "three", "four")


@dataclass(frozen=True)
class ShownProduct:
    """One of the products. `images` are the numbers of its photographs that are sent, [2] and on; the leading one
    first. `placement` is in words."""

    name: str
    placement: str | None
    is_cut_out: bool
    images: tuple[int, ...]


def products_prompt(
    products: Sequence[ShownProduct],
    pose: Pose,
    *,
    is_letterboxed: bool,
    spots: Sequence[Spot | None] = (),
    placement: str | None = None,
    feedback: str | None = None,
    lessons: Sequence[str] = (),
    wording: Wording = WORDING,
) -> str:
    """The prompt that goes with [1] the scene and the products' photographs; `placement` is of all of them
    together, and `spots` are the exact places of each, or none at all; the rest as in `composite_prompt`."""
    together = " ".join((placement or "").split())
    templates, said = wording.templates, " ".join((feedback or "").split())
    words = templates.poses[pose]
    images = 1 + sum(len(product.images) for product in products)
    return SEVERAL_PRODUCTS.format(
        images=NUMBERS[images],
        photographs=" ".join(_photographs(product, templates) for product in products),
        count=COUNTS[len(products)],
        style=style_text(wording.style, templates, without=OF_NEW_SCENES),
        placements="\n".join(
            [TOGETHER.format(placement=together)] * bool(together)
            + [
                PLACEMENT.format(name=product.name, placement=_placement(product, pose, spot))
                for product, spot in zip_longest(products, spots)
            ]
        ),
        stance=words.stance,
        shadow=words.shadow,
        padding=templates.padding if is_letterboxed else "",
        feedback=templates.feedback.format(feedback=said) if said else "",
        lessons=lessons_text(lessons, templates),
    )


def _placement(product: ShownProduct, pose: Pose, spot: Spot | None) -> str:
    said = " ".join((product.placement or "").split())
    if spot is None:
        return said or BESIDE
    where, size = place_words(spot, pose), size_words(spot)
    said = (said or ("" if where else BESIDE)).rstrip(" .")
    return " ".join(filter(None, (said and f"{said}.", where, size)))


def _photographs(product: ShownProduct, templates: PromptTemplates) -> str:
    leading, *others = product.images
    background = templates.on_transparent if product.is_cut_out else templates.on_plain
    said = PHOTOGRAPH.format(number=leading, name=product.name, background=background)
    if not others:
        return said
    names = [f"[{number}]" for number in others]
    numbers = f"{names[0]} shows" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} show"
    return f"{said} {FURTHER.format(numbers=numbers, name=product.name)}"
