"""Every check, in the order in which the sidecar lists them.

To add a check, write its module and list its `SPEC` here: its key, its instruction for the next attempt and its part
in verdict and score follow from that. No other file names it, apart from tests.
"""

from __future__ import annotations

from function.judging import (
    contact_shadow,
    exposure_sane,
    label_kept,
    no_halo,
    nothing_added,
    placed_as_asked,
    product_colour,
    product_identical,
    product_not_mirrored,
    product_once,
    product_present,
    product_upright,
    product_whole,
    scale_plausible,
    scene_kept,
)
from function.judging.check import CheckSpec

CHECKS: tuple[CheckSpec, ...] = (
    scene_kept.SPEC,
    nothing_added.SPEC,
    product_present.SPEC,
    product_once.SPEC,
    product_colour.SPEC,
    product_not_mirrored.SPEC,
    product_upright.SPEC,
    label_kept.SPEC,
    product_identical.SPEC,
    product_whole.SPEC,
    scale_plausible.SPEC,
    placed_as_asked.SPEC,
    contact_shadow.SPEC,
    no_halo.SPEC,
    exposure_sane.SPEC,
)
BY_NAME: dict[str, CheckSpec] = {spec.name: spec for spec in CHECKS}
