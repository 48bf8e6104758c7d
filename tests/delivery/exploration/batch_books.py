"""What is noted of a run with batches, and what must hold of it besides."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from function.batch.follow import CANCEL_WAIT_S, NO_END
from function.batch.names import JOBS, RECORDS
from function.delivery.cloud_event import Upload
from function.delivery.outputs import GENERATION_KEY
from function.generation.answer_store import answer_name, name_of_digest
from function.generation.models import model_table
from function.generation.pricing import Usage, usd
from function.generation.provider import Request
from tests.delivery.exploration.batch_jobs import Asked, ModelledJob
from tests.delivery.exploration.books import Books
from tests.delivery.exploration.storage_model import Stored
from tests.delivery.exploration.virtual_time import Actor

REQUESTS = f"{RECORDS}requests/"
CLOCKS_S = 120.0  # that two clocks of a world with batches differ by, at the most
ROUNDING_USD = 1e-6
ANSWERED = ("generated", "refused", "no_image")


@dataclass
class BatchBooks(Books):
    """`firsts`: the upload behind each touched generation, by manifest and generation; `billed`: of each request, for
    whom each answer of a batch was made; `under_way`: what is asked for without a job, and by which manifest (name)."""

    firsts: dict[tuple[str, int], int] = field(default_factory=dict)
    billed: dict[Asked, list[frozenset[str]]] = field(default_factory=lambda: defaultdict(list))
    under_way: dict[Actor, tuple[Asked, str]] = field(default_factory=dict)
    _living: dict[str, ModelledJob] = field(default_factory=dict)
    _cancelled: dict[str, float] = field(default_factory=dict)
    _askers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _asked: dict[str, Asked] = field(default_factory=dict)  # by the name of its answer
    _records: dict[Asked, dict[str, Any]] = field(default_factory=dict)

    def owner_of(self, upload: Upload) -> str:
        """A manifest that was touched is the upload that a person made."""
        first = self.firsts.get((upload.uri, upload.generation), upload.generation)
        return f"{upload.uri}#{first}"

    @property
    def lost_calls(self) -> int:
        """Calls of jobs that the code takes for lost."""
        return sum(record["lost"] + len(record["twins"]) for record in self._records.values())

    @property
    def beyond_usd(self) -> float:
        """Jobs that the service made a second time were not asked for, and are counted."""
        return sum(len(record["twins"]) * record["max_usd"] for record in self._records.values())

    # --- what happens

    def note_change(self, bucket: str, name: str, before: Stored | None, after: Stored | None, now: float) -> None:
        """As Books; the records of batches are read."""
        super().note_change(bucket, name, before, after, now)
        if bucket != self.output or after is None:
            return
        if name.startswith(REQUESTS):
            record = json.loads(after.content)
            asked = record["prompt"], record["seed"]
            self._records[asked] = record
            self._asked[name_of_digest(record["digest"])] = asked
            self._askers[record["prompt"]].update(waiter["name"] for waiter in record["waiters"])
        if name.startswith(JOBS):
            self._note_job_record(json.loads(after.content), now)

    def _note_job_record(self, record: dict[str, Any], now: float) -> None:
        display_name = f"composite-{record['id']}"
        if record["state"] == "cancelling":
            self._cancelled.setdefault(display_name, now)
        if record["service_state"] == NO_END:  # it is given up: its end may never come
            cancelled = self._cancelled.get(display_name)
            if cancelled is not None and now < cancelled + CANCEL_WAIT_S - CLOCKS_S:
                self.violations.append(f"{display_name}: given up {now - cancelled:.0f} s after it was cancelled")
            self._living = {name: job for name, job in self._living.items() if job.display_name != display_name}

    def note_job(self, job: ModelledJob) -> None:
        """The service has made a job. One that it makes twice of itself is its own affair."""
        for line in job.lines:
            for other in self._in_jobs(line.asked):
                if other.display_name != job.display_name:
                    self.violations.append(f"{line.asked}: in {job.name} while it is in {other.name}")
            for actor, (asked, name) in self.under_way.items():
                if asked == line.asked and name in self._waiting_for(asked) and not actor.process.is_dead:
                    self.violations.append(f"{asked}: in {job.name} while {name} asks for it by itself")
        self._living[job.name] = job

    def note_job_end(self, job: ModelledJob) -> None:
        """It answers nothing any more."""
        self._living.pop(job.name, None)

    def note_batch_answer(self, asked: Asked, *, is_image: bool) -> None:
        """A line of a job was answered, and is billed. Without an image it serves one of those who wait."""
        owners = frozenset(waiter["owner"] for waiter in self._records[asked]["waiters"])
        self.billed[asked].append(owners if is_image or len(owners) == 1 else frozenset())

    def note_call(self, upload: Upload, began: float, request: Request) -> None:
        """As Books, of what is asked for without a job."""
        super().note_call(upload, began, request)
        asked = request.prompt, request.seed
        self._asked[answer_name(request)] = asked
        self._askers[request.prompt].add(upload.name)
        if upload.name in self._waiting_for(asked):
            for job in self._in_jobs(asked):
                self.violations.append(f"{asked}: {upload.name} asks for it by itself while it is in {job.name}")

    def _waiting_for(self, asked: Asked) -> list[str]:
        return [waiter["name"] for waiter in self._records.get(asked, {}).get("waiters", [])]

    def _in_jobs(self, asked: Asked) -> list[ModelledJob]:
        return [job for job in self._living.values() if any(line.asked == asked for line in job.lines)]

    # --- what must hold in the end

    def check(self, objects: dict[tuple[str, str], Stored], uploads: list[Upload], calm: bool) -> Iterator[str]:
        """As Books, and of all that jobs were paid for."""
        yield from super().check(objects, uploads, calm)
        listed: dict[str, list[dict[str, Any]]] = {}
        for upload in {upload.uri: upload for upload in sorted(uploads, key=lambda one: one.generation)}.values():
            stored = objects.get((self.output, upload.name))
            if stored is not None and int(stored.metadata[GENERATION_KEY]) == upload.generation:
                sidecar = json.loads(stored.content)
                listed[self.owner_of(upload)] = sidecar["attempts"]
                yield from _check_price(self.owner_of(upload), sidecar)
        for asked, answers in self.billed.items():
            yield from self._check_listed(asked, answers, listed)

    def check_calls(self, upload: Upload, attempts: list[dict], calm: bool) -> Iterator[str]:
        """As Books, of the calls that were made without a job; those of jobs have checks of their own."""
        alone = [one for one in attempts if one.get("price_tier") != "batch"]
        yield from super().check_calls(upload, alone, calm and not self._is_shared(upload))

    def _is_shared(self, upload: Upload) -> bool:
        """Whether others ask for the same picture. A pair comes more than once here, and then finds their answer in the
        place of its own that had no image."""
        return any(len(names) > 1 and upload.name in names for names in self._askers.values())

    def _check_listed(
        self, asked: Asked, answers: list[frozenset[str]], listed: dict[str, list[dict[str, Any]]]
    ) -> Iterator[str]:
        """Each answer of a job is listed by somebody whom it was made for: as theirs, as found in the store, or as a
        call that brought no answer. Nothing is listed by a manifest that was replaced meanwhile."""
        made_for = [owners for one in answers if (owners := one & listed.keys())]
        attempts = {
            owner: [one for one in listed[owner] if one["seed"] == asked[1] and one.get("price_tier") == "batch"]
            for owner in frozenset().union(*made_for)
        }
        everything = [one for some in attempts.values() for one in some]
        paid = sum(one["outcome"] in ANSWERED for one in everything)
        found = any(one["outcome"] == "reused" for one in everything)
        lost = max((sum(one["outcome"] == "interrupted" for one in some) for some in attempts.values()), default=0)
        if len(made_for) > max(paid, found) + lost:
            said = [one["outcome"] for one in everything]
            yield f"{asked}: {len(made_for)} answers of jobs for {sorted(attempts)}, and {said} are listed"


def _check_price(owner: str, sidecar: dict[str, Any]) -> Iterator[str]:
    """At half the price what a job has answered, at the full price everything else."""
    model, due = model_table().models["gemini-2.5-flash-image"], 0.0
    for one in sidecar["attempts"]:
        tokens = one["usage"]
        usage = Usage(**tokens, output_image_tokens=tokens["output_tokens"])
        share = model_table().batch.share_of_price if one.get("price_tier") == "batch" else 1.0
        price = usd(model, usage) * share if one["usd"] or one["outcome"] in ANSWERED else 0.0
        if abs(price - one["usd"]) > ROUNDING_USD:
            yield f"{owner}: {one['usd']} USD for {one['outcome']}, {price:.6f} are due"
        due += price
    if abs(due - sidecar["cost"]["usd"]) > ROUNDING_USD * (1 + len(sidecar["attempts"])):
        yield f"{owner}: {sidecar['cost']['usd']} USD together, {due:.6f} are due"
