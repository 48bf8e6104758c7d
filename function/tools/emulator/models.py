"""The models the emulator answers for: the image models of the project's own table, and a few text models."""

from __future__ import annotations

from dataclasses import dataclass, field

from function.generation.models import model_table

TEXT_MODELS = ("gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-pro", "gemini-3-flash")
TEXT_TOKENS_PER_IMAGE = 258  # one tile, documented for the text models
MAX_TEXT_MODEL_IMAGES = 3000  # documented for the text models
MAX_INLINE_BYTES = 7_000_000  # one inline image, documented for Vertex AI
SIZE_FACTORS = {"512": 0.5, "1K": 1.0, "2K": 2.0, "4K": 4.0}  # image_size against the native size


@dataclass(frozen=True)
class ModelCard:
    """What the emulator knows of one model. One without native sizes answers text only."""

    id: str
    tokens_per_image: int = TEXT_TOKENS_PER_IMAGE
    max_images: int = MAX_TEXT_MODEL_IMAGES
    max_inline_bytes: int = MAX_INLINE_BYTES
    native_sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    image_sizes: tuple[str, ...] = ()  # what image_size may be; empty where the field is refused
    output_tokens: dict[str, int] = field(default_factory=dict)
    mime_type: str = "image/png"
    locations: tuple[str, ...] | None = None  # of Vertex AI that serve it; None: all
    thinking_levels: tuple[str, ...] = ()  # that may be asked for; empty where the field is refused

    @property
    def draws(self) -> bool:
        """Whether the model answers with pictures."""
        return bool(self.native_sizes)


def load_models() -> dict[str, ModelCard]:
    """Every model by its id."""
    cards = {name: ModelCard(name) for name in TEXT_MODELS}
    for name, model in model_table().models.items():
        cards[name] = ModelCard(
            id=name,
            tokens_per_image=model.input_image_tokens,
            max_images=model.max_input_images,
            max_inline_bytes=model.max_inline_bytes,
            native_sizes=model.native_sizes,
            image_sizes=tuple(model.output_image_tokens) if model.takes_image_size else (),
            output_tokens=model.output_image_tokens,
            mime_type=model.answer_mime_type,
            locations=model.locations,
            thinking_levels=model.thinking_levels,
        )
    return cards
