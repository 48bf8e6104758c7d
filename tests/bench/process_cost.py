"""What a running process and its children have cost so far, from Linux's /proc."""

from __future__ import annotations

import os
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(_fields(path)[1])
        except OSError:
            continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def cpu_s(pid: int) -> float:
    """Processor seconds of the family, user and system, ended children included (proc(5), stat, 14 to 17)."""
    return sum(sum(map(int, _fields(Path(f"/proc/{one}/stat"))[11:15])) for one in family(pid)) * TICK_S


def forget_peak(pid: int) -> None:
    """Let the peak of memory start again (proc(5), clear_refs)."""
    for one in family(pid):
        Path(f"/proc/{one}/clear_refs").write_text("5")


def peak_mib(pid: int) -> float:
    """Greatest resident memory of the family's largest member since it began, MiB."""
    peaks = []
    for one in family(pid):
        status = Path(f"/proc/{one}/status").read_text()
        peaks += [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")]
    return max(peaks)


def _fields(path: Path) -> list[str]:
    """The fields of a stat file from the third on: the second, a name in brackets, may hold anything."""
    return path.read_text(errors="replace").rpartition(")")[2].split()
