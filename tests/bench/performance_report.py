"""The figures of performance.py as Markdown and as a plot (SVG, written by hand)."""

from __future__ import annotations

import math

STAGES = ("download", "prepare", "generate", "restore", "check", "encode", "upload")
COLOURS = {"png": "#2563eb", "jpeg": "#d97706", "webp": "#059669"}
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 430, 300, 52, 44, 34


def table(rows: list) -> str:
    """One line a case: ratios to the plain pipeline, then ours and theirs, then our stages in milliseconds."""
    lines = [
        "| scene | wall | CPU | wall, s | CPU, s | peak, MiB | " + " | ".join(STAGES) + " |",
        "|---|---|---|---|---|---|" + "---|" * len(STAGES),
    ]
    for row in rows:
        ours, plain = row.ours, row.plain
        lines.append(
            f"| {row.megapixels} MP {row.format} | **{row.wall_ratio:.2f} ×** | **{row.cpu_ratio:.2f} ×** "
            f"| {ours.wall_s:.2f} : {plain.wall_s:.2f} | {ours.cpu_s:.2f} : {plain.cpu_s:.2f} "
            f"| {ours.peak_mib:.0f} : {plain.peak_mib:.0f} | "
            + " | ".join(str(ours.stages[name]) for name in STAGES)
            + " |"
        )
    for kind in dict.fromkeys(row.format for row in rows):
        mine = [row for row in rows if row.format == kind]
        if len(mine) > 1:
            grown = mine[-1].megapixels - mine[0].megapixels
            ours, plain = (
                1000 * (getattr(mine[-1], side).cpu_s - getattr(mine[0], side).cpu_s) / grown
                for side in ("ours", "plain")
            )
            lines.append(f"\n{kind}: a further megapixel costs {ours:.0f} ms of CPU; plain, {plain:.0f} ms.")
    return "\n".join(lines)


def start_table(times: dict[str, float]) -> str:
    """Start-up times."""
    return "\n".join(["| start | s |", "|---|---|", *(f"| {name} | {value:.2f} |" for name, value in times.items())])


def plot(rows: list) -> str:
    """Processor seconds and peak memory against megapixels; ours solid, the plain pipeline dashed."""
    panels = [
        _panel(rows, 0, "CPU, seconds a pair", lambda cost: cost.cpu_s),
        _panel(rows, WIDTH, "peak memory, MiB", lambda cost: cost.peak_mib),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT}" width="{2 * WIDTH}" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="#374151">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n{"".join(panels)}</svg>\n'
    )


def _panel(rows: list, left: float, title: str, value) -> str:
    most_x = max(row.megapixels for row in rows)
    most_y = _round_up(max(value(cost) for row in rows for cost in (row.ours, row.plain)))

    def x(megapixels: float) -> float:
        return left + LEFT + megapixels / most_x * (WIDTH - LEFT - 70)

    def y(amount: float) -> float:
        return HEIGHT - BOTTOM - amount / most_y * (HEIGHT - BOTTOM - TOP)

    parts = [f'<text x="{left + LEFT}" y="18" font-weight="600" fill="#111827">{title}</text>']
    for step in range(5):
        amount = most_y * step / 4
        parts.append(f'<path d="M{x(0)} {y(amount)}H{x(most_x)}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{x(0) - 6}" y="{y(amount) + 4}" text-anchor="end">{amount:g}</text>')
    for megapixels in dict.fromkeys(row.megapixels for row in rows):
        parts.append(f'<text x="{x(megapixels)}" y="{HEIGHT - 24}" text-anchor="middle">{megapixels}</text>')
    middle = (x(0) + x(most_x)) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">megapixels of the scene</text>')
    labels = []
    for kind in dict.fromkeys(row.format for row in rows):
        mine = [row for row in rows if row.format == kind]
        for side, dash in (("ours", ""), ("plain", ' stroke-dasharray="5 4"')):
            points = [(x(row.megapixels), y(value(getattr(row, side)))) for row in mine]
            line = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
            parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[kind]}" stroke-width="2"{dash}/>')
            parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{COLOURS[kind]}"/>' for px, py in points]
            labels.append((points[-1][1], kind if side == "ours" else f"plain, {kind}", COLOURS[kind], points[-1][0]))
    lowest = -math.inf
    for height, name, colour, right in sorted(labels):
        lowest = max(height + 4, lowest + 13)
        parts.append(f'<text x="{right + 7:.1f}" y="{lowest:.1f}" font-size="11" fill="{colour}">{name}</text>')
    return "\n".join(parts) + "\n"


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 6, 8 times a power of ten."""
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value)
