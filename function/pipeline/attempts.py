"""Asks the model until a picture is accepted or the attempts are used up, and picks the best one."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict
from functools import partial

import numpy as np

from function.errors import (
    BudgetExhaustedError,
    BudgetUsedUpForTodayError,
    InstanceShutdownError,
    ModelNoImageError,
    ModelRefusedError,
    SourceError,
)
from function.generation.paid_calls import Answered, CallLimitReachedError
from function.generation.prompt_templates import TEMPLATES
from function.generation.provider import Request
from function.imaging.decode import decode
from function.imaging.formats import FORMATS, detect_format
from function.imaging.icc import from_srgb
from function.judging.check import Check
from function.judging.judge import Judgement, judge
from function.judging.several_products import judge_products
from function.matching.place import Place
from function.pipeline.ask import ask, no_picture
from function.pipeline.ask_second_opinion import ask_second_opinion, opinion_images
from function.pipeline.context import Candidate, PairContext
from function.pipeline.identity import classical_candidate, given_place, held_to_identity, make_sketch, place_after
from function.pipeline.record import risk_record
from function.pipeline.requests import composite_request, sketch_request
from function.provenance.ingredient import Ingredient
from function.restoration.analyse import analyse
from function.restoration.analysis import Analysis
from function.restoration.several_products import analyse_products
from function.restoration.sketch_analysis import analyse_sketch
from function.sidecar.attempts import CheckRecord
from function.sidecar.files import ProvenanceRecord, ResultRecord

MAX_ANSWER_PIXELS = 40_000_000  # the largest native picture of any listed model has 17 million
ONE_MORE_BYTES = 16 * 2**20  # what is kept of each further product: its scene, light and masks at 1344 x 756
ANALYSIS_BYTES = 150 * 2**20  # at its peak, measured with tests/bench/performance.py


def choose_candidate(pair: PairContext) -> None:
    """Ask, judge, and ask again with what went wrong. Raises ModelRefusedError or ModelNoImageError when nothing can be
    kept."""
    best: Candidate | None = None
    place = given_place(pair)
    lessons: list[str] = []
    reasons: list[ModelRefusedError | ModelNoImageError] = []  # why pictures could not be kept
    for number in range(1, pair.max_attempts + 1):
        with pair.record.stage("prepare"):
            request = _request(pair, place, number, lessons)
        try:
            answered = ask(pair, request, number, "model" if place is None else "sketch")
        except CallLimitReachedError:
            if best is None and not reasons:
                raise
            break
        except (BudgetExhaustedError, BudgetUsedUpForTodayError, InstanceShutdownError) as used_up:
            if best is None:
                raise
            pair.record.stopped_by = used_up.message
            break
        candidate = _candidate(pair, answered, place, reasons)
        if candidate is None:
            if answered.answer.final:
                break
            lessons = [TEMPLATES.no_image]
            continue
        verdict = candidate.judgement.verdict
        if verdict != "unusable" and (best is None or candidate.rank > best.rank):
            best = candidate
        if verdict == "accepted":
            break
        lessons = candidate.judgement.lessons
        if place is None:
            place = place_after(pair, candidate)
            # What the model did wrong with a product that it placed itself says nothing to one that is laid for it.
            lessons = lessons if place is None else []
    best = best or classical_candidate(pair, place, reasons)
    if best is None:
        raise _main_reason(reasons)
    pair.best = best


def check_records(checks: dict[str, Check]) -> dict[str, CheckRecord]:
    """The checks as the sidecar holds them."""
    return {name: CheckRecord(**asdict(check)) for name, check in checks.items()}


def first_request(pair: PairContext) -> Request:
    """What the first attempt asks, of a pair whose inputs are prepared."""
    return _request(pair, given_place(pair), 1, [])


def _request(pair: PairContext, place: Place | None, number: int, lessons: list[str]) -> Request:
    """What attempt `number` asks: to place the product, or to light one that is laid at `place`."""
    if place is None:
        return composite_request(pair.prepared, pair.model, pair.settings, pair.manifest, number, lessons, pair.wording)
    sketch = make_sketch(pair, place)
    return sketch_request(
        pair.prepared, pair.model, pair.settings, pair.manifest, number, lessons, sketch, pair.wording
    )


def _candidate(
    pair: PairContext, answered: Answered, place: Place | None, reasons: list[ModelRefusedError | ModelNoImageError]
) -> Candidate | None:
    """The picture of an answer, judged; None without one. Adds to `reasons` why a picture cannot be kept."""
    if answered.answer.outcome != "image":
        reasons.append(no_picture(answered))
        return None
    candidate = _judged(pair, answered, place)
    if candidate is None:
        reasons.append(ModelNoImageError(pair.record.attempts[-1].message))
    elif candidate.judgement.verdict == "unusable":
        failed = [check.reason for check in candidate.judgement.checks.values() if not check.passed]
        reasons.append(ModelNoImageError("; ".join(failed) or "nothing could be recognised in it"))
    return candidate


def _judged(pair: PairContext, answered: Answered, place: Place | None) -> Candidate | None:
    """Register and judge one answer, to a sketch where there is a `place`; None when its bytes are no picture."""
    record, prepared = pair.record, pair.prepared
    try:
        picture, analysis, judgement = analysed(pair, answered.answer.image, place)
    except SourceError as error:
        record.replace_last_attempt(outcome="unreadable", verdict="unusable", message=error.message)
        return None
    with record.stage("check"):
        shown = answered.answer.image, answered.answer.mime_type
        images = partial(opinion_images, prepared.images[0], shown, analysis, pair.model.max_inline_bytes)
        # The text model is shown one product and asked about one: with several it could not tell which.
        judge_model = None if analysis.each else pair.settings.judge_model
        judgement, opinion = ask_second_opinion(judgement, images, judge_model, pair.calls)
    ingredient = read_answer(pair, answered.answer.image)
    candidate = held_to_identity(pair, Candidate(picture, analysis, judgement, ingredient=ingredient))
    checks = check_records(candidate.judgement.checks)
    record.replace_last_attempt(
        verdict=candidate.judgement.verdict,
        checks=checks,
        risk=risk_record(checks),
        second_opinion=opinion,
        answer=_answer_record(answered, picture, ingredient.found),
    )
    return candidate


def analysed(pair: PairContext, image: bytes, place: Place | None) -> tuple[np.ndarray, Analysis, Judgement]:
    """One answer of the model, to a sketch where there is a `place`, registered and judged: its picture (h, w, 3) in
    the scene's colour space, what was found in it, and the verdict. Raises SourceError when its bytes are no picture.
    """
    record, prepared, decoded = pair.record, pair.prepared, pair.decoded_sources()
    references = [pair.resources.result(one)[1] for one in prepared.ready]
    further = len(pair.manifest.product_fields) - 1
    with pair.resources.pixels(ANALYSIS_BYTES + further * ONE_MORE_BYTES):
        with record.stage("restore"):
            answer = decode(image, "answer", max_pixels=MAX_ANSWER_PIXELS, flatten=True)
            picture = from_srgb(answer.array, decoded.scene.icc)
            if pair.manifest.products is not None:
                products = pair.by_product(references)
                analysis = analyse_products(decoded.small_scene, products, picture, prepared.frame)
            elif place is None:
                analysis = analyse(decoded.small_scene, references[0], picture, prepared.frame, references[1:])
            else:
                analysis = analyse_sketch(decoded.small_scene, references[0], picture, prepared.frame, place)
        with record.stage("check"):
            if pair.manifest.products is not None:
                names = [one.name for one in pair.manifest.products]
                judgement = judge_products(analysis, names, pair.manifest.pose, prepared.asked_each)
            else:
                judgement = judge(analysis, pair.manifest.pose, prepared.asked)
    return picture, analysis, judgement


def read_answer(pair: PairContext, image: bytes) -> Ingredient:
    """An answer of the model with what its own credentials say."""
    kind = detect_format(image)
    mime_type = FORMATS[kind].mime_type if kind else "application/octet-stream"
    return pair.credentials.read(image, mime_type, "answer", pair.deadline)


def _answer_record(answered: Answered, picture: np.ndarray, found: ProvenanceRecord | None) -> ResultRecord:
    image = answered.answer.image
    return ResultRecord(
        uri=answered.uri,
        mime_type=answered.answer.mime_type or "application/octet-stream",
        width=picture.shape[1],
        height=picture.shape[0],
        bytes=len(image),
        sha256=hashlib.sha256(image).hexdigest(),
        provenance=found,
    )


def _main_reason(reasons: list[ModelRefusedError | ModelNoImageError]) -> ModelRefusedError | ModelNoImageError:
    """Why no attempt gave a picture that could be kept: the reason that came most often, of those the latest."""
    counts = Counter((type(reason), reason.message) for reason in reasons)
    (kind, message), count = max(reversed(counts.items()), key=lambda item: item[1])
    if len(reasons) == 1:
        return kind(message)
    often = f"{count} times" if count > 1 else "the last one"
    return kind(f"none of {len(reasons)} pictures could be kept; {often}: {message}")
