"""Sizes and distortion for every ratio and for scenes of none: `python -m tests.bench.geometry`.

The real client asks the Gemini emulator; `off` is the plain upscale, whose distortion is measured by registering it
to the scene, `outside` the share of pixels away from the change that are the scene's own, bit for bit.
"""

from __future__ import annotations

import os

import cv2
import numpy as np

from function.deadline import Deadline
from function.generation.gemini.client import GeminiClient
from function.generation.models import model_table
from function.generation.paid_calls import Answered
from function.generation.provider import Request
from function.imaging.decode import decode
from function.manifest.parse import manifest_from
from function.pipeline.context import PairContext
from function.pipeline.fetch import Source
from function.pipeline.memory_budget import MemoryBudget
from function.pipeline.record import RunRecord
from function.pipeline.resources import PairResources
from function.pipeline.run import run_pair
from function.settings import DEFAULT_MODEL, Settings
from function.tools.emulator.server import GeminiEmulator
from tests.support import picture, png, product_array, scene_array

LONGEST_PX = 3840
ODD_SIZES = [(4000, 3000), (2160, 3840), (5000, 1200), (3001, 1999)]


class DirectCalls:
    """The model without claims or a store; notes the size of what came back."""

    def __init__(self, client: GeminiClient):
        self._client = client
        self.returned = (0, 0)

    def ask(self, request: Request, number: int, max_calls: int) -> Answered:
        """Always a new call."""
        answer = self._client.generate(request, Deadline(60))
        pixels = decode(answer.image, "answer", max_pixels=50_000_000).array
        self.returned = pixels.shape[1], pixels.shape[0]
        return Answered(answer, False, True, "")


def main() -> None:
    """Print the table."""
    native = model_table().find(DEFAULT_MODEL).native_sizes
    sizes = [scaled(size) for size in native.values()] + ODD_SIZES
    settings = Settings.from_environment({"OUTPUT_BUCKET": "unused", "GEMINI_API_KEY": "unused"})
    product = png(product_array(2000))
    print("| scene | ratio asked | sent | returned | result | outside | off: scale x, y | off: shift px |")
    print("| --- | --- | --- | --- | --- | ---: | ---: | ---: |")
    with GeminiEmulator() as emulator:
        os.environ["GOOGLE_GEMINI_BASE_URL"] = emulator.url
        client = GeminiClient(api_key="unused", vertexai=False, project=None, location="", api_version=None)
        for size in sizes:
            scene = scene_array(*size)
            row = {}
            for mode in ("full", "off"):
                calls, record = DirectCalls(client), RunRecord()
                manifest = manifest_from({"scene": "s", "product": "p", "restore": mode, "attempts": 1}, settings)
                sources = {"scene": Source("s", 1, png(scene)), "product": Source("p", 1, product)}
                deadline = Deadline(300)
                resources = PairResources(MemoryBudget.of_process(), deadline)
                composite = run_pair(PairContext(manifest, sources, calls, settings, deadline, record, resources))
                row[mode] = picture(composite.first.content)
            x, y, width, height = record.change.box
            outside = np.ones(scene.shape[:2], bool)
            outside[y : y + height, x : x + width] = False
            same = (row["full"] == scene).all(axis=2)[outside].mean()
            scale_x, scale_y, shift = distortion(scene, row["off"], outside)
            print(
                f"| {text(size)} | {record.model.aspect_ratio} | {text(record.compression.scene.to_size)} "
                f"| {text(calls.returned)} | {text(composite.first.size)} | {100 * same:.2f} % "
                f"| {scale_x:.4f}, {scale_y:.4f} | {shift:.1f} |",
                flush=True,
            )


def scaled(size: tuple[int, int]) -> tuple[int, int]:
    """A native size enlarged to a 4K scene's longest side."""
    return tuple(round(side * LONGEST_PX / max(size)) for side in size)


def text(size: tuple[int, int]) -> str:
    """Width x height."""
    return f"{size[0]}x{size[1]}"


def distortion(scene: np.ndarray, result: np.ndarray, outside: np.ndarray) -> tuple[float, float, float]:
    """Scale in x and y and shift in pixels of `result` against `scene`, by ECC at a quarter of their size."""
    small = (scene.shape[1] // 4, scene.shape[0] // 4)
    grey = [
        cv2.cvtColor(cv2.resize(image, small, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        for image in (scene, result)
    ]
    mask = cv2.resize(outside.astype(np.uint8), small, interpolation=cv2.INTER_NEAREST) * 255
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-6)
    _, matrix = cv2.findTransformECC(grey[0], grey[1], np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE, stop, mask, 5)
    centre = np.array([small[0] / 2, small[1] / 2, 1.0])
    shift = np.hypot(*(matrix @ centre - centre[:2])) * 4
    return float(matrix[0, 0]), float(matrix[1, 1]), float(shift)


if __name__ == "__main__":
    main()
