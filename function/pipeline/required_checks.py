"""The checks that a style asks for: a picture of which one could not be measured is looked at by a person."""

from __future__ import annotations

from collections.abc import Collection

from function.pipeline.record import RunRecord
from function.sidecar.attempts import CheckRecord

Checks = dict[str, CheckRecord]


def require_checks(record: RunRecord) -> None:
    """Fail what the style asks for and nothing was measured of, of several products for each of them."""
    names = record.style.checks if record.style else []
    record.checks = _required(record.checks, names)
    record.products = [one.model_copy(update={"checks": _required(one.checks, names)}) for one in record.products]
    for product in record.products:
        for name in names:
            check = product.checks[name]
            if record.checks[name].passed and not check.passed:
                record.checks[name] = check.model_copy(update={"reason": f"{product.name}: {check.reason}"})


def _required(checks: Checks, names: Collection[str]) -> Checks:
    return {
        name: _failed(check) if name in names and _is_unmeasured(check) else check for name, check in checks.items()
    }


def _is_unmeasured(check: CheckRecord) -> bool:
    return check.passed and check.value is None


def _failed(check: CheckRecord) -> CheckRecord:
    return check.model_copy(update={"passed": False, "reason": f"The style asks for this check. {check.reason}"})
