"""Two pictures of the shipped pair, paid for: one of the cut-out product, one of the same on a white ground."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from function.deadline import Deadline
from function.delivery.services import Services
from function.errors import CompositeError, SourceError
from function.generation.answer_store import AnswerStore
from function.generation.billing import bill_of
from function.generation.call_ledger import InMemoryLedger
from function.generation.models import model_table
from function.generation.paid_calls import PaidCalls
from function.generation.pricing import max_picture_usd, typical_usd
from function.generation.provider import Answer, ModelNotFoundError, Request
from function.imaging.decode import decode
from function.imaging.formats import FORMATS, detect_format
from function.imaging.icc import from_srgb
from function.imaging.png import write_png
from function.judging.judge import Judgement, judge
from function.manifest.model import Manifest
from function.pipeline.attempts import MAX_ANSWER_PIXELS
from function.pipeline.context import PairContext, Prepared
from function.pipeline.decode import decode_sources
from function.pipeline.fetch import Source
from function.pipeline.prepare import prepare_inputs
from function.pipeline.record import RunRecord
from function.pipeline.requests import composite_request
from function.pipeline.resources import PairResources
from function.restoration.analyse import analyse
from function.tools.cli.terminal import confirmed
from function.tools.demo_pair import DEMO_PAIR, PLACEMENT, PRODUCT, SCENE
from function.tools.doctor.finding import Finding, Report, ok, problem, warning

KINDS = ("transparent", "flattened")


@dataclass(frozen=True)
class Trial:
    """One product on its way: the pair as the function prepares it, and what the model is asked."""

    kind: str
    pair: PairContext
    request: Request


def make_pictures(services: Services, models: Sequence[str], folder: Path, report: Report, *, yes: bool) -> None:
    """Say the price, ask, and make both pictures by the first of `models` that draws; they go into `folder`.

    Raises UsageError without a terminal.
    """
    for model_id in models:
        with contextlib.ExitStack() as stack:
            trials = [_prepare(services, model_id, kind, stack) for kind in KINDS]
            report.add([_price(trials)])
            if not confirmed("make them?", yes=yes):
                report.add([ok("pictures", "none was made, and nothing was spent")])
                return
            try:
                _compare(services, trials, folder, report)
            except ModelNotFoundError as closed:
                report.add([warning("pictures", closed.message, "the function goes on with the next of the chain")])
            except CompositeError as error:
                report.add([problem("pictures", error.message, "do what it says, and try again")])
                return
            else:
                return
    report.add([problem("pictures", "no model of the chain draws", "let GEMINI_MODEL name one that this project has")])


def _prepare(services: Services, model_id: str, kind: str, stack: contextlib.ExitStack) -> Trial:
    settings = services.settings
    deadline = Deadline(settings.event_deadline_s)
    product = (DEMO_PAIR / PRODUCT).read_bytes()
    store = AnswerStore(services.storage, settings.output_bucket)
    budget = services.budget.of_pair(None, None)
    calls = PaidCalls(services.model, store, "doctor", deadline, InMemoryLedger(), budget)
    pair = PairContext(
        Manifest(scene=SCENE, product=PRODUCT, placement=PLACEMENT),
        {"scene": Source(SCENE, None, (DEMO_PAIR / SCENE).read_bytes()), "product": Source(PRODUCT, None, product)},
        calls,
        settings,
        deadline,
        RunRecord(),
        stack.enter_context(PairResources(services.memory, deadline)),
        services.models,
    )
    pair.model = model_table().find(model_id)
    decode_sources(pair)
    prepare_inputs(pair)
    prepared = pair.prepared if kind == "transparent" else _flattened(pair.prepared, settings.max_source_pixels)
    return Trial(kind, pair, composite_request(prepared, pair.model, settings, pair.manifest, 1, ()))


def _flattened(prepared: Prepared, max_pixels: int) -> Prepared:
    """The same with the product on white, as a photograph is sent that could not be cut out."""
    scene, (product, _) = prepared.images
    return replace(prepared, images=(scene, (_on_white(product, max_pixels), "image/png")), product_is_cut_out=False)


def _on_white(content: bytes, max_pixels: int) -> bytes:
    """A cut-out (PNG) as the same picture on white, without transparency."""
    pixels = decode(content, "product", max_pixels=max_pixels).array
    alpha = pixels[..., 3:].astype(np.float32) / 255
    return write_png(np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8))


def _price(trials: Sequence[Trial]) -> Finding:
    request, model = trials[0].request, trials[0].pair.model
    usual = sum(typical_usd(model, one.request.image_size) for one in trials)
    most = sum(
        max_picture_usd(model, len(one.request.images), one.request.prompt, one.request.image_size) for one in trials
    )
    found = f"two pictures by {request.model} cost about ${usual:.3f}, at most ${most:.3f}"
    return ok("price", found, usd=round(usual, 6), most_usd=round(most, 6))


def _compare(services: Services, trials: Sequence[Trial], folder: Path, report: Report) -> None:
    """Ask for each, judge it as pairs are judged, and say what is the difference. Raises CompositeError."""
    folder.mkdir(parents=True, exist_ok=True)
    shown: dict[str, bool] = {}
    for trial in trials:
        answer = services.model.generate(trial.request, Deadline(services.settings.event_deadline_s))
        finding, shown[trial.kind] = _examine(trial, answer, folder)
        report.add([finding])
    report.add([_verdict(shown)])


def _verdict(shown: dict[str, bool]) -> Finding:
    """What the kind of ground makes of the product in the picture."""
    if all(shown.values()):
        return ok("comparison", "the product stands in both pictures: transparent and white grounds both do")
    if not any(shown.values()):
        found = "the product is recognised in neither picture"
        return problem("comparison", found, "look at both, and let GEMINI_MODEL name another model if they are wrong")
    good, bad = ("transparent", "flattened") if shown["transparent"] else ("flattened", "transparent")
    advice = (
        "use cut-outs on a transparent ground"
        if good == "transparent"
        else "this model may drop transparency: use photographs on an even white ground"
    )
    return warning("comparison", f"the product is recognised in the {good} picture, not in the {bad} one", advice)


def _examine(trial: Trial, answer: Answer, folder: Path) -> tuple[Finding, bool]:
    """What one answer was, what it cost, and whether the product is recognised in it; the picture is kept."""
    check, bill, usage = f"{trial.kind} product", bill_of(trial.request, answer), answer.usage
    spent = (
        f"{usage.prompt_tokens:,} tokens in, {usage.output_tokens:,} out, {usage.thought_tokens:,} of thought, "
        f"${bill.usd:.4f} as {bill.priced_as or bill.answered_by}, {answer.latency_ms / 1000:.1f} s"
    )
    measures = {**usage.model_dump(), "usd": bill.usd, "latency_ms": answer.latency_ms, "answered_by": bill.answered_by}
    if answer.outcome != "image":
        said = f"no picture came: {answer.finish_reason}: {answer.words} ({spent})"
        return warning(check, said, "try again, or another model", **measures), False
    kind = detect_format(answer.image)
    path = folder / f"{trial.kind}{FORMATS[kind].suffix if kind else '.bin'}"
    path.write_bytes(answer.image)
    try:
        (height, width), judgement = _judged(trial.pair, answer)
    except SourceError as damaged:
        return warning(check, f"{damaged.message} ({spent}); kept as {path}", "try again", **measures), False
    failed = [one.reason for one in judgement.checks.values() if not one.passed]
    measures |= {"width": width, "height": height, "mime_type": answer.mime_type, "verdict": judgement.verdict}
    found = f"{width}x{height} {answer.mime_type}, {judgement.verdict} ({spent}): {path}"
    shown = judgement.verdict != "unusable" and judgement.checks["product_present"].passed
    if not shown:
        return warning(check, found, " ".join(failed) or "nothing could be recognised in it", **measures), False
    return ok(check, " ".join([found, *failed]), **measures), True


def _judged(pair: PairContext, answer: Answer) -> tuple[tuple[int, int], Judgement]:
    """(height, width) of the answer, and the verdict on it as on any pair's. Raises SourceError."""
    decoded, prepared = pair.decoded_sources(), pair.prepared
    _, product = pair.resources.result(prepared.product_future)
    pixels = decode(answer.image, "answer", max_pixels=MAX_ANSWER_PIXELS, flatten=True)
    picture = from_srgb(pixels.array, decoded.scene.icc)
    height, width = picture.shape[:2]
    return (height, width), judge(analyse(decoded.small_scene, product, picture, prepared.frame), pair.manifest.pose)
