"""What people have decided about the pairs that `status` counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from function.delivery.persons_request import times_redone
from function.storage.client import StoredObject
from function.storage.names import gs_uri
from function.tools.cli.sidecar_index import Settled
from function.tools.cli.terminal import counted
from function.tools.review.pair import DECISION_KEY


@dataclass
class People:
    """`by_checks` were accepted by the checks alone; `accepted` and `rejected` by a person, whatever the checks said;
    `to_look_at` wait for one. `redone` pairs were made again because a person asked for it."""

    by_checks: int = 0
    accepted: int = 0
    rejected: int = 0
    to_look_at: int = 0
    redone: int = 0

    def __str__(self) -> str:
        said = f"{self.by_checks:,} accepted by checks, {self.accepted:,} by people, {self.rejected:,} rejected"
        return f"{said}, {self.to_look_at:,} to look at, {counted(self.redone, 'pair')} made again"


def count_people(
    settled: Mapping[str, Settled], results: Mapping[str, StoredObject], manifests: Iterable[StoredObject]
) -> People:
    """`settled` and `results` (the pictures) by the manifest's gs:// name; `manifests` as they stand now."""
    people = People()
    for manifest, one in settled.items():
        result = results.get(manifest)
        decision = result.metadata.get(DECISION_KEY) if result else None
        if one.is_catalogue or one.status == "failed":
            continue
        if decision == "accept":
            people.accepted += 1
        elif decision == "reject":
            people.rejected += 1
        elif one.status == "accepted":
            people.by_checks += 1
        else:
            people.to_look_at += 1
    people.redone = sum(gs_uri(one.bucket, one.name) in settled and times_redone(one.metadata) > 0 for one in manifests)
    return people
