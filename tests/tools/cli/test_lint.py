"""`sample` and `lint`: a catalogue to try things with, and a look at catalogues that needs no network."""

from __future__ import annotations

import json
import sys

import pytest

from function.tools import command_line


@pytest.fixture
def ran(monkeypatch, capsys, tmp_path):
    """Run a command in this process, in an empty folder and without an address of storage → (status, output)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["python -m function", *arguments])
        status = command_line.main()
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def test_the_sample_is_good_and_is_written_over_nothing(ran, tmp_path):
    assert ran("sample", "spring") == (0, "spring/sample.csv: 4 pairs, pictures in spring/images\n")
    assert ran("lint", "spring") == (0, "spring/sample.csv: 4 good pairs, 0 problems\n")
    status, said = ran("submit", "spring", "gs://input", "--dry-run")
    assert status == 0 and "4 pairs to make" in said
    assert ran("sample", "spring") == (2, "error: spring holds files already; name a new folder\n")


def test_lint_names_every_problem_of_every_kind_of_file(ran, tmp_path):
    (tmp_path / "A.CSV").write_text("product,scene\na.png,b.png\na.png,\n")
    (tmp_path / "b.jsonl").write_text('{"product": "a", "scene": "b", "pose": "fly"}\n')
    (tmp_path / "c.json").write_text(json.dumps({"product": "a", "scene": "b", "colour": "red"}))
    (tmp_path / "d.json").write_text(json.dumps({"product": "a", "scene": "b"}))
    status, said = ran("lint", ".")
    assert status == 1
    for line in (
        "A.CSV: 1 good pair, 1 problem",
        "  A.CSV row 2 (line 3): scene: is required",
        "b.jsonl: 0 good pairs, 1 problem",
        "c.json: 0 good pairs, 1 problem",
        "d.json: 1 good pair, 0 problems",
    ):
        assert line in said.splitlines(), said
    assert "pose" in said and "colour" in said
    assert ran("lint", "d.json") == (0, "d.json: 1 good pair, 0 problems\n")
    assert ran("lint", "e.json") == (2, "error: e.json is not there; correct the name\n")
