"""The sidecar of a pair: the JSON document that stands beside a result."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from function import PIPELINE_VERSION
from function.sidecar.attempts import Attempt, CheckRecord, Cost, EarlierAttempt, ModelRecord, RiskRecord
from function.sidecar.files import Inputs, ResultRecord
from function.sidecar.processing import Change, Compression, DriftRecord, Restoration, Undone
from function.sidecar.record import (
    SCHEMA_VERSION,
    ErrorRecord,
    ManifestIdentity,
    Method,
    Record,
    Timings,
    is_empty,
    is_none,
)
from function.sidecar.request import (
    AskedPlaceRecord,
    IdentityRecord,
    PersonRecord,
    ProductRecord,
    StyleRecord,
    ViewRecord,
)


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
    attempts: list[Attempt] = Field([])
    earlier: list[EarlierAttempt] = Field(
        [], description="from before the pair was regenerated; they may still be picked", exclude_if=is_empty
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
    view: ViewRecord | None = Field(None, description="null where there is one photograph", exclude_if=is_none)
    products: list[ProductRecord] = Field([], description="of a manifest with several", exclude_if=is_empty)
    change: Change | None = None
    undone: list[Undone] = Field([])
    checks: dict[str, CheckRecord] = Field({})
    risk: RiskRecord | None = Field(None, description="null where there is no picture")
    timings_ms: Timings = Timings()
    labels: dict[str, str] = Field({})
    name: str | None = Field(None, description="of the catalogue's row, for people")
    placement: str | None = None
    asked_place: AskedPlaceRecord | None = Field(
        None, description="of the placement, besides its words; absent: nothing asked", exclude_if=is_none
    )
    pose: str | None = None
    feedback: str | None = None
    style: StyleRecord | None = Field(None, exclude_if=is_none)
    person: PersonRecord | None = None
    error: ErrorRecord | None = None

    def to_json(self) -> bytes:
        """The document as it is stored."""
        return self.model_dump_json(indent=1, by_alias=True).encode()
