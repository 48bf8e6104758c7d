"""Whether the scene is still the one that was given, in its place and at its size."""

from __future__ import annotations

from function.judging.check import Check, CheckSpec, at_least, at_most, unmeasured
from function.judging.inspection import Inspection
from function.judging.limit import least, most
from function.registration.register import Registration

# Share of the scene's textured area that must stand where it stood.
MIN_FOUND = 0.7
# Greatest zoom, as a share of the scene's size, that is still drift.
MAX_ZOOM = 0.05
# An answer of another shape than the scene is cropped and extended, and shows the scene at another size: that is no
# fault, since the scene's own pixels stand where it shows none. One direction may be stretched by so much against the
# other: real answers reached .08.
MAX_STRETCH = 0.1
# Root mean square of the local warp, as a share of the scene's longer side: real answers that hold the scene reached
# .0018. Where it is more the camera stands elsewhere or looks through another lens, and the product fits no more.
MAX_BENT = 0.0022


def scene_kept(inspection: Inspection) -> Check:
    """The scene's pattern is found again, and at its size."""
    registration = inspection.scene.registration
    drift, found = registration.drift, float(registration.found_share)
    if not drift.registered:
        return Check(
            round(found, 4), MIN_FOUND, False, "share", "This is not the scene that was given, or not all of it."
        )
    if inspection.scene.drawn_anew:
        bad = "The scene was drawn anew: it has nowhere the colours that it had, under no light."
        return unmeasured("share", bad, passed=False)
    bent = drift.residual_px / max(registration.mapping.shape[:2])
    if bent > MAX_BENT:
        return at_most(
            bent, MAX_BENT, "share of the scene's size", good="", bad="The scene is bent: it was drawn anew."
        )
    if registration.reshaped:
        return _reshaped(registration)
    zoom = max(abs(float(scale) - 1) for scale in (drift.scale_x, drift.scale_y))
    if zoom > MAX_ZOOM:
        return at_most(
            zoom, MAX_ZOOM, "share of the scene's size", good="", bad="The scene was cropped, zoomed or stretched."
        )
    if registration.plain:
        return unmeasured("share", "The scene has no texture to compare; its colours are where they were.", passed=True)
    return _found(found, "The scene is the one that was given, at its place.")


SPEC = CheckSpec(
    name="scene_kept",
    lesson="The scene was altered. Reproduce [1] exactly: same camera, crop, zoom, objects and colours.",
    needs_product=False,
    measure=scene_kept,
    limits=(
        least("scene found again", MIN_FOUND, "share"),
        most("zoom", MAX_ZOOM, "share of the scene's size"),
        most("bend", MAX_BENT, "share of the scene's size"),
        most("stretch", MAX_STRETCH, "share"),
    ),
)


def _reshaped(registration: Registration) -> Check:
    """For an answer of another shape: judged on the part of the scene that it shows."""
    drift = registration.drift
    stretch = abs(float(drift.scale_x) / float(drift.scale_y) - 1)
    if stretch > MAX_STRETCH:
        return at_most(stretch, MAX_STRETCH, "share", good="", bad="The scene was stretched into another shape.")
    shown = round(100 * float(registration.inside.mean()))
    return _found(
        float(registration.found_share),
        f"The picture came back in another shape and shows {shown} % of the scene, which is kept there; "
        "the rest is the scene as it was given.",
    )


def _found(found: float, good: str) -> Check:
    bad = "Parts of the scene were changed: its walls, surfaces or objects are not where they were."
    return at_least(found, MIN_FOUND, "share", good=good, bad=bad)
