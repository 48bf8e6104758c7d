"""The record of a run: the JSON document that stands beside a result."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from function import PIPELINE_VERSION
from function.errors import CompositeError, ErrorCode

# The second number rises when something is added, which a reader that refuses unknown fields does not know; the first
# when something that a reader relies on is gone or means something else.
SCHEMA_VERSION = "1.3"
Method = Literal["model", "sketch", "classical"]
Size = Annotated[tuple[int, int], Field(description="[width, height] in pixels")]


Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]


def _is_none(value: object) -> bool:
    return value is None


def _is_empty(value: object) -> bool:
    return not value


class Record(BaseModel):
    """Base of every part: fixed once written, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ManifestIdentity(Record):
    """Which upload of which manifest this is the record of."""

    bucket: str
    name: str
    generation: int


class ProvenanceRecord(Record):
    """What a file's content credentials (C2PA) say of its origin. Whom to trust is not decided here: `valid` is that
    they belong to this very file, and were signed by the issuer's key. Null where a file has none.
    """

    state: Literal["valid", "invalid", "unreadable", "elsewhere", "unsigned"] = Field(
        description="elsewhere: the file refers to an address, which is not fetched; unsigned: a result that was to be "
        "signed and is not"
    )
    issuer: str | None = Field(None, description="the subject of the signer's certificate")
    generator: str | None = Field(None, description="the program that made them")
    time: str | None = Field(None, description="that a time-stamp authority has signed; null without one")
    claims: list[str] = Field([], description="actions with their digital source type")
    ingredients: list[str] = Field([], description="what it was made of")
    test: bool = Field(False, description="signed with a certificate that is for tests")
    bytes: int = 0
    note: str = ""


class InputRecord(Record):
    """A source image as it was read. `generation` is null for images inside the manifest or made from text."""

    uri: str
    generation: int | None
    mime_type: str
    width: int
    height: int
    bytes: int
    sha256: str
    notes: list[str] = []
    provenance: ProvenanceRecord | None = None


class Inputs(Record):
    """The sources; what could not be read is null. `product` is the photograph that leads."""

    scene: InputRecord | None = None
    product: InputRecord | None = None
    mask: InputRecord | None = Field(None, description="of the placement; absent: none asked for", exclude_if=_is_none)
    masks: dict[str, InputRecord] = Field(
        {}, description="those of several products' placements, by product; absent: none", exclude_if=_is_empty
    )
    views: list[InputRecord] = Field(
        [], description="of several photographs of the product all, in the manifest's order", exclude_if=_is_empty
    )

    def with_photograph(self, described: InputRecord) -> Inputs:
        """With one photograph more, the first of which leads."""
        if self.product is None:
            return self.model_copy(update={"product": described})
        return self.model_copy(update={"views": [*(self.views or [self.product]), described]})


class ResultRecord(Record):
    """A picture that was written."""

    name: str | None = Field(None, description="of the manifest's outputs; null without them")
    uri: str
    mime_type: str
    width: int
    height: int
    bytes: int
    sha256: str
    shown: tuple[int, int, int, int] | None = Field(
        None, description="x, y, width, height of the scene's part that it shows; null: all of it"
    )
    provenance: ProvenanceRecord | None = None


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
    skipped: list[SkippedModel] = []


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
        None, description="asked for in a batch, at its price; absent: asked for at once", exclude_if=_is_none
    )
    checks: dict[str, CheckRecord] = {}
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
    estimates_by_rule: dict[str, int] = {}


class Shrunk(Record):
    """An image's size before and as sent."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    from_size: Size = Field(alias="from")
    to_size: Size = Field(alias="to")


class Compression(Record):
    """How the sources were shrunk for the model."""

    max_px: int
    scene: Shrunk | None
    product: Shrunk


class DriftRecord(Record):
    """How far the model's answer lay from the scene, before it was put back."""

    scale_x: float | None
    scale_y: float | None
    shift_px: float | None
    residual_px: float | None
    registered: bool


class Restoration(Record):
    """How much of the picture's own detail was brought back."""

    mode: Literal["full", "off"]
    share: float = Field(0.0, description="share of the result that is the scene's or the product's own pixels")
    match_kind: str | None = None
    match_quality: float | None = None
    corners: Corners | None = Field(
        None, description="the photograph's top left, top right and bottom left corner, [x, y] in the result's pixels"
    )
    note: str = ""


class Change(Record):
    """Where the model changed the scene: box in the result's pixels, small grey PNG as a data: URI."""

    share: float
    box: tuple[int, int, int, int] | None
    mask: str | None = None


class Undone(Record):
    """A change apart from the product that nobody asked for: there the result has the scene's own pixels."""

    box: tuple[int, int, int, int] = Field(description="x, y, width, height in the scene's pixels")
    share: float = Field(description="of the scene's area")


class StyleRecord(Record):
    """The style profile whose words the model was told."""

    name: str
    uri: str
    generation: int
    sha256: str
    checks: list[str] = Field(
        [], description="that had to be measured, or a person looks at the picture", exclude_if=_is_empty
    )


class PersonRecord(Record):
    """What a person asked for after looking at an earlier picture, and what this run has carried out."""

    asked: Literal["redo", "pick"]
    attempt: int | None = Field(None, description="of a pick: the attempt that became the result")
    by: str
    at: str
    redone: int = Field(0, description="how many times people have asked to regenerate this pair")


class IdentityRecord(Record):
    """Whose pixels the product was to have, and what the model did to a product that was laid into the scene for it.

    Boxes are x, y, width, height in the scene's pixels; what was not laid has none, and nothing measured.
    """

    asked: Literal["auto", "model", "exact"]
    box: tuple[int, int, int, int] | None = Field(None, description="where the product was laid")
    moved: float | None = Field(None, description="by the model, share of the product's height")
    scale_x: float | None = None
    scale_y: float | None = None
    turned_deg: float | None = None
    followed: float | None = Field(None, description="share of the product that the answer shows as it was laid")
    changed: list[tuple[int, int, int, int]] = Field([], description="where the product is not its photograph")
    note: str = ""


class AskedPlaceRecord(Record):
    """Where the product was asked to stand, besides words, in the scene's pixels."""

    box: tuple[int, int, int, int] | None = Field(None, description="x, y, width, height")
    areas: list[list[tuple[int, int]]] = Field(
        [], description="white parts of the mask: polygons of [x, y], simplified"
    )
    height: int | None = Field(None, description="of the product, where the scene's scale says it")
    facing: str | None = None
    tolerance: float | None = None


class ViewRecord(Record):
    """Of several photographs of a product the one that the picture was compared with, and restored from."""

    index: int = Field(description="from 0, in inputs.views")
    uri: str
    sent: int = Field(description="how many of them the model was sent, from the first on: as many as it takes")


class ProductRecord(Record):
    """One of several products; `checks` of the sidecar are the worst of each of these."""

    name: str
    placement: str | None
    asked_place: AskedPlaceRecord | None = Field(
        None, description="of its placement, besides its words; absent: nothing asked", exclude_if=_is_none
    )
    inputs: list[InputRecord]
    view: ViewRecord = Field(description="its index is from 0 in this product's inputs")
    box: tuple[int, int, int, int] | None = Field(None, description="x, y, width, height in the scene's pixels")
    match_quality: float | None = Field(None, description="as in restoration; null where its photograph was not found")
    checks: dict[str, CheckRecord]


class Timings(Record):
    """Milliseconds by stage; `generate` includes waiting for the model."""

    download: int = 0
    prepare: int = 0
    generate: int = 0
    restore: int = 0
    check: int = 0
    encode: int = 0
    upload: int = 0
    total: int = 0


class ErrorRecord(Record):
    """Why there is no result."""

    code: ErrorCode
    message: str
    retryable: bool
    stage: str

    @classmethod
    def of(cls, error: CompositeError) -> ErrorRecord:
        """The record of an error."""
        return cls(code=error.code, message=error.message, retryable=error.retryable, stage=error.stage)


class Sidecar(Record):
    """Everything that is known of one pair, written last: where it stands, the pair is settled."""

    schema_version: str = SCHEMA_VERSION
    status: Literal["accepted", "review", "failed"]
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))
    pipeline_version: str = PIPELINE_VERSION
    manifest: ManifestIdentity | None
    inputs: Inputs = Inputs()
    result: ResultRecord | None = None
    results: list[ResultRecord] = Field([], description="all pictures; result is the first of them")
    model: ModelRecord | None = None
    attempts: list[Attempt] = []
    earlier: list[EarlierAttempt] = Field(
        [], description="from before the pair was regenerated; they may still be picked", exclude_if=_is_empty
    )
    prompt_version: str | None = Field(None, description="of the words that the model was asked with")
    cost: Cost
    compression: Compression | None = None
    drift: DriftRecord | None = None
    restoration: Restoration | None = None
    method: Method | None = Field(
        None, description="what placed the product: the model, this function in a sketch, or this function alone"
    )
    identity: IdentityRecord | None = None
    view: ViewRecord | None = Field(None, description="null where there is one photograph", exclude_if=_is_none)
    products: list[ProductRecord] = Field([], description="of a manifest with several", exclude_if=_is_empty)
    change: Change | None = None
    undone: list[Undone] = []
    checks: dict[str, CheckRecord] = {}
    risk: RiskRecord | None = Field(None, description="null where there is no picture")
    timings_ms: Timings = Timings()
    labels: dict[str, str] = {}
    name: str | None = Field(None, description="of the catalogue's row, for people")
    placement: str | None = None
    asked_place: AskedPlaceRecord | None = Field(
        None, description="of the placement, besides its words; absent: nothing asked", exclude_if=_is_none
    )
    pose: str | None = None
    feedback: str | None = None
    style: StyleRecord | None = Field(None, exclude_if=_is_none)
    person: PersonRecord | None = None
    error: ErrorRecord | None = None

    def to_json(self) -> bytes:
        """The document as it is stored."""
        return self.model_dump_json(indent=1, by_alias=True).encode()


class RefusedRow(Record):
    """A catalogue row that was not written, and why. `row` counts data rows from 1, `line` the file's lines."""

    row: int
    line: int
    reason: str


class CatalogueSidecar(Record):
    """The record of a catalogue: how many pair manifests it became."""

    schema_version: str = SCHEMA_VERSION
    status: Literal["accepted", "review", "failed"] = Field(
        description="accepted: every row written; review: some rows refused; failed: none written"
    )
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))
    pipeline_version: str = PIPELINE_VERSION
    catalogue: ManifestIdentity
    rows_written: int = 0
    rows_refused: int = 0
    refused: list[RefusedRow] = Field([], description="the first 10,000 of them")
    budget_usd: float | None = Field(None, description="the catalogue's own, over all its uploads")
    manifests: str | None = Field(None, description="gs:// prefix of the pair manifests that were written")
    timings_ms: Timings = Timings()
    error: ErrorRecord | None = None

    def to_json(self) -> bytes:
        """The document as it is stored."""
        return self.model_dump_json(indent=1).encode()
