"""What the program needs from a provider of image models. `gemini/` is the one implementation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from function.deadline import Deadline
from function.errors import ModelRejectedError
from function.generation.pricing import Usage

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True)
class Request:
    """What is asked of the model. `images` are (bytes, MIME type) in the order the prompt numbers them.

    `asks_for_png`: where the service lets the format be chosen.
    """

    model: str
    prompt: str
    images: tuple[tuple[bytes, str], ...]
    aspect_ratio: str
    image_size: str | None
    seed: int
    thinking_level: str | None = None
    asks_for_png: bool = False


@dataclass(frozen=True)
class Answer:
    """What came back: an image, or the reason why there is none; words alone where those were asked for."""

    outcome: Literal["image", "refused", "no_image", "text"]
    finish_reason: str
    words: str
    image: bytes
    mime_type: str
    usage: Usage
    model_version: str | None
    latency_ms: int
    final: bool = False  # a refusal that another attempt cannot change
    price_tier: Literal["standard", "batch"] = "standard"


class ModelNotFoundError(ModelRejectedError):
    """The model is retired, or this project has no access to it: another one may answer."""


class ImageProvider(Protocol):
    """A service that makes images. Thread-safe.

    Both calls retry inside the deadline while the service is only busy. They raise ModelNotFoundError;
    ModelRejectedError and ModelRefusedError for other requests that will never be taken; ModelUnavailableError when it
    could not be reached; ModelUnansweredError when the call may have been billed and no answer arrived;
    DeadlineExceededError when there was no time to begin.
    """

    def generate(self, request: Request, deadline: Deadline) -> Answer:
        """An image for `request`, or the reason why there is none."""

    def ask_for_json(self, request: Request, schema: type[BaseModel], deadline: Deadline) -> Answer:
        """A text model's answer about images: outcome "text", its JSON in `words`."""
