"""A function with a BATCH_BUCKET on the emulators, whose events are delivered when a test says so."""

from __future__ import annotations

import json
import random
import uuid
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from function.batch.records import Job, job_records, request_records
from function.batch.sweep import all_jobs
from function.deadline import Deadline
from function.storage.client import Storage
from function.tools.local.processes import Process
from tests.support import Cloud, HttpResponse, http, product_png, scene_png, wait_until

GATHER_S = 0.2
CALL_S = 60.0


class BatchPlace:
    """Buckets of a test's own, a shared server, and the events and sweeps between them."""

    def __init__(self, cloud: Cloud, folder: Any, *, vertex: bool):
        self.cloud, self.vertex, self.folder = cloud, vertex, folder
        self.batch = f"batch-{uuid.uuid4().hex[:12]}"
        cloud.client.create_bucket(self.batch)
        self.server: Process
        self.storage = Storage(make_client=lambda **_: cloud.client)
        self._seen: set[tuple[str, str, int]] = set()
        self.records = request_records(self.storage, cloud.output)
        self.deliveries: list[tuple[str, int]] = []

    @property
    def deadline(self) -> Deadline:
        """For one call."""
        return Deadline(CALL_S)

    def environment(self, **changes: str) -> dict[str, str]:
        """Of a server."""
        base = {"BATCH_BUCKET": self.batch, "BATCH_GATHER_S": str(GATHER_S)}
        if self.vertex:
            base |= {
                "GOOGLE_GENAI_USE_VERTEXAI": "true",
                "GOOGLE_VERTEX_BASE_URL": self.cloud.gemini.url,
                "GOOGLE_APPLICATION_CREDENTIALS": credentials(str(self.folder), self.cloud.gemini.url),
                "GEMINI_API_KEY": "",
            }
        return base | changes

    def begin(self, prefix: str) -> BatchPlace:
        """A new test, in a folder of its own. What an earlier one has left behind is not its business."""
        self.cloud.prefix = prefix
        for job in self.jobs(everybodys=True):
            records = job_records(self.storage, self.cloud.output)
            records.change(
                job.id, lambda stored: stored and stored.model_copy(update={"state": "closed"}), Deadline(60)
            )
        for blob in self.cloud.client.list_blobs(self.cloud.output, prefix="_work/batch/waiting/"):
            blob.delete()
        self.events()
        self.deliveries.clear()
        return self

    def put_rows(self, rows: list[dict[str, Any]], name: str = "spring.jsonl") -> dict[str, Any]:
        """Upload a scene, a product and a catalogue of pairs → the catalogue's resource."""
        self.cloud.put("scene.png", scene_png())
        self.cloud.put("product.png", product_png())
        base = {"scene": "scene.png", "product": "product.png", "batch": True}
        # What another test was given would be found.
        lines = [json.dumps({**base, "seed": random.randrange(2**30), **row}) for row in rows]
        return self.cloud.put(name, "\n".join(lines))

    def events(self) -> list[dict[str, Any]]:
        """What has appeared in the input bucket and BATCH_BUCKET since this was last asked."""
        new = []
        for bucket in (self.cloud.input, self.batch):
            for blob in self.cloud.client.list_blobs(bucket):
                key = (bucket, blob.name, int(blob.generation))
                if key not in self._seen:
                    self._seen.add(key)
                    new.append(dict(blob._properties))
        return new

    def deliver(self) -> int:
        """Deliver every new event until there are none → how many."""
        count = 0
        while new := self.events():
            for resource in new:
                answer = self.cloud.deliver(self.server, resource)
                self.deliveries.append((resource["name"], answer.status))
                assert answer.status == 200, (resource["name"], answer.body)
            count += len(new)
        return count

    def sweep(self) -> HttpResponse:
        """What the scheduler does."""
        return http(f"{self.server.url}/batches/sweep", b"", {})

    def run(self, pairs: list[str], within_s: float = 120.0) -> dict[str, dict[str, Any]]:
        """Deliver and sweep until every pair has its sidecar → the sidecars."""

        def settled() -> bool:
            self.deliver()
            assert self.sweep().status == 200
            self.deliver()
            return set(pairs) <= set(self.cloud.names())

        wait_until(settled, within_s)
        return {pair: self.cloud.sidecar(pair) for pair in pairs}

    def jobs(self, everybodys: bool = False) -> list[Job]:
        """The records of this test's jobs."""
        jobs = all_jobs(self.storage, self.cloud.output, Deadline(CALL_S))
        mine = f"gs://{self.cloud.input}/{self.cloud.prefix}"
        return [job for job in jobs if everybodys or (job.catalogue or "").startswith(mine)]

    def sweep_until(self, state: str) -> Job:
        """Sweep until this test's first job is in that state → the job."""
        wait_until(lambda: self.sweep() and [job for job in self.jobs()[:1] if job.state == state])
        return self.jobs()[0]

    def close(self) -> list[Job]:
        """Sweep until every job of this test is closed."""
        wait_until(lambda: self.sweep() and all(job.state == "closed" for job in self.jobs()))
        return self.jobs()

    def change_jobs(self, **changes: Any) -> None:
        """Rewrite the jobs' records: what would take hours happens now."""
        records = job_records(self.storage, self.cloud.output)
        for job in self.jobs():
            records.change(job.id, lambda stored: stored and stored.model_copy(update=changes), Deadline(CALL_S))

    def requests(self) -> list[Any]:
        """Every request's record."""
        prefix = "_work/batch/requests/"
        digests = [
            blob.name.removeprefix(prefix).removesuffix(".json")
            for blob in self.cloud.client.list_blobs(self.cloud.output, prefix=prefix)
        ]
        found = [self.records.read(digest, self.deadline)[0] for digest in digests]
        return [one for one in found if one.waiters[0].name.startswith(self.cloud.prefix)]

    def asked(self) -> list[dict[str, Any]]:
        """Pictures that the model was asked for and answered."""
        return [seen for seen in self.cloud.gemini.requests if seen["code"] == 200]


@cache
def credentials(folder: str, url: str) -> str:
    """A service account's key file whose tokens the Gemini emulator gives → its path."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account", "project_id": "p", "private_key_id": "1", "private_key": key.decode(),
        "client_email": "runtime@p.iam.gserviceaccount.com", "token_uri": f"{url}/token",
    }  # fmt: skip
    path = Path(folder) / f"account-{uuid.uuid4().hex}.json"
    path.write_text(json.dumps(account), encoding="utf-8")
    return str(path)
