"""`python -m function verify gs://OUTPUT[/PREFIX]`: whether results stand as described, and their credentials hold."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click

from function.deadline import Deadline
from function.errors import CompositeError
from function.provenance.reading import read_file
from function.provenance.sandbox import Sandbox
from function.storage.client import AccessDeniedError, ObjectNotFoundError, ObjectTooLargeError, Storage
from function.storage.content_encoding import DamagedContentError
from function.storage.names import split_gs_uri
from function.tools.cli.odd_objects import OddObjects, shown
from function.tools.cli.provenance import headline
from function.tools.cli.terminal import Progress, counted, fail, open_storage
from function.tools.explain import UsageError
from function.tools.review.cloud import MAX_BYTES, CloudStore
from function.tools.review.pair import load_pairs
from function.tools.timeouts import DOWNLOAD_S

HELP = """\
Reads every result under a prefix of the output bucket, and says whether it is the file that its sidecar describes and
whether its content credentials hold. Results without a signature are counted.

\b
  python -m function verify gs://output/spring
"""
READERS = 8
SIGNED, UNSIGNED = "signed, and whole", "not signed"


@click.command(help=HELP)
@click.argument("source", metavar="gs://OUTPUT[/PREFIX]", help="where the results are")
def verify(source: str) -> int:
    """Read and say. 0: all are whole; 1: some are not, or there is none; 2: it could not be done."""
    sandbox = Sandbox()
    try:
        storage = open_storage()
        pairs = load_pairs(CloudStore(storage), source, OddObjects().name)
        results = [result for pair in pairs for result in _results(pair.sidecar)]
        if not results:
            return fail(f"no result under {source} yet", code=1)
        progress = Progress("reading", len(results))
        counts: Counter[str] = Counter()
        with ThreadPoolExecutor(READERS) as pool:
            for result, verdict in pool.map(lambda one: (one, _verdict(storage, one, sandbox)), results):
                progress.add()
                counts[verdict] += 1
                if verdict not in (SIGNED, UNSIGNED):
                    print(f"{shown(str(result.get('uri')))}: {verdict}")
        progress.close()
    except (UsageError, CompositeError, AccessDeniedError, ValueError, OSError) as error:
        return fail(error)
    finally:
        sandbox.close()
    good = [f"{counts[one]:,} {one}" for one in (SIGNED, UNSIGNED)]
    bad = len(results) - counts[SIGNED] - counts[UNSIGNED]
    print(f"{counted(len(results), 'result')}: {'; '.join(good)}; {bad:,} not as described")
    return 1 if bad else 0


def _results(sidecar: dict[str, Any]) -> Iterator[dict[str, Any]]:
    listed = sidecar.get("results") or [sidecar.get("result")]
    yield from (one for one in listed if isinstance(one, dict)) if isinstance(listed, list) else ()


def _verdict(storage: Storage, result: dict[str, Any], sandbox: Sandbox) -> str:
    """In a few words."""
    try:
        bucket, name = split_gs_uri(str(result.get("uri")))
        content = storage.read(bucket, name, Deadline(DOWNLOAD_S), limit=MAX_BYTES)
    except (ObjectNotFoundError, ObjectTooLargeError, DamagedContentError, ValueError) as problem:
        return f"CANNOT BE READ: {type(problem).__name__}"
    if hashlib.sha256(content).hexdigest() != result.get("sha256"):
        return "IS NOT THE FILE that its sidecar describes"
    found = read_file(content, str(result.get("mime_type")), sandbox)
    if found is None:
        return UNSIGNED
    return SIGNED if found.state == "valid" else f"{headline(found)}: {found.note}"
