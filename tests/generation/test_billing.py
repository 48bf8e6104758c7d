"""What a call costs, counted by hand from the price list, for every model and size, with and without thinking."""

from __future__ import annotations

import pytest

from function.generation.billing import bill_of
from function.generation.models import model_table
from function.generation.pricing import Usage, max_picture_usd
from function.generation.provider import Answer, Request

# USD per million tokens (in, text and thinking out, image out), and image tokens by size: from the price lists, not
# from the table that is tested.
BY_HAND = {
    "gemini-2.5-flash-image": (0.30, 2.50, 30.0, {"1K": 1290}),
    "gemini-3-pro-image": (2.00, 12.00, 120.0, {"1K": 1120, "2K": 1120, "4K": 2000}),
    "gemini-3.1-flash-image": (0.50, 3.00, 60.0, {"1K": 1120, "2K": 1680, "4K": 2520}),
    "gemini-3.1-flash-lite-image": (0.25, 1.50, 30.0, {"1K": 1120}),
    "gemini-nano-banana-2.1": (1.50, 7.50, 30.0, {"1K": 1120, "2K": 1680, "4K": 3767}),
}
CASES = [(name, size, thoughts) for name, row in BY_HAND.items() for size in row[3] for thoughts in (0, 900)]


def answered(model, usage, version=None, outcome="image"):
    return Answer(outcome, "STOP", "", b"", "image/png", usage, version, 10)


def request(model, size=None):
    return Request(model, "a table", ((b"", "image/png"),) * 2, "1:1", size, 1)


@pytest.mark.parametrize(("model", "size", "thoughts"), CASES)
def test_a_bill_is_that_of_the_list(model, size, thoughts):
    per_in, per_text, per_image, tokens = BY_HAND[model]
    image = tokens[size]
    usage = Usage(
        prompt_tokens=700, prompt_image_tokens=516, output_tokens=image + 12, output_image_tokens=image,
        thought_tokens=thoughts,
    )  # fmt: skip
    by_hand = (700 * per_in + (12 + thoughts) * per_text + image * per_image) / 1e6
    bill = bill_of(request(model, size), answered(model, usage, model))
    assert bill.usd == pytest.approx(by_hand, abs=1e-6)
    assert bill.priced_as is None and not bill.estimated


@pytest.mark.parametrize(("model", "size", "_"), CASES)
def test_what_a_call_may_cost_is_more_than_what_it_costs(model, size, _):
    row = model_table().find(model)
    thoughts = row.thinking_allowance_tokens
    image = row.output_image_tokens[size]
    prompt = "a table " * 200
    usage = Usage(
        prompt_tokens=2 * row.input_image_tokens + len(prompt) // 4, prompt_image_tokens=2 * row.input_image_tokens,
        output_tokens=image + 50, output_image_tokens=image, thought_tokens=thoughts,
    )  # fmt: skip
    assert max_picture_usd(row, 2, prompt, size) > bill_of(request(model, size), answered(model, usage)).usd


def test_the_model_that_answered_is_the_one_that_is_paid():
    usage = Usage(prompt_tokens=1000, output_tokens=1120, output_image_tokens=1120)
    bill = bill_of(request("gemini-2.5-flash-image"), answered("", usage, "gemini-3-pro-image-001"))
    assert bill.usd == pytest.approx((1000 * 2 + 1120 * 120) / 1e6)
    assert (bill.answered_by, bill.priced_as) == ("gemini-3-pro-image-001", None)


def test_an_unlisted_model_is_priced_at_the_dearest_and_says_so():
    usage = Usage(prompt_tokens=1000, output_tokens=1120, output_image_tokens=1120)
    bill = bill_of(request("new-model"), answered("", usage, "new-model"))
    assert bill.usd == pytest.approx((1000 * 2 + 1120 * 120) / 1e6)
    assert (bill.answered_by, bill.priced_as) == ("new-model", "gemini-3-pro-image")


def test_a_text_model_that_was_replaced_is_paid_as_its_replacement():
    usage = Usage(prompt_tokens=1000, output_tokens=100)
    bill = bill_of(request("gemini-2.5-flash"), answered("", usage, "gemini-3.5-flash-lite", "text"))
    assert bill.usd == pytest.approx((1000 * 0.30 + 100 * 2.5) / 1e6)
