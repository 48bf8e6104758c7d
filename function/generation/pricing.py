"""Tokens times prices: the USD of a usage by a model's list price, and estimates for uncompressed images.

`billing.py` applies it to an answered call; `models.json` has the prices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from function.generation.models import BillingRule, ImageModel, TextModel, model_table
from function.generation.prompt_templates import TEMPLATES
from function.imaging.frame import Size
from function.sidecar.attempts import Attempt, Cost

# Gemini API documentation, "Understand images", token calculation (read 2026-11-22).
SMALL_SIDE_PX = 384
TILE_TOKENS = 258
TILE_PX = 768
MIN_CROP_UNIT_PX = 256
CROP_DIVISOR = 1.5
CHARS_PER_TOKEN = 4  # Gemini API documentation, "Understand and count tokens"
MAX_TOKENS_PER_SEEN_IMAGE = 1120  # Gemini 3 media resolution documentation, read 2026-11-22; the 2.5 models: 258
MAX_OPINION_THOUGHTS = 2000  # an allowance of our own: no figures are published
MAX_TALK_TOKENS = 500  # words beside a picture: a sentence or two is what the models say
SKETCH_IMAGES = 2  # the scene with the leading photograph laid into it, and that photograph
# The prompt without lessons; a placement is a few words more.
TYPICAL_TEXT_TOKENS = len(TEMPLATES.composite) // CHARS_PER_TOKEN


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


def listed_usage(model: ImageModel, images: int, image_size: str | None = None) -> Usage:
    """What a call that sends so many images and shows one is expected to be billed, for a service that does not say."""
    tokens_out = model.output_image_tokens[image_size or "1K"]
    tokens_in = images * model.input_image_tokens
    return Usage(
        prompt_tokens=tokens_in,
        prompt_image_tokens=tokens_in,
        output_tokens=tokens_out,
        output_image_tokens=tokens_out,
    )


def typical_usd(model: ImageModel, image_size: str | None = None, images: int = 2) -> float:
    """What a picture is expected to cost before it is asked for: prompt and so many images in, one out, as listed."""
    usage = listed_usage(model, min(images, model.max_input_images), image_size)
    return usd(model, usage.model_copy(update={"prompt_tokens": usage.prompt_tokens + TYPICAL_TEXT_TOKENS}))


def max_picture_usd(model: ImageModel, images: int, prompt: str, image_size: str | None) -> float:
    """What a call may cost at the most, before it is made: as listed, a token for every character of the prompt, and
    all the thinking and talking that the table allows for."""
    usage = listed_usage(model, images, image_size)
    talk = model.thinking_allowance_tokens + MAX_TALK_TOKENS
    return usd(
        model,
        usage.model_copy(
            update={"prompt_tokens": usage.prompt_tokens + len(prompt), "thought_tokens": talk},
        ),
    )


def usd(model: ImageModel, usage: Usage) -> float:
    """Price of one call in USD."""
    prices = model.usd_per_million
    text_out = max(0, usage.output_tokens - usage.output_image_tokens) + usage.thought_tokens
    million = (
        usage.prompt_tokens * prices.input
        + usage.output_image_tokens * prices.output_image
        + text_out * prices.output_text
    )
    return round(million / 1e6, 6)


def max_text_usd(model: TextModel, images: int, prompt: str) -> float:
    """What an opinion on pictures may cost at the most, before it is asked for."""
    usage = Usage(
        prompt_tokens=images * MAX_TOKENS_PER_SEEN_IMAGE + len(prompt),
        output_tokens=MAX_TALK_TOKENS,
        thought_tokens=MAX_OPINION_THOUGHTS,
    )
    return text_usd(model, usage)


def text_usd(model: TextModel, usage: Usage) -> float:
    """Price of one call of a text model in USD."""
    out = usage.output_tokens + usage.thought_tokens
    return round((usage.prompt_tokens * model.input + out * model.output_text) / 1e6, 6)


def total_usd(attempts: Sequence[Attempt]) -> float:
    """What the attempts and the second opinions on them cost together."""
    opinions = [attempt.second_opinion for attempt in attempts if attempt.second_opinion]
    prices = [attempt.usd for attempt in attempts] + [opinion.usd for opinion in opinions]
    return round(sum(price or 0.0 for price in prices), 6)


def cost_of(
    attempts: Sequence[Attempt],
    model: ImageModel | None,
    billed: Usage,
    sent_sizes: Sequence[Size],
    full_sizes: Sequence[Size],
) -> Cost:
    """What a manifest was billed, beside the estimate for its uncompressed images.

    `billed` are the tokens of the attempts that it paid for; `sent_sizes` and `full_sizes` those of the scene and of
    the photographs that are sent with it.
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
    sketched = bool(composites) and composites[-1].method == "sketch"
    rule = rule_in_force(model, sent_sizes[:SKETCH_IMAGES] if sketched else sent_sizes, billed_images)
    estimates = _estimates(model, answered, full_sizes)
    estimated = estimates.get(rule, 0)
    saved = 100 * (1 - billed.prompt_tokens / estimated) if estimated else 0.0
    return Cost(
        usd=total_usd(attempts),
        prompt_tokens=billed.prompt_tokens,
        output_tokens=billed.output_tokens,
        estimated_prompt_tokens_uncompressed=estimated,
        prompt_tokens_saved_percent=round(saved, 1),
        price_source=_price_source(attempts),
        billing_rule=rule,
        estimates_by_rule=estimates,
    )


def _price_source(attempts: Sequence[Attempt]) -> str:
    table = model_table()
    unlisted = {attempt.answered_by for attempt in attempts if attempt.answered_by and attempt.priced_as is not None}
    if not unlisted:
        return table.price_source
    names = ", ".join(sorted(unlisted))
    dearest = table.most_expensive().id
    return f"{table.price_source}; no price is known for {names}: priced as {dearest}, the most expensive one listed"


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
        sent = full_sizes[:SKETCH_IMAGES] if attempt.method == "sketch" else full_sizes
        sizes = sent if attempt.purpose == "composite" else []
        for name, tokens in uncompressed_estimates(model, sizes, usage).items():
            estimates[name] = estimates.get(name, 0) + tokens
    return estimates
