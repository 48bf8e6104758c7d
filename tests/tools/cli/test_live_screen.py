"""The live screen leaves no stale line, whatever wraps: looked at through a small terminal of the test's own."""

from __future__ import annotations

import re

import pytest

from function.tools.cli.live_screen import LiveScreen

WIDTH, HEIGHT = 20, 6


class Terminal:
    """The rows of a terminal, as the few controls that are used change them."""

    def __init__(self):
        self.rows, self.row, self.column = [""], 0, 0

    def write(self, text):
        for part in re.findall(r"\x1b\[\d*[AJ]|.|\n", text, re.DOTALL):
            if part.endswith("A") and part.startswith("\x1b"):
                top = max(0, len(self.rows) - HEIGHT)  # what has left the screen cannot be reached
                self.row = max(top, self.row - int(part[2:-1]))
            elif part == "\x1b[J":
                self.rows[self.row :] = [""]
            elif part == "\r":
                self.column = 0
            elif part == "\n":
                self.row, self.column = self.row + 1, 0
                if self.row == len(self.rows):
                    self.rows.append("")
            else:
                if self.column == WIDTH:
                    self.write("\n")
                self.rows[self.row] += part
                self.column += 1

    def flush(self):
        pass


@pytest.mark.parametrize("first", [["a"], ["x" * 45, "b"], ["界" * 15], [f"line {n}" for n in range(30)]])
def test_what_is_drawn_replaces_what_was_drawn(monkeypatch, first):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.setenv("LINES", str(HEIGHT))
    screen = LiveScreen()
    screen.draw(first)
    screen.draw(["y" * 30, "z"])
    assert [row for row in terminal.rows if row] == ["y" * 20, "y" * 10, "z"]
    screen.draw(["done"])
    assert [row for row in terminal.rows if row] == ["done"]
