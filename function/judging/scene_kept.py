"""Checks that the model left the scene's geometry unchanged.

The registration decides: the share of textured area that was found, zoom, stretch and the root mean square of the local
warp. A generated image of another aspect ratio is judged on the part of the scene that it shows.
"""

from __future__ import annotations

from function.judging.check import Check, CheckSpec, at_least, at_most, not_measured
from function.judging.inspection import Inspection
from function.judging.limit import max_limit, min_limit
from function.registration.register import Registration

# Least share of the scene's textured area that is found at its place.
MIN_FOUND = 0.7
# Largest zoom that is still drift, as a share of the scene's size.
MAX_ZOOM = 0.05
# Largest anisotropic stretch of an image of another aspect ratio: real ones reached .08. Its crop and zoom are no
# fault, since the scene's own pixels are shown where it has none.
MAX_STRETCH = 0.1
# Root mean square of the local warp, as a share of the scene's longer side: real images that hold the scene reached
# .0018. Above, the camera was moved or has another lens, and the product does not fit.
MAX_WARP_RMS = 0.0022


def scene_kept(inspection: Inspection) -> Check:
    """The scene's texture is found at its place and size."""
    registration = inspection.scene.registration
    drift, found = registration.drift, float(registration.found_share)
    if not drift.registered:
        return Check(
            round(found, 4), MIN_FOUND, False, "share", "This is not the scene that was given, or not all of it."
        )
    if inspection.scene.redrawn:
        bad = "The scene was redrawn: no change of light explains its colours."
        return not_measured("share", bad, passed=False)
    warp_rms = drift.residual_px / max(registration.mapping.shape[:2])
    if warp_rms > MAX_WARP_RMS:
        return at_most(
            warp_rms, MAX_WARP_RMS, "share of the scene's size", good="", bad="The scene is bent: it was redrawn."
        )
    if registration.reshaped:
        return _reshaped(registration)
    zoom = max(abs(float(scale) - 1) for scale in (drift.scale_x, drift.scale_y))
    if zoom > MAX_ZOOM:
        return at_most(
            zoom, MAX_ZOOM, "share of the scene's size", good="", bad="The scene was cropped, zoomed or stretched."
        )
    if registration.plain:
        return not_measured(
            "share", "The scene has no texture to compare; its colours are where they were.", passed=True
        )
    return _found(found, "The scene is the one that was given, at its place.")


SPEC = CheckSpec(
    name="scene_kept",
    lesson="The scene was altered. Reproduce [1] exactly: same camera, crop, zoom, objects and colours.",
    needs_product=False,
    measure=scene_kept,
    limits=(
        min_limit("scene found again", MIN_FOUND, "share"),
        max_limit("zoom", MAX_ZOOM, "share of the scene's size"),
        max_limit("bend", MAX_WARP_RMS, "share of the scene's size"),
        max_limit("stretch", MAX_STRETCH, "share"),
    ),
)


def _reshaped(registration: Registration) -> Check:
    """For a generated image of another shape: judged on the part of the scene that it shows."""
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
