"""Whatever is sent: a typed error or a settled answer, and never a traceback for what is the sender's mistake."""

from __future__ import annotations

import base64
import json
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from function.delivery.cloud_event import FINALIZED, InvalidEventError, parse_event
from function.errors import CompositeError, PermanentError
from function.manifest.model import Manifest
from function.manifest.parse import parse_manifest
from function.manifest.references import manifest_targets
from function.settings import Settings
from tests.imaging.samples import real_files
from tests.support import http, log_lines, scene_png
from tests.tiers import examples

SETTINGS = Settings.from_environment({"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"})
MANY = settings(examples(400), suppress_health_check=list(HealthCheck))
FEW = settings(examples(75), suppress_health_check=list(HealthCheck))

GOOD = {
    "product": "p.png",
    "scene": "gs://in-bucket/s.png",
    "placement": "left",
    "output": {"format": "png", "quality": 90, "width": 100, "height": 100},
    "model": "gemini-2.5-flash-image",
    "max_px": 768,
    "attempts": 1,
    "seed": 1,
    "restore": "full",
    "labels": {"sku": "1"},
}
text = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates too
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), text,
    st.sampled_from([2**63, -1, 0, 1e999, "", "..", "/", "gs://", "data:", "data:;base64,??", "\x00", "\ud800"]),
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=8
)
references = st.one_of(
    text,
    st.sampled_from(["gs://", "gs:///", "gs://in-bucket", "gs://in-bucket/", "GS://in-bucket/x", "gs://in-bucket/../x",
                     "gs://other-bucket/x", "../../x", "/", ".", "a/../..", "file:///etc/passwd", "http://x/y.png",
                     "data:", "data:,", "data:;base64,", "data:image/png;base64,A", "x" * 1100, "\n", "é" * 600]),
    st.builds(lambda path: f"gs://in-bucket/{path}", text),
    st.builds(lambda packed: f"data:image/png;base64,{base64.b64encode(packed).decode()}", st.binary(max_size=40)),
)  # fmt: skip


@st.composite
def manifests(draw):
    """A good manifest with some fields replaced, removed, added or doubled → its bytes."""
    fields = dict(GOOD)
    for name in draw(st.lists(st.sampled_from([*GOOD, "output.width", "output.format", "labels.x"]), max_size=3)):
        outer, _, inner = name.partition(".")
        if inner and isinstance(fields.get(outer), dict):
            fields[outer] = {**fields[outer], inner: draw(values)}
        elif draw(st.booleans()):
            fields[outer] = draw(references if outer in {"product", "scene"} else values)
        else:
            fields.pop(outer, None)
    if draw(st.booleans()):
        fields[draw(text)] = draw(values)
    body = json.dumps(fields, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    return spoiled(draw, body)


def spoiled(draw, body: bytes) -> bytes:
    """The bytes, one in four times cut, with a byte changed, or doubled."""
    where = draw(st.integers(0, len(body)))
    kind = draw(st.sampled_from(["whole"] * 9 + ["cut", "changed", "doubled"]))
    return {
        "whole": body,
        "cut": body[:where],
        "changed": body[:where] + draw(st.binary(min_size=1, max_size=2)) + body[where + 1 :],
        "doubled": body[:where] + body,
    }[kind]


# --- in this process, for the volume


@MANY
@given(st.one_of(manifests(), st.binary(max_size=60), values.map(lambda value: json.dumps(value).encode())))
def test_a_manifest_is_read_or_refused_with_words(body):
    try:
        manifest = parse_manifest(body, SETTINGS)
        targets = manifest_targets(manifest, SETTINGS, "in-bucket", "folder/pair.json")
    except CompositeError as refused:
        assert isinstance(refused, PermanentError)
        assert refused.code in {"manifest_invalid", "reference_forbidden"}
        assert refused.message
        refused.message.encode()  # it has to fit into a sidecar
        return
    assert isinstance(manifest, Manifest)
    for target in targets.values():
        assert getattr(target, "bucket", "in-bucket") == "in-bucket"
        assert ".." not in getattr(target, "name", "").split("/") or "gs://" in json.dumps(json.loads(body))


DEEP = [b"[" * 50_000, b'{"a":' * 50_000]


@pytest.mark.parametrize("body", [*DEEP, b'{"seed": ' + b"9" * 5000 + b"}", b"\xef\xbb\xbf{}", b""])
def test_extreme_documents_are_refused_with_words(body):
    with pytest.raises(PermanentError) as refused:
        parse_manifest(body, SETTINGS)
    assert refused.value.code == "manifest_invalid"


def test_no_reference_leaves_the_allowed_buckets_or_their_root():
    for reference in ("../../x", "/../x", "a/../../../x", "gs://out-bucket/x", "gs://in-bucket.evil/x", "file:///x"):
        manifest = parse_manifest(json.dumps({"product": reference, "scene": "s.png"}).encode(), SETTINGS)
        with pytest.raises(PermanentError) as refused:
            manifest_targets(manifest, SETTINGS, "in-bucket", "folder/pair.json")
        assert refused.value.code in {"reference_forbidden", "manifest_invalid"}


header_names = st.sampled_from(
    ["ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time", "ce-subject", "Content-Type", "ce-datacontenttype"]
)
header_values = st.one_of(
    st.sampled_from(["1.0", "0.3", FINALIZED, "application/json", "application/cloudevents+json", "text/plain",
                     "2026-11-23T01:00:00Z", "9999-99-99", "0001-01-01T00:00:00+23:59", ""]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
)  # fmt: skip


@st.composite
def events(draw):
    """A good event with headers and fields replaced or missing → (headers, body)."""
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": FINALIZED,
               "Content-Type": "application/json"}  # fmt: skip
    name = draw(st.sampled_from(["a/notes.txt", "a/pair.json", "a/spring.csv"]) | text.map(lambda t: f"{t}.json"))
    data = {"bucket": "in-bucket", "name": name, "generation": "12", "timeCreated": "2026-11-23T01:00:00Z"}
    for name in draw(st.lists(st.sampled_from([*data, "extra"]), max_size=2)):
        data[name] = draw(values)
    content = draw(st.one_of(st.just(data), values))
    if draw(st.booleans()):
        headers[draw(header_names)] = draw(header_values)
    if draw(st.integers(0, 4)) == 0:
        headers.pop(draw(header_names), None)
    if draw(st.integers(0, 3)) == 0:
        content = {"specversion": "1.0", "id": "1", "source": "s", "type": FINALIZED, "data": content}
        if draw(st.booleans()):
            content[draw(st.sampled_from(["specversion", "id", "source", "type", "time", "data"]))] = draw(values)
        headers = {"Content-Type": "application/cloudevents+json"}
    return headers, spoiled(draw, json.dumps(content).encode())


@MANY
@given(events())
def test_an_event_is_understood_or_refused_with_words(event):
    headers, body = event
    try:
        upload = parse_event(headers, body)
    except InvalidEventError as refused:
        assert str(refused)
        return
    assert upload.bucket and upload.name and 0 < upload.generation < 2**63
    assert upload.age_s() >= 0


# --- through the real server


@pytest.fixture(scope="module")
def fuzzed(session_server):
    """The shared server, and a look at what it logs: no traceback, nothing but JSON lines."""
    before = len(log_lines(session_server))
    yield session_server
    for line in log_lines(session_server)[before:]:
        assert "stack_trace" not in line, line
        assert "Traceback" not in json.dumps(line)


@FEW
@given(events())
def test_the_server_acknowledges_any_event_or_asks_for_it_again(fuzzed, event):
    headers, body = event
    status = http(fuzzed.url, body, headers).status
    assert status == 200 or 500 < status < 600


@FEW
@given(body=manifests())
def test_the_server_settles_any_manifest(shared_place, fuzzed, body):
    """Its images are not there: what can be read waits for them, what cannot has a sidecar that says why."""
    name = f"{uuid.uuid4().hex}.json"
    response = shared_place.deliver(fuzzed, shared_place.put(name, body))
    if response.status == 200:
        error = shared_place.sidecar(name)["error"]
        assert error["code"] in {
            "manifest_invalid", "reference_forbidden", "source_unreadable", "source_unsupported", "source_too_large",
        }  # fmt: skip
        assert error["message"]
    else:
        assert response.status == 503
    assert shared_place.calls() == 0


@FEW
@given(
    kind=st.sampled_from(["png", "avif", "heic grid", "heic alpha", "tiff lzw alpha", "tiff 16", "jpeg"]),
    where=st.integers(0, 10**6),
    change=st.binary(min_size=1, max_size=40),
    cut=st.booleans(),
)
def test_the_server_settles_any_image(shared_place, fuzzed, kind, where, change, cut):
    """A damaged product beside a good scene; one that still decodes would be paid for, so the model refuses all."""
    good = scene_png() if kind == "png" else PICTURES[kind]
    where %= len(good)
    damaged = good[:where] if cut else good[:where] + change + good[where + len(change) :]
    packed = base64.b64encode(damaged).decode()
    shared_place.gemini.control(faults=[{"kind": "SAFETY"}])
    name = f"{uuid.uuid4().hex}.json"
    resource = shared_place.put(name, {"product": f"data:image/png;base64,{packed}", "scene": SCENE})
    assert shared_place.deliver(fuzzed, resource).status == 200
    sidecar = shared_place.sidecar(name)
    assert sidecar["status"] == "failed"
    assert sidecar["error"]["code"] in {"source_unreadable", "source_unsupported", "source_too_large", "model_refused"}


PICTURES = real_files()
SCENE = "data:image/png;base64," + base64.b64encode(scene_png()).decode()


@pytest.fixture(scope="module")
def shared_place(gcs, gcs_client_session, gemini_session, folder):
    """The shared buckets, in a folder of this file's own."""
    from tests.support import Cloud

    gemini_session.control(reset=True)
    return Cloud(gcs, gcs_client_session, gemini_session, folder, prefix=f"fuzz{uuid.uuid4().hex[:6]}/")


@pytest.mark.parametrize(
    ("bucket", "name"),
    [("-bad", "x.json"), ("a/b", "x.json"), ("in bucket\n", "x.json"), ("in-bucket", "\ud800.json"),
     ("in-bucket", "\x00.json"), ("in-bucket", "n" * 3000 + ".json"), ("in-bucket", "\n\r.json"), ("é", "x.csv"),
     ("in-bucket", "\ud800.csv"), ("in-bucket", "n" * 3000 + ".csv"), ("in-bucket", "../../x.json")],
)  # fmt: skip
def test_an_event_of_what_cannot_exist_is_acknowledged(fuzzed, bucket, name):
    body = json.dumps({"bucket": bucket, "name": name, "generation": "12"}).encode()
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": FINALIZED}
    assert http(fuzzed.url, body, {**headers, "Content-Type": "application/json"}).status == 200
