"""Model calls that are paid for once: found in the store, or noted, made and stored before anything else is done."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import BaseModel

from function.budget.budget import PairBudget
from function.deadline import Deadline
from function.errors import (
    BudgetExhaustedError,
    InstanceShutdownError,
    ModelNoImageError,
    ModelRefusedError,
    ModelRejectedError,
    ModelUnansweredError,
    TransientError,
)
from function.generation.answer_store import AnswerStore, StoredAnswer, request_digest
from function.generation.backoff import backoff_s
from function.generation.batch_queue import BatchQueue
from function.generation.billing import bill_of
from function.generation.call_ledger import BegunCall, CallLedger
from function.generation.models import model_table
from function.generation.pricing import max_picture_usd, max_text_usd
from function.generation.provider import Answer, ImageProvider, Request

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answered:
    """An answer, whether it was found in the store, whether this manifest paid for it, and its address."""

    answer: Answer
    reused: bool
    paid: bool
    uri: str


class CallLimitReachedError(ModelNoImageError):
    """Earlier deliveries of this manifest have begun as many model calls as it may cost."""


class PaidCalls:
    """The model as one manifest sees it: `owner` pays within `budget`, the ledger counts, the store remembers; once the
    instance `is_shutting_down`, nothing more is asked."""

    def __init__(
        self,
        provider: ImageProvider,
        store: AnswerStore,
        owner: str,
        deadline: Deadline,
        ledger: CallLedger,
        budget: PairBudget,
        is_shutting_down: Callable[[], bool] = lambda: False,
        batch: BatchQueue | None = None,
    ):
        self._provider, self._store, self._owner = provider, store, owner
        self._deadline, self._ledger, self._budget = deadline, ledger, budget
        self._is_shutting_down, self._batch = is_shutting_down, batch
        self._answered: list[BegunCall] = []  # calls whose answers this run has seen
        self._answered_in_batches: list[BegunCall] = []  # of those
        self._lost_in_batches: list[BegunCall] = []
        self._asked_of_batches: set[str] = set()  # digests

    def opinion(self, request: Request, schema: type[BaseModel]) -> Answer:
        """A text model's answer to `request`, stored like any other; it is no picture and counts towards no cap on
        them, but costs money like any other call."""
        stored = self._store.find(request, self._owner, self._deadline)
        if stored is not None:
            return stored.answer
        max_usd = max_text_usd(model_table().text_priced_as(request.model), len(request.images), request.prompt)
        with self._within_budget(request, max_usd) as bill:
            answer = self._provider.ask_for_json(request, schema, self._deadline)
            bill(answer)
        self._store.keep(request, answer, self._owner, self._deadline)
        return answer

    def ask(self, request: Request, number: int, max_calls: int) -> Answered:
        """The answer to `request`: a stored one, or a new one while fewer than `max_calls` have been begun.

        A call that was begun and never answered (its process was killed, the connection broke) counts, so that
        faults cannot multiply the cost; but a delivery of a pair that has no answer at all may always ask once, so
        that a fault loses nothing.
        With a batch queue a new answer is left to a batch, unless that has failed.
        Raises CallLimitReachedError, AwaitsBatchError, and whatever the provider raises.
        """
        call = BegunCall(number=number, seed=request.seed)
        stored = self._store.find(request, self._owner, self._deadline, in_batch=self._batch is not None)
        if self._batch is not None:
            self._asked_of_batches.add(request_digest(request))
            try:
                stored = stored or self._from_batch(self._batch, request, number)
            except BudgetExhaustedError:  # the pair ends without this call, and lists what jobs have lost of it
                self._note_lost(self._batch, request, call)
                raise
            self._note_lost(self._batch, request, call)
        if stored is not None:
            answer = stored.answer
            self._answered.append(call)
            if answer.price_tier == "batch":
                self._answered_in_batches.append(call)
            is_own = stored.owner == self._owner
            if is_own:
                self._budget.note_spent(bill_of(request, answer).usd)
            return Answered(answer, True, is_own, stored.uri)
        answer = self._new_answer(request, call, max_calls)
        uri = self._store.keep(request, answer, self._owner, self._deadline, in_batch=self._batch is not None)
        self._answered.append(call)
        return Answered(answer, False, True, uri)

    def _from_batch(self, batch: BatchQueue, request: Request, number: int) -> StoredAnswer | None:
        """What a batch has answered since the store was looked at; None: the call is to be made at once.

        Raises AwaitsBatchError, BudgetExhaustedError.
        """
        model = model_table().find(request.model)
        full_usd = max_picture_usd(model, len(request.images), request.prompt, request.image_size)
        max_usd = full_usd * model_table().batch.share_of_price
        self._budget.check_own(max_usd)
        if not batch.put(request, number, max_usd, self._deadline):
            return None
        stored = self._store.find(request, self._owner, self._deadline, in_batch=True)
        if stored is None:  # it expired, or was an answer for another manifest alone
            batch.put(request, number, max_usd, self._deadline, answer_missing=True)
        return stored

    def _note_lost(self, batch: BatchQueue, request: Request, call: BegunCall) -> None:
        self._lost_in_batches += [call] * batch.lost_calls(request, self._deadline)

    def lost_in_batches(self) -> list[BegunCall]:
        """Calls of batches whose answers were lost, never came, or were not needed; they may have been billed, at the
        batch's price. Raises what storage raises."""
        if self._batch is None:
            return []
        unused = self._batch.unused_calls(self._asked_of_batches, self._deadline.grace_period())
        return [*self._lost_in_batches, *unused]

    def interrupted(self) -> list[BegunCall]:
        """Calls that were begun and whose answers were lost, with a delivery that died or on their way; they may have
        been billed. What a batch has answered since is another call."""
        lost = list(self._ledger.begun())
        for call in self._answered:
            if call in lost and call not in self._answered_in_batches:
                lost.remove(call)
        return lost

    def _new_answer(self, request: Request, call: BegunCall, max_calls: int) -> Answer:
        """Ask until an answer arrives. A call that brought none may have been billed, and stays in the ledger."""
        model = model_table().find(request.model)
        max_usd = max_picture_usd(model, len(request.images), request.prompt, request.image_size)
        number = 0
        while True:
            number += 1
            begun = len(self._ledger.begun())
            if self._answered and begun >= max_calls:
                raise CallLimitReachedError(f"{begun} model calls were begun for this manifest; no more are allowed")
            try:
                with self._within_budget(request, max_usd) as bill:
                    answer = self._ledgered_call(request, call)
                    bill(answer)
                return answer
            except ModelUnansweredError as lost:
                logger.warning(
                    "the answer was lost; asking again if the cap allows: %s", lost.message, extra={"stage": "generate"}
                )
                wait_s = backoff_s(number)
                if len(self._ledger.begun()) >= max_calls or self._deadline.remaining() <= wait_s:
                    raise
                time.sleep(wait_s)

    def _ledgered_call(self, request: Request, call: BegunCall) -> Answer:
        """One call, noted in the ledger before it is made. One that was not taken is not billed, and forgotten."""
        self._ledger.reserve(call, self._deadline)
        try:
            return self._provider.generate(request, self._deadline)
        except ModelUnansweredError:
            raise
        except (TransientError, ModelRejectedError, ModelRefusedError):
            self._ledger.rollback()
            raise

    @contextmanager
    def _within_budget(self, request: Request, max_usd: float) -> Iterator[Callable[[Answer], None]]:
        """Money is set aside for the block's one call, which hands its answer to what is given; a call that brought
        none is counted as billed in full, one that was not made or not taken as free. Raises InstanceShutdownError."""
        if self._is_shutting_down():
            raise InstanceShutdownError("this instance is shutting down: it begins no further model call")
        self._budget.reserve(max_usd, self._deadline)
        spent_usd = 0.0

        def bill(answer: Answer) -> None:
            nonlocal spent_usd
            spent_usd = (billed := bill_of(request, answer)).usd
            logger.info(
                "model answered",
                extra={
                    "stage": "generate",
                    "model": billed.priced_as or billed.answered_by,
                    "usd": spent_usd,
                    "outcome": answer.outcome,
                    "finish_reason": answer.finish_reason,
                    "duration_ms": answer.latency_ms,
                },
            )

        try:
            yield bill
        except ModelUnansweredError:
            spent_usd = max_usd
            logger.warning(
                "model call without an answer",
                extra={"stage": "generate", "model": request.model, "usd_at_most": max_usd},
            )
            raise
        finally:
            self._budget.settle(spent_usd)
