"""The version before pipeline 3.0.0, taken from git: its server on today's emulators, and a record of what it leaves.

    python -m tests.old_version tests/data/upgrade

records the objects of both buckets: pairs that it has settled, and pairs and a catalogue that it was killed over.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from function.tools.emulator.server import GeminiEmulator
from function.tools.local.processes import Process, free_port
from function.tools.local.storage_emulator import gcs_client, gcs_server
from tests.delivery.test_crashes import deliver_in_background
from tests.fault_proxy import FaultProxy
from tests.held_model import held_model
from tests.support import PATIENCE_S, Cloud, product_array, scene_array, wait_until

COMMIT = "ed6a5670d16831fc38af56c42186030cab4ccce7"  # the last one of 2026-11-25
REPOSITORY = Path(__file__).parents[1]
SCENE_SIZE, PRODUCT_SIDE = (320, 180), 200
INPUT, OUTPUT = "in-upgrade", "out-upgrade"  # leases are named after the bucket too
RECORD, SCHEMA = "objects.json", "sidecar.schema.json"


class HistoryMissingError(Exception):
    """This clone does not reach back to COMMIT."""


def unpack_old_version(folder: Path) -> Path:
    """The old version's files below `folder`, from git. Raises HistoryMissingError."""
    command = ["git", "-C", str(REPOSITORY), "archive", COMMIT, "main.py", "function"]
    try:
        archive = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise HistoryMissingError(f"git has no commit {COMMIT[:7]} here: {error}") from None
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def old_server(tree: Path, log_file: Path, environment: Mapping[str, str]) -> Process:
    """The old version's server, with today's libraries."""
    port = free_port()
    command = [
        sys.executable, "-P", "-m", "functions_framework", "--source", tree / "main.py", "--target", "composite",
        "--signature-type", "cloudevent", "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    ours = {"THREADS": "8", "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(tree)}
    return Process(command, port, log_file, {**ours, **environment})


def small_pair(cloud: Cloud, name: str, **fields: Any) -> dict[str, Any]:
    """Upload a manifest over the two shared small pictures → its resource."""
    fields = {"scene": "scene.jpg", "product": "product.webp", "output": {"format": "jpeg", "quality": 50}, **fields}
    return cloud.put(name, fields)


def put_sources(cloud: Cloud) -> None:
    """Upload the two small pictures."""
    cloud.put("scene.jpg", _encoded(scene_array(*SCENE_SIZE), "JPEG"))
    cloud.put("product.webp", _encoded(product_array(PRODUCT_SIDE), "WEBP"))


def _encoded(array: Any, kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, quality=80)
    return buffer.getvalue()


def record(folder: Path) -> None:
    """Run the old version, and write what it has left behind to `folder`."""
    with tempfile.TemporaryDirectory() as scratch, _cloud(Path(scratch)) as (cloud, proxy):
        tree = unpack_old_version(Path(scratch) / "old")

        def server(**changes: str) -> Process:
            return old_server(tree, Path(scratch) / "old.log", cloud.environment(**changes))

        put_sources(cloud)
        with server() as whole:
            assert cloud.deliver(whole, small_pair(cloud, "accepted.json", seed=1, labels={"sku": "A 1"})).status == 200
            cloud.gemini.control(faults=[{"kind": "mirrored_product", "times": None}])
            assert cloud.deliver(whole, small_pair(cloud, "review.json", seed=2, attempts=1)).status == 200
            cloud.gemini.control(reset=True, faults=[{"kind": "IMAGE_SAFETY", "times": None}])
            assert cloud.deliver(whole, small_pair(cloud, "failed.json", seed=3, attempts=1)).status == 200
            cloud.gemini.control(reset=True)
            assert cloud.deliver(whole, cloud.put("whole.csv", _catalogue(2))).status == 200
        with held_model(cloud.gemini):
            _killed(cloud, server(), small_pair(cloud, "asked.json", seed=4), lambda: cloud.gemini.requests)
        cloud.gemini.control(reset=True, faults=[{"kind": "webp_answer", "times": None}])
        for name, held in (
            ("stored.json", f"{cloud.output}/stored.jpg"),
            ("written.json", f"{cloud.output}/written.json"),
            ("half.csv", f"{cloud.input}/half/000002.json"),
        ):
            fault = proxy.add("stall", "insert", held)
            content = (
                small_pair(cloud, name, seed=len(name)) if name.endswith(".json") else cloud.put(name, _catalogue(3))
            )
            _killed(cloud, server(STORAGE_EMULATOR_HOST=proxy.url), content, fault.reached.is_set)
            proxy.clear()
        folder.mkdir(parents=True, exist_ok=True)
        objects = [_described(blob) for name in (INPUT, OUTPUT) for blob in cloud.client.list_blobs(name)]
        (folder / RECORD).write_text(json.dumps(objects, indent=1) + "\n", encoding="utf-8")
        command = [sys.executable, "-P", "-m", "function", "schema", "sidecar"]
        schema = subprocess.run(command, capture_output=True, check=True, env={**os.environ, "PYTHONPATH": str(tree)})
        (folder / SCHEMA).write_bytes(schema.stdout)


def replay(client: Any, folder: Path) -> dict[str, dict[str, Any]]:
    """Put the recorded objects into buckets of the recorded names → the inputs' resources by name.

    They get other generations than the recorded ones, which are replaced wherever they are stated.
    """
    objects = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    for name in (INPUT, OUTPUT):
        client.create_bucket(name)
    new: dict[str, str] = {}
    resources = {}
    for one in sorted(objects, key=lambda one: one["generation"]):

        def present(text: str) -> str:
            return re.sub("[0-9]{16}", lambda match: new.get(match[0], match[0]), text)

        content = base64.b64decode(one["content"])
        if one["type"] == "application/json" or (one["bucket"] == INPUT and one["name"].endswith(".json")):
            content = present(content.decode()).encode()
        blob = client.bucket(one["bucket"]).blob(one["name"])
        blob.metadata = {key: present(value) for key, value in one["metadata"].items()}
        blob.upload_from_string(content, one["type"])
        new[str(one["generation"])] = str(blob.generation)
        if one["bucket"] == INPUT:
            resources[one["name"]] = dict(blob._properties)
    return resources


def _catalogue(rows: int) -> str:
    return "product,scene,placement\n" + "product.webp,scene.jpg,on the table\n" * rows


def _killed(cloud: Cloud, server: Process, resource: dict[str, Any], moment: Any) -> None:
    with server:
        thread = deliver_in_background(cloud, server, resource)
        wait_until(moment, PATIENCE_S)
        server.kill()
        thread.join()


def _described(blob: Any) -> dict[str, Any]:
    content = blob.download_as_bytes()
    if "/answers/" in blob.name and blob.content_type != "image/webp":  # large, and that of a pair which is settled
        content = b""
    if "/claims/" in blob.name:
        content = json.dumps({**json.loads(content), "machine": "another"}).encode()
    return {
        "bucket": blob.bucket.name, "name": blob.name, "generation": int(blob.generation), "type": blob.content_type,
        "metadata": blob.metadata or {},
        "content": base64.b64encode(content).decode(),
    }  # fmt: skip


@contextmanager
def _cloud(folder: Path) -> Iterator[tuple[Cloud, FaultProxy]]:
    with gcs_server(folder / "gcs.log") as gcs, GeminiEmulator() as gemini, FaultProxy(gcs.url) as proxy:
        cloud = Cloud(gcs, gcs_client(gcs.url), gemini, folder)
        cloud.input, cloud.output = INPUT, OUTPUT
        cloud.create_buckets()
        yield cloud, proxy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.old_version", description=__doc__)
    parser.add_argument("folder", type=Path)
    record(parser.parse_args().folder)
