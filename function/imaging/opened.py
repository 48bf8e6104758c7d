"""What the readers of the formats hand on: a picture whose header was read and whose pixels were not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from function.imaging.frame import Size

CheckSize = Callable[[Size], None]  # raises SourceTooLargeError; asked before anything of that size is allocated


class NotReadError(Exception):
    """A sound picture of a kind that is not read; the message says what it is and what to do."""


@dataclass(frozen=True)
class Opened:
    """A picture, not yet decoded.

    image        Pillow's, whose `load` decodes
    exif         the block as it is stored; None without one, and where the reader turns the picture upright itself
    colours      what a profile has to be for, as Pillow's mode: RGB, L, CMYK; None where the decoded mode says it
    icc          a profile that is told by other means than an embedded one
    animated     whether there are more frames than the one that is read
    lossless     whether the file keeps every pixel as it was
    extra_bytes  what decoding takes besides the format's bytes a pixel
    notes        what was repaired or ignored, for people
    finish       gives the decoded picture, where `image.load` does not
    """

    image: Image.Image
    exif: bytes | None = None
    colours: str | None = None
    icc: bytes | None = None
    animated: bool = False
    lossless: bool = False
    extra_bytes: int = 0
    notes: tuple[str, ...] = ()
    finish: Callable[[], Image.Image] | None = None

    def load(self) -> Image.Image:
        """The picture with its pixels."""
        if self.finish is not None:
            return self.finish()
        self.image.load()
        return self.image
