"""What Cloud Scheduler does for batches, on this machine."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request

from google.cloud import storage

from function.tools.timeouts import DELIVERY_S

SWEEP_EVERY_S = 3.0
GATHER_S = 5.0  # BATCH_GATHER_S: what is dropped into a folder is there within seconds


class Sweeper:
    """Has the function look after its batch jobs once there are any. A context manager."""

    def __init__(self, client: storage.Client, batch_bucket: str, url: str):
        self._client, self._bucket, self._url = client, batch_bucket, url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Sweeper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(SWEEP_EVERY_S):
            # The pictures of the first pair that asks for a batch are the first objects there.
            if next(iter(self._client.list_blobs(self._bucket, max_results=1)), None) is None:
                continue
            request = urllib.request.Request(f"{self._url}/batches/sweep", data=b"", method="POST")
            try:
                with urllib.request.urlopen(request, timeout=DELIVERY_S):
                    pass
            except (urllib.error.URLError, OSError):
                continue  # it ends, or does so later
