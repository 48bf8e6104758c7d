"""The scene: what is known of it, and its pixels at full resolution."""

from __future__ import annotations

from concurrent.futures import Future

import numpy as np

from function.imaging.decode import Pixels, decode
from function.pipeline.fetch import Source
from function.pipeline.resources import PairResources


class Scene:
    """The scene as decoded. Its full-resolution pixels are retained while the model is thinking as long as the process
    has room for them (eight waiting 64-megapixel pairs would hold 1.5 GB), and decoded a second time otherwise.
    """

    def __init__(self, source: Source, pixels: Pixels, max_pixels: int, resources: PairResources):
        self.info, self.icc, self.size = pixels.info, pixels.icc, pixels.info.size
        self._source: Source | None = source  # let go once the pixels are retained
        self._max_pixels = max_pixels
        self._resources = resources
        self._retained: Future[np.ndarray] | None = None
        height, width = pixels.array.shape[:2]
        if (width, height) == self.size and self._may_retain():
            self._retained, self._source = Future(), None
            self._retained.set_result(pixels.array)

    @property
    def is_retained(self) -> bool:
        """Whether `full` costs nothing."""
        return self._retained is not None

    def decode_in_background(self) -> None:
        """Begin to decode what was only decoded small, if it may be retained."""
        if self._retained is None and self.info.format == "jpeg" and self._may_retain():
            self._retained = self._resources.submit(self._decode_within_budget)

    def join(self) -> None:
        """Wait for what was begun. To be called before working memory is taken."""
        if self._retained is not None:
            self._resources.result(self._retained)

    def full(self) -> np.ndarray:
        """(H, W, 3) uint8 at full resolution, the caller's own to write into: asked for once. Raises
        UnreadableSourceError."""
        if self._retained is None:
            pixels = self._decode()
        else:
            pixels, self._retained = self._resources.result(self._retained), None
        pixels.flags.writeable = True  # no other reference to them is left
        return pixels

    def release(self) -> None:
        """Let the retained pixels go."""
        self._retained = None

    def _may_retain(self) -> bool:
        return self._resources.retain(3 * self.size[0] * self.size[1])

    def _decode_within_budget(self) -> np.ndarray:
        with self._resources.pixels(self.info.decode_bytes):
            pixels, self._source = self._decode(), None
        return pixels

    def _decode(self) -> np.ndarray:
        if self._source is None:
            raise RuntimeError("the scene's full-resolution pixels were asked for twice")
        return decode(self._source.content, "scene", max_pixels=self._max_pixels, flatten=True).array
