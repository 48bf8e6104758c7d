"""One paid call of a text model about a picture that failed one check by a little."""

from __future__ import annotations

from function.errors import CompositeError
from function.generation.billing import bill_of
from function.generation.paid_calls import PaidCalls
from function.generation.provider import Request
from function.judging.judge import Judgement
from function.judging.second_opinion import Opinion, borderline_check, opinion_prompt, with_opinion
from function.sidecar import OpinionRecord
from function.telemetry.structured_logging import log


def ask_second_opinion(
    judgement: Judgement, images: tuple[tuple[bytes, str], ...], model: str | None, calls: PaidCalls
) -> tuple[Judgement, OpinionRecord | None]:
    """The judgement after `model` was asked, if it is borderline; `images` are scene, product and composite, bytes with
    their media types. An opinion that cannot be had changes nothing."""
    name = borderline_check(judgement)
    if model is None or name is None:
        return judgement, None
    request = Request(model, opinion_prompt(judgement.checks[name]), images, aspect_ratio="", image_size=None, seed=0)
    try:
        answer = calls.opinion(request, Opinion)
        opinion = Opinion.model_validate_json(answer.words)
    except (CompositeError, ValueError) as error:
        log("WARNING", f"no second opinion: {type(error).__name__}: {str(error)[:200]}", stage="check")
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
