"""Applies the price to one answered call: that of the model that answered (`pricing.py`)."""

from __future__ import annotations

from dataclasses import dataclass

from function.generation.models import model_table
from function.generation.pricing import listed_usage, text_usd, usd
from function.generation.provider import Answer, Request


@dataclass(frozen=True)
class Bill:
    """USD of one call. `priced_as` is the listed model whose price was taken for an unlisted `answered_by`."""

    usd: float
    answered_by: str
    priced_as: str | None
    estimated: bool  # the service did not say what it billed: the list does


def bill_of(request: Request, answer: Answer) -> Bill:
    """The bill of a call of an image model or, with outcome "text", of a text model."""
    answered_by = answer.model_version or request.model
    if answer.outcome == "text":
        return Bill(text_usd(model_table().text_priced_as(answered_by), answer.usage), answered_by, None, False)
    row = model_table().priced_as(answered_by)
    estimated = answer.outcome == "image" and not answer.usage.output_tokens
    usage = listed_usage(row, len(request.images), request.image_size) if estimated else answer.usage
    unlisted = row.id if row.id not in answered_by else None
    share = model_table().batch.share_of_price if answer.price_tier == "batch" else 1.0
    return Bill(round(usd(row, usage) * share, 6), answered_by, unlisted, estimated)
