"""Lines that are drawn over the last ones on a terminal, whatever its size is by now."""

from __future__ import annotations

import math
import re
import shutil
import sys
import unicodedata

CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
BAR_CHARS = 28


def bar(share: float) -> str:
    """A share 0..1 as blocks."""
    filled = round(min(1.0, share) * BAR_CHARS)
    return "█" * filled + "░" * (BAR_CHARS - filled)


def clock(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 5 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class LiveScreen:
    """Draws lists of lines one over the other. What would not fit the terminal's height is not drawn, for lines that
    have left it cannot be taken back."""

    def __init__(self) -> None:
        self._last: list[str] = []

    def draw(self, lines: list[str]) -> None:
        """Replace what was drawn last."""
        width, height = shutil.get_terminal_size()
        up = sum(_rows(line, width) for line in self._last)
        shown = _fitting(lines, width, height - 1)
        sys.stdout.write((f"\x1b[{up}A\r" if up else "") + "\x1b[J" + "".join(f"{line}\n" for line in shown))
        sys.stdout.flush()
        self._last = shown


def _fitting(lines: list[str], width: int, height: int) -> list[str]:
    shown: list[str] = []
    used = 0
    for number, line in enumerate(lines):
        used += _rows(line, width)
        if used > height - (number < len(lines) - 1):
            return [*shown, f"  … {len(lines) - number} more lines"[:width]]
        shown.append(line)
    return shown


def _rows(line: str, width: int) -> int:
    """How many rows of the terminal a line takes, once it is wrapped."""
    text = CONTROL.sub("", line)
    columns = sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return max(1, math.ceil(columns / max(1, width)))
