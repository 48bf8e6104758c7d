"""Where in a picture a product stands. A module of its own, so that a schema that names it loads no pixel library."""

from __future__ import annotations

from typing import Literal

Position = Literal["left", "right", "top", "bottom", "center"]
