"""Who works on a manifest: one small record per manifest, changed with storage preconditions only.

A pair is settled when its sidecar stands (see `commit.py`); this record says only who is at work on it until then.
States: none → in progress (with an expiry a little past the event's deadline) → free again after a failure that
may pass. It also counts the model calls that were begun, so that crashes cannot multiply them.
"""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
import time
import uuid
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from function.deadline import Deadline
from function.errors import AtWorkElsewhere, Superseded
from function.events import Upload
from function.storage import Changed, NotFound, Storage

WORK_PREFIX = "_work/"  # in the output bucket; the bucket's lifecycle deletes it after a week
MAX_CLAIM_BYTES = 4096
EXPIRY_MARGIN_S = 15.0  # past the event's deadline: clocks differ, and the last write may still be under way


class Worker(BaseModel):
    """A process, described so that another one on the same machine can tell whether it is alive."""

    model_config = ConfigDict(frozen=True)

    machine: str
    pid: int
    started: str

    @classmethod
    def me(cls) -> Worker:
        """This process."""
        return cls(machine=_machine_identity(), pid=os.getpid(), started=_process_started(os.getpid()))

    def is_known_dead(self) -> bool:
        """True only when this process can be sure: same machine and boot, and no such process is there any more."""
        if not self.started or self.machine != _machine_identity():
            return False
        return _process_started(self.pid) != self.started


class Claim(BaseModel):
    """The record. `expires` is in seconds since 1970; `calls` counts model calls begun for this generation."""

    model_config = ConfigDict(frozen=True)

    manifest_generation: int
    state: Literal["in_progress", "free"]
    expires: float
    worker: Worker
    run: str
    calls: int = 0

    def is_open(self) -> bool:
        """Whether another delivery may take this generation over."""
        return self.state == "free" or self.expires < time.time() or self.worker.is_known_dead()


class HeldClaim:
    """A claim that this run holds, with the generation of its object (for preconditions).

    The first model call is counted with the claim itself, which saves a write; freeing the claim corrects it.
    """

    def __init__(self, storage: Storage, bucket: str, name: str, claim: Claim, generation: int, replaced_older: bool):
        self._storage, self._bucket, self._name = storage, bucket, name
        self._claim, self._generation = claim, generation
        self._begun = 0
        self.replaced_older = replaced_older

    @property
    def calls(self) -> int:
        """Model calls begun by earlier deliveries and this one."""
        return self._claim.calls - (0 if self._begun else 1)

    def begin_call(self, deadline: Deadline) -> None:
        """Count a model call before it is made. Raises Superseded when the claim was lost."""
        self._begun += 1
        if self._begun > 1:
            self._replace(self._claim.model_copy(update={"calls": self._claim.calls + 1}), deadline)

    def forget_call(self) -> None:
        """The call that was begun last was not answered and is not billed."""
        self._claim = self._claim.model_copy(update={"calls": self._claim.calls - 1})

    def confirm(self, deadline: Deadline) -> None:
        """Raises Superseded when another delivery has taken the claim over meanwhile."""
        there = self._storage.stat(self._bucket, self._name, deadline)
        if there is not None and there.generation != self._generation:
            raise Superseded("another delivery has taken this manifest over")

    def release(self, deadline: Deadline) -> None:
        """Free the manifest for the next delivery. That the claim was lost meanwhile is fine."""
        free = self._claim.model_copy(update={"state": "free", "expires": 0.0, "calls": self.calls})
        try:
            self._replace(free, deadline)
        except Superseded:
            return

    def _replace(self, claim: Claim, deadline: Deadline) -> None:
        try:
            self._generation = _write(self._storage, self._bucket, self._name, claim, self._generation, deadline)
        except Changed:
            raise Superseded("another delivery has taken this manifest over") from None
        self._claim = claim


def claim_name(upload: Upload) -> str:
    """Object name of a manifest's claim; hashed, because names may be as long as a name can be."""
    digest = hashlib.sha256(f"{upload.bucket}\0{upload.name}".encode()).hexdigest()
    return f"{WORK_PREFIX}claims/{digest}.json"


def take_claim(storage: Storage, bucket: str, upload: Upload, deadline: Deadline) -> HeldClaim:
    """Claim `upload` for this run.

    Raises AtWorkElsewhere when another live delivery of this generation holds it, Superseded when a newer
    generation is or was at work.
    """
    name = claim_name(upload)
    mine = Claim(
        manifest_generation=upload.generation,
        state="in_progress",
        expires=time.time() + deadline.remaining() + EXPIRY_MARGIN_S,
        worker=Worker.me(),
        run=uuid.uuid4().hex,
        calls=1,
    )
    try:
        generation = _write(storage, bucket, name, mine, 0, deadline)
        return HeldClaim(storage, bucket, name, mine, generation, replaced_older=False)
    except Changed:
        pass  # not the first delivery, or not the first generation
    there = storage.stat(bucket, name, deadline)
    standing = _read(storage, bucket, name, there.generation, deadline) if there else None
    older = False
    if standing is not None:
        if standing.manifest_generation > upload.generation:
            raise Superseded("a newer generation of this manifest is at work")
        older = standing.manifest_generation < upload.generation
        if not older:
            if not standing.is_open():
                raise AtWorkElsewhere("another delivery of this manifest is at work")
            mine = mine.model_copy(update={"calls": standing.calls + 1})
    try:
        generation = _write(storage, bucket, name, mine, there.generation if there else 0, deadline)
    except Changed:
        raise AtWorkElsewhere("another delivery of this manifest was faster") from None
    return HeldClaim(storage, bucket, name, mine, generation, replaced_older=older)


def is_at_work(storage: Storage, bucket: str, upload: Upload, deadline: Deadline) -> bool:
    """Whether a delivery of this generation, or of a newer one, holds the claim and is not known to be dead."""
    try:
        body = storage.read(bucket, claim_name(upload), deadline, limit=MAX_CLAIM_BYTES)
        claim = Claim.model_validate_json(body)
    except (NotFound, ValidationError):
        return False
    return claim.manifest_generation >= upload.generation and not claim.is_open()


def _read(storage: Storage, bucket: str, name: str, generation: int, deadline: Deadline) -> Claim | None:
    try:
        body = storage.read(bucket, name, deadline, generation=generation, limit=MAX_CLAIM_BYTES)
        return Claim.model_validate_json(body)
    except NotFound:
        raise AtWorkElsewhere("another delivery of this manifest was faster") from None
    except ValidationError:
        return None  # written by a version that this one does not understand: it is replaced


def _write(storage: Storage, bucket: str, name: str, claim: Claim, replaces: int, deadline: Deadline) -> int:
    body = claim.model_dump_json().encode()
    return storage.write(bucket, name, body, "application/json", deadline, if_generation=replaces, metadata={})


def _machine_identity() -> str:
    """Host, boot and process namespace, or '' where that cannot be told (then nobody is ever known to be dead)."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
    return f"{socket.gethostname()}|{boot}|{namespace}|{_instance_mark()}"


def _instance_mark() -> str:
    """A random mark in the temporary folder: containers that share host name and boot still differ in it."""
    path = Path(tempfile.gettempdir()) / "composite-instance"
    try:
        with path.open("x", encoding="ascii") as file:
            file.write(uuid.uuid4().hex)
    except FileExistsError:
        pass
    return path.read_text(encoding="ascii")


def _process_started(pid: int) -> str:
    """Start time of a process in clock ticks since boot, '' when there is none (field 22 of proc(5) stat)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in {"Z", "X"} else fields[19]
