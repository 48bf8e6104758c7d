"""`python -m function demo`, `local` and `serve`: their arguments. The rest is imported once signals are heard."""

from __future__ import annotations

import argparse
from pathlib import Path

from function.tools.local.stop_request import StopRequest

DEFAULT_FOLDER = Path("composite-local")
STORAGE_PORT = 4443  # the emulator's own default
EVENT_PORT, HTTP_PORT = 8080, 8081  # the framework's own default, and the next


def demo_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `demo`."""
    parser.description = (
        "Starts storage, model and function on this machine, uploads the shipped pair, waits for the\n"
        "result and ends. With GEMINI_API_KEY or Vertex AI in the environment the real model is used."
    )
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where results go (default: %(default)s)")
    parser.add_argument("--catalogue", action="store_true", help="three pairs of it as a catalogue, by batch")
    parser.set_defaults(run=run_demo)


def local_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `local`."""
    parser.description = (
        "Starts storage, model and function on this machine. What is dropped into FOLDER/inbox is\n"
        "uploaded; results appear in FOLDER/results, a page to look at them in FOLDER/review.\n\n"
        "Ctrl-C lets what is at work be finished; again, and it is picked up next time. Started again in\n"
        "the same FOLDER it goes on, and asks the model for nothing that it has paid for."
    )
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER, metavar="FOLDER")
    port = "where storage listens; 0 takes a free one (default: %(default)s)"
    parser.add_argument("--port", type=int, default=STORAGE_PORT, help=port)
    parser.set_defaults(run=run_local)


def serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `serve`."""
    parser.description = (
        "Starts storage, model and both entry points on this machine, and says in one line where they are:\n"
        "`composite` takes events (those of the input bucket are delivered to it), `composite_http` requests."
    )
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where all is kept (default: %(default)s)")
    taken = "0 takes a free one (default: %(default)s)"
    parser.add_argument("--port", type=int, default=EVENT_PORT, help=f"of composite; {taken}")
    parser.add_argument("--http-port", type=int, default=HTTP_PORT, help=f"of composite_http; {taken}")
    parser.add_argument("--storage-port", type=int, default=STORAGE_PORT, help=f"of storage; {taken}")
    parser.set_defaults(run=run_serve)


def run_demo(args: argparse.Namespace) -> int:
    """Make the shipped pair → the exit status."""
    stop = StopRequest().listen()
    from function.tools.local.demo import demo  # noqa: PLC0415 (see above)

    return demo(args.folder, stop, catalogue=args.catalogue)


def run_local(args: argparse.Namespace) -> int:
    """Serve a folder until asked to end → the exit status."""
    stop = StopRequest().listen()
    from function.tools.local.serve_folder import serve_folder  # noqa: PLC0415 (see above)

    return serve_folder(args.folder, args.port, stop)


def run_serve(args: argparse.Namespace) -> int:
    """Serve both entry points until asked to end → the exit status."""
    stop = StopRequest().listen()
    from function.tools.local.serve_entry_points import serve_entry_points  # noqa: PLC0415 (see above)

    return serve_entry_points(args.folder, (args.port, args.http_port, args.storage_port), stop)
