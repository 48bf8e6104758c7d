"""Two tiers: what runs in a few minutes by default, and everything with `--full`.

By default every promise is tested once; with `--full` also in the other cases of a long matrix, at random, and with
many more examples.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import settings

FULL = "TESTS_FULL"  # the environment's name for --full, so that decorators can ask for it
FEW_EXAMPLES_SHARE = 0.1


def exhaustive(*cases: Any) -> list[Any]:
    """Cases for `parametrize` that run with `--full` only; a tuple is a case of several parameters."""
    values = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*value, marks=pytest.mark.exhaustive) for value in values]


def examples(count: int) -> settings:
    """Settings of a hypothesis test: `count` examples with `--full`, a tenth of them by default."""
    return settings(max_examples=count if FULL in os.environ else round(count * FEW_EXAMPLES_SHARE))
