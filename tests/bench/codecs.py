"""What reading and writing pictures costs: `python -m tests.bench.codecs [PICTURE]`.

CPU seconds of the calling thread (the best of some runs), which other programs on the machine disturb least, with
bytes and PSNR. Ours are the rows without brackets; the others are what was decided against. By default the demo's
scene at 3840x2160, with a little grain so that it is no easier to pack than a photograph.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from function.imaging.compress import downscale
from function.imaging.decode import decode
from function.imaging.encode import encode

SCENE = Path(__file__).parent.parent / "data" / "demo" / "scene.jpg"
SIZE = 3840, 2160
GRAIN = 1.0  # standard deviation, levels of 255: a well exposed photograph at low sensitivity
RUNS = 3
MAX_PIXELS = 100_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path, help="read as it is, instead of the demo's scene")
    picture = load(parser.parse_args().picture)
    cv2.setNumThreads(1)
    print(f"{picture.shape[1]} x {picture.shape[0]}, {picture.nbytes:,} bytes of pixels\n")
    for title, rows in (
        ("write", writers(picture)),
        ("read", readers(picture)),
        ("shrink to 768", shrinkers(picture)),
    ):
        print(f"{title:<44}{'CPU s':>8}{'bytes':>14}{'PSNR dB':>10}")
        for name, work, measure in rows:
            seconds, result = timed(work)
            size, psnr = measure(result)
            print(f"{name:<44}{seconds:>8.3f}{size:>14,}{psnr:>10.1f}")
        print()


def load(path: Path | None) -> np.ndarray:
    """(H, W, 3) uint8: the picture at `path`, or the demo's scene at SIZE with GRAIN."""
    if path is not None:
        return decode(path.read_bytes(), "picture", max_pixels=MAX_PIXELS, flatten=True).array
    scene = decode(SCENE.read_bytes(), "scene", max_pixels=MAX_PIXELS).array
    large = cv2.resize(scene, SIZE, interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, GRAIN, large.shape)
    return np.clip(np.rint(large + grain), 0, 255).astype(np.uint8)


def timed(work: Callable) -> tuple[float, object]:
    """The best CPU time of RUNS runs, seconds, and what the work returned."""
    best = float("inf")
    for _ in range(RUNS):
        start = time.thread_time()
        result = work()
        best = min(best, time.thread_time() - start)
    return best, result


def writers(picture: np.ndarray) -> list[tuple[str, Callable, Callable]]:
    """Encoders of `picture`, each with what measures its bytes."""
    bgr = np.ascontiguousarray(picture[..., ::-1])

    def pillow(kind: str, **options) -> Callable:
        def work() -> bytes:
            buffer = io.BytesIO()
            Image.fromarray(picture).save(buffer, kind, **options)
            return buffer.getvalue()

        return work

    def opencv(*parameters: int) -> Callable:
        def work() -> bytes:
            return cv2.imencode(".png", bgr, parameters)[1].tobytes()

        return work

    def measure(content: bytes) -> tuple[int, float]:
        return len(content), psnr(decode(content, "result", max_pixels=MAX_PIXELS).array, picture)

    level, strategy = cv2.IMWRITE_PNG_COMPRESSION, cv2.IMWRITE_PNG_STRATEGY
    rows = [
        ("png", lambda: encode(picture, "png")),
        ("(png, OpenCV's default)", opencv()),
        ("(png, OpenCV, level 1, Huffman only)", opencv(level, 1, strategy, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY)),
        ("(png, OpenCV, level 3, filtered)", opencv(level, 3, strategy, cv2.IMWRITE_PNG_STRATEGY_FILTERED)),
        ("(png, Pillow, level 1)", pillow("PNG", compress_level=1)),
        ("(png, Pillow's default, level 6)", pillow("PNG")),
        ("jpeg", lambda: encode(picture, "jpeg")),
        ("(jpeg 92, colour halved)", pillow("JPEG", quality=92, subsampling=2)),
        ("(jpeg 92, Huffman tables fitted)", pillow("JPEG", quality=92, subsampling=0, optimize=True)),
        ("webp", lambda: encode(picture, "webp")),
        ("(webp 90, method 0)", pillow("WEBP", quality=90, method=0)),
        ("(webp 90, method 4)", pillow("WEBP", quality=90, method=4)),
        ("(webp, lossless, method 0)", pillow("WEBP", lossless=True, quality=0, method=0)),
    ]
    return [(name, work, measure) for name, work in rows]


def readers(picture: np.ndarray) -> list[tuple[str, Callable, Callable]]:
    """Decoders of the picture as written by `encode`, and by others."""
    files = {kind: encode(picture, kind) for kind in ("png", "jpeg", "webp")}
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    files["png of Pillow, adaptive filters"] = buffer.getvalue()

    def measure(array: np.ndarray) -> tuple[int, float]:
        return array.nbytes, psnr(array, picture)

    def ours(content: bytes) -> Callable:
        return lambda: decode(content, "scene", max_pixels=MAX_PIXELS).array

    def opencv(content: bytes) -> Callable:
        return lambda: cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)

    def pillow(content: bytes) -> Callable:
        return lambda: np.asarray(Image.open(io.BytesIO(content)))

    rows = []
    for name, content in files.items():
        rows += [(name, ours(content), measure), (f"({name}, OpenCV)", opencv(content), measure)]
        if name.startswith("png"):
            rows.append((f"({name}, Pillow)", pillow(content), measure))
    target = picture.shape[1] // 5, picture.shape[0] // 5
    quarter = cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)

    def small() -> np.ndarray:
        return decode(files["jpeg"], "scene", max_pixels=MAX_PIXELS, at_least=target).array

    return [*rows, ("jpeg, at least a fifth", small, lambda a: (a.nbytes, psnr(a, quarter)))]


def shrinkers(picture: np.ndarray) -> list[tuple[str, Callable, Callable]]:
    """Ways to shrink, compared with pure Lanczos."""
    size = 768, round(768 * picture.shape[0] / picture.shape[1])

    def lanczos() -> np.ndarray:
        return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))

    exact = lanczos()

    def measure(array: np.ndarray) -> tuple[int, float]:
        return array.nbytes, psnr(array, exact)

    return [
        ("shrink", lambda: downscale(picture, size), measure),
        ("(pure Lanczos)", lanczos, measure),
        ("(OpenCV, area)", lambda: cv2.resize(picture, size, interpolation=cv2.INTER_AREA), measure),
    ]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of two uint8 pictures of one size, dB; 99 where they are equal."""
    if a.shape != b.shape:
        return float("nan")
    error = float(np.mean((a.astype(np.float32) - b) ** 2))
    return 10 * float(np.log10(255**2 / error)) if error else 99.0


if __name__ == "__main__":
    main()
