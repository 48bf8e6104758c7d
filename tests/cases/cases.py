"""Cases with ground truth: a scene, a product photograph, and the scene with the product really in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SHIPPED = Path(__file__).parent.parent / "data" / "cases"


@dataclass(frozen=True)
class Case:
    """Full-resolution pictures: scene and truth (H, W, 3), product (h, w, 4), masks (H, W) uint8 0..255."""

    name: str
    scene: np.ndarray
    truth: np.ndarray
    product: np.ndarray
    product_mask: np.ndarray
    change_mask: np.ndarray


def case_folders(root: Path = SHIPPED) -> list[Path]:
    """Folders under `root` that hold a case."""
    return sorted(path.parent for path in root.glob("*/case.json"))


def load_case(folder: Path) -> Case:
    """A case folder: scene, product, truth_mask, change_mask, case.json, and `truth` or `truth_change`.

    `truth` is the whole picture. `truth_change` is only the part of it inside `change_box` of case.json, used
    where `change_mask` is set; everything else equals the scene exactly.
    """
    scene = _read(folder, "scene", "RGB")
    product_mask, change_mask = _read(folder, "truth_mask", "L"), _read(folder, "change_mask", "L")
    if list(folder.glob("truth.*")):
        truth = _read(folder, "truth", "RGB")
    else:
        x, y, width, height = json.loads((folder / "case.json").read_text())["change_box"]
        inner = np.s_[y : y + height, x : x + width]
        truth = scene.copy()
        truth[inner] = np.where(change_mask[inner][..., None] > 0, _read(folder, "truth_change", "RGB"), scene[inner])
    return Case(folder.name, scene, truth, _read(folder, "product", "RGBA"), product_mask, change_mask)


def small_case(case: Case, width: int) -> Case:
    """`case` shrunk to `width` pixels, for tests that need no resolution."""
    size = width, round(width * case.scene.shape[0] / case.scene.shape[1])
    pictures = (case.scene, case.truth, case.product_mask, case.change_mask)
    scene, truth, mask, change = (cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in pictures)
    return Case(case.name, scene, truth, case.product, mask, change)


def _read(folder: Path, stem: str, mode: str) -> np.ndarray:
    (path,) = folder.glob(f"{stem}.*")
    with Image.open(path) as image:
        return np.asarray(image.convert(mode))
