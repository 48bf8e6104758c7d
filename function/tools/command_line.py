"""`python -m function`: schemas, local emulation, and the tools around catalogues and reviews."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from function import PIPELINE_VERSION
from function.telemetry.structured_logging import configure_logging
from function.tools.explain import UsageError, missing_package, sentence

FAILED, INTERRUPTED, NOBODY_READS = 2, 130, 141  # the last two are 128 and the number of SIGINT and of SIGPIPE
TRACEBACK = "COMPOSITE_TRACEBACK"  # environment: a mistake of this program shows all it knows

# Where each command's arguments are declared, and what the list of commands says of it.
COMMANDS = {
    "demo": ("function.tools.local.command:demo_arguments", "run the shipped pair on this machine, then end"),
    "local": ("function.tools.local.command:local_arguments", "run the whole thing on this machine until Ctrl-C"),
    "serve": ("function.tools.local.command:serve_arguments", "run both entry points on this machine until Ctrl-C"),
    "sample": ("function.tools.cli.sample:arguments", "write a small catalogue with pictures"),
    "lint": ("function.tools.cli.lint:arguments", "check manifests and catalogues against the schema"),
    "doctor": (
        "function.tools.doctor.command:arguments",
        "look at credentials, models and buckets, and say what to do",
    ),
    "submit": ("function.tools.cli.submit:arguments", "check and upload a folder or a spreadsheet"),
    "status": ("function.tools.cli.status:arguments", "count what is settled and what it has cost"),
    "review": ("function.tools.review.command:review_arguments", "write the page to look at results"),
    "decide": (
        "function.tools.review.decide_command:decide_arguments",
        "accept, reject, redo, or pick another attempt",
    ),
    "calibrate": ("function.tools.cli.calibrate:arguments", "compare checks and risk with people's decisions"),
    "export": ("function.tools.review.export:arguments", "copy what is approved, with a table of everything"),
    "provenance": ("function.tools.cli.provenance:arguments", "show what files say of their origin, and what holds"),
    "verify": ("function.tools.cli.verify:arguments", "check every result under a prefix against its sidecar"),
    "redrive": ("function.tools.cli.redrive:arguments", "deliver again what is not settled"),
    "batches": ("function.tools.cli.batches:arguments", "list, cancel or look after batch jobs"),
    "pause": ("function.tools.cli.pause:pause_arguments", "stop the function for an input bucket"),
    "resume": ("function.tools.cli.pause:resume_arguments", "start it again after a pause"),
    "style": ("function.tools.cli.style:arguments", "check a style profile"),
    "prompt": ("function.tools.cli.prompt:arguments", "show what the model would be sent"),
    "schema": ("function.tools.cli.schema:arguments", "print the JSON Schema of a manifest or a sidecar"),
}


class Command(argparse.ArgumentParser):
    """One command's parser. Its module is imported only when it is the one that was asked for: storage and pixel
    libraries take a second to load, and help and schemas need neither."""

    def __init__(self, *, declared_in: str, **options: Any):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)
        self._declared_in = declared_in

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Declare the arguments, then parse them."""
        module, _, declare = self._declared_in.partition(":")
        getattr(import_module(module), declare)(self)
        return super().parse_known_args(args, namespace)


def command_line() -> argparse.ArgumentParser:
    """The parser of everything; parsed arguments carry `run`, which takes them and gives the exit status."""
    parser = argparse.ArgumentParser(
        "python -m function", description="Places product photographs into scenes: tools around the function."
    )
    parser.add_argument("--version", action="version", version=PIPELINE_VERSION)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=Command)
    for name, (declared_in, summary) in COMMANDS.items():
        commands.add_parser(name, help=summary, declared_in=declared_in)
    return parser


def main() -> int:
    """Run the command of `sys.argv` → its exit status.

    What goes wrong is one sentence: no traceback reaches a person, unless COMPOSITE_TRACEBACK is set.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 shows what it can
    configure_logging(libraries=False)
    try:
        return _run()
    except KeyboardInterrupt:
        return _tell("stopped", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor may the last flush complain
        return NOBODY_READS
    except UsageError as problem:
        return _tell(f"error: {problem}", FAILED)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        return _tell(f"error: {_said_of(error)}", FAILED)


def _run() -> int:
    try:
        options = command_line().parse_args()
        status = options.run(options)
    except SystemExit as ended:  # help, and wrong usage
        status = ended.code if isinstance(ended.code, int) else FAILED
    sys.stdout.flush()  # here, where a full disk and a closed pipe can still be told
    found: int = status
    return found


def _said_of(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] != "function":
        return missing_package(error)
    if isinstance(error, OSError):
        return sentence(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"a mistake of this program, in {Path(last.filename).name} line {last.lineno}: {type(error).__name__}: "
        f"{sentence(error)}; please report it with what {TRACEBACK}=1 shows"
    )


def _tell(said: str, status: int) -> int:
    try:
        print(said, file=sys.stderr, flush=True)
    except OSError:
        return status
    return status
