"""Child processes in which C2PA's library works.

A file of a stranger may make a parser hang, take all memory, or end the process it runs in: then a child is lost, and
the pair goes on. A child stays for the next file; its start takes a third of a second, a file a few milliseconds.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MAX_CHILDREN = 2  # at once; each takes 45 MB
START_S = 30.0  # a third of a second on a machine that has time
MAX_LINE_BYTES = 2**20
LIBRARY_LOG = {"RUST_LOG": "off", "RUST_BACKTRACE": "0"}


class ChildFailedError(Exception):
    """The library has not done it: the file is at fault, or a child has ended or hung. The message says which."""


class LibraryMissingError(ChildFailedError):
    """There is no library to read or sign with."""


class Sandbox:
    """Up to MAX_CHILDREN children, started when they are needed. Thread-safe."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(MAX_CHILDREN)
        self._idle: list[_Child] = []
        self._missing: LibraryMissingError | None = None  # is not looked for at each file

    def run(
        self,
        request: dict[str, Any],
        files: dict[str, bytes],
        within_s: float,
        *,
        sign: Callable[[bytes], bytes] | None = None,
        after_signature_s: float = 0.0,
        returns: str | None = None,
    ) -> tuple[dict[str, Any], bytes]:
        """One request. `files`: the request's fields that are paths, and what lies there (b"": to be written by the
        child); `archives` may be several. `sign` is called for a signature, after
        which there are `after_signature_s`; what it raises is raised. → the answer, and
        the content of the file `returns`. Raises ChildFailedError, LibraryMissingError.
        """
        if self._missing is not None:
            raise LibraryMissingError(*self._missing.args)
        give_up = time.monotonic() + within_s
        if not self._places.acquire(timeout=within_s):
            raise ChildFailedError(f"others were read or signed for {within_s:.0f} s")
        try:
            child = self._take()
            try:
                with tempfile.TemporaryDirectory(prefix="credentials-") as folder:
                    paths = _written(Path(folder), files)
                    archives = [paths.pop(name) for name in sorted(paths) if name.startswith("archives.")]
                    answer = child.ask({**request, **paths, "archives": archives}, give_up, sign, after_signature_s)
                    return answer, Path(paths[returns]).read_bytes() if returns is not None else b""
            finally:
                if child.has_answered:
                    self._idle.append(child)
                else:
                    child.end()
        finally:
            self._places.release()

    def _take(self) -> _Child:
        """One that is idle, unless it has died meanwhile, which the next file is not to pay for; or a new one."""
        while True:
            try:
                child = self._idle.pop()
            except IndexError:  # others take them at the same time
                return self._start()
            if child.is_alive:
                return child
            child.end()

    def _start(self) -> _Child:
        try:
            return _Child()
        except LibraryMissingError as missing:
            self._missing = missing
            raise

    def close(self) -> None:
        """End the children that are idle."""
        while self._idle:
            self._idle.pop().end()


def _written(folder: Path, files: dict[str, bytes]) -> dict[str, str]:
    paths = {}
    for name, content in files.items():
        (folder / name).write_bytes(content)
        paths[name] = str(folder / name)
    return paths


class _Child:
    """One process; see `child`."""

    def __init__(self) -> None:
        path = os.pathsep.join(part for part in sys.path if part)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "function.provenance.child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**_harmless_environment(), **LIBRARY_LOG, "PYTHONPATH": path}, cwd="/",
        )  # fmt: skip
        self._buffer = bytearray()
        self.has_answered = True  # to all that it was asked: else it hangs, or is at an older request
        try:
            if "missing" in (began := self._line(time.monotonic() + START_S)):
                raise LibraryMissingError(began["missing"])
        except BaseException:
            self.end()
            raise

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def ask(
        self,
        request: dict[str, Any],
        give_up: float,
        sign: Callable[[bytes], bytes] | None,
        after_signature_s: float,
    ) -> dict[str, Any]:
        """One request to its answer."""
        self.has_answered = False
        self._write(request)
        refused: Exception | None = None
        while True:
            answer = self._line(give_up)
            if "sign" in answer and sign is not None:
                try:
                    self._write({"signature": base64.b64encode(sign(base64.b64decode(answer["sign"]))).decode()})
                except Exception as error:  # noqa: BLE001 (raised below, when the library knows too)
                    refused = error
                    self._write({})
                give_up = time.monotonic() + after_signature_s
                continue
            self.has_answered = True
            if refused is not None:
                raise refused
            if "error" in answer:
                raise ChildFailedError(answer["error"])
            return answer

    def end(self) -> None:
        """At once."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _write(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise ChildFailedError(self._ended()) from None

    def _line(self, give_up: float) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            self._buffer += self._chunk(give_up)
            if len(self._buffer) > MAX_LINE_BYTES:
                raise ChildFailedError("its answer is too long")
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            answer = json.loads(line)
        except ValueError:
            raise ChildFailedError("its answer cannot be read") from None
        return answer if isinstance(answer, dict) else {}

    def _chunk(self, give_up: float) -> bytes:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            if not selector.select(max(0.0, give_up - time.monotonic())):
                raise ChildFailedError("it took too long")
        if chunk := os.read(pipe, 65_536):
            return chunk
        raise ChildFailedError(self._ended())

    def _ended(self) -> str:
        self._process.kill()
        return f"its process has ended ({self._process.wait()})"


def _harmless_environment() -> dict[str, str]:
    """Without keys, which a reader of strangers' files has no use for."""
    return {
        name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ
    }
