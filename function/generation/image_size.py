"""How large a picture is asked for: as large as pays, and no larger than the result needs."""

from __future__ import annotations

from typing import Literal

from function.generation.models import ImageModel

ImageSize = Literal["1K", "2K", "4K"]
SIZE_FACTORS: dict[ImageSize, int] = {"1K": 1, "2K": 2, "4K": 4}  # of the native sides, which are those of 1K


def choose_image_size(model: ImageModel, enlargement: float, max_image_size: ImageSize | None) -> ImageSize | None:
    """The `image_size` to ask `model` for; None where the model takes none.

    `enlargement` is how many times larger the result is than the scene in a 1K answer. Without `max_image_size` only
    sizes at the price of 1K are chosen; with it every size up to that one, whatever it costs.
    """
    if not model.takes_image_size:
        return None
    allowed = [
        size for size in SIZE_FACTORS if size in model.output_image_tokens and _pays(model, size, max_image_size)
    ]
    enough = [size for size in allowed if SIZE_FACTORS[size] >= enlargement]
    return enough[0] if enough else allowed[-1]


def _pays(model: ImageModel, size: ImageSize, max_image_size: ImageSize | None) -> bool:
    if max_image_size is not None:
        return SIZE_FACTORS[size] <= SIZE_FACTORS[max_image_size]
    return model.output_image_tokens[size] <= model.output_image_tokens["1K"]
