"""`python -m function demo`, `local` and `serve`: their arguments. The rest is imported once signals are handled."""

from __future__ import annotations

from pathlib import Path

import click

from function.tools.local.stop_request import StopRequest

FOLDER = click.Path(path_type=Path)
DEFAULT_FOLDER = Path("composite-local")
STORAGE_PORT = 4443  # the emulator's own default
EVENT_PORT, HTTP_PORT = 8080, 8081  # the framework's own default, and the next

DEMO_HELP = """\
Starts storage, model and function on this machine, uploads the shipped pair, waits for the result and ends. With
GEMINI_API_KEY or Vertex AI in the environment the real model is used.
"""
LOCAL_HELP = """\
Starts storage, model and function on this machine. Files in FOLDER/inbox are uploaded; results appear in
FOLDER/results, and a page to review them in FOLDER/review.

Ctrl-C finishes the pairs in progress; a second Ctrl-C leaves them for the next start. Started again in the same
FOLDER, it continues, and asks the model for no picture that is paid for already.
"""
SERVE_HELP = """\
Starts storage, model and both entry points on this machine, and says in one line where they are: `composite` takes
events (those of the input bucket are delivered to it), `composite_http` requests.
"""


@click.command(help=DEMO_HELP)
@click.option(
    "--folder", type=FOLDER, metavar="FOLDER", default=DEFAULT_FOLDER, show_default=True, help="where results go"
)
@click.option("--catalogue", is_flag=True, help="make three pairs from a catalogue, in a batch")
def demo(folder: Path, catalogue: bool) -> int:
    """Make the shipped pair → the exit status."""
    stop = StopRequest().listen()
    from function.tools.local.demo import demo  # noqa: PLC0415 (see above)

    return demo(folder, stop, catalogue=catalogue)


@click.command(help=LOCAL_HELP)
@click.argument("folder", required=False, type=FOLDER, default=DEFAULT_FOLDER, metavar="[FOLDER]")
@click.option(
    "--port", type=int, default=STORAGE_PORT, show_default=True, help="where storage listens; 0 takes a free one"
)
def local(folder: Path, port: int) -> int:
    """Serve a folder until asked to end → the exit status."""
    stop = StopRequest().listen()
    from function.tools.local.serve_folder import serve_folder  # noqa: PLC0415 (see above)

    return serve_folder(folder, port, stop)


@click.command(help=SERVE_HELP)
@click.option(
    "--folder",
    type=FOLDER,
    metavar="FOLDER",
    default=DEFAULT_FOLDER,
    show_default=True,
    help="where everything is stored",
)
@click.option("--port", type=int, default=EVENT_PORT, show_default=True, help="of composite; 0 takes a free one")
@click.option("--http-port", type=int, default=HTTP_PORT, show_default=True, help="of composite_http; likewise")
@click.option("--storage-port", type=int, default=STORAGE_PORT, show_default=True, help="of storage; likewise")
def serve(folder: Path, port: int, http_port: int, storage_port: int) -> int:
    """Serve both entry points until asked to end → the exit status."""
    stop = StopRequest().listen()
    from function.tools.local.serve_entry_points import serve_entry_points  # noqa: PLC0415 (see above)

    return serve_entry_points(folder, (port, http_port, storage_port), stop)
