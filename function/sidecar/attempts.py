"""Attempts: which model was asked, what it answered, what that was judged and what it cost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from function.sidecar.files import ResultRecord
from function.sidecar.record import Method, Record, is_none


class SkippedModel(Record):
    """A model of the chain that did not make the picture, and why."""

    id: str
    reason: str


class ModelRecord(Record):
    """The model that was called. `id` differs from `requested_id` when that one, and perhaps others, were skipped."""

    id: str
    requested_id: str
    version: str | None = None
    aspect_ratio: str | None = None
    image_size: str | None = Field(None, description="that was asked for; null where the model has one size only")
    thinking_level: str | None = None
    skipped: list[SkippedModel] = Field([])


class CheckRecord(Record):
    """One measurement of the picture against its limit."""

    value: float | None
    threshold: float | None
    passed: bool
    unit: str = ""
    reason: str = ""


class RiskRecord(Record):
    """How likely a person would reject the picture, from how far all its checks lie from their limits.

    It decides nothing: the checks do. It orders what is looked at.
    """

    value: float = Field(ge=0, le=1, description="probability that the picture is bad, given `prior`")
    prior: float = Field(gt=0, lt=1, description="share of bad pictures that the probability is stated for")
    calibration: str = Field(description="version of the weights")


class UsageRecord(Record):
    """Billed tokens of one attempt, as the service reported them."""

    prompt_tokens: int
    prompt_image_tokens: int
    output_tokens: int
    thought_tokens: int


class OpinionRecord(Record):
    """A text model's second opinion on a check that failed by a little. Its cost is part of `cost.usd`."""

    model: str
    check: str
    acceptable: bool
    reason: str
    prompt_tokens: int
    output_tokens: int
    usd: float | None


class Attempt(Record):
    """One picture that was asked for. Attempt 0 is the scene generated from text.

    An `interrupted` one was begun, and its answer was lost: with a delivery that died, on a connection that broke, or
    because it came too late. Whether it was billed is not known.
    """

    number: int
    purpose: Literal["composite", "scene"] = "composite"
    seed: int
    outcome: Literal["generated", "reused", "refused", "no_image", "unreadable", "interrupted"]
    verdict: Literal["accepted", "review", "unusable"] | None = None
    finish_reason: str
    message: str = ""
    latency_ms: int
    usage: UsageRecord
    usd: float | None
    method: Method = Field("model", description="sketch: the product had been laid into the scene that was sent")
    answered_by: str | None = Field(None, description="the model that answered, as the service calls it")
    priced_as: str | None = Field(None, description="the listed model whose price was taken for an unlisted one")
    price_tier: Literal["batch"] | None = Field(
        None, description="asked for in a batch, at its price; absent: asked for at once", exclude_if=is_none
    )
    checks: dict[str, CheckRecord] = Field({})
    risk: RiskRecord | None = Field(None, description="null where it gave no picture")
    second_opinion: OpinionRecord | None = None
    answer: ResultRecord | None = Field(
        None, description="the model's own picture, before restoration: kept for a week, so that it can be picked"
    )


RUN_STEP = 100  # attempt 2 of the run before the first redo is number 102, of that before the second one 202


class EarlierAttempt(Attempt):
    """A picture from before the pair was made again, and the model that was asked for it. `number` is that of its run
    times RUN_STEP, and its own."""

    model: str


class Cost(Record):
    """What this manifest was billed; what was reused is not billed again."""

    usd: float | None
    prompt_tokens: int
    output_tokens: int
    estimated_prompt_tokens_uncompressed: int
    prompt_tokens_saved_percent: float
    price_source: str
    stopped_by: str | None = Field(
        None, description="what kept a further picture from being asked for: a cap, or the instance's end"
    )
    billing_rule: str = ""
    estimates_by_rule: dict[str, int] = Field({})
