"""All commands of `python -m function` as one click group."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import click
from click.exceptions import Exit, NoArgsIsHelpError

from function import PIPELINE_VERSION
from function.tools.explain import UsageError

PROGRAM = "python -m function"
MAX_HELP_COLUMNS = 120  # examples are up to so long; a narrower terminal has its own width

# Where each command is, and what the list of commands says of it.
COMMANDS = {
    "demo": ("function.tools.local.command:demo", "run the shipped pair on this machine, then end"),
    "local": ("function.tools.local.command:local", "run the whole thing on this machine until Ctrl-C"),
    "serve": ("function.tools.local.command:serve", "run both entry points on this machine until Ctrl-C"),
    "sample": ("function.tools.cli.sample:sample", "write a small catalogue with pictures"),
    "lint": ("function.tools.cli.lint:lint", "check manifests and catalogues against the schema"),
    "doctor": (
        "function.tools.doctor.command:doctor",
        "look at credentials, models and buckets, and say what to do",
    ),
    "submit": ("function.tools.cli.submit:submit", "check and upload a folder or a spreadsheet"),
    "status": ("function.tools.cli.status:status", "count what is settled and what it has cost"),
    "review": ("function.tools.review.command:review", "write the page to look at results"),
    "decide": (
        "function.tools.review.decide_command:decide",
        "accept, reject, redo, or pick another attempt",
    ),
    "calibrate": ("function.tools.cli.calibrate:calibrate", "compare checks and risk with people's decisions"),
    "export": ("function.tools.review.export:export", "copy what is approved, with a table of everything"),
    "provenance": ("function.tools.cli.provenance:provenance", "show what files say of their origin, and what holds"),
    "verify": ("function.tools.cli.verify:verify", "check every result under a prefix against its sidecar"),
    "redrive": ("function.tools.cli.redrive:redrive", "deliver again what is not settled"),
    "batches": ("function.tools.cli.batches:batches", "list, cancel or look after batch jobs"),
    "pause": ("function.tools.cli.pause:pause", "stop the function for an input bucket"),
    "resume": ("function.tools.cli.pause:resume", "start it again after a pause"),
    "style": ("function.tools.cli.style:style", "check a style profile"),
    "prompt": ("function.tools.cli.prompt:prompt", "show what the model would be sent"),
    "schema": ("function.tools.cli.schema:schema", "print the JSON Schema of a manifest or a sidecar"),
}


class LazyGroup(click.Group):
    """Imports a command's module only when it is the one that was asked for: storage and pixel libraries take a second
    to load, and help and schemas need neither."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which one needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None where there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    help="Places product photographs into scenes: tools around the function.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": MAX_HELP_COLUMNS},
)
@click.version_option(PIPELINE_VERSION, message="%(version)s")
def group() -> None:
    """Nothing is done before a command."""


def run(arguments: Sequence[str]) -> int:
    """Run a command → its exit status. Raises UsageError where the arguments are not understood."""
    try:
        # Not `group.main()`, which would turn Ctrl-C and a closed pipe into its own words.
        with group.make_context(PROGRAM, list(arguments)) as context:
            status: int = group.invoke(context)
    except Exit as ended:  # help
        return ended.exit_code
    except NoArgsIsHelpError as no_command:
        no_command.show()
        return no_command.exit_code
    except click.ClickException as problem:
        raise UsageError(_sentence(problem)) from None
    return status


def _sentence(problem: click.ClickException) -> str:
    """What click says of wrong arguments, in one line."""
    said = " ".join(problem.format_message().split()).rstrip(".")
    path = problem.ctx.command_path if isinstance(problem, click.UsageError) and problem.ctx else PROGRAM
    return f"{said[:1].lower()}{said[1:]} (`{path} --help` says what it takes)"
