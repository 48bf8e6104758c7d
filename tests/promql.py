"""As much of PromQL as the alerts use, evaluated on counts by minute: every result is one number, or none.

The grammar, from what binds least: `or`; `and`, `unless`; comparisons (which let a value through or not); + and -;
* and /; numbers, vector(n), sum(…), increase(series[window]), a series, parentheses. Labels are only used to choose
series, since everything is summed.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|>=|<=|==|[-+*/()>]|[a-z_]\w*(?::\w+)?(?:\{[^}]*\})?(?:\[\w+\])?)")
SERIES = re.compile(r"([a-z_]\w*(?::\w+)?)(?:\{([^}]*)\})?(?:\[(\d+)([mhd])\])?")
LABEL = re.compile(r'(\w+)(=~|=)"([^"]*)"')
MINUTES = {"m": 1, "h": 60, "d": 1440}
COMPARISONS = {">": operator.gt, ">=": operator.ge, "<=": operator.le, "==": operator.eq}
ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul}

Value = float | None
Node = Callable[[int], Value]


@dataclass(frozen=True)
class Series:
    """One time series. `values`: by minute from 0; of a counter what each minute adds, of a gauge its value."""

    name: str
    labels: dict[str, str]
    values: list[float]
    counter: bool = True


class Query:
    """A query over series, to be asked minute by minute."""

    def __init__(self, text: str, series: list[Series]):
        self._tokens = TOKEN.findall(text)
        assert "".join(self._tokens) == re.sub(r"\s", "", text), f"cannot read {text}"
        self._series = [(one, list(accumulate(one.values, initial=0.0))) for one in series]
        self._node = self._either()
        assert not self._tokens, f"left over: {self._tokens}"

    def at(self, minute: int) -> Value:
        """Its result at the end of a minute; None is an empty one."""
        return self._node(minute)

    def _take(self, *wanted: str) -> str | None:
        return self._tokens.pop(0) if self._tokens and self._tokens[0] in wanted else None

    def _either(self) -> Node:
        left = self._both()
        while self._take("or"):
            left = _node(lambda a, b: b if a is None else a, left, self._both())
        return left

    def _both(self) -> Node:
        left = self._compared()
        while word := self._take("and", "unless"):
            keep = word == "and"
            left = _node(lambda a, b, keep=keep: a if (b is not None) == keep else None, left, self._compared())
        return left

    def _compared(self) -> Node:
        left = self._sum()
        while sign := self._take(*COMPARISONS):
            holds = COMPARISONS[sign]
            left = _node(_strict(lambda a, b, holds=holds: a if holds(a, b) else None), left, self._sum())
        return left

    def _sum(self) -> Node:
        left = self._product()
        while sign := self._take("+", "-"):
            left = _node(_strict(ARITHMETIC[sign]), left, self._product())
        return left

    def _product(self) -> Node:
        left = self._atom()
        while sign := self._take("*", "/"):
            left = _node(_strict(ARITHMETIC.get(sign, _divide)), left, self._atom())
        return left

    def _atom(self) -> Node:
        token = self._tokens.pop(0)
        if token == "(" or (token in {"sum", "increase", "vector"} and self._tokens.pop(0) == "("):
            inner = self._either()
            assert self._take(")")
            return inner
        if token[0].isdigit():
            return lambda minute: float(token)
        return self._select(token)

    def _select(self, token: str) -> Node:
        name, labels, number, unit = SERIES.fullmatch(token).groups()
        wanted = LABEL.findall(labels or "")
        chosen = [(one, sums) for one, sums in self._series if one.name == name and _matches(one.labels, wanted)]
        window = int(number) * MINUTES[unit] if number else None

        def value(minute: int) -> Value:
            found = [_value(one, sums, minute, window) for one, sums in chosen]
            known = [one for one in found if one is not None]
            return sum(known) if known else None

        return value


def _matches(labels: dict[str, str], wanted: list[tuple[str, str, str]]) -> bool:
    return all(
        re.fullmatch(text, labels.get(name, "")) if sign == "=~" else labels.get(name, "") == text
        for name, sign, text in wanted
    )


def _value(series: Series, sums: list[float], minute: int, window: int | None) -> Value:
    end = min(minute + 1, len(series.values))
    if not series.counter:
        return series.values[end - 1]
    if not sums[end]:
        return None  # a metric of log lines does not exist before its first line
    return sums[end] - sums[min(end, max(0, minute + 1 - window))]


def _node(join: Callable[[Value, Value], Value], left: Node, right: Node) -> Node:
    return lambda minute: join(left(minute), right(minute))


def _strict(join: Callable[[float, float], Value]) -> Callable[[Value, Value], Value]:
    return lambda a, b: None if a is None or b is None else join(a, b)


def _divide(a: float, b: float) -> float:
    return a / b if b else math.nan if not a else math.copysign(math.inf, a)
