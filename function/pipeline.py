"""The steps of one pair, in order: sources → prepared → generated and judged → restored → encoded."""

from __future__ import annotations

import base64
import hashlib
import math
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict, dataclass
from typing import Literal

import cv2
import numpy as np

from function.calls import Answered, CallsUsedUp, PaidCalls
from function.deadline import Deadline
from function.errors import (
    ManifestInvalid,
    ModelNoImage,
    ModelRefused,
    SourceTooLarge,
    SourceUnreadable,
    SourceUnsupported,
)
from function.fidelity.analysis import Analysis, analyse
from function.fidelity.photograph import photograph_alpha
from function.fidelity.restore import plain_upscale, restore
from function.generation.client import ModelGone, Request
from function.generation.models import ImageModel, model_table
from function.generation.prompt import composite_prompt, scene_prompt
from function.generation.tokens import usd
from function.imaging.compress import encode_for_model, fit_to_frame, has_bars, shrink
from function.imaging.decode import Pixels, decode
from function.imaging.encode import MAX_SIDE_PX, encode
from function.imaging.frame import Frame, Size, fit_within, nearest_ratio, plan_frame
from function.imaging.icc import convert, from_srgb, to_srgb
from function.imaging.resize import Box, asked_size, resize_cover
from function.imaging.sniff import MIME_TYPES, SUFFIXES, Format
from function.judging.judge import Judgement, judge
from function.logs import log
from function.manifest import Manifest, ScenePrompt
from function.record import RunRecord
from function.settings import Settings
from function.sidecar import (
    Attempt,
    Change,
    CheckRecord,
    Compression,
    DriftRecord,
    InputRecord,
    ModelRecord,
    Restoration,
    ResultRecord,
    Shrunk,
    UsageRecord,
)
from function.sources import Source, first_to_tell

GENERATED_SCENE_SIZE = (4, 3)  # shape of a scene made from text when no output size is asked for
MAX_PRODUCT_SIDE_PX = 4096  # more than a product ever covers in a result; bounds the memory of huge photographs
MASK_SIDE_PX = 512  # of the change mask in the sidecar: enough for an overlay, a few KB
NOT_A_PICTURE = (SourceUnreadable, SourceUnsupported, SourceTooLarge)  # of the model's answer
MAX_SEED = 2**31 - 1  # seeds are INT32


@dataclass(frozen=True)
class Composite:
    """A finished picture, encoded."""

    status: Literal["accepted", "review"]
    content: bytes
    format: Format
    size: Size

    @property
    def ending(self) -> str:
        """File name ending, with its dot."""
        return SUFFIXES[self.format]

    @property
    def mime_type(self) -> str:
        """The media type of the bytes."""
        return MIME_TYPES[self.format]

    def record(self, uri: str) -> ResultRecord:
        """What the sidecar says of it."""
        return ResultRecord(
            uri=uri,
            mime_type=self.mime_type,
            width=self.size[0],
            height=self.size[1],
            bytes=len(self.content),
            sha256=hashlib.sha256(self.content).hexdigest(),
        )


@dataclass(frozen=True)
class Prepared:
    """A pair ready to be sent: what the model sees, and what its answer is compared with."""

    scene: Pixels
    product: np.ndarray  # (h, w, 3 or 4) uint8 in the scene's colour space
    frame: Frame
    images: tuple[tuple[bytes, str], ...]  # [1] the scene in its frame, [2] the product, as sent
    prompt_facts: dict[str, bool]
    base_seed: int


@dataclass(frozen=True)
class Candidate:
    """One picture of the model that shows something."""

    picture: np.ndarray  # (h, w, 3) uint8 in the scene's colour space
    analysis: Analysis
    judgement: Judgement


class Pair:
    """One pair on its way through the program."""

    def __init__(
        self,
        manifest: Manifest,
        sources: dict[str, Source],
        calls: PaidCalls,
        settings: Settings,
        deadline: Deadline,
        record: RunRecord,
    ):
        self._manifest, self._sources, self._calls = manifest, sources, calls
        self._settings, self._deadline, self._record = settings, deadline, record
        self._most_attempts = manifest.attempts or settings.max_attempts
        scene_calls = 1 if isinstance(manifest.scene, ScenePrompt) else 0
        self._most_calls = self._most_attempts + scene_calls

    def run(self) -> Composite:
        """All the steps. Raises CompositeError; the record says how far it got."""
        record, requested = self._record, self._manifest.model or self._settings.gemini_model
        with record.stage("prepare"), ThreadPoolExecutor(max_workers=len(self._sources)) as pool:
            decoding = {
                field: pool.submit(copy_context().run, self._decode, source, field)
                for field, source in self._sources.items()
            }
        errors = [error for future in decoding.values() if (error := future.exception())]
        if errors:
            raise first_to_tell(errors)
        decoded = {field: future.result() for field, future in decoding.items()}
        try:
            best, prepared = self._generate(requested, requested, decoded)
        except ModelGone:
            fallback = self._settings.gemini_fallback_model
            if not fallback or fallback == requested:
                raise
            best, prepared = self._generate(fallback, requested, decoded)
        return self._finish(best, prepared)

    def _generate(self, model_id: str, requested: str, decoded: dict[str, Pixels]) -> tuple[Candidate, Prepared]:
        record = self._record
        model = model_table().find(model_id)
        record.image_model = model
        record.model = ModelRecord(id=model_id, requested_id=requested)
        scene = decoded.get("scene") or self._scene_from_text(model)
        with record.stage("prepare"):
            prepared = self._prepare(model, scene, decoded["product"])
        return self._best_candidate(model, prepared), prepared

    # --- sources → prepared

    def _decode(self, source: Source, field: str) -> Pixels:
        pixels = decode(source.content, field, max_pixels=self._settings.max_source_pixels, flatten=field == "scene")
        height, width = pixels.array.shape[:2]
        described = InputRecord(
            uri=source.uri,
            generation=source.generation,
            mime_type=pixels.info.mime_type,
            width=width,
            height=height,
            bytes=len(source.content),
            sha256=source.sha256,
            notes=list(pixels.notes),
        )
        self._record.add_input(field, described)
        for note in pixels.notes:
            log("WARNING", f"{field}: {note}", stage="prepare")
        return pixels

    def _prepare(self, model: ImageModel, scene: Pixels, product: Pixels) -> Prepared:
        scene_size = scene.array.shape[1], scene.array.shape[0]
        product_size = product.array.shape[1], product.array.shape[0]
        self._check_output(scene, scene_size)
        max_px = self._manifest.max_px or self._settings.max_px
        frame = plan_frame(scene_size, model.native_sizes, max_px)
        small_scene = to_srgb(shrink(scene.array, frame.content_box[2:]), scene.icc)
        small_product = to_srgb(shrink(product.array, fit_within(product_size, max_px)), product.icc)
        sent_product_size = small_product.shape[1], small_product.shape[0]
        images = (
            encode_for_model(fit_to_frame(small_scene, frame)),
            encode_for_model(small_product),
        )
        self._record.compression = Compression(
            max_px=max_px,
            scene=Shrunk(from_size=scene_size, to_size=frame.sent_size),
            product=Shrunk(from_size=product_size, to_size=sent_product_size),
        )
        self._record.full_sizes = [scene_size, product_size]
        self._record.sent_sizes = [frame.sent_size, sent_product_size]
        detailed = shrink(product.array, fit_within(product_size, MAX_PRODUCT_SIDE_PX))
        facts = {
            "product_is_cut_out": small_product.shape[2] == 4,
            "has_bars": has_bars(frame),
        }
        return Prepared(scene, convert(detailed, product.icc, scene.icc), frame, images, facts, self._base_seed(images))

    def _check_output(self, scene: Pixels, scene_size: Size) -> None:
        """Refuse a result that could not be encoded or held before anything is paid for. Raises ManifestInvalid."""
        output = self._manifest.output
        width, height = asked_size(scene_size, output.width, output.height)
        kind = output.format or scene.info.format
        if max(width, height) > MAX_SIDE_PX[kind]:
            raise ManifestInvalid(
                f"output: {width} x {height} does not fit into {kind}, whose sides end at {MAX_SIDE_PX[kind]:,} pixels"
            )
        if width * height > self._settings.max_source_pixels:
            raise ManifestInvalid(
                f"output: {width} x {height} is more than {self._settings.max_source_pixels:,} pixels"
            )

    def _base_seed(self, images: tuple[tuple[bytes, str], ...]) -> int:
        """The manifest's seed, else one derived from what is sent, so that the same pair gives the same picture."""
        if self._manifest.seed is not None:
            return self._manifest.seed
        digest = hashlib.sha256((self._manifest.placement or "").encode())
        for content, _ in images:
            digest.update(hashlib.sha256(content).digest())
        return int.from_bytes(digest.digest()[:4], "big") & MAX_SEED

    def _scene_from_text(self, model: ImageModel) -> Pixels:
        """A scene generated from the manifest's words. Raises ModelRefused, ModelNoImage when there is none."""
        prompt = self._manifest.scene.prompt
        output = self._manifest.output
        shape = (output.width, output.height) if output.width and output.height else GENERATED_SCENE_SIZE
        seed = self._manifest.seed
        if seed is None:
            seed = int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:4], "big") & MAX_SEED
        ratio = nearest_ratio(shape, model.native_sizes)
        request = Request(model.id, scene_prompt(prompt), (), ratio, model.image_size, seed)
        answered = self._ask(request, number=0)
        if answered.answer.outcome != "image":
            raise _no_picture(answered)
        source = Source("generated:scene", None, answered.answer.image)
        with self._record.stage("prepare"):
            try:
                return self._decode(source, "scene")
            except NOT_A_PICTURE as error:
                raise ModelNoImage(f"the scene that the model generated is damaged: {error.message}") from None

    # --- prepared → generated and judged

    def _best_candidate(self, model: ImageModel, prepared: Prepared) -> Candidate:
        """Ask until a picture is accepted or the attempts are used up; the best one that can be kept."""
        candidates: list[Candidate] = []
        lessons: list[str] = []
        last: Answered | None = None
        for number in range(1, self._most_attempts + 1):
            prompt = composite_prompt(self._manifest.placement, **prepared.prompt_facts, lessons=lessons)
            seed = (prepared.base_seed + number - 1) % (MAX_SEED + 1)
            ratio = prepared.frame.aspect_ratio
            request = Request(model.id, prompt, prepared.images, ratio, model.image_size, seed)
            try:
                last = self._ask(request, number)
            except CallsUsedUp:
                if last is None:
                    raise
                break
            if last.answer.outcome != "image":
                if last.answer.final:
                    break
                lessons = ["no_image"]
                continue
            candidate = self._judge(last, prepared)
            if candidate is None:
                lessons = ["no_image"]
                continue
            if candidate.judgement.verdict != "unusable":
                candidates.append(candidate)
            if candidate.judgement.verdict == "accepted":
                break
            lessons = [name for name, check in candidate.judgement.checks.items() if not check.passed]
        if not candidates:
            raise _nothing_usable(last, self._record.attempts)
        return max(candidates, key=lambda c: (c.judgement.verdict == "accepted", c.judgement.score))

    def _ask(self, request: Request, number: int) -> Answered:
        record = self._record
        with record.stage("generate"):
            answered = self._calls.ask(request, self._most_calls)
        answer = answered.answer
        price = usd(record.image_model, answer.usage) if answered.paid else 0.0
        outcome = "reused" if answered.reused else {"image": "generated"}.get(answer.outcome, answer.outcome)
        record.add_attempt(
            Attempt(
                number=number,
                purpose="composite" if number else "scene",
                seed=request.seed,
                outcome=outcome,
                verdict=None if answer.outcome == "image" else "unusable",
                finish_reason=answer.finish_reason,
                message="" if answer.outcome == "image" else answer.words,
                latency_ms=answer.latency_ms,
                usage=UsageRecord(**answer.usage.model_dump(exclude={"output_image_tokens"})),
                usd=price,
            ),
            answer.usage,
            answered.paid,
        )
        record.model = record.model.model_copy(
            update={"version": answer.model_version, "aspect_ratio": request.aspect_ratio}
        )
        return answered

    def _judge(self, answered: Answered, prepared: Prepared) -> Candidate | None:
        """Register and judge one answer; None when its bytes are no picture."""
        record = self._record
        try:
            with record.stage("restore"):
                decoded = decode(
                    answered.answer.image, "answer", max_pixels=self._settings.max_source_pixels, flatten=True
                )
                picture = from_srgb(decoded.array, prepared.scene.icc)
                analysis = analyse(prepared.scene.array, _with_alpha(prepared.product), picture, prepared.frame)
        except NOT_A_PICTURE as error:
            record.replace_last_attempt(outcome="unreadable", verdict="unusable", message=error.message)
            return None
        with record.stage("check"):
            judgement = judge(analysis)
        record.replace_last_attempt(verdict=judgement.verdict, checks=_check_records(judgement))
        return Candidate(picture, analysis, judgement)

    # --- generated → restored → encoded

    def _finish(self, best: Candidate, prepared: Prepared) -> Composite:
        record, output = self._record, self._manifest.output
        analysis = best.analysis
        with record.stage("restore"):
            picture, restoration = self._restored(best, prepared)
        record.restoration = restoration
        record.drift = _drift_record(analysis)
        record.checks = _check_records(best.judgement)
        accepted = best.judgement.verdict == "accepted" and analysis.drift.registered
        with record.stage("encode"):
            scene, size = prepared.scene, prepared.frame.scene_size
            box = _change_box(analysis.change, size)
            record.change = _change_record(analysis.change, box)
            size = asked_size(size, output.width, output.height)
            picture = resize_cover(picture, size, keep_box=box)
            wanted = output.format or scene.info.format
            content = encode(picture, wanted, quality=output.quality, icc=scene.icc, like=scene.info)
        return Composite("accepted" if accepted else "review", content, wanted, size)

    def _restored(self, best: Candidate, prepared: Prepared) -> tuple[np.ndarray, Restoration]:
        analysis, match = best.analysis, best.analysis.match
        kind = match.kind if match is not None else None
        if self._manifest.restore == "off":
            picture = plain_upscale(best.picture, prepared.frame, analysis.layout_box)
            return picture, Restoration(mode="off", match_kind=kind)
        restored = restore(prepared.scene.array, _with_alpha(prepared.product), analysis, prepared.frame)
        return restored.image, Restoration(
            mode="full",
            share=round(restored.restored_share, 4),
            match_kind=kind,
            match_quality=round(restored.match_quality, 4),
            note=restored.note,
        )


def run_pair(
    manifest: Manifest,
    sources: dict[str, Source],
    calls: PaidCalls,
    settings: Settings,
    deadline: Deadline,
    record: RunRecord,
) -> Composite:
    """One pair from its sources to an encoded picture; `record` gathers what the sidecar says."""
    return Pair(manifest, sources, calls, settings, deadline, record).run()


def _with_alpha(product: np.ndarray) -> np.ndarray:
    """The photograph as RGBA; one without transparency is cut out of its plain background where it has one."""
    return product if product.shape[2] == 4 else np.dstack([product, photograph_alpha(product)])


def _check_records(judgement: Judgement) -> dict[str, CheckRecord]:
    return {name: CheckRecord(**asdict(check)) for name, check in judgement.checks.items()}


def _drift_record(analysis: Analysis) -> DriftRecord:
    drift = asdict(analysis.drift)
    numbers = {name: drift[name] for name in ("scale_x", "scale_y", "shift_px", "residual_px")}
    finite = {
        name: round(float(value), 5) if value is not None and np.isfinite(value) else None
        for name, value in numbers.items()
    }
    return DriftRecord(**finite, registered=bool(drift["registered"]))


def _change_box(change: np.ndarray, full_size: Size) -> Box | None:
    """Smallest (x, y, width, height) at `full_size` that holds the changed part of the mask (h, w) uint8."""
    x, y, width, height = cv2.boundingRect((change > 0).astype(np.uint8))
    if not width:
        return None
    scale_x, scale_y = full_size[0] / change.shape[1], full_size[1] / change.shape[0]
    # Blending reaches one pixel of the mask further than the mask itself.
    left, top = max(0, int((x - 1) * scale_x)), max(0, int((y - 1) * scale_y))
    right, bottom = math.ceil((x + width + 1) * scale_x), math.ceil((y + height + 1) * scale_y)
    return left, top, min(right, full_size[0]) - left, min(bottom, full_size[1]) - top


def _change_record(change: np.ndarray, box: Box | None) -> Change:
    size = fit_within((change.shape[1], change.shape[0]), MASK_SIDE_PX)
    small = cv2.resize(change, size, interpolation=cv2.INTER_AREA)
    mask = cv2.imencode(".png", small)[1].tobytes()
    return Change(
        share=round(float(change.mean()) / 255, 4),
        box=box,
        mask="data:image/png;base64," + base64.b64encode(mask).decode(),
    )


def _no_picture(answered: Answered) -> ModelRefused | ModelNoImage:
    answer = answered.answer
    kind = ModelRefused if answer.outcome == "refused" else ModelNoImage
    return kind(f"{answer.finish_reason}: {answer.words}")


def _nothing_usable(last: Answered | None, attempts: list[Attempt]) -> ModelRefused | ModelNoImage:
    """Why no attempt gave a picture that could be kept, in the model's words or the checks'."""
    if last is None:
        return ModelNoImage("no attempt was made")
    if last.answer.outcome != "image":
        return _no_picture(last)
    newest = attempts[-1]
    failed = [check.reason for check in newest.checks.values() if not check.passed]
    why = newest.message or "; ".join(failed) or "nothing could be recognised in it"
    return ModelNoImage(f"none of {len(attempts)} pictures could be kept; the last one: {why}")
