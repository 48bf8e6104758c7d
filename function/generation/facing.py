"""Which way a product is to face, as a manifest's `placement.facing` says, and what the image model is told of it."""

from __future__ import annotations

from typing import Literal

Facing = Literal["front", "left", "right", "away"]

FACING_WORDS: dict[Facing, str] = {
    "front": "Its front faces the camera.",
    "left": "Its front faces the left side of the picture.",
    "right": "Its front faces the right side of the picture.",
    "away": "Its back is turned to the camera.",
}
