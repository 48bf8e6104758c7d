"""The size of a picture: the largest at the price of the smallest, unless a larger one is allowed."""

from __future__ import annotations

import pytest

from function.generation.image_size import choose_image_size
from function.generation.models import model_table

PRO, NANO = "gemini-3-pro-image", "gemini-nano-banana-2.1"


@pytest.mark.parametrize(
    ("model_id", "enlargement", "limit", "chosen"),
    [
        (PRO, 3.0, None, "2K"),  # at the price of 1K
        (PRO, 0.9, None, "1K"),
        (PRO, 3.0, "1K", "1K"),
        (PRO, 3.0, "4K", "4K"),
        (NANO, 3.0, None, "1K"),
        (NANO, 1.5, "4K", "2K"),
        (NANO, 9.0, "4K", "4K"),
        ("gemini-2.5-flash-image", 3.0, "4K", None),
        ("gemini-3.1-flash-lite-image", 3.0, "4K", None),
    ],
)
def test_the_size_that_pays(model_id, enlargement, limit, chosen):
    assert choose_image_size(model_table().find(model_id), enlargement, limit) == chosen
