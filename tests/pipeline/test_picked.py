"""A picked attempt that cannot be made into a result says so before anything is looked at."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from function.pipeline.picked import Picked, PickedAttemptGoneError, judge_picked


def test_an_attempt_that_lit_a_sketch_is_not_judged_as_one_that_placed_the_product():
    attempts = [SimpleNamespace(number=1, method="model"), SimpleNamespace(number=2, method="sketch")]
    picked = Picked(2, b"", SimpleNamespace(attempts=attempts), "m")
    with pytest.raises(PickedAttemptGoneError, match="attempt 2 relit a product that had been placed in the scene"):
        judge_picked(None, picked)
