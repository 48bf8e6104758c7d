"""Whether the scene is still the one that was given, in its place and at its size."""

from __future__ import annotations

from function.judging.check import Check, CheckSpec, at_least, at_most, unmeasured
from function.judging.inspection import Inspection

# Share of the scene's textured area that must stand where it stood.
LEAST_FOUND = 0.7
# Greatest zoom, as a share of the scene's size, that is still drift.
MOST_ZOOM = 0.05


def scene_kept(inspection: Inspection) -> Check:
    """The scene's pattern is found again, and at its size."""
    registration = inspection.scene.registration
    drift, found = registration.drift, float(registration.found_share)
    if not drift.registered:
        return Check(
            round(found, 4), LEAST_FOUND, False, "share", "This is not the scene that was given, or not all of it."
        )
    zoom = max(abs(float(scale) - 1) for scale in (drift.scale_x, drift.scale_y))
    if zoom > MOST_ZOOM:
        return at_most(
            zoom, MOST_ZOOM, "share of the scene's size", good="", bad="The scene was cropped, zoomed or stretched."
        )
    if registration.plain:
        return unmeasured("share", "The scene has no texture to compare; its colours are where they were.", passed=True)
    return at_least(
        found,
        LEAST_FOUND,
        "share",
        good="The scene is the one that was given, at its place.",
        bad="Parts of the scene were changed: its walls, surfaces or objects are not where they were.",
    )


SPEC = CheckSpec(
    name="scene_kept",
    lesson="The scene was altered. Reproduce [1] exactly: same camera, crop, zoom, objects and colours.",
    needs_product=False,
    measure=scene_kept,
)
