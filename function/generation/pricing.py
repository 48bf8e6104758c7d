"""What a call was billed, and what the uncompressed images would have been billed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from function.generation.models import BillingRule, ImageModel, TextPrices
from function.imaging.frame import Size

# Gemini API documentation, "Understand images", token calculation (read 2026-11-22).
SMALL_SIDE_PX = 384
TILE_TOKENS = 258
TILE_PX = 768
MIN_CROP_UNIT_PX = 256
CROP_DIVISOR = 1.5


class Usage(BaseModel):
    """Billed tokens of one call by kind, as the service reported them."""

    model_config = ConfigDict(frozen=True)

    prompt_tokens: int = 0
    prompt_image_tokens: int = 0
    output_tokens: int = 0
    output_image_tokens: int = 0
    thought_tokens: int = 0


def image_tokens(size: Size, rule: BillingRule, flat_tokens: int) -> int:
    """Input tokens of one image of `size` under a billing rule."""
    if rule == "flat":
        return flat_tokens
    width, height = size
    if width <= SMALL_SIDE_PX and height <= SMALL_SIDE_PX:
        return TILE_TOKENS
    unit = TILE_PX
    if rule == "crop_unit":
        unit = min(TILE_PX, max(MIN_CROP_UNIT_PX, math.floor(min(size) / CROP_DIVISOR)))
    return TILE_TOKENS * math.ceil(width / unit) * math.ceil(height / unit)


def rule_in_force(model: ImageModel, sent: Sequence[Size], billed_image_tokens: int) -> BillingRule:
    """The model's first rule that explains what was billed for the images sent; else the model's first rule.

    The services have billed differently from their documentation, so the bill decides, not the document.
    """
    for rule in model.billing_rules:
        if sum(image_tokens(size, rule, model.input_image_tokens) for size in sent) == billed_image_tokens:
            return rule
    return model.billing_rules[0]


def uncompressed_estimates(model: ImageModel, full: Sequence[Size], usage: Usage) -> dict[BillingRule, int]:
    """Prompt tokens (text as billed, images at full size) under each of the model's rules."""
    text = usage.prompt_tokens - usage.prompt_image_tokens
    return {
        rule: text + sum(image_tokens(size, rule, model.input_image_tokens) for size in full)
        for rule in model.billing_rules
    }


def listed_usage(model: ImageModel, images: int) -> Usage:
    """What a call that sends so many images and shows one is expected to be billed, for a service that does not say."""
    tokens_out = model.output_image_tokens[model.image_size or "1K"]
    tokens_in = images * model.input_image_tokens
    return Usage(
        prompt_tokens=tokens_in,
        prompt_image_tokens=tokens_in,
        output_tokens=tokens_out,
        output_image_tokens=tokens_out,
    )


def usd(model: ImageModel, usage: Usage) -> float | None:
    """Price of one call in USD, or None when the table has no price for the model."""
    prices = model.usd_per_million
    if prices is None:
        return None
    text_out = max(0, usage.output_tokens - usage.output_image_tokens) + usage.thought_tokens
    million = (
        usage.prompt_tokens * prices.input
        + usage.output_image_tokens * prices.output_image
        + text_out * prices.output_text
    )
    return round(million / 1e6, 6)


def text_usd(prices: TextPrices | None, usage: Usage) -> float | None:
    """Price of one call of a text model in USD, or None when the table has no price for it."""
    if prices is None:
        return None
    out = usage.output_tokens + usage.thought_tokens
    return round((usage.prompt_tokens * prices.input + out * prices.output_text) / 1e6, 6)
