"""A text model's opinion on a picture that failed one check by a little. Off unless JUDGE_MODEL is set."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import BaseModel, Field, ValidationError

from function.errors import CompositeError
from function.generation.gemini.client import Request
from function.generation.models import model_table
from function.generation.paid_calls import PaidCalls
from function.generation.pricing import text_usd
from function.judging.judge import Judgement
from function.sidecar import OpinionRecord
from function.telemetry.structured_logging import log

# A failed check counts as grey when its value is this near to its threshold, as a share of the threshold.
GREY_SHARE = 0.25

PROMPT = """\
[1] is a scene, [2] a product, [3] a composite in which the product was placed into the scene. An automatic check of \
[3] says: "{reason}" It is not certain. Look at [3] closely, beside [1] and [2], and say whether a catalogue could use \
it as it is. Judge only what the check is about. Answer as JSON: acceptable (true or false) and reason (one sentence).\
"""


class Opinion(BaseModel):
    """What the text model answers."""

    acceptable: bool
    reason: str = Field(max_length=500)


@dataclass(frozen=True)
class Heard:
    """The judgement after the opinion was heard, and the record of the opinion."""

    judgement: Judgement
    record: OpinionRecord | None


def hear(judgement: Judgement, images: tuple[tuple[bytes, str], ...], model: str | None, calls: PaidCalls) -> Heard:
    """Ask about a grey picture; `images` are scene, product and composite. An opinion that cannot be had changes
    nothing."""
    name = grey_check(judgement)
    if model is None or name is None:
        return Heard(judgement, None)
    check = judgement.checks[name]
    request = Request(model, PROMPT.format(reason=check.reason), images, "", None, 0)
    try:
        answer = calls.opinion(request, Opinion)
        opinion = Opinion.model_validate_json(answer.words)
    except (CompositeError, ValidationError) as error:
        log("WARNING", f"no second opinion: {type(error).__name__}: {str(error)[:200]}", stage="check")
        return Heard(judgement, None)
    record = OpinionRecord(
        model=model,
        check=name,
        acceptable=opinion.acceptable,
        reason=opinion.reason,
        prompt_tokens=answer.usage.prompt_tokens,
        output_tokens=answer.usage.output_tokens + answer.usage.thought_tokens,
        usd=text_usd(model_table().text_models.get(model), answer.usage),
    )
    if not opinion.acceptable:
        return Heard(judgement, record)
    overruled = replace(check, passed=True, reason=f"{check.reason} Overruled by {model}: {opinion.reason}")
    return Heard(replace(judgement, verdict="accepted", checks={**judgement.checks, name: overruled}), record)


def grey_check(judgement: Judgement) -> str | None:
    """The one failed check of a picture in review, when it failed by a little; else None."""
    failed = [name for name, check in judgement.checks.items() if not check.passed]
    if judgement.verdict != "review" or len(failed) != 1:
        return None
    check = judgement.checks[failed[0]]
    if check.value is None or check.threshold is None:
        return None
    return failed[0] if abs(check.value - check.threshold) <= GREY_SHARE * abs(check.threshold) else None
