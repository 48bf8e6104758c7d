"""One paid call of a text model about a picture that failed one check by a little."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import numpy as np

from function.errors import CompositeError
from function.generation.billing import bill_of
from function.generation.paid_calls import PaidCalls
from function.generation.provider import Request
from function.imaging.array_ops import PixelBox
from function.imaging.compress import downscale, encode_for_model
from function.imaging.frame import fit_within
from function.judging.judge import Judgement
from function.judging.second_opinion import Opinion, borderline_check, opinion_prompt, with_opinion
from function.restoration.analysis import Analysis
from function.sidecar.attempts import OpinionRecord

logger = logging.getLogger(__name__)

Encoded = tuple[bytes, str]  # an image with its media type

# Room around the product in the close-up, as a share of its longer side: for its outline and its shadow.
CLOSE_UP_MARGIN = 0.15
# A text model looks at a picture in pieces of up to 768 px; this holds four of them.
MAX_CLOSE_UP_PX = 1536


def ask_second_opinion(
    judgement: Judgement, images: Callable[[], tuple[Encoded, ...]], model: str | None, calls: PaidCalls
) -> tuple[Judgement, OpinionRecord | None]:
    """The judgement after `model` was asked, if it is borderline; `images` makes what `opinion_prompt` names. An
    opinion that cannot be had changes nothing."""
    name = borderline_check(judgement)
    if model is None or name is None:
        return judgement, None
    request = Request(model, opinion_prompt(judgement.checks[name]), images(), aspect_ratio="", image_size=None, seed=0)
    try:
        answer = calls.opinion(request, Opinion)
        opinion = Opinion.model_validate_json(answer.words)
    except (CompositeError, ValueError) as error:
        logger.warning("no second opinion: %s: %s", type(error).__name__, str(error)[:200], extra={"stage": "check"})
        return judgement, None
    record = OpinionRecord(
        model=model,
        check=name,
        acceptable=opinion.acceptable,
        reason=opinion.reason,
        prompt_tokens=answer.usage.prompt_tokens,
        output_tokens=answer.usage.output_tokens + answer.usage.thought_tokens,
        usd=bill_of(request, answer).usd,
    )
    return with_opinion(judgement, name, opinion, model), record


def opinion_images(
    scene: Encoded, composite: Encoded, analysis: Analysis, max_inline_bytes: int
) -> tuple[Encoded, ...]:
    """Scene and composite as they were sent and came, the product's photograph, and the close-up of the composite."""
    picture = analysis.scene.generated_raw
    x, y, width, height = close_up_box(analysis)
    close_up = picture[y : y + height, x : x + width]
    close_up = downscale(close_up, fit_within((width, height), MAX_CLOSE_UP_PX))
    photograph = analysis.product.photograph
    return (
        scene,
        encode_for_model(photograph, max_inline_bytes),
        composite,
        encode_for_model(np.ascontiguousarray(close_up), max_inline_bytes),
    )


def close_up_box(analysis: Analysis) -> PixelBox:
    """Where the answer as returned shows the product, with some room: x, y, width, height in its pixels. All of it
    where no product was found."""
    tall, wide = analysis.scene.generated_raw.shape[:2]
    places = analysis.scene.registration.mapping[analysis.product.mask > 127]
    if not len(places):
        return 0, 0, wide, tall
    places = np.clip(places, 0, (wide - 1, tall - 1))  # a product may reach beyond what came back
    (left, top), (right, bottom) = places.min(axis=0), places.max(axis=0)
    margin = CLOSE_UP_MARGIN * max(right - left, bottom - top)
    x, y = max(0, math.floor(left - margin)), max(0, math.floor(top - margin))
    return x, y, min(wide, math.ceil(right + margin) + 1) - x, min(tall, math.ceil(bottom + margin) + 1) - y
