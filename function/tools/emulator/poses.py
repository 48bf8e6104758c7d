"""What the emulated model does with the pose that the prompt asks for: it lays or hangs the product, or stands it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from function.generation.pose import Pose
from function.generation.prompt_templates import TEMPLATES
from function.tools.emulator.placement import Spot

POSE_MANNERS = frozenset({"pose_ignored"})  # it stands, whatever was asked
HUNG_AT = 0.12  # of the picture's height, from its upper edge: the top of what hangs where no place is asked for


def asked_pose(text: str) -> Pose:
    """The pose that the prompt `text` states; `stand` where it states none."""
    return next((pose for pose, words in TEMPLATES.poses.items() if words.stance in text), "stand")


def drawn_pose(text: str, manner: str | None) -> Pose:
    """The pose in which the model draws what `text` asks for."""
    return "stand" if manner in POSE_MANNERS else asked_pose(text)


def posed(product: np.ndarray, pose: Pose) -> np.ndarray:
    """`product` (uint8 RGBA, trimmed) as it is seen in this `pose`: what lies is on its longer side."""
    return np.ascontiguousarray(np.rot90(product)) if _is_laid_down(product, pose) else product


def posed_spot(spot: Spot, product: np.ndarray, pose: Pose, picture_height: int) -> Spot:
    """The spot that was found for `product`, as it stands, in this `pose`: as long as it is tall where it lies, high up
    where it hangs."""
    if _is_laid_down(product, pose):
        return replace(spot, height=spot.height * product.shape[1] / product.shape[0])
    return replace(spot, foot_y=HUNG_AT * picture_height + spot.height) if pose == "hang" else spot


def _is_laid_down(product: np.ndarray, pose: Pose) -> bool:
    return pose == "lie" and product.shape[0] > product.shape[1]


def throws_contact_shadow(pose: Pose) -> bool:
    """Whether it has ground below it."""
    return pose in ("stand", "lie")
