"""What the tests drive the built function with: uploads, events and outputs, all over real HTTP."""

from __future__ import annotations

import hashlib
import io
import json
import random
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from function.tools.local.processes import Process, function_server
from function.tools.local.storage_emulator import PROJECT

FINALIZED = "google.cloud.storage.object.v1.finalized"  # not the function's own: a mistake there has to be seen
KEY = "AIzaTestKeyThatMustNotBeLogged0123456789"
# No test fails because a machine is slow: what has to happen is waited for this long, far longer than it takes.
PATIENCE_S = 240.0


@dataclass
class HttpResponse:
    """What a server has sent, read to its end."""

    status: int
    body: bytes
    headers: dict[str, str]

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def http(
    url: str, body: bytes | None, headers: dict[str, str], method: str = "POST", timeout: float = PATIENCE_S
) -> HttpResponse:
    """One request; an error status is a response too."""
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return HttpResponse(response.status, response.read(), dict(response.headers))
    except urllib.error.HTTPError as error:
        return HttpResponse(error.code, error.read(), dict(error.headers))


class Cloud:
    """One test's place on the shared emulators: a folder in shared buckets, or buckets of its own."""

    def __init__(self, gcs: Process, client: Any, gemini: Any, folder: Path, *, prefix: str = ""):
        self.gcs, self.client, self.gemini = gcs, client, gemini
        self._folder, self.prefix = folder, prefix
        mark = "shared" if prefix else uuid.uuid4().hex[:12]
        self.input, self.output = f"in-{mark}", f"out-{mark}"
        if not prefix:
            self.create_buckets()

    def create_buckets(self) -> None:
        """Make both buckets."""
        for name in (self.input, self.output):
            self.client.create_bucket(name)

    # --- servers

    def environment(self, **changes: str) -> dict[str, str]:
        """A complete environment for a function server."""
        base = {
            "OUTPUT_BUCKET": self.output,
            "STORAGE_EMULATOR_HOST": self.gcs.url,
            "GOOGLE_GEMINI_BASE_URL": self.gemini.url,
            "GEMINI_API_KEY": KEY,
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "GOOGLE_GENAI_USE_VERTEXAI": "",
            "EVENT_DEADLINE_S": "60",
            "OMP_NUM_THREADS": "1",
        }
        return base | changes

    def server(self, *, target: str = "composite", **changes: str) -> Process:
        """A server of this test's own. The caller stops it (it is a context manager)."""
        log = self._folder / f"{uuid.uuid4().hex}.log"
        process = function_server(log, self.environment(**changes), target=target)
        process.log_path = log
        return process

    # --- uploads and events

    def put(self, name: str, content: bytes | str | dict, bucket: str | None = None) -> dict[str, Any]:
        """Upload → the object's API resource, as an event carries it."""
        if isinstance(content, dict):
            content = json.dumps(content)
        blob = self.client.bucket(bucket or self.input).blob(self.prefix + name)
        blob.upload_from_string(content)
        return dict(blob._properties)

    def put_pair(self, name: str = "pair.json", **fields: Any) -> dict[str, Any]:
        """Upload a small scene, a product and the manifest that names them → the manifest's resource.

        A seed of its own keeps the pair from being answered with what another test was given.
        """
        fields.setdefault("seed", random.randrange(2**30))
        folder = name.rpartition("/")[0]
        prefix = folder + "/" if folder else ""
        self.put(prefix + "scene.png", scene_png())
        self.put(prefix + "product.png", product_png())
        return self.put(name, {"scene": "scene.png", "product": "product.png", **fields})

    def event(
        self, resource: dict[str, Any], *, age_s: float = 0.0, structured: bool = False, **overrides: Any
    ) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a finalize event for `resource`."""
        time_ = (datetime.now(UTC) - timedelta(seconds=age_s)).isoformat()
        attributes = {
            "specversion": "1.0",
            "id": uuid.uuid4().hex,
            "source": f"//storage.googleapis.com/projects/_/buckets/{resource['bucket']}",
            "type": FINALIZED,
            "time": time_,
            **overrides,
        }
        data = {**resource, "generation": str(resource["generation"]), "size": str(resource.get("size", 0))}
        if structured:
            body = {**attributes, "datacontenttype": "application/json", "data": data}
            return json.dumps(body).encode(), {"Content-Type": "application/cloudevents+json"}
        headers = {f"ce-{name}": str(value) for name, value in attributes.items()}
        return json.dumps(data).encode(), {"Content-Type": "application/json", **headers}

    def deliver(self, server: Process, resource: dict[str, Any], **options: Any) -> HttpResponse:
        """Post one event to a server."""
        body, headers = self.event(resource, **options)
        return http(server.url, body, headers)

    def backdate_first_delivery(self, resource: dict[str, Any], age_s: float) -> None:
        """As if the first delivery, which is over and has left its lease free, had come `age_s` earlier."""
        digest = hashlib.sha256(f"{resource['bucket']}\0{resource['name']}".encode()).hexdigest()
        blob = self.client.bucket(self.output).blob(f"_work/claims/{digest}.json")
        lease = json.loads(blob.download_as_bytes())
        blob.upload_from_string(json.dumps({**lease, "first_delivery": lease["first_delivery"] - age_s}))

    def deliver_many(self, server: Process, resource: dict[str, Any], count: int) -> list[HttpResponse]:
        """The same event `count` times at once."""
        body, headers = self.event(resource)
        start = threading.Barrier(count)

        def one(_: int) -> HttpResponse:
            start.wait()
            return http(server.url, body, headers)

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    def deliver_until_settled(
        self, server: Process | Callable[[], Process], resource: dict[str, Any], within_s: float = PATIENCE_S
    ) -> int:
        """Redeliver as the platform does, only faster → number of deliveries."""
        give_up = time.monotonic() + within_s
        for number in range(1, 1000):
            target = server() if callable(server) else server
            try:
                if self.deliver(target, resource).status == 200:
                    return number
            except OSError:
                pass  # the server was killed under the delivery
            assert time.monotonic() < give_up, "not settled in time"
            time.sleep(0.1)
        raise AssertionError("not settled")

    def warm_up(self, server: Process) -> float:
        """Let a server import what it needs → seconds that it now takes for a pair, on this machine as it is.

        A short EVENT_DEADLINE_S is for what comes after this.
        """
        self.deliver_until_settled(server, self.put_pair("warm-up/first.json"))
        start = time.monotonic()
        self.deliver_until_settled(server, self.put_pair("warm-up/second.json"))
        taken_s = time.monotonic() - start
        for name in self.names():
            if name.startswith("warm-up/"):
                self.client.bucket(self.output).blob(self.prefix + name).delete()
        return taken_s

    # --- outputs

    def names(self, bucket: str | None = None, work: bool = False) -> list[str]:
        """Object names of the output bucket, without the work prefix."""
        blobs = self.client.list_blobs(bucket or self.output, prefix=self.prefix)
        names = [blob.name.removeprefix(self.prefix) for blob in blobs]
        return [name for name in names if work or not name.startswith("_work/")]

    def get(self, name: str, bucket: str | None = None) -> bytes:
        """An object's bytes."""
        return self.client.bucket(bucket or self.output).blob(self.prefix + name).download_as_bytes()

    def metadata(self, name: str) -> dict[str, str]:
        """An output's custom metadata."""
        return self.client.bucket(self.output).get_blob(self.prefix + name).metadata or {}

    def sidecar(self, name: str = "pair.json") -> dict[str, Any]:
        """A sidecar of the output bucket."""
        return json.loads(self.get(name))

    def calls(self) -> int:
        """Pictures the model was asked for and answered, whether with an image or not.

        What a server that is gone had asked for before this test began is not in the list of requests any more.
        """
        return sum(seen["code"] == 200 for seen in self.gemini.requests)


def wait_until(condition: Callable[[], Any], within_s: float = PATIENCE_S) -> None:
    """Poll until `condition` gives something true."""
    give_up = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < give_up, "never happened"
        time.sleep(0.02)


def log_lines(server: Process, manifest: str | None = None) -> list[dict[str, Any]]:
    """What a server has logged (about one manifest, "bucket/name"); every line has to be JSON."""
    text = server.log_path.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines() if line]
    return [line for line in lines if manifest is None or line.get("manifest") == manifest]


def png(array: np.ndarray) -> bytes:
    """Encode with Pillow, independently of the function's own encoder."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def picture(content: bytes) -> np.ndarray:
    """Decode with Pillow → uint8 array."""
    return np.asarray(Image.open(io.BytesIO(content)))


DATA = Path(__file__).parent / "data"


@cache
def _demo_scene() -> np.ndarray:
    return np.asarray(Image.open(DATA / "demo" / "scene.jpg").convert("RGB"))


def scene_array(width: int = 640, height: int = 360) -> np.ndarray:
    """The shipped scene's middle, cut to the shape asked for and shrunk; (height, width, 3) uint8."""
    scene = Image.fromarray(_demo_scene())
    scale = max(width / scene.width, height / scene.height)
    window = min(scene.width, width / scale), min(scene.height, height / scale)
    left, top = (scene.width - window[0]) / 2, (scene.height - window[1]) / 2
    return np.asarray(
        scene.resize((width, height), Image.Resampling.LANCZOS, (left, top, left + window[0], top + window[1]))
    )


def product_array(side: int = 600) -> np.ndarray:
    """The shipped product, shrunk; (side, side, 4) uint8."""
    return np.asarray(
        Image.open(DATA / "demo" / "product.png").convert("RGBA").resize((side, side), Image.Resampling.LANCZOS)
    )


@cache
def scene_png() -> bytes:
    """The small scene, encoded once."""
    return png(scene_array())


@cache
def product_png() -> bytes:
    """The small product, encoded once."""
    return png(product_array())
