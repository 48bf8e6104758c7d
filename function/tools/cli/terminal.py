"""What the commands share of the terminal: errors, a question, a progress bar, and the storage they talk to."""

from __future__ import annotations

import os
import sys
import threading
import time

from function.settings import Settings
from function.storage.client import Storage
from function.storage.names import split_gs_uri
from function.tools.cli.access import connect
from function.tools.cli.live_screen import bar, clock
from function.tools.explain import UsageError, sentence

REDRAW_S = 0.1
# What the commands need of the environment; the rest is the function's own business.
LIMITS = (
    *("MAX_ATTEMPTS", "MAX_SOURCE_BYTES", "MAX_SOURCE_PIXELS", "SOURCE_FORMATS", "MAX_PX"),
    *("GEMINI_MODEL", "GEMINI_FALLBACK_MODEL", "ALLOWED_MODELS", "ALLOWED_BUCKETS", "ALLOWED_PREFIXES"),
)


def fail(error: object, code: int = 2) -> int:
    """Print an error → exit status."""
    print(f"error: {sentence(error) if isinstance(error, OSError) else error}", file=sys.stderr)
    return code


def bucket_and_prefix(uri: str) -> tuple[str, str]:
    """`gs://bucket/prefix` → (bucket, prefix), the latter without its last slash. Raises UsageError."""
    try:
        bucket, prefix = split_gs_uri(uri)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return bucket, prefix.rstrip("/")


def open_storage(*buckets: str) -> Storage:
    """The cloud, or the emulator that STORAGE_EMULATOR_HOST names, with `buckets` there. Raises UsageError."""
    return connect(*buckets)


def limits_here(output_bucket: str = "not-known-here") -> Settings:
    """The function's limits as far as this environment states them, else their defaults. Raises
    InvalidSettingsError."""
    given = {name: os.environ[name] for name in LIMITS if os.environ.get(name)}
    # Nothing is called with these two; the limits cannot be read without them.
    return Settings.from_environment({**given, "OUTPUT_BUCKET": output_bucket, "GEMINI_API_KEY": "unused"})


def confirmed(question: str, *, yes: bool) -> bool:
    """Ask, unless `yes`. Raises UsageError without a terminal."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("stdin is not a terminal: add --yes to confirm")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


class Progress:
    """A bar on standard error, drawn on a terminal only. Thread-safe."""

    def __init__(self, doing: str, total: int, unit: str = ""):
        self._doing, self._total, self._unit = doing, total, unit
        self._done, self._drawn = 0, 0.0
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def add(self, count: int = 1) -> None:
        """More is done."""
        with self._lock:
            self._done += count
            now = time.monotonic()
            if sys.stderr.isatty() and (now - self._drawn > REDRAW_S or self._done >= self._total):
                self._drawn = now
                self._draw(now)

    def close(self) -> None:
        """Leave the bar's line."""
        if sys.stderr.isatty() and self._drawn:
            print(file=sys.stderr)

    def _draw(self, now: float) -> None:
        share = min(1.0, self._done / self._total) if self._total else 1.0
        spent = now - self._started
        left = f", {clock(spent / share - spent)} left" if 0 < share < 1 and spent > 1 else ""
        amount = f"{self._shown(self._done)} of {self._shown(self._total)}"
        print(f"\r\x1b[K{self._doing} {bar(share)} {share:4.0%}  {amount}{left}", end="", file=sys.stderr, flush=True)

    def _shown(self, amount: int) -> str:
        return megabytes(amount) if self._unit == "bytes" else f"{amount:,}"


def megabytes(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1e6:,.1f} MB"


def counted(number: int, noun: str) -> str:
    """`1 pair`, `1,200 pairs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
