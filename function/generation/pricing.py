"""What a call was billed, and what the uncompressed images would have been billed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from function.generation.models import BillingRule, ImageModel, TextPrices, model_table
from function.generation.prompt import COMPOSITE
from function.imaging.frame import Size
from function.sidecar import Attempt, Cost

# Gemini API documentation, "Understand images", token calculation (read 2026-11-22).
SMALL_SIDE_PX = 384
TILE_TOKENS = 258
TILE_PX = 768
MIN_CROP_UNIT_PX = 256
CROP_DIVISOR = 1.5
CHARS_PER_TOKEN = 4  # Gemini API documentation, "Understand and count tokens"
TYPICAL_TEXT_TOKENS = len(COMPOSITE) // CHARS_PER_TOKEN  # the prompt without lessons; a placement is a few words more


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


def typical_usd(model: ImageModel) -> float | None:
    """What a picture is expected to cost before it is asked for: the prompt and two images in, one out, as listed.

    None when the table has no price for the model.
    """
    usage = listed_usage(model, images=2)
    return usd(model, usage.model_copy(update={"prompt_tokens": usage.prompt_tokens + TYPICAL_TEXT_TOKENS}))


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


def total_usd(attempts: Sequence[Attempt]) -> float | None:
    """What the attempts and the second opinions on them cost together, or None when a price is unknown."""
    opinions = [attempt.second_opinion for attempt in attempts if attempt.second_opinion]
    prices = [attempt.usd for attempt in attempts] + [opinion.usd for opinion in opinions]
    known = [price for price in prices if price is not None]
    return round(sum(known), 6) if len(known) == len(prices) else None


def cost_of(
    attempts: Sequence[Attempt],
    model: ImageModel | None,
    billed: Usage,
    sent_sizes: Sequence[Size],
    full_sizes: Sequence[Size],
) -> Cost:
    """What a manifest was billed, beside the estimate for its uncompressed images.

    `billed` are the tokens of the attempts that it paid for; `sent_sizes` and `full_sizes` those of scene and product.
    """
    answered = [attempt for attempt in attempts if attempt.outcome != "interrupted"]
    if model is None or not answered:
        return Cost(
            usd=0.0,
            prompt_tokens=0,
            output_tokens=0,
            estimated_prompt_tokens_uncompressed=0,
            prompt_tokens_saved_percent=0.0,
            price_source=model_table().price_source,
        )
    composites = [attempt for attempt in answered if attempt.purpose == "composite"]
    billed_images = composites[-1].usage.prompt_image_tokens if composites else 0
    rule = rule_in_force(model, sent_sizes, billed_images)
    estimates = _estimates(model, answered, full_sizes)
    estimated = estimates.get(rule, 0)
    saved = 100 * (1 - billed.prompt_tokens / estimated) if estimated else 0.0
    return Cost(
        usd=total_usd(attempts),
        prompt_tokens=billed.prompt_tokens,
        output_tokens=billed.output_tokens,
        estimated_prompt_tokens_uncompressed=estimated,
        prompt_tokens_saved_percent=round(saved, 1),
        price_source=model_table().price_source if model.usd_per_million else f"no price is known for {model.id}",
        billing_rule=rule,
        estimates_by_rule=estimates,
    )


def _estimates(model: ImageModel, answered: Sequence[Attempt], full_sizes: Sequence[Size]) -> dict[str, int]:
    """Prompt tokens of the attempts at full size, by billing rule."""
    estimates: dict[str, int] = {}
    for attempt in answered:
        if attempt.outcome == "reused" and not attempt.usd:
            continue  # what was not billed would not have been billed at full size either
        usage = Usage(
            prompt_tokens=attempt.usage.prompt_tokens,
            prompt_image_tokens=attempt.usage.prompt_image_tokens,
        )
        sizes = full_sizes if attempt.purpose == "composite" else []
        for name, tokens in uncompressed_estimates(model, sizes, usage).items():
            estimates[name] = estimates.get(name, 0) + tokens
    return estimates
