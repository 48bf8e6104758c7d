"""What is learnt during a run, gathered as it goes, so that a failure's sidecar says how far it got."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from function.delivery.lease import BegunCall
from function.errors import CompositeError
from function.generation.models import ImageModel, model_table
from function.generation.pricing import Usage, rule_in_force, uncompressed_estimates
from function.imaging.frame import Size
from function.sidecar import (
    Attempt,
    Change,
    CheckRecord,
    Compression,
    Cost,
    DriftRecord,
    ErrorRecord,
    InputRecord,
    Inputs,
    ManifestIdentity,
    ModelRecord,
    Restoration,
    ResultRecord,
    Sidecar,
    Timings,
    UsageRecord,
)
from function.telemetry.structured_logging import log


@dataclass
class RunRecord:
    """The sidecar in the making. Sizes are (width, height)."""

    inputs: Inputs = field(default_factory=Inputs)
    model: ModelRecord | None = None
    attempts: list[Attempt] = field(default_factory=list)
    compression: Compression | None = None
    drift: DriftRecord | None = None
    restoration: Restoration | None = None
    change: Change | None = None
    checks: dict[str, CheckRecord] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    placement: str | None = None
    image_model: ImageModel | None = None
    billed: Usage = field(default_factory=Usage)
    sent_sizes: list[Size] = field(default_factory=list)
    full_sizes: list[Size] = field(default_factory=list)
    _timings: dict[str, float] = field(default_factory=dict)
    _started: float = field(default_factory=monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage (a field of Timings); entering it again adds up. Errors get its name when they have none."""
        start = monotonic()
        try:
            yield
        finally:
            spent = monotonic() - start
            self._timings[name] = self._timings.get(name, 0.0) + spent
            log("DEBUG", f"{name} done", stage=name, duration_ms=round(spent * 1000))

    def add_input(self, field: str, described: InputRecord) -> None:
        """Note a source that was read. Both are read at the same time, hence the lock."""
        with self._lock:
            self.inputs = self.inputs.model_copy(update={field: described})

    def add_attempt(self, attempt: Attempt, usage: Usage, paid: bool) -> None:
        """Note a picture that was asked for, and what was billed for it."""
        self.attempts.append(attempt)
        if paid:
            self.billed = Usage(
                **{name: getattr(self.billed, name) + getattr(usage, name) for name in Usage.model_fields}
            )

    def add_interrupted(self, calls: Sequence[BegunCall]) -> None:
        """Note calls whose answers were lost, in front of what followed."""
        nothing = UsageRecord(prompt_tokens=0, prompt_image_tokens=0, output_tokens=0, thought_tokens=0)
        lost = [
            Attempt(
                number=call.number,
                purpose="composite" if call.number else "scene",
                seed=call.seed,
                outcome="interrupted",
                verdict="unusable",
                finish_reason="",
                message="its answer was lost: the delivery died, the connection broke, or it came too late; "
                "it may have been billed",
                latency_ms=0,
                usage=nothing,
                usd=0.0,
            )
            for call in calls
        ]
        self.attempts = sorted(lost + self.attempts, key=lambda attempt: attempt.number)

    def replace_last_attempt(self, **changes: object) -> None:
        """Complete the newest attempt with what judging it has shown."""
        self.attempts[-1] = self.attempts[-1].model_copy(update=changes)

    def timings(self) -> Timings:
        """Milliseconds by stage so far."""
        spent = {name: round(seconds * 1000) for name, seconds in self._timings.items()}
        return Timings(**spent, total=round((monotonic() - self._started) * 1000))

    def usd(self) -> float | None:
        """What this manifest's attempts cost together, or None when a price is unknown."""
        opinions = [attempt.second_opinion for attempt in self.attempts if attempt.second_opinion]
        prices = [attempt.usd for attempt in self.attempts] + [opinion.usd for opinion in opinions]
        return None if None in prices else round(sum(prices), 6)

    def cost(self) -> Cost:
        """What was billed, beside what the uncompressed images would have been."""
        model = self.image_model
        if model is None or all(attempt.outcome == "interrupted" for attempt in self.attempts):
            source = model_table().price_source
            return Cost(
                usd=0.0,
                prompt_tokens=0,
                output_tokens=0,
                estimated_prompt_tokens_uncompressed=0,
                prompt_tokens_saved_percent=0.0,
                price_source=source,
            )
        composites = [
            attempt for attempt in self.attempts if attempt.purpose == "composite" and attempt.outcome != "interrupted"
        ]
        billed_images = composites[-1].usage.prompt_image_tokens if composites else 0
        rule = rule_in_force(model, self.sent_sizes, billed_images)
        estimates: dict[str, int] = {}
        for attempt in self.attempts:
            if attempt.outcome == "interrupted" or (attempt.outcome == "reused" and not attempt.usd):
                continue  # what was not billed would not have been billed at full size either
            usage = Usage(
                prompt_tokens=attempt.usage.prompt_tokens,
                prompt_image_tokens=attempt.usage.prompt_image_tokens,
            )
            sizes = self.full_sizes if attempt.purpose == "composite" else []
            for name, tokens in uncompressed_estimates(model, sizes, usage).items():
                estimates[name] = estimates.get(name, 0) + tokens
        estimated = estimates.get(rule, 0)
        saved = 100 * (1 - self.billed.prompt_tokens / estimated) if estimated else 0.0
        known = model.usd_per_million is not None
        return Cost(
            usd=self.usd(),
            prompt_tokens=self.billed.prompt_tokens,
            output_tokens=self.billed.output_tokens,
            estimated_prompt_tokens_uncompressed=estimated,
            prompt_tokens_saved_percent=round(saved, 1),
            price_source=model_table().price_source if known else f"no price is known for {model.id}",
            billing_rule=rule,
            estimates_by_rule=estimates,
        )

    def sidecar(
        self,
        status: str,
        manifest: ManifestIdentity | None,
        *,
        result: ResultRecord | None = None,
        error: CompositeError | None = None,
    ) -> Sidecar:
        """The finished document."""
        return Sidecar(
            status=status,
            manifest=manifest,
            inputs=self.inputs,
            result=result,
            model=self.model,
            attempts=self.attempts,
            cost=self.cost(),
            compression=self.compression,
            drift=self.drift,
            restoration=self.restoration,
            change=self.change,
            checks=self.checks,
            timings_ms=self.timings(),
            labels=self.labels,
            placement=self.placement,
            error=ErrorRecord.of(error) if error else None,
        )
