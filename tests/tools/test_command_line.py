"""The command line itself: help comes at once and reads well, and wrong usage is one sentence."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from function.tools import command_line
from function.tools.command_group import COMMANDS, MAX_HELP_COLUMNS
from tests.support import PATIENCE_S
from tests.tools.understood import understood

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("arguments", [["--help"], ["schema", "manifest"]])
def test_help_and_schemas_load_neither_storage_nor_pixel_libraries(arguments):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "function", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "click" in loaded
    assert not loaded & {"cv2", "numpy", "PIL", "google.cloud.storage", "google.genai", "flask"}


@pytest.mark.parametrize("columns", [60, MAX_HELP_COLUMNS])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_s_help_is_wrapped_but_for_its_examples(name, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert command_line.main([name, "-h"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"Usage: python -m function {name} [OPTIONS]")
    assert all(len(line) <= columns for line in lines if not line.startswith("    "))
    assert max(map(len, lines)) <= MAX_HELP_COLUMNS
    examples = [line.split() for line in lines if line.startswith("    python -m function ")]
    assert {words[3] for words in examples} <= set(COMMANDS)
    assert not any("\b" in line for line in lines)


def test_the_list_of_commands_names_all_of_them_each_in_one_line(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert command_line.main(["--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:\n")[2].splitlines()
    assert [line.split(maxsplit=1) for line in listed] == [[name, said] for name, (_, said) in COMMANDS.items()]


def test_without_a_command_the_help_is_an_error(capsys):
    assert command_line.main([]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("Usage: ") and "provenance" in said.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nope"], "no such command 'nope' (`python -m function --help` says what it takes)"),
        (
            ["submit", ".", "gs://x", "--dry-ru"],
            "no such option '--dry-ru'. Did you mean '--dry-run'? "
            "(`python -m function submit --help` says what it takes)",
        ),
        (["pause"], "missing argument 'gs://INPUT' (`python -m function pause --help` says what it takes)"),
        (
            ["local", "--port", "x"],
            "invalid value for '--port': 'x' is not a valid integer "
            "(`python -m function local --help` says what it takes)",
        ),
        (
            ["decide", "a.json", "b.json", "gs://x"],
            "got unexpected extra argument (b.json) (`python -m function decide --help` says what it takes)",
        ),
    ],
)
def test_wrong_usage_is_one_sentence(arguments, sentence, capsys):
    assert command_line.main(arguments) == 2
    assert tuple(capsys.readouterr()) == ("", f"error: {sentence}\n")


def test_options_stand_anywhere_and_a_file_of_decisions_may_be_left_out():
    words = ["decide", "--redo", "a", "gs://out", "--redo", "b", "--seed", "7"]
    found = understood(words)
    assert (found["decisions_file"], found["target"], found["redo"], found["seed"]) == (None, "gs://out", ("a", "b"), 7)
    assert understood(["decide", "d.json", *words[1:]])["decisions_file"] == Path("d.json")
    assert understood(["review", "gs://out", "--previews"])["full"] is False


@click.command()
def interrupted() -> int:
    raise KeyboardInterrupt


def test_ctrl_c_is_a_word_and_a_status_of_its_own(monkeypatch, capsys):
    monkeypatch.setitem(COMMANDS, "schema", (f"{__name__}:interrupted", ""))
    assert command_line.main(["schema"]) == 130
    assert tuple(capsys.readouterr()) == ("", "stopped\n")
