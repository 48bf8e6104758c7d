"""What runs in the child process: C2PA's library, which reads files of strangers. One JSON line in, one out.

{"do": "read", "path", "mime", "ingredient"?, "archive"?} → {"found": {…}}: see `Found`; the ingredient, with what its
credentials say, is written to the path `archive`.
{"do": "sign", "path", "mime", "definition", "archives", "to", "algorithm", "certificates", "timestamp_url"?} → the
signed file at `to`, and {"found": {…}}. In between comes {"sign": base64}, answered with {"signature": base64} or {}.
Whatever goes wrong is {"error": words}.
"""

from __future__ import annotations

import base64
import io
import json
import re
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MEMORY_BYTES = 2 * 2**30  # of address space; a file of 50 MiB takes 0.2
MAX_WORDS = 200  # characters of anything that a file says
MAX_LISTED = 30  # actions or ingredients
MAX_TREE = 64  # manifests of a store that are walked for their actions
PLACE = re.compile(r'"[^"]{0,60}(gps|latitude|longitude|location)[^"]{0,60}":', re.IGNORECASE)  # a key
NEVER_REDACTED = ("c2pa.actions", "c2pa.hash.", "c2pa.ingredient")  # C2PA 2.2, 6.8: the history has no holes
UNTRUSTED = "signingCredential.untrusted"  # there is no list of whom to trust here: that is the reader's to decide
TIME_STAMP, UNTRUSTED_TIME = "timeStamp.", "timeStamp.untrusted"


def main() -> None:
    """Answer until standard input ends. Signals to the whole group are the parent's: it finishes what is in flight."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        import c2pa  # noqa: F401, PLC0415  # before the first request's time begins
    except ImportError:
        _say({"missing": "c2pa-python is not installed"})
        return
    _say({"ready": True})
    for line in sys.stdin:
        try:
            _say(_answer(json.loads(line)))
        except Exception as error:  # noqa: BLE001 (whatever it is, it is about this one file)
            _say({"error": _words(error) or type(error).__name__})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    if request["do"] == "read":
        return _read(request)
    return _sign(request)


def _context(hosts: list[str]) -> Any:
    """Settings under which nothing but `hosts` is asked for anything, and no thumbnail is made."""
    from c2pa import Context  # noqa: PLC0415

    return Context.from_dict(
        {
            "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_sign": False},
            "core": {"allowed_network_hosts": hosts},
            "builder": {"thumbnail": {"enabled": False}},
        }
    )


def _read(request: dict[str, Any]) -> dict[str, Any]:
    from c2pa import Builder  # noqa: PLC0415

    context = _context([])
    found = _found(request["path"], request["mime"], context) | {"places": _places(request, context)}
    if "archive" in request:
        ingredient = request["ingredient"]
        with Builder({"claim_generator_info": [{"name": "archive"}]}, context=context) as builder:
            with Path(request["path"]).open("rb") as source:
                builder.add_ingredient(ingredient, request["mime"], source)
            with Path(request["archive"]).open("w+b") as target:
                builder.write_ingredient_archive(ingredient["label"], target)
    return {"found": found}


def _places(request: dict[str, Any], context: Any) -> list[str]:
    """Addresses of assertions that say where something was; such as cannot be taken out of a store are "" here."""
    from c2pa import Reader  # noqa: PLC0415

    with Path(request["path"]).open("rb") as source, Reader(request["mime"], source, context=context) as reader:
        manifests = json.loads(reader.detailed_json())["manifests"]
    return [
        "" if label.startswith(NEVER_REDACTED) else f"self#jumbf=/c2pa/{name}/c2pa.assertions/{label}"
        for name, manifest in manifests.items()
        for label, assertion in manifest.get("assertion_store", {}).items()
        if PLACE.search(json.dumps(assertion))
    ]


def _sign(request: dict[str, Any]) -> dict[str, Any]:
    from c2pa import Builder, C2paSigningAlg, Signer  # noqa: PLC0415

    url = request.get("timestamp_url")
    context = _context([urlsplit(url).netloc] if url else [])
    algorithm = C2paSigningAlg[request["algorithm"]]
    with (
        Builder(request["definition"], context=context) as builder,
        Signer.from_callback(_signature_of, algorithm, request["certificates"], url) as signer,
        Path(request["path"]).open("rb") as source,
        Path(request["to"]).open("w+b") as target,
    ):
        for archive in request["archives"]:
            builder.add_ingredient_from_archive(io.BytesIO(Path(archive).read_bytes()))
        builder.sign(signer, request["mime"], source, target)
    return {"found": _found(request["to"], request["mime"], context)}


def _signature_of(data: bytes) -> bytes:
    """Asked of the process that has started this one. Raises ValueError where it has none."""
    _say({"sign": base64.b64encode(data).decode()})
    answer = json.loads(sys.stdin.readline())
    if "signature" not in answer:
        raise ValueError("no signature")
    return base64.b64decode(answer["signature"])


def _found(path: str, mime: str, context: Any) -> dict[str, Any]:
    """What a file's credentials say, in the words of `Found`."""
    from c2pa import Reader  # noqa: PLC0415

    with Path(path).open("rb") as source, Reader(mime, source, context=context) as reader:
        store = json.loads(reader.json())
    active = store["manifests"][store["active_manifest"]]
    signature = active.get("signature_info") or {}
    results = store.get("validation_results", {}).get("activeManifest", {})
    failed = [one["code"] for one in results.get("failure", []) if one["code"] != UNTRUSTED]
    stamped = [one["code"] for kind in ("informational", "failure") for one in results.get(kind, [])]
    return {
        "valid": store.get("validation_state") in ("Valid", "Trusted"),
        "issuer": _words(signature.get("issuer") or signature.get("common_name")),
        "generator": _generator(active),
        "time": _words(signature.get("time")),
        "claims": _first(_claims(store["manifests"])),
        "ingredients": _first(_ingredients(active)),
        "failed": _first(_words(code) or "" for code in failed),
        "bad_time": [_words(code) for code in stamped if code.startswith(TIME_STAMP) and code != UNTRUSTED_TIME],
    }


def _generator(manifest: dict[str, Any]) -> str | None:
    stated = (manifest.get("claim_generator_info") or [{}])[0]
    named = " ".join(str(stated[key]) for key in ("name", "version") if stated.get(key))
    return _words(named or manifest.get("claim_generator"))


def _claims(manifests: dict[str, Any]) -> Iterator[str]:
    """`c2pa.created trainedAlgorithmicMedia`: each action of the store, with its digital source type."""
    for manifest in list(manifests.values())[:MAX_TREE]:
        for assertion in manifest.get("assertions", []):
            data = assertion.get("data")
            if not str(assertion.get("label", "")).startswith("c2pa.actions") or not isinstance(data, dict):
                continue
            for action in data.get("actions", [])[: 10 * MAX_LISTED]:
                kind = str(action.get("digitalSourceType") or "").rpartition("/")[2]
                yield _words(f"{action.get('action')} {kind}".strip()) or ""


def _ingredients(manifest: dict[str, Any]) -> Iterator[str]:
    """`parentOf scene`, and whether it has credentials of its own."""
    for one in manifest.get("ingredients", []):
        own = ", with its own credentials" if one.get("active_manifest") else ""
        yield _words(f"{one.get('relationship')} {one.get('title') or 'without a title'}{own}") or ""


def _first(values: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(values))[:MAX_LISTED]


def _words(value: object) -> str | None:
    """As text of a line, not longer than MAX_WORDS."""
    text = "".join(one if one.isprintable() else " " for one in str(value or "")[:MAX_WORDS])
    return text.strip() or None


if __name__ == "__main__":
    main()
