"""What one pair holds of the process: a background thread, working memory, retained pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from types import TracebackType
from typing import Any, TypeVar

from function.deadline import Deadline
from function.pipeline.memory_budget import MemoryBudget, Priority

T = TypeVar("T")


class PairResources:
    """A context manager that owns all of it, and asserts the one order that cannot deadlock: wait for background work
    first, take working memory then. The background may itself be waiting for memory.
    """

    def __init__(self, budget: MemoryBudget, deadline: Deadline):
        self._budget, self._deadline = budget, deadline
        self._background = ThreadPoolExecutor(max_workers=1)  # what is done while the model is thinking
        self._retained_bytes = 0

    def __enter__(self) -> PairResources:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._background.shutdown(cancel_futures=True)
        self._budget.release_retained(self._retained_bytes)
        self._retained_bytes = 0

    def submit(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        """Begin `work` in the background, in the caller's logging context."""
        return self._background.submit(copy_context().run, work, *arguments)

    def result(self, future: Future[T]) -> T:
        """What background work gave, waited for. Raises what it raised, and RuntimeError when it would be waited for
        with working memory in hand."""
        if not future.done() and self._budget.held_by_this_thread():
            raise RuntimeError("wait for background work before taking working memory: it may be waiting for some")
        return future.result()

    @contextmanager
    def pixels(self, wanted_bytes: int, priority: Priority = Priority.EXAMINE) -> Iterator[None]:
        """Hold working memory for the block. Raises DeadlineExceededError; RuntimeError when this thread holds some."""
        with self._budget.acquire(wanted_bytes, self._deadline, priority):
            yield

    def fits(self, wanted_bytes: int) -> bool:
        """Whether the process has so much working memory at all."""
        return self._budget.fits(wanted_bytes)

    def keep(self, needed_bytes: int) -> None:
        """Count bytes of pixels that are kept until the pair is done in any case: there is less to `retain` then."""
        self._budget.keep(needed_bytes)
        self._retained_bytes += needed_bytes

    def retain(self, wanted_bytes: int) -> bool:
        """Whether so many bytes of pixels may be kept until the pair is done."""
        granted = self._budget.retain(wanted_bytes)
        if granted:
            self._retained_bytes += wanted_bytes
        return granted
