"""Where a product is to stand, in words and numbers that an image model reads.

Coordinates are those that Gemini is trained on: y before x, in thousandths of the picture
(https://ai.google.dev/gemini-api/docs/image-understanding#object-detection).
"""

from __future__ import annotations

from dataclasses import dataclass

from function.generation.facing import FACING_WORDS, Facing
from function.generation.pose import Pose

Point = tuple[float, float]

_BOX = (
    "The spot is exact: the product stands in the box [ymin, xmin, ymax, xmax] = {box} of [1], in thousandths of its "
    "height and width: {held} on the middle of the box's {edge} edge, and as large as the box allows."
)
_AREA = (
    "The spot is exact: the middle of {held} lies inside {which}, given by its corners as [y, x] in thousandths of the "
    "height and width of [1]: {areas}. Best is [y, x] = {best}."
)
_MARKED_BOX = (
    "The spot is exact: the product stands in the box that is outlined in {colour} in [{number}]: {held} on the middle "
    "of the box's {edge} edge, and as large as the box allows."
)
_MARKED_AREA = (
    "The spot is exact: the middle of {held} lies inside {which} outlined in {colour} in [{number}], best well inside."
)
_NO_LINE = "The outline is a note to you: the picture is made from [1], and no part of the outline is in it."
_MARKED_SCENE = "[{number}] is [1] once more, with an outline drawn on it."
_ONE_MORE = {"Two": "Three", "Three": "Four", "Four": "Five", "Five": "Six", "Six": "Seven", "Seven": "Eight"}
_HEIGHT = "It is exactly {height} thousandths of the height of [1] tall."


@dataclass(frozen=True)
class Mark:
    """The copy of [1] in which the place is outlined: its number in the prompt, and the colour of the line."""

    number: int
    colour: str


@dataclass(frozen=True)
class Spot:
    """What a prompt says of the product's place in [1]; shares 0..1 of that picture's width and height.

    box     x, y, width, height, that it fills
    areas   polygons of (x, y), in one of which the middle of its base lies
    best    (x, y) inside one of them
    height  of the product
    mark    where box and areas are shown instead of told
    """

    box: tuple[float, float, float, float] | None = None
    areas: tuple[tuple[Point, ...], ...] = ()
    best: Point | None = None
    height: float | None = None
    facing: Facing | None = None
    mark: Mark | None = None


def with_marked_scene(words: str, number: int) -> str:
    """The template `words`, which begins with the count of the images and ends its first paragraph with them, for one
    image more: `number`, the last."""
    images, gap, rest = words.partition("\n\n")
    count, said = images.split(" ", 1)
    return f"{_ONE_MORE[count]} {said} {_MARKED_SCENE.format(number=number)}{gap}{rest}"


def place_words(spot: Spot, pose: Pose) -> str:
    """Where; empty where that is left to others."""
    held, edge = ("its top", "upper") if pose == "hang" else ("its base", "lower")
    if spot.mark is not None:
        return f"{_marked(spot, spot.mark, held, edge)} {_NO_LINE}"
    if spot.box is not None:
        x, y, width, height = spot.box
        return _BOX.format(box=_numbers(y, x, y + height, x + width), held=held, edge=edge)
    if spot.best is not None:
        areas = "; ".join(", ".join(_numbers(y, x) for x, y in area) for area in spot.areas)
        return _AREA.format(
            held=held,
            which=_which(spot, "this area", "one of these areas"),
            areas=areas,
            best=_numbers(*reversed(spot.best)),
        )
    return ""


def size_words(spot: Spot) -> str:
    """How tall it is, and which way it faces; empty where that is left to others."""
    height = "" if spot.height is None else _HEIGHT.format(height=round(1000 * spot.height))
    return " ".join(filter(None, (height, FACING_WORDS[spot.facing] if spot.facing else "")))


def _marked(spot: Spot, mark: Mark, held: str, edge: str) -> str:
    if spot.box is not None:
        return _MARKED_BOX.format(colour=mark.colour, number=mark.number, held=held, edge=edge)
    which = _which(spot, "the area", "one of the areas")
    return _MARKED_AREA.format(colour=mark.colour, number=mark.number, held=held, which=which)


def _which(spot: Spot, one: str, several: str) -> str:
    return one if len(spot.areas) == 1 else several


def _numbers(*shares: float) -> str:
    return f"[{', '.join(str(round(1000 * share)) for share in shares)}]"
