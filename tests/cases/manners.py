"""The manners of answering that imitation.py draws.

`real` has the figures of fourteen real edits that kept their scene's shape, `real_worse` those of the four that were
clearly worse (tests/bench/imitations.py measures both), `reshaped` is an answer of another shape. The others came
before them: they move the scene farther than most real answers, and soften texture that real answers repaint.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Imitation:
    """One manner of answering. Lengths in answer pixels, shares 0..1."""

    layout: str = "stretched"  # stretched | padded | fitted | filling | reshaped: where the scene lies in the answer
    size: tuple[int, int] | None = None  # answer (width, height); None: the frame's native size
    zoom: float = 0.0  # share by which the scene is shown larger or smaller
    shift_px: float = 0.0
    turn_deg: float = 0.0
    warp_px: float = 0.0  # root mean square of a smooth local warp
    warp_width_px: float = 90.0
    seen_px: int = 768  # longest side of what the model saw: finer detail is made up
    kept_detail: float = 0.35  # share of the finer detail that is true
    wobble_px: float = 0.4  # of the product's print, at two widths
    blur_px: float = 0.5  # of the product
    likeness: float = 1.0  # of the scene's texture to the truth's; below 1 it is repainted, as strong as it was
    sharpen: float = 0.3
    level: float = 1.0  # colour: the gain of all channels
    gain: float = 0.025  # per-channel gain, contrast and saturation
    gamma: float = 0.03
    cast: float = 0.015  # root mean square of a smooth brightness field
    noise: float = 0.0  # 8-bit levels
    jpeg: int = 90  # quality; 0: lossless


TYPICAL = Imitation(zoom=0.005, shift_px=1.5, turn_deg=0.06, warp_px=1.0)
MILD = Imitation(
    zoom=0.0015,
    shift_px=0.5,
    turn_deg=0.02,
    warp_px=0.4,
    kept_detail=0.7,
    wobble_px=0.15,
    blur_px=0.3,
    sharpen=0.1,
    gain=0.01,
    gamma=0.01,
    cast=0.006,
    jpeg=95,
)
REAL = Imitation(
    zoom=0.0005,
    shift_px=0.2,
    turn_deg=0.01,
    warp_px=0.15,
    kept_detail=0.4,
    wobble_px=0.4,
    blur_px=0.2,
    likeness=0.5,
    sharpen=0.12,
    level=0.99,
    gain=0.014,
    gamma=0.014,
    cast=0.008,
    jpeg=0,
)
MANNERS = {
    "real": REAL,
    "real_worse": replace(REAL, zoom=0.014, shift_px=6.0, turn_deg=0.05, warp_px=0.5, likeness=0.3),
    "mild": MILD,
    "typical": TYPICAL,
    "severe": Imitation(
        zoom=0.015,
        shift_px=5,
        turn_deg=0.2,
        warp_px=2.5,
        kept_detail=0,
        wobble_px=1.0,
        blur_px=1.0,
        gain=0.06,
        gamma=0.08,
        cast=0.04,
        jpeg=80,
    ),
    "padded": replace(TYPICAL, layout="padded"),
    "square": replace(TYPICAL, layout="fitted", size=(1024, 1024)),
    "reshaped": replace(REAL, layout="reshaped", size=(1024, 1024)),
    "filling": replace(TYPICAL, layout="filling", size=(1024, 1024)),
    "zoomed": replace(TYPICAL, zoom=0.07),
    "sharpened": replace(TYPICAL, sharpen=1.2),
    "narrow_warp": replace(TYPICAL, warp_width_px=30.0),
    "recoloured": replace(TYPICAL, gain=0.10, gamma=0.12, cast=0.03),
    "2k": replace(TYPICAL, size=(2688, 1536), jpeg=92),
    "jpeg75": replace(TYPICAL, jpeg=75),
    "noisy": replace(TYPICAL, noise=5.0),
    "exact": Imitation(kept_detail=1.0, wobble_px=0, blur_px=0, sharpen=0, gain=0, gamma=0, cast=0, jpeg=0),
}
