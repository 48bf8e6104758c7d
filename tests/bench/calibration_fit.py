"""The logistic regression of function/judging/risk.py: fitted, and tried on what it was not fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.stats import rankdata

from function.judging.judge import Check
from function.judging.registry import CHECKS
from function.judging.risk import Calibration, Weights, evidence, risk_of

Row = dict[str, Any]

# Good and bad pictures weigh as if there were as many of the one as of the other.
PRIOR = 0.5
# Of the squares of the weights, beside the mean loss: from .003 to .03 the held-out figures are the same within .01.
PENALTY = 0.01


def checks_of(row: Row) -> dict[str, Check]:
    """The checks of a row as the judge has them."""
    return {
        name: Check(one["value"], one["threshold"], one["passed"], one.get("unit", ""), one.get("reason", ""))
        for name, one in row["checks"].items()
    }


def fit(rows: Sequence[Row], version: str = "being fitted") -> Calibration:
    """Weights that explain which of the rows are good. Raises ValueError where all are or none is."""
    names = [spec.name for spec in CHECKS]
    features = np.array([[part for name in names for part in evidence(checks_of(row)[name])] for row in rows])
    bad = np.array([not row["good"] for row in rows], float)
    if not 0 < bad.mean() < 1:
        raise ValueError("a calibration needs good and bad pictures")
    weight = np.where(bad > 0, PRIOR / bad.mean(), (1 - PRIOR) / (1 - bad.mean()))

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        odds = parameters[0] + features @ parameters[1:]
        slope = weight * (1 / (1 + np.exp(-odds)) - bad) / len(bad)
        value = np.mean(weight * (np.logaddexp(0, odds) - bad * odds)) + PENALTY / 2 * np.sum(parameters[1:] ** 2)
        return float(value), np.r_[slope.sum(), features.T @ slope + PENALTY * parameters[1:]]

    bounds = [(None, None)] + [(0, None)] * features.shape[1]
    found = minimize(loss, np.zeros(features.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    pairs = found[1:].reshape(-1, 2).round(4)
    weights = {
        name: Weights(distance=float(distance), failed=float(failed))
        for name, (distance, failed) in zip(names, pairs, strict=True)
    }
    return Calibration(version=version, prior=PRIOR, intercept=round(float(found[0]), 4), weights=weights)


def held_out_risks(rows: Sequence[Row], tried: Sequence[Row], by: str) -> np.ndarray:
    """(n,) the risk of each of `tried` by weights fitted on the `rows` of every other `by`: product or set_name."""
    fitted = {group: fit([row for row in rows if row[by] != group]) for group in {row[by] for row in tried}}
    return np.array([risk_of(checks_of(row), fitted[row[by]]).value for row in tried])


def area_under_curve(risks: np.ndarray, bad: np.ndarray) -> float:
    """Probability that a bad picture has a higher risk than a good one (area under the ROC curve)."""
    of_bad, of_good = int(bad.sum()), int((~bad).sum())
    return float((rankdata(risks)[bad].sum() - of_bad * (of_bad + 1) / 2) / (of_bad * of_good))
