"""Catalogues by batch, end to end: half the price, each picture asked for once."""

from __future__ import annotations

import pytest

ROWS: list[dict] = [{}, {}]
PAIRS = ["spring/000001.json", "spring/000002.json"]
HALF_USD = 0.5 * (0.30 * (2 * 258) + 30 * 1290) / 1e6  # of the pictures alone; the words are beside it


def test_a_catalogue_is_answered_by_one_job_at_half_the_price(place):
    place.put_rows(ROWS)
    place.deliver()
    assert not place.asked() and set(place.cloud.names()) == {"spring.jsonl.json"}, "the pairs wait"
    sidecars = place.run(PAIRS)
    (job,) = place.close()
    assert (job.answered, job.waiting_again, job.asked_at_once, job.lost) == (2, 0, 0, 0)
    assert [seen["api"] for seen in place.asked()] == ["batch", "batch"]
    for sidecar in sidecars.values():
        (attempt,) = sidecar["attempts"]
        assert (attempt["outcome"], attempt["price_tier"]) == ("generated", "batch")
        usage = attempt["usage"]
        text_out = usage["output_tokens"] - 1290
        full = (0.30 * usage["prompt_tokens"] + 30 * 1290 + 2.5 * text_out) / 1e6
        assert attempt["usd"] == sidecar["cost"]["usd"] == pytest.approx(full / 2, abs=1e-6)
        assert attempt["usd"] > HALF_USD
