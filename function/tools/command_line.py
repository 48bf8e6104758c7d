"""`python -m function`: what holds for every command, streams, interruptions, and errors in a sentence."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from function.telemetry.structured_logging import configure_logging
from function.tools.explain import UsageError, missing_package, sentence

FAILED, INTERRUPTED, NOBODY_READS = 2, 130, 141  # the last two are 128 and the number of SIGINT and of SIGPIPE
TRACEBACK = "COMPOSITE_TRACEBACK"  # environment: a mistake of this program shows all it knows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, that of `sys.argv` if nothing else is said → its exit status.

    What goes wrong is one sentence: no traceback reaches a person, unless COMPOSITE_TRACEBACK is set.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 shows what it can
    configure_logging(libraries=False)
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
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


def _run(arguments: Sequence[str]) -> int:
    from function.tools.command_group import run  # noqa: PLC0415 (click may not be installed, and that is said too)

    status = run(arguments)
    sys.stdout.flush()  # here, where a full disk and a closed pipe can still be told
    return status


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
