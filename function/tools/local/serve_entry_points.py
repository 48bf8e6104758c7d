"""`serve`: both entry points on this machine, for programs that call them."""

from __future__ import annotations

import time
from pathlib import Path

from function.settings import InvalidSettingsError
from function.tools.cli.terminal import fail
from function.tools.local.announcement import ModelUnreachableError, announce
from function.tools.local.event_relay import Delivery
from function.tools.local.folder import LocalFolder, UnusableFolderError
from function.tools.local.processes import StartError, check_port_is_free
from function.tools.local.serve_folder import POLL_S, finish, tell_delivery
from function.tools.local.stack import LocalSession, StoppedError
from function.tools.local.stop_request import StopRequest


def serve_entry_points(root: Path, ports: tuple[int, int, int], stop: StopRequest) -> int:
    """Serve until asked to end → the exit status; 0 when asked to. `ports` are those of `composite`, of
    `composite_http` and of storage; 0 takes a free one."""
    folder = LocalFolder(root.resolve())
    events, requests, storage = ports
    try:
        if stop.asked:
            return stop.exit_status
        access = announce()
        folder.prepare()
        for port in filter(None, (events, requests)):
            check_port_is_free(port)

        def report(delivery: Delivery, status: int, seconds: float) -> None:
            tell_delivery(session, delivery, status, seconds)

        session = LocalSession(
            folder, access, report, stop=stop, storage_port=storage or None, event_port=events or None
        )
        with session:
            http = session.serve_http(requests or None)
            print(f"composite: {session.event_url}  composite_http: {http.url}  storage: {session.storage_url}; "
                  "stop with Ctrl-C", flush=True)  # fmt: skip
            _until_asked(session, stop)
    except StoppedError:
        print("stopped while starting; nothing was begun", flush=True)
        return stop.exit_status
    except (InvalidSettingsError, ModelUnreachableError, UnusableFolderError, StartError) as problem:
        return fail(problem)
    return 0


def _until_asked(session: LocalSession, stop: StopRequest) -> None:
    while not stop.asked:
        time.sleep(POLL_S)
    finish(session, stop)
