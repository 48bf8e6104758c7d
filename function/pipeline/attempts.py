"""Asks the model until a picture is accepted or the attempts are used up, and picks the best one."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from function.deadline import Deadline
from function.errors import ModelNoImage, ModelRefused, SourceTooLarge, SourceUnreadable, SourceUnsupported
from function.generation.gemini.client import Request
from function.generation.models import ImageModel
from function.generation.paid_calls import Answered, CallsUsedUp, PaidCalls
from function.generation.pricing import listed_usage, usd
from function.generation.prompt import NO_IMAGE, composite_prompt
from function.imaging.decode import decode
from function.imaging.icc import from_srgb
from function.judging.judge import Judgement, judge
from function.judging.second_opinion import hear
from function.pipeline.memory_budget import process_permit
from function.pipeline.prepare import MAX_SEED, Prepared
from function.pipeline.record import RunRecord
from function.restoration.analysis import Analysis, analyse
from function.sidecar import Attempt, CheckRecord, UsageRecord

NOT_A_PICTURE = (SourceUnreadable, SourceUnsupported, SourceTooLarge)
MAX_ANSWER_PIXELS = 40_000_000  # the largest native picture of any listed model has 17 million
ANALYSIS_BYTES = 150 * 2**20  # at its peak, measured with tests/bench/performance.py


@dataclass(frozen=True)
class Candidate:
    """One picture of the model that shows something. picture (h, w, 3) uint8 in the scene's colour space."""

    picture: np.ndarray
    analysis: Analysis
    judgement: Judgement

    @property
    def rank(self) -> tuple[bool, float]:
        """Accepted before others, then by score."""
        return self.judgement.verdict == "accepted", self.judgement.score


def best_candidate(
    model: ImageModel,
    prepared: Prepared,
    placement: str | None,
    calls: PaidCalls,
    most_attempts: int,
    most_calls: int,
    judge_model: str | None,
    deadline: Deadline,
    record: RunRecord,
) -> Candidate:
    """Ask, judge, and ask again with what went wrong. Raises ModelRefused or ModelNoImage when nothing can be kept."""
    best: Candidate | None = None
    lessons: list[str] = []
    last: Answered | None = None
    for number in range(1, most_attempts + 1):
        request = Request(
            model=model.id,
            prompt=composite_prompt(placement, **prepared.prompt_facts, lessons=lessons),
            images=prepared.images,
            aspect_ratio=prepared.frame.aspect_ratio,
            image_size=model.image_size,
            seed=(prepared.base_seed + number - 1) % (MAX_SEED + 1),
        )
        try:
            last = ask(request, number, calls, most_calls, record)
        except CallsUsedUp:
            if last is None:
                raise
            break
        if last.answer.outcome != "image":
            if last.answer.final:
                break
            lessons = [NO_IMAGE]
            continue
        candidate = _judged(last, prepared, judge_model, calls, deadline, record)
        if candidate is None:
            lessons = [NO_IMAGE]
            continue
        if candidate.judgement.verdict != "unusable" and (best is None or candidate.rank > best.rank):
            best = candidate
        if candidate.judgement.verdict == "accepted":
            break
        lessons = candidate.judgement.lessons
    if best is None:
        raise _nothing_usable(last, record.attempts)
    return best


def ask(request: Request, number: int, calls: PaidCalls, most_calls: int, record: RunRecord) -> Answered:
    """One attempt, noted in the record with what it cost. Number 0 is a scene generated from text."""
    with record.stage("generate"):
        answered = calls.ask(request, number, most_calls)
    answer = answered.answer
    shown = answer.outcome == "image"
    billed, message = answer.usage, "" if shown else answer.words
    if shown and not billed.output_tokens:
        billed = listed_usage(record.image_model, len(request.images))
        message = "the service did not say what it billed; the price is that of the list"
    generated = "generated" if shown else answer.outcome
    record.add_attempt(
        Attempt(
            number=number,
            purpose="composite" if number else "scene",
            seed=request.seed,
            outcome="reused" if answered.reused else generated,
            verdict=None if shown else "unusable",
            finish_reason=answer.finish_reason,
            message=message,
            latency_ms=answer.latency_ms,
            usage=UsageRecord(**answer.usage.model_dump(exclude={"output_image_tokens"})),
            usd=usd(record.image_model, billed) if answered.paid else 0.0,
        ),
        answer.usage,
        answered.paid,
    )
    record.model = record.model.model_copy(
        update={"version": answer.model_version, "aspect_ratio": request.aspect_ratio}
    )
    return answered


def check_records(judgement: Judgement) -> dict[str, CheckRecord]:
    """The checks as the sidecar holds them."""
    return {name: CheckRecord(**asdict(check)) for name, check in judgement.checks.items()}


def no_picture(answered: Answered) -> ModelRefused | ModelNoImage:
    """Why an answer holds no image, in the model's own words."""
    answer = answered.answer
    kind = ModelRefused if answer.outcome == "refused" else ModelNoImage
    return kind(f"{answer.finish_reason}: {answer.words}")


def _judged(
    answered: Answered,
    prepared: Prepared,
    judge_model: str | None,
    calls: PaidCalls,
    deadline: Deadline,
    record: RunRecord,
) -> Candidate | None:
    """Register and judge one answer; None when its bytes are no picture."""
    _, product = prepared.ready_product.result()  # before the permit, which what comes first there may wait for
    try:
        with process_permit().hold(ANALYSIS_BYTES, deadline):
            with record.stage("restore"):
                decoded = decode(answered.answer.image, "answer", max_pixels=MAX_ANSWER_PIXELS, flatten=True)
                picture = from_srgb(decoded.array, prepared.scene.icc)
                analysis = analyse(prepared.small_scene, product, picture, prepared.frame)
            with record.stage("check"):
                judged = judge(analysis)
    except NOT_A_PICTURE as error:
        record.replace_last_attempt(outcome="unreadable", verdict="unusable", message=error.message)
        return None
    with record.stage("check"):
        shown = (answered.answer.image, answered.answer.mime_type)
        heard = hear(judged, (*prepared.images, shown), judge_model, calls)
    judgement = heard.judgement
    record.replace_last_attempt(verdict=judgement.verdict, checks=check_records(judgement), second_opinion=heard.record)
    return Candidate(picture, analysis, judgement)


def _nothing_usable(last: Answered | None, attempts: list[Attempt]) -> ModelRefused | ModelNoImage:
    """Why no attempt gave a picture that could be kept, in the model's words or the checks'."""
    if last is None:
        return ModelNoImage("no attempt was made")
    if last.answer.outcome != "image":
        return no_picture(last)
    newest = attempts[-1]
    failed = [check.reason for check in newest.checks.values() if not check.passed]
    why = newest.message or "; ".join(failed) or "nothing could be recognised in it"
    return ModelNoImage(f"none of {len(attempts)} pictures could be kept; the last one: {why}")
