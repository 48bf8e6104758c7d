"""Finds changes apart from the product that were not asked for, and undoes them.

Models add, remove and alter things: a lamp, a rug, a doorway. Changes are grouped into connected components; the one
that holds the product stays. Another one is surely foreign when the photograph shows one connected product and next to
none of the change's pixels has a colour of the photograph (nearest neighbours in CIELAB, lightness down-weighted): then
the scene's own pixels come back. All others are kept whole, as generated, for a pair of shoes, earrings or a garment's
accessories are one product, and a person should look. Without a usable cut-out nothing is undone.

In: `Evidence`, content (h', w') bool, product coverage at half size, photograph (h, w, 4) uint8. Out: `Alterations`.
`tests/restoration/test_liberties.py` holds it against imitated liberties of models.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from function.imaging.array_ops import max_channel
from function.restoration.change_detection import Evidence

# Changes nearer to each other than this (half-size pixels) are joined: a shadow may begin a little away from its
# object.
JOIN_PX = 9
# Least area of an alteration (share of the image), and the share of it that has to be content: else it is only light.
MIN_AREA, MIN_CONTENT = 4e-4, 0.15
# The photograph shows one connected product when its largest part is this share of it, gaps up to this share of its
# side closed. One that covers this much of its image was not cut out, and shows more than the product.
MIN_CONNECTED, GAP_SHARE, MAX_COVERED = 0.95, 0.02, 0.97
# Distance in CIELAB up to which two colours are the same, and the weight of lightness: light changes it the most.
MAX_COLOUR_DISTANCE, LIGHTNESS_WEIGHT = 14.0, 0.35
# Foreign: less than this share of a change has a colour that the photograph has. Its own colours are seen where it
# differs from the scene by so much (log ratio, ten percent); fewer such pixels than this are not enough.
MAX_SHARED_COLOUR, OWN_LOG, MIN_OWN_PX = 0.1, 0.1, 40
# Pixels that are sampled of each.
PHOTOGRAPH_SAMPLE, CHANGE_SAMPLE = 1500, 400


@dataclass(frozen=True)
class Alteration:
    """A change apart from the product. box (x, y, width, height) and share are shares 0..1 of the image."""

    box: tuple[float, float, float, float]
    share: float


@dataclass(frozen=True)
class Alterations:
    """What was changed apart from the product.

    foreign  (h', w') bool, at half size, of the changes that are undone
    undone   those, one by one
    kept     the others, which are shown as drawn
    """

    foreign: np.ndarray
    undone: tuple[Alteration, ...]
    kept: tuple[Alteration, ...]


def find_alterations(
    evidence: Evidence, content: np.ndarray, product: np.ndarray, photograph: np.ndarray
) -> Alterations:
    """What of the change is apart from the product's.

    content (h', w') bool; product (h', w') float32 coverage 0..1; photograph (h, w, 4) uint8 RGBA. Without a product
    the largest change counts as its.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (JOIN_PX, JOIN_PX))
    changed = evidence.changed | content
    joined = cv2.dilate(changed.astype(np.uint8), disc)
    count, labels = cv2.connectedComponents(joined, connectivity=8)
    drawn = content | (product > 0.5)
    differs = max_channel(np.abs(evidence.ratios[0])) > OWN_LOG
    weights = np.bincount(labels[drawn], minlength=count)
    weights[0] = 0
    foreign = np.zeros(changed.shape, bool)
    undone, kept = [], []
    main = int(weights.argmax())
    others = [int(label) for label in np.flatnonzero(weights > 0) if label != main]
    colours = _colours_of_one_product(photograph) if others else None
    for label in others:
        region = (labels == label) & changed
        area = int(np.count_nonzero(region))
        if area < MIN_AREA * changed.size or weights[label] < MIN_CONTENT * area:
            continue
        alteration = _described(region & differs if (region & differs).any() else region)
        own = evidence.generated[region & drawn & differs]
        if colours is not None and len(own) >= MIN_OWN_PX and _shared_colour_fraction(own, colours) < MAX_SHARED_COLOUR:
            foreign |= labels == label
            undone.append(alteration)
        else:
            kept.append(alteration)
    return Alterations(foreign, tuple(undone), tuple(kept))


def _described(region: np.ndarray) -> Alteration:
    height, width = region.shape
    x, y, across, down = cv2.boundingRect(region.astype(np.uint8))
    box = (x / width, y / height, across / width, down / height)
    return Alteration(box, float(region.mean()))


def _colours_of_one_product(photograph: np.ndarray) -> np.ndarray | None:
    """(n, 3) float32: the photograph's colours; None when it is not one connected product, or not cut out."""
    inside = (photograph[..., 3] > 127).astype(np.uint8)
    area = int(np.count_nonzero(inside))
    if not 0 < area < MAX_COVERED * inside.size:
        return None
    side = 2 * round(GAP_SHARE * max(inside.shape)) + 1
    closed = cv2.morphologyEx(inside, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    _, labels = cv2.connectedComponents(closed, connectivity=8)
    if np.bincount(labels[inside > 0]).max() < MIN_CONNECTED * area:
        return None
    return _sampled(photograph[..., :3][inside > 0].astype(np.float32), PHOTOGRAPH_SAMPLE)


def _shared_colour_fraction(rgb: np.ndarray, colours: np.ndarray) -> float:
    """Share 0..1 of the pixels `rgb` (n, 3) float32 0..255 that have one of the `colours` of `_sampled`."""
    own = _sampled(np.clip(rgb, 0, 255), CHANGE_SAMPLE)
    distances = np.sqrt(((own[:, None] - colours[None]) ** 2).sum(axis=2))
    return float((distances.min(axis=1) < MAX_COLOUR_DISTANCE).mean())


def _sampled(rgb: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of the pixels `rgb` (n, 3) float32 0..255, evenly taken, in CIELAB with less of lightness."""
    some = rgb[:: max(1, len(rgb) // count)]
    lab = cv2.cvtColor((some / 255)[None], cv2.COLOR_RGB2LAB)[0]
    result: np.ndarray = lab * np.array([LIGHTNESS_WEIGHT, 1, 1], np.float32)
    return result
