"""`python -m function`: schemas, local emulation, and the tools around catalogues and reviews."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from function import PIPELINE_VERSION

# Where each command's arguments are declared, and what the list of commands says of it.
COMMANDS = {
    "demo": ("function.tools.local.demo:demo_arguments", "run the shipped pair on this machine, then end"),
    "local": ("function.tools.local.demo:local_arguments", "run the whole thing on this machine until Ctrl-C"),
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
    "export": ("function.tools.review.export:arguments", "copy what is approved, with a table of everything"),
    "redrive": ("function.tools.cli.redrive:arguments", "deliver again what is not settled"),
    "pause": ("function.tools.cli.pause:pause_arguments", "stop the function for an input bucket"),
    "resume": ("function.tools.cli.pause:resume_arguments", "start it again after a pause"),
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
    """Run the command of `sys.argv` → its exit status."""
    options = command_line().parse_args()
    return options.run(options)
