"""Model calls that are paid for once: found again, or counted, made and stored before anything else is done."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import count

from pydantic import BaseModel

from function.deadline import Deadline
from function.delivery.lease import BegunCall, HeldClaim
from function.errors import ModelNoImage, ModelRefused, ModelRejected, ModelUnanswered, Transient
from function.generation.answer_store import AnswerStore
from function.generation.gemini.client import GeminiClient, ModelGone, Request, backoff_s
from function.generation.gemini.response import Answer
from function.telemetry.structured_logging import log


@dataclass(frozen=True)
class Answered:
    """An answer, whether it was found in the store, whether this manifest is who paid for it, and its address."""

    answer: Answer
    reused: bool
    paid: bool
    uri: str


class CallsUsedUp(ModelNoImage):
    """Earlier deliveries of this manifest have begun as many model calls as it may cost."""


class PaidCalls:
    """The model as one manifest sees it. Without a claim (HTTP) calls are counted within the run only."""

    def __init__(
        self,
        client: GeminiClient,
        store: AnswerStore,
        owner: str,
        deadline: Deadline,
        claim: HeldClaim | None = None,
    ):
        self._client, self._store, self._owner = client, store, owner
        self._deadline, self._claim = deadline, claim
        self._known: list[BegunCall] = []  # calls whose answers this run has seen
        self._of_run: list[BegunCall] = []  # calls that this run has begun, where no claim notes them

    def opinion(self, request: Request, schema: type[BaseModel]) -> Answer:
        """A text model's answer to `request`, stored like any other; it is no picture and counts towards no cap."""
        stored = self._store.find(request, self._owner, self._deadline)
        if stored is not None:
            return stored[0]
        answer = self._client.ask_for_json(request, schema, self._deadline)
        self._store.keep(request, answer, self._owner, self._deadline)
        return answer

    def ask(self, request: Request, number: int, most_calls: int) -> Answered:
        """The answer to `request`: a stored one, or a new one while fewer than `most_calls` have been begun.

        A call that was begun and never answered (its process was killed, the connection broke) counts, so that
        faults cannot multiply the cost; but a delivery of a pair that has no answer at all may always ask once, so
        that a fault loses nothing.
        Raises CallsUsedUp, and whatever the client raises.
        """
        call = BegunCall(number=number, seed=request.seed)
        stored = self._store.find(request, self._owner, self._deadline)
        if stored is not None:
            answer, owner = stored
            self._known.append(call)
            return Answered(answer, True, owner == self._owner, self._store.uri(request))
        answer = self._new_answer(request, call, most_calls)
        self._store.keep(request, answer, self._owner, self._deadline)
        self._known.append(call)
        log(
            "INFO", "model answered", stage="generate", model=request.model, outcome=answer.outcome,
            finish_reason=answer.finish_reason, duration_ms=answer.latency_ms,
        )  # fmt: skip
        return Answered(answer, False, True, self._store.uri(request))

    def _new_answer(self, request: Request, call: BegunCall, most_calls: int) -> Answer:
        """Ask until an answer arrives. A call that brought none may have been billed, and stays noted."""
        for number in count(1):
            if self._known and len(self._begun) >= most_calls:
                raise CallsUsedUp(f"{len(self._begun)} model calls were begun for this manifest; no more are allowed")
            self._begin(call)
            try:
                return self._client.generate(request, self._deadline)
            except ModelUnanswered as lost:
                log("WARNING", f"asked again, if that is allowed: {lost.message}", stage="generate")
                wait_s = backoff_s(number)
                if len(self._begun) >= most_calls or self._deadline.remaining() <= wait_s:
                    raise
                time.sleep(wait_s)
            except (Transient, ModelGone, ModelRejected, ModelRefused):
                self._forget()  # it was not answered, and is not billed
                raise

    @property
    def _begun(self) -> tuple[BegunCall, ...]:
        """Calls begun for this manifest, by earlier deliveries too; over HTTP by this run."""
        return self._claim.calls if self._claim is not None else tuple(self._of_run)

    def _begin(self, call: BegunCall) -> None:
        if self._claim is not None:
            self._claim.begin_call(call, self._deadline)
        else:
            self._of_run.append(call)

    def _forget(self) -> None:
        if self._claim is not None:
            self._claim.forget_call()
        else:
            self._of_run.pop()

    def interrupted(self) -> list[BegunCall]:
        """Calls that were begun and whose answers were lost, with a delivery that died or on their way; they may have
        been billed."""
        lost = list(self._begun)
        for call in self._known:
            if call in lost:
                lost.remove(call)
        return lost
