"""Who works on a manifest: one small record per manifest, changed with storage preconditions only.

A pair is settled when its sidecar stands (see `commit.py`); this record says only who is at work on it until then.
States: none → in progress (with an expiry a little past the event's deadline) → free again after a failure that
may pass. It also notes the model calls that were begun, so that crashes cannot multiply them.
"""

from __future__ import annotations

import contextlib
import fcntl
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
from function.delivery.cloud_event import Upload
from function.errors import AtWorkElsewhere, Superseded, Transient
from function.storage.client import Changed, Forbidden, NotFound, Storage, TooLarge
from function.telemetry.structured_logging import log

WORK_PREFIX = "_work/"  # in the output bucket; the bucket's lifecycle deletes it after a week
MAX_CLAIM_BYTES = 4096
EXPIRY_MARGIN_S = 15.0  # past the event's deadline: clocks differ, and the last write may still be under way


class BegunCall(BaseModel):
    """A model call that was begun, by the attempt's number and seed."""

    model_config = ConfigDict(frozen=True)

    number: int
    seed: int


class Claim(BaseModel):
    """The record. `expires` is in seconds since 1970; `calls` are the model calls begun for this generation.

    `machine` and `run` tell who is at work; `replaces_older` that outputs of an older generation may stand.
    """

    model_config = ConfigDict(frozen=True)

    manifest_generation: int
    state: Literal["in_progress", "free"]
    expires: float
    machine: str
    run: str
    calls: tuple[BegunCall, ...] = ()
    replaces_older: bool = False

    def is_open(self) -> bool:
        """Whether another delivery may take this generation over."""
        return self.state == "free" or self.expires < time.time() or self._is_known_dead()

    def _is_known_dead(self) -> bool:
        """True only when that is sure: the run was on this machine, and nobody holds its lock any more."""
        return bool(self.machine) and self.machine == _machine_identity() and not RunLock.is_held(self.run)


class RunLock:
    """A file lock that tells other deliveries on this machine that a run is alive.

    The system frees it with the process, however that ends, and it is freed with the run when a claim could
    neither be written nor be freed because storage failed.
    """

    def __init__(self, run: str):
        self._path = _lock_path(run)
        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def free(self) -> None:
        """The run is over."""
        self._path.unlink(missing_ok=True)
        self._file.close()

    @staticmethod
    def is_held(run: str) -> bool:
        """Whether the run is alive. What a dead one has left behind is removed."""
        path = _lock_path(run)
        try:
            with path.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        path.unlink(missing_ok=True)
        return False


class HeldClaim:
    """A claim that this run holds, with the generation of its object (for preconditions)."""

    def __init__(self, storage: Storage, bucket: str, name: str, claim: Claim, generation: int, lock: RunLock):
        self._storage, self._bucket, self._name = storage, bucket, name
        self._claim, self._generation, self._lock = claim, generation, lock

    @property
    def replaces_older(self) -> bool:
        """Whether outputs of an older generation of the manifest may stand."""
        return self._claim.replaces_older

    @property
    def calls(self) -> tuple[BegunCall, ...]:
        """Model calls begun by earlier deliveries and this one."""
        return self._claim.calls

    def begin_call(self, call: BegunCall, deadline: Deadline) -> None:
        """Note a model call before it is made. Raises Superseded or AtWorkElsewhere when the claim was lost."""
        self._replace(self._claim.model_copy(update={"calls": (*self._claim.calls, call)}), deadline)

    def forget_call(self) -> None:
        """The call that was begun last was not answered and is not billed; noted with the next write."""
        self._claim = self._claim.model_copy(update={"calls": self._claim.calls[:-1]})

    def confirm(self, deadline: Deadline) -> None:
        """Raises Superseded or AtWorkElsewhere when another delivery has taken the claim over meanwhile."""
        there = self._storage.stat(self._bucket, self._name, deadline)
        if there is not None and there.generation != self._generation:
            raise self._lost(deadline)

    def release(self, deadline: Deadline) -> None:
        """Free the manifest for the next delivery, even past the deadline. That the claim was lost meanwhile is fine,
        and what cannot be freed expires."""
        free = self._claim.model_copy(update={"state": "free", "expires": 0.0})
        try:
            self._replace(free, deadline.last_word())
        except (Superseded, AtWorkElsewhere):
            return
        except (Transient, Forbidden) as error:
            log("WARNING", f"the claim could not be freed, it will expire: {error}", stage="claim")

    def end(self) -> None:
        """This run is over; without a release, other machines see that when the claim expires."""
        self._lock.free()

    def _replace(self, claim: Claim, deadline: Deadline) -> None:
        try:
            self._generation = _write(self._storage, self._bucket, self._name, claim, self._generation, deadline)
        except Changed:
            raise self._lost(deadline) from None
        self._claim = claim

    def _lost(self, deadline: Deadline) -> Superseded | AtWorkElsewhere:
        """Who has the claim now: for the same generation this delivery has to come again, should that one die."""
        standing = _standing(self._storage, self._bucket, self._name, deadline)[0]
        if standing is not None and standing.manifest_generation > self._claim.manifest_generation:
            return Superseded("a newer generation of this manifest has taken over")
        return AtWorkElsewhere("another delivery has taken this manifest over")


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
    run = uuid.uuid4().hex
    mine = Claim(
        manifest_generation=upload.generation,
        state="in_progress",
        expires=time.time() + deadline.remaining() + EXPIRY_MARGIN_S,
        machine=_machine_identity(),
        run=run,
    )
    lock = RunLock(run)
    try:
        return _take(storage, bucket, name, mine, lock, deadline)
    except BaseException:
        lock.free()
        raise


def _take(storage: Storage, bucket: str, name: str, mine: Claim, lock: RunLock, deadline: Deadline) -> HeldClaim:
    try:
        generation = _write(storage, bucket, name, mine, 0, deadline)
        return HeldClaim(storage, bucket, name, mine, generation, lock)
    except Changed:
        pass  # not the first delivery, or not the first generation
    standing, replaces = _standing(storage, bucket, name, deadline)
    if standing is not None:
        if standing.manifest_generation > mine.manifest_generation:
            raise Superseded("a newer generation of this manifest is at work")
        if standing.manifest_generation < mine.manifest_generation:
            mine = mine.model_copy(update={"replaces_older": True})
        elif not standing.is_open():
            raise AtWorkElsewhere("another delivery of this manifest is at work")
        else:
            mine = mine.model_copy(update={"calls": standing.calls, "replaces_older": standing.replaces_older})
    try:
        generation = _write(storage, bucket, name, mine, replaces, deadline)
    except Changed:
        raise AtWorkElsewhere("another delivery of this manifest was faster") from None
    return HeldClaim(storage, bucket, name, mine, generation, lock)


def is_at_work(storage: Storage, bucket: str, upload: Upload, deadline: Deadline) -> bool:
    """Whether a delivery of this generation, or of a newer one, holds the claim and is not known to be dead."""
    try:
        body = storage.read(bucket, claim_name(upload), deadline, limit=MAX_CLAIM_BYTES)
        claim = Claim.model_validate_json(body)
    except (NotFound, ValidationError):
        return False
    return claim.manifest_generation >= upload.generation and not claim.is_open()


def _standing(storage: Storage, bucket: str, name: str, deadline: Deadline) -> tuple[Claim | None, int]:
    """The claim that stands, and the generation of its object (0: there is none)."""
    there = storage.stat(bucket, name, deadline)
    if there is None:
        return None, 0
    try:
        body = storage.read(bucket, name, deadline, generation=there.generation, limit=MAX_CLAIM_BYTES)
        return Claim.model_validate_json(body), there.generation
    except NotFound:
        raise AtWorkElsewhere("another delivery of this manifest was faster") from None
    except (ValidationError, TooLarge):
        return None, there.generation  # not written by this version: it is replaced


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
    path = _scratch() / "instance"
    if not path.exists():
        fresh = _scratch() / uuid.uuid4().hex
        fresh.write_text(uuid.uuid4().hex, encoding="ascii")
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)  # whole at once, and by one process only
        fresh.unlink()
    return path.read_text(encoding="ascii")


def _lock_path(run: str) -> Path:
    return _scratch() / f"run-{hashlib.sha256(run.encode()).hexdigest()[:32]}"


def _scratch() -> Path:
    folder = Path(tempfile.gettempdir()) / f"composite-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    return folder
