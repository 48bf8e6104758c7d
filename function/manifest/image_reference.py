"""How a manifest names an image."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

Reference = Annotated[
    str,
    StringConstraints(min_length=1),
    Field(description="gs://bucket/object, a data:image/…;base64,… URI, or a name relative to the manifest"),
]
