"""What a delivery needs from outside, and what travels with it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from function.budget.budget import Budget
from function.deadline import Deadline
from function.delivery.cloud_event import Upload
from function.delivery.held_leases import HeldLeases
from function.delivery.switch import Switches
from function.generation.batch_service import BatchService
from function.generation.model_chain import ModelChain
from function.generation.provider import ImageProvider
from function.pipeline.memory_budget import MemoryBudget
from function.provenance.credentials import Credentials
from function.settings import Settings
from function.sidecar.record import ManifestIdentity
from function.storage.client import Storage


@dataclass(frozen=True)
class Services:
    """The clients and limits of this process; made once."""

    settings: Settings
    storage: Storage
    model: ImageProvider
    models: ModelChain
    budget: Budget
    memory: MemoryBudget
    switches: Switches
    batches: BatchService | None = None
    leases: HeldLeases = field(default_factory=HeldLeases)
    credentials: Credentials = field(default_factory=Credentials)


@dataclass(frozen=True)
class Delivery:
    """One delivery of an uploaded manifest or catalogue, with the time that it has. `began`: seconds since 1970."""

    upload: Upload
    services: Services
    deadline: Deadline
    began: float = field(default_factory=time.time)

    @property
    def storage(self) -> Storage:
        """Cloud Storage."""
        return self.services.storage

    @property
    def output_bucket(self) -> str:
        """Where results and sidecars go."""
        return self.services.settings.output_bucket

    def identity(self) -> ManifestIdentity:
        """What the sidecar says of the upload."""
        return ManifestIdentity(bucket=self.upload.bucket, name=self.upload.name, generation=self.upload.generation)

    def waited_s(self, first_delivery: float) -> float:
        """Seconds that the upload had waited for a fault to pass when this delivery began; 0 when this is the first.

        The time before the switch's last change does not count: there was no fault, or it cannot be told apart.
        """
        since = max(first_delivery, self.services.switches.last_change(self.upload.bucket))
        return max(0.0, self.began - since)

    def with_grace_period(self) -> Delivery:
        """The same with a little time for the one write that has to be tried when the deadline is used up."""
        return replace(self, deadline=self.deadline.grace_period())
