"""What is learnt during a run, gathered as it goes, so that a failure's sidecar says how far it got."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Literal

from function.errors import CompositeError
from function.generation.call_ledger import BegunCall
from function.generation.model_chain import SkippedCandidate
from function.generation.models import ImageModel
from function.generation.pricing import Usage, cost_of
from function.generation.prompt_templates import PROMPT_VERSION
from function.generation.provider import Request
from function.imaging.frame import Size
from function.imaging.xmp import Rights
from function.judging.risk import risk_of
from function.manifest.placement import MASK_FIELD, PRODUCT_MASK_FIELD
from function.pipeline.stage_times import StageTimes
from function.provenance.ingredient import Ingredient
from function.sidecar.attempts import (
    Attempt,
    CheckRecord,
    Cost,
    EarlierAttempt,
    ModelRecord,
    RiskRecord,
    SkippedModel,
    UsageRecord,
)
from function.sidecar.files import InputRecord, Inputs, ResultRecord
from function.sidecar.pair import Sidecar
from function.sidecar.processing import Change, Compression, DriftRecord, Restoration, Undone
from function.sidecar.record import ErrorRecord, ManifestIdentity, Method
from function.sidecar.request import (
    AskedPlaceRecord,
    IdentityRecord,
    PersonRecord,
    ProductRecord,
    StyleRecord,
    ViewRecord,
)

INPUT_NAMES = {"scene": "scene", MASK_FIELD: "mask"}  # of sources that are no photographs, in the sidecar
LOST = "its answer was lost: the delivery died, the connection broke, or it came too late; it may have been billed"
LOST_IN_BATCH = (
    "its batch ended without this answer, did not end in time, or the answer was not needed; it may have been billed"
)


def risk_record(checks: dict[str, CheckRecord]) -> RiskRecord | None:
    """The risk of a picture with these checks; None where there are none."""
    return RiskRecord(**asdict(risk_of(checks))) if checks else None


@dataclass
class RunRecord:
    """The sidecar in the making. Sizes are (width, height)."""

    inputs: Inputs = field(default_factory=Inputs)
    view: ViewRecord | None = None
    products: list[ProductRecord] = field(default_factory=list)
    model: ModelRecord | None = None
    attempts: list[Attempt] = field(default_factory=list)
    earlier: list[EarlierAttempt] = field(default_factory=list)
    compression: Compression | None = None
    drift: DriftRecord | None = None
    restoration: Restoration | None = None
    method: Method | None = None
    identity: IdentityRecord | None = None
    change: Change | None = None
    undone: list[Undone] = field(default_factory=list)
    checks: dict[str, CheckRecord] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    name: str | None = None
    placement: str | None = None
    asked_place: AskedPlaceRecord | None = None
    pose: str | None = None
    feedback: str | None = None
    style: StyleRecord | None = None
    person: PersonRecord | None = None
    prompt_version: str = PROMPT_VERSION  # of a picture that was picked that of the run which asked for it
    earlier_cost: Cost | None = None  # of the run whose picture was picked: nothing is added to it
    stopped_by: str | None = None  # the cap that kept a better picture from being asked for
    image_model: ImageModel | None = None
    ingredients: dict[str, Ingredient] = field(default_factory=dict)  # of the result, by field; and the answer
    rights: dict[str, Rights] = field(default_factory=dict)  # of the sources, by field
    billed: Usage = field(default_factory=Usage)
    sent_sizes: list[Size] = field(default_factory=list)
    full_sizes: list[Size] = field(default_factory=list)
    _times: StageTimes = field(default_factory=StageTimes)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Time a stage (a field of Timings); entering it again adds up."""
        return self._times.stage(name)

    def use_model(self, model: ImageModel, requested_id: str, skipped: Sequence[SkippedCandidate]) -> None:
        """Note the model that is asked from here on, and those that it stands in for."""
        self.image_model = model
        self.model = ModelRecord(
            id=model.id, requested_id=requested_id, skipped=[SkippedModel(**asdict(one)) for one in skipped]
        )

    def note_model(self, *, version: str | None, request: Request) -> None:
        """Note what the model said of itself, and what it was asked for."""
        if self.model is not None:
            self.model = self.model.model_copy(
                update={
                    "version": version,
                    "aspect_ratio": request.aspect_ratio,
                    "image_size": request.image_size,
                    "thinking_level": request.thinking_level,
                }
            )

    def add_input(self, field: str, described: InputRecord, ingredient: Ingredient | None, rights: Rights) -> None:
        """Note a source that was read: the scene, the mask of a placement, which is no part of the picture, or a
        photograph of the product, in the manifest's order. Scene and photographs are read at the same time, hence the
        lock."""
        with self._lock:
            if ingredient is not None:
                self.ingredients[field], self.rights[field] = ingredient, rights
            if product := PRODUCT_MASK_FIELD.fullmatch(field):
                masks = self.inputs.masks | {product[1]: described}
                self.inputs = self.inputs.model_copy(update={"masks": masks})
            elif field in INPUT_NAMES:
                self.inputs = self.inputs.model_copy(update={INPUT_NAMES[field]: described})
            else:
                self.inputs = self.inputs.with_photograph(described)

    def note_view(self, index: int, sent: int) -> None:
        """Note which photograph (from 0) the product was compared with, and how many the model was sent."""
        if self.inputs.views:
            self.view = ViewRecord(index=index, uri=self.inputs.views[index].uri, sent=sent)

    def note_provenance(self, source: Ingredient, note: str) -> None:
        """Add to what is said of a source's credentials, once; the answer's are not among the inputs."""

        def noted(one: InputRecord) -> InputRecord:
            if one.sha256 != source.sha256 or one.provenance is None or note in one.provenance.note:
                return one
            notes = "; ".join(filter(None, (one.provenance.note, note)))
            return one.model_copy(update={"provenance": one.provenance.model_copy(update={"note": notes})})

        read = self.inputs
        self.inputs = read.model_copy(
            update={
                "scene": read.scene and noted(read.scene),
                "product": read.product and noted(read.product),
                "views": [noted(one) for one in read.views],
            }
        )
        self.products = [
            one.model_copy(update={"inputs": [noted(view) for view in one.inputs]}) for one in self.products
        ]

    def add_attempt(self, attempt: Attempt, usage: Usage, paid: bool) -> None:
        """Note a picture that was asked for, and what was billed for it."""
        self.attempts.append(attempt)
        if paid:
            self.billed = Usage(
                **{name: getattr(self.billed, name) + getattr(usage, name) for name in Usage.model_fields}
            )

    def add_interrupted(self, calls: Sequence[BegunCall], in_batches: Sequence[BegunCall] = ()) -> None:
        """Note calls whose answers were lost, in front of what followed."""
        lost = [interrupted_attempt(call, "batch", LOST_IN_BATCH) for call in in_batches]
        lost += [interrupted_attempt(call) for call in calls]
        self.attempts = sorted(lost + self.attempts, key=lambda attempt: attempt.number)

    def replace_last_attempt(self, **changes: object) -> None:
        """Complete the newest attempt with what judging it has shown."""
        self.attempts[-1] = self.attempts[-1].model_copy(update=changes)

    def cost(self) -> Cost:
        """What was billed, beside what the uncompressed images would have been."""
        if self.earlier_cost is not None:
            return self.earlier_cost
        cost = cost_of(self.attempts, self.image_model, self.billed, self.sent_sizes, self.full_sizes)
        return cost.model_copy(update={"stopped_by": self.stopped_by})

    def sidecar(
        self,
        status: Literal["accepted", "review", "failed"],
        manifest: ManifestIdentity | None,
        *,
        results: Sequence[ResultRecord] = (),
        error: CompositeError | None = None,
    ) -> Sidecar:
        """The finished document."""
        return Sidecar(
            status=status,
            manifest=manifest,
            inputs=self.inputs,
            result=results[0] if results else None,
            results=list(results),
            model=self.model,
            attempts=self.attempts,
            earlier=self.earlier,
            prompt_version=self.prompt_version if self.attempts else None,
            cost=self.cost(),
            compression=self.compression,
            drift=self.drift,
            restoration=self.restoration,
            method=self.method,
            identity=self.identity,
            view=self.view,
            products=self.products,
            change=self.change,
            undone=self.undone,
            checks=self.checks,
            risk=risk_record(self.checks),
            timings_ms=self._times.timings(),
            labels=self.labels,
            name=self.name,
            placement=self.placement,
            asked_place=self.asked_place,
            pose=self.pose,
            feedback=self.feedback,
            style=self.style,
            person=self.person,
            error=ErrorRecord.of(error) if error else None,
        )


def interrupted_attempt(call: BegunCall, tier: Literal["batch"] | None = None, message: str = LOST) -> Attempt:
    """How a call is listed whose answer was lost."""
    return Attempt(
        number=call.number,
        purpose="composite" if call.number else "scene",
        seed=call.seed,
        outcome="interrupted",
        verdict="unusable",
        finish_reason="",
        message=message,
        latency_ms=0,
        usage=UsageRecord(prompt_tokens=0, prompt_image_tokens=0, output_tokens=0, thought_tokens=0),
        usd=0.0,
        price_tier=tier,
    )
