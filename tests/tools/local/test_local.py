"""`local`: what is dropped is made, what was made is never asked for again, and every signal ends every process."""

from __future__ import annotations

import json
import os
import pty
import signal
from pathlib import Path

import pytest

from tests.support import KEY, PATIENCE_S, product_png, wait_until
from tests.tools.local.running import drop_pair, processes_under, start_local, wait_for

HANGS_UP = 1 << (signal.SIGHUP - 1)


def catches_signals(pid: int) -> bool:
    """Whether it has taken the signals over; SIGHUP is none that Python catches by itself."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) & HANGS_UP)


def test_a_call_in_flight_is_finished_and_a_second_start_asks_for_nothing_again(tmp_path, gemini):
    folder = tmp_path / "here"
    real = {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": gemini.url}
    gemini.control(latency_s=2.0)
    with (tmp_path / "first.txt").open("w") as said:
        process = start_local(folder, said, **real)
        wait_for(folder / "inbox")
        drop_pair(folder)
        (folder / "inbox/shop/spring.XLSX").write_bytes(b"PK")
        (folder / "inbox/shop/bad.json").write_text('{"scene": 1}')
        (folder / "inbox/shop/early.json").write_text('{"scene": "s.webp", "product": "late.png", "attempts": 1}')
        wait_until(lambda: "waits for" in (tmp_path / "first.txt").read_text() and gemini.requests)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
    first = (tmp_path / "first.txt").read_text()
    assert processes_under(tmp_path) == [] and "Traceback" not in first
    assert "shop/bad.json  failed: " in first
    assert "shop/spring.XLSX is a workbook; save the sheet as" in first
    assert "shop/early.json  waits for shop/late.png; will be delivered again" in first
    assert "finishing shop/pair.json" in first and "1 upload not settled" in first
    made = folder / "results/shop/pair.webp"
    assert made.exists() and len(gemini.requests) == 1
    stands = {path: path.stat().st_mtime_ns for path in (folder / "results").rglob("*") if path.is_file()}

    (folder / "inbox/shop/late.png").write_bytes(product_png())
    gemini.control(latency_s=0.0)
    with (tmp_path / "second.txt").open("w") as said:
        process = start_local(folder, said, **real)
        wait_for(folder / "results/shop/early.json")
        wait_until(lambda: "early.json" in page(folder))  # it is written again while it runs
        process.kill()
        process.wait(PATIENCE_S)
    wait_until(lambda: processes_under(tmp_path) == [])
    second = (tmp_path / "second.txt").read_text()
    assert "pair.json" not in second and "bad.json" not in second
    assert {path: path.stat().st_mtime_ns for path in stands} == stands
    asked = [request["code"] for request in gemini.requests]
    attempts = json.loads((folder / "results/shop/early.json").read_text())["attempts"]
    assert len(asked) == 1 + sum(one["outcome"] == "generated" for one in attempts)


def page(folder: Path) -> str:
    written = folder / "review/index.html"
    return written.read_text(encoding="utf-8") if written.exists() else ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_first_second_ends_it_without_a_word_too_much(tmp_path, number):
    with (tmp_path / "said.txt").open("w") as said:
        process = start_local(tmp_path / "here", said)
        wait_until(lambda: catches_signals(process.pid))
        for _ in range(3):
            process.send_signal(number)
        assert process.wait(PATIENCE_S) == 128 + number
    assert "Traceback" not in (tmp_path / "said.txt").read_text()
    assert processes_under(tmp_path) == []


def test_a_terminal_that_is_closed_ends_every_process(tmp_path):
    ours, theirs = pty.openpty()
    process = start_local(tmp_path / "here", theirs)
    os.close(theirs)
    wait_for(tmp_path / "here/logs/function.log")
    process.send_signal(signal.SIGHUP)  # as the kernel does when the other end is closed
    os.close(ours)
    process.wait(PATIENCE_S)
    assert processes_under(tmp_path) == []
