"""One of several pictures that are made from one answer: a named target of the manifest's `outputs`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from function.imaging.formats import WriteFormat
from function.imaging.position import Position
from function.manifest.strict_model import WHOLE, StrictModel

MAX_TARGETS = 8
MAX_OUTPUT_SIDE_PX = 16384  # WebP ends at 16383, and larger PNGs are beyond what the memory is planned for
MAX_MARGIN = 0.4  # of the shorter side, at each end: a fifth is left for what is shown
TARGET_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"  # the last part of an object's name
_SOURCE = "source"  # of a preset: where its numbers come from, for people

PresetName = Literal["square-white", "portrait-4x5", "story-9x16", "banner-16x9"]
PRESETS: dict[PresetName, dict[str, Any]] = {
    name: {field: value for field, value in preset.items() if field != _SOURCE}
    for name, preset in json.loads((Path(__file__).parent / "output_presets.json").read_text("utf-8")).items()
}


class Output(StrictModel):
    """The result's format and size; what is absent follows the scene."""

    format: WriteFormat | None = None
    quality: Annotated[int, Field(ge=1, le=100), WHOLE] | None = Field(None, description="for jpeg, webp and avif")
    width: Annotated[int, Field(ge=1, le=MAX_OUTPUT_SIDE_PX), WHOLE] | None = None
    height: Annotated[int, Field(ge=1, le=MAX_OUTPUT_SIDE_PX), WHOLE] | None = None


class OutputTarget(Output):
    """A picture of its own size and shape. What is absent is the preset's, or else the scene's."""

    name: Annotated[str, StringConstraints(pattern=TARGET_NAME)] | None = Field(
        None, description="of the result, `pair/NAME.ext`; the preset's where it is absent"
    )
    preset: PresetName | None = None
    fit: Literal["cover", "contain"] | None = Field(
        None, description="cover (default): cut to the shape; contain: the whole picture on the background"
    )
    background: Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")] | None = Field(
        None, description="around a picture that is contained, #rrggbb in sRGB; white"
    )
    margin: Annotated[float, Field(ge=0, le=MAX_MARGIN, strict=False)] | None = Field(
        None, description="free around the product (cover, 0.05) or the picture (contain, 0): share of the shorter side"
    )
    position: Position | None = Field(
        None,
        description="where the product stands in a picture that is cut, as far as the scene reaches; center (default)",
    )

    @model_validator(mode="after")
    def _has_a_name(self) -> OutputTarget:
        if self.name is None and self.preset is None:
            raise ValueError("it needs a name, or a preset whose name it takes")
        return self

    @property
    def stem(self) -> str:
        """The result's name without its suffix."""
        return self.name or str(self.preset)

    def wanted(self, field: str) -> Any:
        """A field's value, of the preset where it is not given itself; None where neither has one."""
        own = getattr(self, field)
        return PRESETS[self.preset].get(field) if own is None and self.preset is not None else own


def _named_preset(value: object) -> object:
    """A preset's name stands for a target that has nothing of its own."""
    return {"preset": value} if isinstance(value, str) else value


def _check_names(targets: list[OutputTarget]) -> list[OutputTarget]:
    names = [target.stem.lower() for target in targets]  # files of both would be one on many computers
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"the name {twice!r} is given twice")
    return targets


_TargetOrPreset = Annotated[
    OutputTarget, BeforeValidator(_named_preset, json_schema_input_type=PresetName | OutputTarget)
]
OutputTargets = Annotated[
    list[_TargetOrPreset], Field(min_length=1, max_length=MAX_TARGETS), AfterValidator(_check_names)
]
