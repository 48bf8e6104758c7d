"""What is noted of a run, and what must hold of it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from function.budget.ledger import Ledger
from function.delivery.cloud_event import Upload
from function.delivery.outputs import GENERATION_KEY, MANIFEST_KEY
from function.generation.answer_store import FIELDS, answer_name
from function.generation.provider import Request
from function.storage.names import BUDGET_PREFIX, OWN_PREFIXES, WORK_PREFIX
from tests.delivery.exploration.storage_model import Stored

ANSWERS = WORK_PREFIX + "answers/"
CENT_USD = 0.01  # sums of six decimals differ by less; a picture costs four


class ViolationError(AssertionError):
    """A promise that did not hold."""


@dataclass
class Money:
    """USD. `billed` by the service; `counted` is what the code has to count, lost answers in full; `held_back` was set
    aside by processes that ended and cannot be told from spent."""

    billed: float = 0.0
    counted: float = 0.0
    held_back: float = 0.0


@dataclass
class Books:
    """Everything that was seen. `calls` by owner; `money` by kind of cap; `answers` by name: when each was stored, and
    whom it serves (None: everybody)."""

    output: str
    calls: Counter[str] = field(default_factory=Counter)
    money: dict[str, Money] = field(default_factory=lambda: {"days": Money(), "catalogues": Money()})
    answers: dict[str, list[tuple[float, str | None]]] = field(default_factory=lambda: defaultdict(list))
    violations: list[str] = field(default_factory=list)

    @property
    def beyond_usd(self) -> float:
        """What is counted though no cap has allowed it."""
        return 0.0

    def owner_of(self, upload: Upload) -> str:
        """Who pays for a call: one generation of one manifest."""
        return f"{upload.uri}#{upload.generation}"

    def note_change(self, bucket: str, name: str, before: Stored | None, after: Stored | None, now: float) -> None:
        """An object was written or deleted."""
        if bucket != self.output:
            return
        if name.startswith(ANSWERS) and after is not None:
            is_image = json.loads(after.metadata[FIELDS])["outcome"] == "image"
            self.answers[name.partition(".")[0]].append((now, None if is_image else after.metadata["owner"]))
        if name.startswith(OWN_PREFIXES) or before is None:
            return
        old = int(before.metadata[GENERATION_KEY])
        if after is None:
            if name.endswith(".json"):
                self.violations.append(f"{name}: the sidecar was deleted")
            return
        new = int(after.metadata[GENERATION_KEY])
        if new < old:
            self.violations.append(f"{name}: generation {new} was written over {old}")
        if (
            new == old
            and name.endswith(".json")
            and not _is_completed(json.loads(before.content), json.loads(after.content))
        ):
            self.violations.append(f"{name}: generation {new} was settled twice")

    def note_call(self, upload: Upload, began: float, request: Request) -> None:
        """The model was asked, by a delivery that `began` then."""
        owner = self.owner_of(upload)
        self.calls[owner] += 1
        stored = self.answers[answer_name(request)]
        earlier = [number for number, (when, _) in enumerate(stored) if when < began]
        if earlier and all(serves in (None, owner) for _, serves in stored[earlier[-1] :]):
            self.violations.append(f"{owner}: paid again for an answer that was stored")

    def check(self, objects: dict[tuple[str, str], Stored], uploads: list[Upload], calm: bool) -> Iterator[str]:
        """What does not hold once everything is over. `calm`: nothing failed and nobody stood still."""
        yield from self.violations
        newest = {upload.uri: upload for upload in sorted(uploads, key=lambda one: one.generation)}
        for upload in newest.values():
            stem = upload.name.removesuffix(".json")
            stored = objects.get((self.output, stem + ".json"))
            if stored is None or int(stored.metadata[GENERATION_KEY]) != upload.generation:
                yield f"{self.owner_of(upload)}: left without a sidecar"
                continue
            sidecar = json.loads(stored.content)
            yield from self._check_result(upload, sidecar, objects.get((self.output, stem + ".png")))
            yield from self.check_calls(upload, sidecar["attempts"], calm)

    def check_calls(self, upload: Upload, attempts: list[dict], calm: bool) -> Iterator[str]:
        """What does not hold of the attempts that a sidecar lists."""
        outcomes = [attempt["outcome"] for attempt in attempts]
        paid = [attempt for attempt in attempts if attempt["usd"]]
        calls = self.calls[self.owner_of(upload)]
        if calls > len(outcomes):
            yield f"{self.owner_of(upload)}: {calls} calls, and {outcomes} are listed"
        if calm and calls != len(paid):
            yield f"{self.owner_of(upload)}: {calls} calls without any fault, and {outcomes} are listed"

    def check_money(self, objects: dict[tuple[str, str], Stored], caps: dict[str, float | None]) -> Iterator[str]:
        """What does not hold of the ledgers once every process has ended."""
        for kind, cap in caps.items():
            prefix = f"{BUDGET_PREFIX}{kind}/"
            ledgers = [
                Ledger.model_validate_json(one.content) for (_, n), one in objects.items() if n.startswith(prefix)
            ]
            counted, money = sum(ledger.committed_usd for ledger in ledgers), self.money[kind]
            if cap is None:
                continue
            for ledger in ledgers:
                if ledger.committed_usd > cap + self.beyond_usd + CENT_USD:
                    yield f"{ledger.account}: {ledger.committed_usd} USD of {cap}"
            if counted < money.billed - CENT_USD:
                yield f"{kind}: {money.billed:.3f} USD were billed, and {counted:.3f} are counted"
            if counted > money.counted + money.held_back + CENT_USD:
                explained = f"{money.counted:.3f} + {money.held_back:.3f}"
                yield f"{kind}: {counted:.3f} USD are counted, {explained} are explained"

    def _check_result(self, upload: Upload, sidecar: dict, result: Stored | None) -> Iterator[str]:
        mine = result is not None and result.metadata.get(MANIFEST_KEY) == upload.uri
        if sidecar["status"] == "failed":
            if mine and int(result.metadata[GENERATION_KEY]) == upload.generation:
                yield f"{self.owner_of(upload)}: failed, and a result is there"
        elif not mine:
            yield f"{self.owner_of(upload)}: {sidecar['status']}, and its result is gone"
        elif hashlib.sha256(result.content).hexdigest() != sidecar["result"]["sha256"]:
            yield f"{self.owner_of(upload)}: the result is not the one that the sidecar describes"


def _is_completed(before: dict, after: dict) -> bool:
    """Whether a sidecar says what it said, and lists more calls."""
    fixed = {name: value for name, value in before.items() if name not in {"attempts", "cost"}}
    return all(after[name] == value for name, value in fixed.items()) and all(
        attempt in after["attempts"] for attempt in before["attempts"]
    )
