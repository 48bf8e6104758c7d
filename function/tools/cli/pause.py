"""`python -m function pause` and `resume`: the switch that stops an input bucket, and starts it again."""

from __future__ import annotations

import click

from function.deadline import Deadline
from function.delivery.switch import write_switch
from function.errors import CompositeError
from function.storage.client import AccessDeniedError
from function.storage.compare_and_swap import WriteContentionError
from function.tools.cli.terminal import bucket_and_prefix, fail, open_storage
from function.tools.explain import UsageError
from function.tools.timeouts import CALL_S

PAUSE_HELP = """\
Stops the function for one input bucket: within 5 seconds no delivery begins, and no model is called for one that
comes. Deliveries in progress finish. `resume` starts it again.

\b
  python -m function pause gs://input
  python -m function resume gs://input

Nothing is lost. The queue delivers new and waiting uploads again and again, every ten minutes in the end, for about
16 hours (100 deliveries). After that an upload becomes a dead letter: once resumed, `python -m function redrive
gs://input --output gs://output` delivers it again. Paused time never counts towards a failure.

The switch is the object `_paused` in the bucket. The function over HTTP (composite_http) does not look at it.
"""

RESUME_HELP = """\
Starts the function again for an input bucket that `pause` has stopped. The queue delivers waiting uploads within
ten minutes. An upload that had waited for more than about 16 hours (100 deliveries) is a dead letter:

\b
  python -m function resume gs://input
  python -m function redrive gs://input --output gs://output

`redrive` delivers every upload without a sidecar again; it needs only the buckets to find them.
"""


@click.command(help=PAUSE_HELP)
@click.argument("source", metavar="gs://INPUT", help="the function's input bucket")
def pause(source: str) -> int:
    """Stop the function for a bucket → the exit status."""
    return _switch(source, paused=True)


@click.command(help=RESUME_HELP)
@click.argument("source", metavar="gs://INPUT", help="the function's input bucket")
def resume(source: str) -> int:
    """Start it again → the exit status."""
    return _switch(source, paused=False)


def _switch(source: str, *, paused: bool) -> int:
    """Write the switch, say what follows. 0: it says what was asked for; 2: it could not be written."""
    try:
        bucket, prefix = bucket_and_prefix(source)
        if prefix:
            raise UsageError(f"the switch is one for the whole bucket: say gs://{bucket}")
        storage = open_storage(bucket)
        changed = write_switch(storage, bucket, paused=paused, deadline=Deadline(CALL_S))
    except (UsageError, CompositeError, AccessDeniedError, WriteContentionError) as error:
        return fail(error)
    except KeyboardInterrupt:
        return fail("stopped; it may have been written", code=130)
    if not changed:
        print(f"gs://{bucket} {'is paused already' if paused else 'is not paused'}; nothing to do")
    elif paused:
        print(
            f"gs://{bucket} is paused: within 5 seconds nothing more begins, and what is at work is finished.\n"
            "The queue carries what waits for about 16 hours (100 deliveries); what has waited longer is delivered\n"
            "again by `redrive`. Nothing is lost.\n"
            f"Start it again with:\n  python -m function resume gs://{bucket}"
        )
    else:
        print(
            f"gs://{bucket} runs again: the queue delivers what waits within ten minutes.\n"
            "If it was paused for more than about 16 hours, deliver the dead letters too:\n"
            f"  python -m function redrive gs://{bucket} --output gs://OUTPUT"
        )
    return 0
