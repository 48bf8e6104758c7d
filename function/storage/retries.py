"""How often, and for how long, a call of Cloud Storage is tried.

The client's own retries are off: each of its tries would have the time that was left for the first one.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import TypeVar

import requests
import urllib3
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.cloud.storage import exceptions as storage_exceptions
from tenacity import Retrying, retry_if_exception, stop_before_delay, wait_exponential_jitter

from function.deadline import Deadline
from function.errors import DeadlineExceededError
from function.storage.read_deadline import read_deadline

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 20.0  # silence on a connection for this long is a stall: try again
READ_TIMEOUT_FRACTION = 0.5  # of what is left of the deadline, so that a stalled call leaves time for another one
RETRY_FOR_S = 60.0  # on one call at the most, so that a dead bucket leaves time to say so
RETRYABLE_STATUS = frozenset({408, 429, 500, 502, 503, 504})  # Cloud Storage's own list of what to try again
FIRST_WAIT_S, MAX_WAIT_S = 0.1, 8.0  # between tries; doubled each time

T = TypeVar("T")
Timeout = tuple[float, float]  # seconds to connect, seconds of silence

# What the client raises when it cannot tell what became of a call. Raw downloads let urllib3's errors through, and
# an answer that is no JSON is a RequestException.
CLIENT_ERRORS = (
    api.GoogleAPICallError,
    auth.GoogleAuthError,
    storage_exceptions.InvalidResponse,
    storage_exceptions.DataCorruption,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)


def call_with_retries(call: Callable[[Timeout], T], deadline: Deadline, *, retry_rate_limited: bool) -> T:
    """Run `call`, again while it fails with a retryable error, for RETRY_FOR_S or what is left of `deadline`.

    Raises the last error of CLIENT_ERRORS, and DeadlineExceededError when there was no time for a first try.
    """
    budget_s = deadline.clamp(RETRY_FOR_S, "storage")
    budget = Deadline(budget_s)

    failure: BaseException | None = None

    def once() -> T:
        nonlocal failure
        try:
            left = budget.clamp(RETRY_FOR_S, "storage") * READ_TIMEOUT_FRACTION
        except DeadlineExceededError:
            if failure is not None:
                raise failure from None  # the reason is what kept failing, not that it took all the time
            raise
        try:
            with read_deadline(deadline.remaining()):
                return call((min(CONNECT_TIMEOUT_S, left), min(READ_TIMEOUT_S, left)))
        except CLIENT_ERRORS as error:
            failure = error
            raise

    tries = Retrying(
        retry=retry_if_exception(lambda e: is_retryable(e) and (retry_rate_limited or not is_rate_limited(e))),
        wait=wait_exponential_jitter(FIRST_WAIT_S, MAX_WAIT_S, jitter=FIRST_WAIT_S),
        stop=stop_before_delay(budget_s),
        reraise=True,
    )
    return tries(once)


def is_retryable(error: BaseException) -> bool:
    """Whether the same call may succeed in a moment: the service is busy, or the answer did not arrive whole."""
    if isinstance(error, api.GoogleAPICallError):
        return error.code in RETRYABLE_STATUS
    if isinstance(error, storage_exceptions.InvalidResponse):
        return error.response.status_code in RETRYABLE_STATUS
    return isinstance(error, CLIENT_ERRORS)


def is_rate_limited(error: BaseException) -> bool:
    """Whether an object was written more often than once a second."""
    return isinstance(error, api.TooManyRequests)
