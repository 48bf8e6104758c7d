"""The words that are sent with several photographs of one product."""

from __future__ import annotations

# How the words begin that go with one photograph.
ONE = "Two input images. [1] is the scene. [2] is the product{product_background}."
SEVERAL = """\
{images} input images. [1] is the scene. [2] is the product{{product_background}}. {others}.

It is one product, photographed {times} times: show it once. Show it from the side from which [2] does, unless the \
placement asks for another, and take from {names} what [2] does not show of its shape, material and lettering."""
ANOTHER = "{names} shows the very same product from another side or nearer by, and its background is not part of it"
OTHERS = "{names} show the very same product from other sides or nearer by, and their backgrounds are not part of it"
NUMBERS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven")
TIMES = ("no", "one", "two", "three", "four", "five", "six")


def with_views(words: str, views: int) -> str:
    """The template `words`, which begins with `ONE`, for so many photographs of the product (1 to 6): [2] and on."""
    if views == 1:
        return words
    names = [f"[{number}]" for number in range(3, views + 2)]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    others = (ANOTHER if len(names) == 1 else OTHERS).format(names=listed)
    said = SEVERAL.format(images=NUMBERS[views + 1], others=others, times=TIMES[views], names=listed)
    if not words.startswith(ONE):
        raise ValueError("these words do not begin with those for one photograph")
    return said + words.removeprefix(ONE)
