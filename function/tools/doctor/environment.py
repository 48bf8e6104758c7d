"""The settings, the models' last days, and the caps on spending: what the environment alone tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from function.generation.models import model_table
from function.generation.pricing import typical_usd
from function.settings import InvalidSettingsError, Settings
from function.tools.doctor.finding import Finding, ok, problem, warning


def read_settings(environment: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    """The settings as the function would read them; None, and every bad value in one line, where it would not start."""
    try:
        settings = Settings.from_environment(environment)
    except InvalidSettingsError as invalid:
        return None, [problem("settings", str(invalid), "correct these values; nothing else can be looked at before")]
    return settings, [ok("settings", f"every value can be used; models in turn: {', '.join(settings.model_chain)}")]


def check_warnings(settings: Settings, today: date) -> list[Finding]:
    """What the function warns of at its start, and models that a manifest may name and that end soon."""
    others = [name for name in settings.manifest_models if name not in settings.model_chain]
    said = settings.warnings(today) + model_table().retirement_warnings(others, today)
    return [warning("settings", one) for one in said]


def check_caps(settings: Settings) -> Finding:
    """Whether anything stops spending."""
    cap_usd = settings.max_usd_per_day
    if cap_usd is None:
        found = "MAX_USD_PER_DAY is not set: nothing stops spending"
        return warning("caps", found, "set MAX_USD_PER_DAY to what a day may cost")
    each = typical_usd(model_table().find(settings.gemini_model))
    pictures = int(cap_usd / each)
    return ok("caps", f"at most ${cap_usd:,.2f} a day (UTC): about {pictures:,} pictures of {settings.gemini_model}")


def check_buckets_differ(settings: Settings, input_bucket: str | None) -> list[Finding]:
    """The input bucket must not be the output bucket: every sidecar would start the function again. Nor that of
    batches, whose events mean something else."""
    if input_bucket is not None and input_bucket == settings.batch_bucket:
        found = f"gs://{input_bucket} is both input and BATCH_BUCKET: its manifests would be passed over"
        return [problem("buckets", found, "let BATCH_BUCKET name a bucket of its own")]
    if input_bucket != settings.output_bucket:
        return []
    found = f"gs://{input_bucket} is both input and output: every sidecar would start the function again"
    return [problem("buckets", found, "let OUTPUT_BUCKET name another bucket")]
