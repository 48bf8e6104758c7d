"""An emulator of the Gemini API on this machine: the real REST protocol, pictures made with OpenCV, no bill.

    python -m function.tools.emulator.server --port 8090 [--host 127.0.0.1] [--latency SECONDS]

`GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8090` sends the SDK here, with any key. Beside the API it answers
`GET /__control` (what was asked and answered) and `POST /__control` with any of
`{"faults": […], "latency_s": …, "drift": …, "batch_faults": […], "batch_s": …, "reset": true}`; see faults.py and
batch_jobs.py. `drift` scales how far an answer departs from its scene: 1 is as real answers do, 0 not at all;
`batch_s` is how long a batch job takes. Batch jobs of Vertex AI read and write Cloud Storage at `--storage`.
"""

from __future__ import annotations

import signal
import threading

import click

from function.tools.emulator.handler import EmulatorServer, RequestHandler
from function.tools.emulator.state import EmulatorState


class GeminiEmulator(EmulatorState):
    """The server and its state. A context manager: serves on entry, is gone on exit."""

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        latency_s: float = 0.0,
        drift: float = 1.0,
        storage_url: str | None = None,
    ):
        self._server = EmulatorServer((host, port), RequestHandler)
        super().__init__(f"http://{host}:{self._server.server_port}", latency_s, drift, storage_url)
        self._server.emulator = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> GeminiEmulator:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


ENDED_BY = (signal.SIGINT, signal.SIGTERM)


@click.command(help=__doc__.split("\n")[0])
@click.option("--host", metavar="HOST", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, required=True, help="0 takes a free one")
@click.option("--storage", metavar="URL", help="of the storage emulator, for batch jobs of Vertex AI")
@click.option("--batch-seconds", type=float, default=0.0, help="how long a batch job takes")
@click.option("--latency", type=float, default=0.0, help="seconds added to every answer")
def main(host: str, port: int, storage: str | None, batch_seconds: float, latency: float) -> None:
    """Serve until SIGINT or SIGTERM."""
    # Waited for, not handled: a handler may come while its own thread holds the lock that it wants.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDED_BY)
    with GeminiEmulator(port, host, latency, storage_url=storage) as emulator:
        emulator.control(batch_s=batch_seconds)
        print(f"Gemini emulator on {emulator.url}", flush=True)
        signal.sigwait(ENDED_BY)


if __name__ == "__main__":
    main()
