"""Reads the body of a request within a limit of bytes and of seconds."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from flask import Request, Response
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from function.delivery.readings import Readings

# What the platform passes on over HTTP/1 (https://cloud.google.com/run/quotas, read 2026-11-26).
MAX_BODY_BYTES = 32 * 2**20
PIECE_BYTES = 128 * 1024
MAX_READ_CPU_S = 2.0  # 32 MiB take 0.1; cut into chunks of one byte each they would take minutes
DRAIN_S = 5.0  # what an honest caller needs to finish sending, and to read the answer
MAX_DRAINED_BYTES = 4 * MAX_BODY_BYTES


class BodyTooLargeError(Exception):
    """The body has more bytes than the limit, or takes too much work to put together."""


class BodyTooSlowError(Exception):
    """The body did not arrive in time."""


class BodyIncompleteError(Exception):
    """The caller ended the connection, or what it sent is no body."""


def read_body(request: Request, readings: Readings, *, within_s: float, limit: int = MAX_BODY_BYTES) -> bytes:
    """The whole body. Raises BodyTooLargeError (before anything is read, where its length is stated), BodyTooSlowError,
    BodyIncompleteError."""
    stated = request.content_length
    if stated is not None and stated > limit:
        raise BodyTooLargeError(f"the request has {stated:,} bytes; {limit:,} are allowed")
    pieces: list[bytes] = []
    cpu_s = time.thread_time()
    with readings.reading(within_s, request.environ) as reading:
        try:
            while piece := request.stream.read(PIECE_BYTES):
                pieces.append(piece)
                reading.size += len(piece)
                if reading.size > limit:
                    raise BodyTooLargeError(f"the request has more than the {limit:,} bytes allowed")
                if time.thread_time() - cpu_s > MAX_READ_CPU_S:
                    raise BodyTooLargeError("the request comes in too many chunks")
                if reading.ended_for:
                    break
            complete = reading.size >= stated if stated is not None else not piece
        except (OSError, ParseException, HTTPException):
            complete = False
    if complete:
        return b"".join(pieces)
    if reading.ended_for:
        raise BodyTooSlowError(reading.ended_for)
    raise BodyIncompleteError("the request ended before its body was complete")


def answered_first(response: Response, request: Request) -> Response:
    """The same answer, sent before what is left of the request's body is read.

    The framework would read all of it first, however long it is. Not to read it at all would reset the connection
    under a caller who is still sending, and lose the answer.
    """
    parts = list(response.iter_encoded())
    response.content_length = sum(len(part) for part in parts)

    def answer_then_drain() -> Iterator[bytes]:
        yield from parts
        _drain(request)

    response.response = answer_then_drain()
    return response


def _drain(request: Request) -> None:
    """Read the rest and throw it away, as far as that is soon done."""
    drained, cpu_s = 0, time.thread_time()
    with (
        Readings(1).reading(DRAIN_S, request.environ) as reading,
        contextlib.suppress(OSError, ParseException, HTTPException),
    ):
        while piece := request.stream.read(PIECE_BYTES):
            drained += len(piece)
            if reading.ended_for or drained > MAX_DRAINED_BYTES or time.thread_time() - cpu_s > MAX_READ_CPU_S:
                return
