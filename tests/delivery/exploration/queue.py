"""The queue of a world: uploads and their events, each delivered until one delivery of it is answered 200."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from function.delivery.cloud_event import Upload
from function.delivery.row_writer import CATALOGUE_KEY
from function.storage.names import gs_uri

INPUT = "in-bucket"
CATALOGUE = gs_uri(INPUT, "spring.csv")
FIRST_BACKOFF_S, MAX_BACKOFF_S = 10.0, 600.0  # of the queue, as Terraform sets them
MAX_DELIVERIES = 80  # of one event; what is not settled then never will be
DELIVERY_S = 600.0  # that the queue waits for an answer


@dataclass
class Message:
    """An event in the queue; acknowledged, it is not delivered again."""

    upload: Upload
    acknowledged: bool = False


class Queue:
    """Uploads of a `World`, and the events that they become."""

    longest_way_s = 60.0  # that an event takes

    def __init__(self, world: Any):
        self._world = world
        self.messages: list[Message] = []

    def upload(self, name: str, after_s: float) -> None:
        """A manifest is uploaded, and some time later perhaps again."""

        def upload() -> None:
            metadata = {CATALOGUE_KEY: CATALOGUE, "catalogue-generation": "1"}
            content = json.dumps(self.manifest(name)).encode()
            self.announce(INPUT, name, self._world.storage.put(INPUT, name, content, metadata))

        self._world.spawn("upload", upload, after_s)
        if self._world.random.random() < 0.4:
            self._world.spawn("upload", upload, after_s + self._world.random.uniform(0.0, 200.0))

    def manifest(self, name: str) -> dict[str, Any]:
        """What is uploaded; some of it asks for the same picture as others do."""
        placement = self._world.random.choice((name, "in the middle"))
        return {"product": "p.png", "scene": "s.png", "placement": placement}

    def announce(self, bucket: str, name: str, generation: int) -> None:
        """An object was finalized: its event comes, perhaps more than once."""
        message = Message(Upload(f"event-{generation}", bucket, name, generation, self._world.clock()))
        self.messages.append(message)
        for _ in range(self._world.random.choice((1, 1, 2, 3))):
            offset_s = self._world.random.choice((0.0, self._world.random.uniform(0.0, self.longest_way_s)))
            self._world.spawn("queue", lambda: self._bring(message), offset_s)

    def uploads(self) -> list[Upload]:
        """Every manifest that was uploaded."""
        return [one.upload for one in self.messages if one.upload.bucket == INPUT]

    def _bring(self, message: Message) -> None:
        """Deliver an event until some delivery of it is answered with 200, as the queue does."""
        backoff_s = FIRST_BACKOFF_S
        for number in range(MAX_DELIVERIES):
            if message.acknowledged:
                return
            if self._deliver(message) == 200:
                message.acknowledged = True
                return
            patient = number > MAX_DELIVERIES / 2  # the day's cap is waited for
            self._world.scheduler.wait(3600.0 if patient else self._world.random.uniform(0.5, 1.0) * backoff_s)
            backoff_s = min(MAX_BACKOFF_S, 2 * backoff_s)
        self._world.books.violations.append(
            f"{self._world.books.owner_of(message.upload)}: not settled after {MAX_DELIVERIES} deliveries"
        )

    def _deliver(self, message: Message) -> int | None:
        instance = self._world.random.choice(self._world.instances)
        upload = message.upload
        actor = self._world.scheduler.spawn(
            f"{instance.name} {upload.name[-6]}#{upload.generation}", instance, lambda: instance.deliver(upload)
        )
        actor.notes = {"upload": upload, "began": self._world.scheduler.now}
        instance.deliveries += 1
        self._world.scheduler.wait(DELIVERY_S, lambda: actor.is_done)
        instance.deliveries -= actor.is_done
        self._world.say(f"{actor.name}: answered {actor.result if actor.is_done else 'nothing in time'}")
        return actor.result
