"""Instances of the function: its own service, on a process of the scheduler, with a model that only pretends."""

from __future__ import annotations

import json
from typing import Any

import flask
from werkzeug.test import EnvironBuilder

from function.budget.budget import Budget
from function.budget.ledger import Ledger
from function.deadline import Deadline
from function.delivery.cloud_event import FINALIZED, Upload
from function.delivery.services import Services
from function.delivery.switch import Switches
from function.errors import ModelUnansweredError, ModelUnavailableError
from function.generation.billing import bill_of
from function.generation.model_chain import ModelChain
from function.generation.models import model_table
from function.generation.paid_calls import Answered
from function.generation.pricing import Usage, max_picture_usd
from function.generation.provider import Answer, Request
from function.judging.judge import Judgement
from function.pipeline.attempts import choose_candidate
from function.pipeline.context import Candidate, Composite, FinishedPicture, PairContext
from function.service import SWEEP_PATH, Service
from function.settings import Settings
from function.storage.client import Storage
from tests.delivery.exploration.storage_model import Stored
from tests.delivery.exploration.virtual_time import Process

PICTURE_USAGE = Usage(prompt_tokens=700, prompt_image_tokens=516, output_tokens=1290, output_image_tokens=1290)
REFUSAL_USAGE = Usage(prompt_tokens=700, prompt_image_tokens=516)
UNKNOWN_USD = 1000.0  # a slice that is being asked for may be granted without anybody hearing of it
OUTCOMES = ("accepted",) * 5 + ("review",) * 2 + ("unusable", "refused", "no_image", "unanswered", "unavailable")
CALM_OUTCOMES = ("accepted",) * 4 + ("review", "unusable", "refused")


class PretendedModel:
    """An `ImageProvider` that takes its time, bills, and answers with words for a picture: b"accepted 17"."""

    def __init__(self, world: Any):
        self._world = world

    def generate(self, request: Request, deadline: Deadline) -> Answer:
        """As the real one, with every outcome that it can have."""
        world = self._world
        actor, random = world.scheduler.current, world.random
        outcome = random.choice(CALM_OUTCOMES if world.is_calm() else OUTCOMES)
        takes_s = random.uniform(2.0, 40.0)
        if outcome == "unavailable":
            world.scheduler.wait(takes_s / 10)
            raise ModelUnavailableError("busy")
        answer = _answer(outcome, next(world.numbers))
        world.note_call(actor, request, bill_of(request, answer).usd)
        world.scheduler.wait(min(takes_s, deadline.remaining()))
        max_usd = max_picture_usd(model_table().find(request.model), len(request.images), request.prompt, None)
        if outcome == "unanswered" or takes_s >= deadline.remaining():
            world.note_counted(actor, max_usd)
            raise ModelUnansweredError("the connection broke", timed_out=False)
        world.note_counted(actor, bill_of(request, answer).usd)
        return answer


class Instance(Process):
    """One process of the function. `revision` is part of its results' pixels."""

    def __init__(self, world: Any, name: str, machine: str, skew_s: float, revision: int):
        super().__init__(name, skew_s)
        self.machine, self.revision = machine, revision
        self.deliveries = 0  # that are under way
        settings = Settings.from_environment(world.environment)
        storage = Storage(None, make_client=lambda project: world.storage.client())
        self.budget = Budget(storage, settings.output_bucket, settings.caps, today=lambda: world.clock(self).date())
        self.service = Service(settings)
        self.service._services = Services(
            settings, storage, PretendedModel(world), ModelChain(settings.model_chain, None), self.budget, None,
            Switches(storage), world.batches(),
        )  # fmt: skip

    def deliver(self, upload: Upload) -> int:
        """One delivery of an event → its HTTP status."""
        headers = {
            "ce-specversion": "1.0", "ce-id": upload.event_id, "ce-source": "//storage", "ce-type": FINALIZED,
            "ce-time": upload.time.isoformat(), "Content-Type": "application/json",
        }  # fmt: skip
        data = {"bucket": upload.bucket, "name": upload.name, "generation": str(upload.generation)}
        request = flask.Request(EnvironBuilder(method="POST", headers=headers, data=json.dumps(data)).get_environ())
        return self.service.handle_event(request).status_code

    def sweep(self) -> int:
        """What the scheduler asks for → its HTTP status."""
        request = flask.Request(EnvironBuilder(method="POST", path=SWEEP_PATH).get_environ())
        return self.service.handle_event(request).status_code

    def set_aside(self, objects: dict[tuple[str, str], Stored]) -> dict[str, float]:
        """USD by kind of cap that a ledger counts for this instance beyond what it has spent."""
        held = {"days": 0.0, "catalogues": 0.0}
        for name, account in self.budget._accounts.items():
            stored = objects.get((self.service.services().settings.output_bucket, name))
            kind = name.split("/")[1]
            share = Ledger.model_validate_json(stored.content).instances.get(account._instance) if stored else None
            if account._writing:
                held[kind] += UNKNOWN_USD
            elif share is not None:
                held[kind] += share.spent_usd + share.held_usd - account._spent
        return held


def run_pretended_pair(pair: PairContext, revision: int) -> Composite:
    """In place of the pipeline: the real loop over attempts, and words in place of pixels."""
    pair.model = model_table().find(pair.requested_model)
    pair.record.use_model(pair.model, pair.requested_model, [])
    pair.prepared = None
    choose_candidate(pair)
    content = b"%s, by revision %d" % (pair.best.picture, revision)
    picture = FinishedPicture(content, "png", (1, 1))
    return Composite("accepted" if pair.best.judgement.verdict == "accepted" else "review", (picture,))


def pretended_request(
    _: None, model: Any, settings: Settings, asked: Any, number: int, lessons: Any, wording: Any
) -> Request:
    """In place of `composite_request`."""
    images = (b"scene", "image/png"), (b"product", "image/png")
    return Request(model.id, asked.placement, images, "1:1", None, number)


def pretended_judgement(pair: PairContext, answered: Answered, place: None) -> Candidate:
    """In place of registering and judging: the answer says what it is worth."""
    verdict, score = answered.answer.image.decode().split()
    pair.record.replace_last_attempt(verdict=verdict)
    return Candidate(answered.answer.image, None, Judgement(verdict, float(score), {}))


def _answer(outcome: str, number: int) -> Answer:
    if outcome in ("refused", "no_image"):
        return Answer(outcome, "SAFETY", "no", b"", "", REFUSAL_USAGE, None, 1)
    image = b"%s %d" % (outcome.encode(), number)
    return Answer("image", "STOP", "", image, "image/png", PICTURE_USAGE, None, 1)
