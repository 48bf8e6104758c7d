"""What the command line understands, without doing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from function.tools.command_group import PROGRAM, group


def understood(words: Sequence[str]) -> dict[str, Any]:
    """A command's parameters by their names, from the words behind `python -m function`. Raises click.UsageError."""
    above = click.Context(group, info_name=PROGRAM, **group.context_settings)  # a command keeps the help it first had
    name, command, rest = group.resolve_command(above, list(words))
    assert command is not None
    return command.make_context(name, rest, parent=above).params
