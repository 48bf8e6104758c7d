"""How near a result is to the truth, region by region."""

from __future__ import annotations

import difflib
import re
import shutil
import subprocess

import cv2
import numpy as np

from tests.cases.cases import Case

LOSSLESS_PSNR = 99.0
# Print is read at this longest side, and is ink where it is so much darker than the window around it (8-bit levels).
READ_PX, THRESHOLD_WINDOW_PX, INK_LEVELS = 1800, 91, 6


def regions(case: Case) -> dict[str, np.ndarray]:
    """(H, W) bool: outside (untouched), shadow (change but product and its rim), product, whole."""
    product = case.product_mask > 127
    change = case.change_mask > 0
    near = cv2.dilate((case.product_mask > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return {
        "outside": ~change & ~near,
        "shadow": change & ~near,
        "product": product,
        "whole": np.ones_like(product),
    }


def ssim_map(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(H, W) float32 structural similarity of grey pictures (Wang et al. 2004, Gaussian of 1.5 px)."""
    a, b = a.astype(np.float32), b.astype(np.float32)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean = lambda values: cv2.GaussianBlur(values, (11, 11), 1.5)  # noqa: E731
    mean_a, mean_b = mean(a), mean(b)
    variance = mean(a * a) - mean_a**2 + mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    return ((2 * mean_a * mean_b + c1) * (2 * covariance + c2)) / ((mean_a**2 + mean_b**2 + c1) * (variance + c2))


def score(case: Case, result: np.ndarray) -> dict[str, dict[str, float]]:
    """Region -> psnr (dB), ssim, delta_e (CIE76), sharpness (share of the truth's own Laplacian energy)."""
    grey_truth, grey = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (case.truth, result))
    squared = cv2.absdiff(case.truth, result).astype(np.float32) ** 2
    squared = squared.mean(axis=2)
    similar = ssim_map(grey_truth, grey)
    lab_truth, lab = (cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for p in (case.truth, result))
    delta = np.sqrt(((lab - lab_truth) ** 2).sum(axis=2))
    fine_truth, fine = (_detail(p) for p in (grey_truth, grey))
    scores = {}
    for name, mask in regions(case).items():
        if not mask.any():
            continue
        error = float(squared[mask].mean())
        scores[name] = {
            "psnr": LOSSLESS_PSNR if error < 1e-7 else min(LOSSLESS_PSNR, 10 * np.log10(255**2 / error)),
            "ssim": float(similar[mask].mean()),
            "delta_e": float(delta[mask].mean()),
            "sharpness": float(fine[mask].mean() / max(1e-6, fine_truth[mask].mean())),
        }
    return scores


def aligned_product_ssim(case: Case, result: np.ndarray) -> float:
    """SSIM of the product after the best affine fit to the truth: judges its texture and not its place.

    A letter that is sharp and one pixel off loses to a blurred one in any score of pixels.
    """
    x, y, width, height = cv2.boundingRect((case.product_mask > 127).astype(np.uint8))
    box = np.s_[max(0, y - 12) : y + height + 12, max(0, x - 12) : x + width + 12]
    truth, seen = (cv2.cvtColor(picture[box], cv2.COLOR_RGB2GRAY) for picture in (case.truth, result))
    mask = cv2.erode((case.product_mask[box] > 127).astype(np.uint8), np.ones((5, 5), np.uint8))
    fit = np.eye(2, 3, dtype=np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-5)
    try:
        _, fit = cv2.findTransformECC(truth, seen, fit, cv2.MOTION_AFFINE, criteria, mask * 255, 5)
    except cv2.error:  # too unlike to be fitted: judged where it stands
        fit = np.eye(2, 3, dtype=np.float32)
    seen = cv2.warpAffine(
        seen,
        fit,
        (truth.shape[1], truth.shape[0]),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return float(ssim_map(truth, seen)[mask > 0].mean())


def _detail(grey: np.ndarray) -> np.ndarray:
    return np.abs(cv2.Laplacian(cv2.GaussianBlur(grey, (3, 3), 0), cv2.CV_32F))


def can_read() -> bool:
    """Whether the `tesseract` program is there to judge legibility."""
    return shutil.which("tesseract") is not None


def label_words(case: Case) -> list[str]:
    """What is printed on the product, as read from its own sharp photograph."""
    rgb, alpha = case.product[..., :3], case.product[..., 3:].astype(np.float32) / 255
    return sorted(set(_read((rgb * alpha + 128 * (1 - alpha)).astype(np.uint8))))


def character_error(case: Case, result: np.ndarray, words: list[str]) -> float:
    """Mean share 0..1 of each label word's letters that cannot be read in `result`."""
    x, y, width, height = cv2.boundingRect((case.product_mask > 127).astype(np.uint8))
    seen = _read(result[y : y + height, x : x + width])
    return float(np.mean([min((_distance(word, other) for other in seen), default=1.0) for word in words]))


def _distance(word: str, other: str) -> float:
    matcher = difflib.SequenceMatcher(None, word, other)
    same = sum(block.size for block in matcher.get_matching_blocks())
    return (max(len(word), len(other)) - same) / max(len(word), len(other))


def _read(picture: np.ndarray) -> list[str]:
    """Words of three letters and more, read dark on light and light on dark.

    Under a local threshold: tesseract's own is one for the whole picture. Of a pale label on a dark jar it read half
    of the words in one picture and all in another that a person cannot tell from it.
    """
    scale = max(1.0, READ_PX / max(picture.shape[:2]))
    grey = cv2.cvtColor(
        cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2GRAY
    )
    words: list[str] = []
    for shade in (grey, 255 - grey):
        ink = cv2.adaptiveThreshold(
            shade, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, THRESHOLD_WINDOW_PX, INK_LEVELS
        )
        png = cv2.imencode(".png", ink)[1].tobytes()
        run = subprocess.run(["tesseract", "-", "-", "--psm", "11"], input=png, capture_output=True, check=True)
        words += re.findall(r"[a-z0-9]{3,}", run.stdout.decode("utf-8", "replace").lower())
    return words
