"""Where a pair leaves a call that may be made in a batch, and what came of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from function.deadline import Deadline
from function.generation.call_ledger import BegunCall
from function.generation.provider import Request


class BatchQueue(Protocol):
    """The queue as one pair sees it."""

    def put(
        self, request: Request, number: int, max_usd: float, deadline: Deadline, *, answer_missing: bool = False
    ) -> bool:
        """Have attempt `number` asked for in a batch. True: it is answered already; False: it has to be asked for at
        once, for a batch has failed to or its time is up. `answer_missing`: though it was answered, for the stored
        answer is missing.

        Raises AwaitsBatchError when it waits for its answer now.
        """

    def lost_calls(self, request: Request, deadline: Deadline) -> int:
        """How many calls of batches for `request` may have been billed and brought no answer."""

    def unused_calls(self, used: Collection[str], deadline: Deadline) -> list[BegunCall]:
        """Calls that batches have made for this manifest, and that may have been billed, for requests that are not
        among those `used` (digests): a pair that comes again, judged by another version, may need fewer."""
