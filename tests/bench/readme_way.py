"""Draws the README's picture of a pair's way: `python -m tests.bench.readme_way` writes it.

Each step stands over the packages of function/ that do it; a test compares the file with what this draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

TO = Path(__file__).parents[1] / "data" / "readme" / "way.svg"
BOX_WIDTH, BOX_HEIGHT, GAP, PER_ROW = 190, 96, 34, 4
LINE_PX, MARGIN = 17, 8


@dataclass(frozen=True)
class Step:
    """One box: what happens, in a few lines, and the packages that do it."""

    title: str
    lines: tuple[str, ...]
    packages: tuple[str, ...]


WAY = (
    Step("Upload", ("a manifest or spreadsheet,", "scene and photograph"), ("delivery", "manifest")),
    Step("Read and shrink", ("small copies for the model,", "the full size kept"), ("pipeline", "imaging")),
    Step("Count the money", ("below the day's cap,", "or it waits"), ("budget",)),
    Step("Ask the model", ("one call; its answer is", "stored before all else"), ("generation", "batch")),
    Step("Register", ("the answer onto the scene,", "the photograph in it"), ("registration", "matching")),
    Step("Restore", ("the scene's own pixels,", "the product's own detail"), ("restoration",)),
    Step("Judge", ("check by check; again,", "with what was wrong"), ("judging",)),
    Step("Store", ("the picture, signed,", "then how it was made"), ("provenance", "storage")),
)

STYLE = """
 text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600; font-size: 15px }
 .by { font-size: 11px; fill: #57606a } rect { fill: #f6f8fa; stroke: #8c959f } path { stroke: #57606a; fill: none }
 #head { fill: #57606a; stroke: none }
 @media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .by { fill: #9198a1 } rect { fill: #161b22; stroke: #6e7681 } path { stroke: #9198a1 }
  #head { fill: #9198a1 }
 }
"""


def draw() -> str:
    """The SVG, boxes from left to right in rows."""
    rows = -(-len(WAY) // PER_ROW)
    width = PER_ROW * BOX_WIDTH + (PER_ROW - 1) * GAP + 2 * MARGIN
    height = rows * BOX_HEIGHT + (rows - 1) * GAP + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(', '.join(step.title for step in WAY))}</title>",
        f"<style>{STYLE}</style>",
        '<marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path id="head" d="M0 0 8 4 0 8z"/></marker>',
    ]
    for number, step in enumerate(WAY):
        x, y = _place(number)
        parts.append(f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/>')
        texts = [("title", step.title), *(("", line) for line in step.lines), ("by", " · ".join(step.packages))]
        for row, (kind, text) in enumerate(texts):
            at = f'x="{x + BOX_WIDTH / 2:g}" y="{y + 25 + row * (LINE_PX + 2)}"'
            parts.append(f'<text class="{kind}" {at} text-anchor="middle">{escape(text)}</text>')
        if number + 1 < len(WAY):
            parts.append(f'<path marker-end="url(#to)" d="{_arrow(number)}"/>')
    return "\n".join([*parts, "</svg>", ""])


def _place(number: int) -> tuple[int, int]:
    row, column = divmod(number, PER_ROW)
    return MARGIN + column * (BOX_WIDTH + GAP), MARGIN + row * (BOX_HEIGHT + GAP)


def _arrow(number: int) -> str:
    """From a box to the next: along the row, or back under it to the beginning of the next row."""
    (x, y), (next_x, next_y) = _place(number), _place(number + 1)
    if y == next_y:
        return f"M{x + BOX_WIDTH} {y + BOX_HEIGHT / 2:g}H{next_x}"
    middle = f"{x + BOX_WIDTH / 2:g}"
    return f"M{middle} {y + BOX_HEIGHT}v{GAP / 2:g}H{next_x + BOX_WIDTH / 2:g}V{next_y}"


if __name__ == "__main__":
    TO.write_text(draw(), encoding="utf-8")
