"""One paid call of the image model, noted in the pair's record with what it cost."""

from __future__ import annotations

from typing import Literal

from function.errors import ModelNoImageError, ModelRefusedError
from function.generation.billing import bill_of
from function.generation.paid_calls import Answered
from function.generation.provider import Request
from function.pipeline.context import PairContext
from function.sidecar.attempts import Attempt, UsageRecord


def ask(pair: PairContext, request: Request, number: int, method: Literal["model", "sketch"] = "model") -> Answered:
    """One attempt, and who placed the product for it. Number 0 is a scene generated from text. Raises what
    `PaidCalls.ask` raises."""
    record = pair.record
    with record.stage("generate"):
        answered = pair.calls.ask(request, number, pair.max_calls)
    answer = answered.answer
    shown = answer.outcome == "image"
    bill, message = bill_of(request, answer), "" if shown else answer.words
    if bill.estimated:
        message = "the service did not say what it billed; the price is that of the list"
    record.add_attempt(
        Attempt(
            number=number,
            purpose="composite" if number else "scene",
            method=method,
            seed=request.seed,
            outcome=_outcome(answered),
            verdict=None if shown else "unusable",
            finish_reason=answer.finish_reason,
            message=message,
            latency_ms=answer.latency_ms,
            usage=UsageRecord(**answer.usage.model_dump(exclude={"output_image_tokens"})),
            usd=bill.usd if answered.paid else 0.0,
            answered_by=bill.answered_by,
            priced_as=bill.priced_as,
            price_tier="batch" if answer.price_tier == "batch" else None,
        ),
        answer.usage,
        answered.paid,
    )
    record.note_model(version=answer.model_version, request=request)
    return answered


def no_picture(answered: Answered) -> ModelRefusedError | ModelNoImageError:
    """Why an answer holds no image, in the model's own words."""
    answer = answered.answer
    kind = ModelRefusedError if answer.outcome == "refused" else ModelNoImageError
    return kind(f"{answer.finish_reason}: {answer.words}")


def _outcome(answered: Answered) -> Literal["reused", "generated", "refused", "no_image"]:
    # A batch's answer is always found in the store: it was made for the manifest that paid for it.
    if answered.reused and not (answered.paid and answered.answer.price_tier == "batch"):
        return "reused"
    if answered.answer.outcome == "image":
        return "generated"
    return "refused" if answered.answer.outcome == "refused" else "no_image"
