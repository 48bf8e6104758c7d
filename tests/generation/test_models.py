"""The table: what is listed, what an unlisted model is taken for, and what has to be mended when a day has come."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from function.generation.models import model_table
from function.settings import DEFAULT_FALLBACK_MODELS, DEFAULT_MODEL


@pytest.mark.parametrize("model_id", [DEFAULT_MODEL, *DEFAULT_FALLBACK_MODELS])
def test_no_default_has_retired(model_id):
    retires = model_table().models[model_id].retires
    assert retires is None or retires > datetime.now(UTC).date(), "choose another default in function/settings.py"


@pytest.mark.parametrize(
    ("answered_by", "listed"),
    [
        ("gemini-2.5-flash-image", "gemini-2.5-flash-image"),
        ("gemini-2.5-flash-image-001", "gemini-2.5-flash-image"),
        ("models/gemini-3.1-flash-lite-image-preview-06-30", "gemini-3.1-flash-lite-image"),
        ("gemini-2.5-flash-image-ultra", "gemini-3-pro-image"),  # unlisted: the dearest
        ("a-model-of-next-year", "gemini-3-pro-image"),
    ],
)
def test_a_price_is_that_of_the_model_that_answered(answered_by, listed):
    assert model_table().priced_as(answered_by).id == listed


def test_an_unlisted_text_model_costs_what_the_dearest_costs():
    most_expensive = model_table().text_models["gemini-2.5-pro"]
    assert model_table().text_priced_as("gemini-3.8-flash") == most_expensive


def test_a_model_is_warned_of_sixty_days_before_it_ends():
    table = model_table()
    assert table.retirement_warnings([DEFAULT_MODEL], date(2027, 1, 14)) == []
    (said,) = table.retirement_warnings([DEFAULT_MODEL], date(2027, 1, 15))
    assert "will be shut down on 2027-03-15" in said
    (said,) = table.retirement_warnings([DEFAULT_MODEL], date(2027, 3, 15))
    assert "was shut down" in said


def test_every_price_and_limit_says_where_it_is_from():
    for model in model_table().models.values():
        sources = model.retires_source, model.locations_source, model.billing_rules_source, model.spot_shown_source
        assert all(sources)
    assert all(len(model_table().models[name].native_sizes) == 14 for name in ("gemini-nano-banana-2.1",))
