"""The SDK's HTTP transport with a limit on the whole of a call: its own limit is on silence, and an answer that
trickles is never silent."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2

# Errors before a connection was made: nothing was sent, so nothing was billed.
CONNECT_ERRORS = (httpx2.ConnectError, httpx2.ConnectTimeout)
# Whatever else goes wrong below the SDK.
TRANSPORT_ERRORS = (httpx2.RequestError, httpx2.StreamError, OSError)


def is_timeout(error: Exception) -> bool:
    """Whether no answer came in time, and not a broken connection."""
    return isinstance(error, TimeoutError | httpx2.TimeoutException)


class TotalTimeoutTransport(httpx2.BaseTransport):
    """As httpx2's own, but reading an answer ends when the call's read timeout has passed since the call began."""

    def __init__(self) -> None:
        self._inner = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send, and answer with a body that is read in time. Raises ReadTimeout while it is read."""
        began = time.monotonic()
        response = self._inner.handle_request(request)
        seconds = request.extensions.get("timeout", {}).get("read")
        if seconds is not None and isinstance(response.stream, httpx2.SyncByteStream):  # always, of this transport
            response.stream = _DeadlineBody(response.stream, began + seconds, request)
        return response

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class _DeadlineBody(httpx2.SyncByteStream):
    def __init__(self, body: httpx2.SyncByteStream, end: float, request: httpx2.Request):
        self._body, self._end, self._request = body, end, request

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._body:
            yield chunk
            if time.monotonic() > self._end:
                raise httpx2.ReadTimeout("the answer came too slowly", request=self._request)

    def close(self) -> None:
        self._body.close()
