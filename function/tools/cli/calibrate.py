"""`python -m function calibrate`: how the function's checks and risk fared against what people decided."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise
from typing import get_args

import click

from function.deadline import Deadline
from function.delivery.cloud_event import MANIFEST_SUFFIX
from function.delivery.output_metadata import GENERATION_KEY
from function.errors import CompositeError
from function.storage.client import AccessDeniedError, ObjectNotFoundError, Storage, StoredObject
from function.storage.names import OWN_PREFIXES
from function.tools.cli.decided import BIN_EDGES, MIN_DECISIONS, Decision, Settled, Tally
from function.tools.cli.odd_objects import OddObjects, shown
from function.tools.cli.shares import share
from function.tools.cli.sidecar_index import READERS, NotASidecarError, pair_sidecars, read_sidecar
from function.tools.cli.terminal import bucket_and_prefix, counted, fail, open_storage
from function.tools.explain import UsageError
from function.tools.review.pair import DECISION_KEY
from function.tools.timeouts import LISTING_S

HELP = f"""\
Compares what people decided (`review`, then `decide`) with what the function had said of the same pictures: its
status, its checks and the risk that it recorded. Then it shows the effect of accepting every picture below a
risk and looking at all the others. It writes nothing.

\b
  python -m function calibrate gs://output
  python -m function calibrate gs://output/spring --json

A decision counts for the picture that it was made about. Fewer than {MIN_DECISIONS} pictures that a person accepted,
or that a person rejected, are too few, and it says so. Decide about pictures that the function accepted, too:
otherwise what it let through stays unknown. For the buckets of `local` set STORAGE_EMULATOR_HOST, as it says.
"""


@click.command(help=HELP)
@click.argument("target", metavar="gs://OUTPUT[/PREFIX]", help="where the sidecars are")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def calibrate(target: str, as_json: bool) -> int:
    """Count and print. 0; 1 where no picture is settled yet; 2 when it could not be read."""
    try:
        bucket, prefix = bucket_and_prefix(target)
        tally = tally_of(open_storage(bucket), OddObjects(), bucket, prefix)
    except (UsageError, CompositeError, AccessDeniedError) as error:
        return fail(error)
    if not tally.pairs:
        return fail(f"no settled pair under {target} yet", code=1)
    print(json.dumps(tally.as_json()) if as_json else "\n".join(lines(target, tally)))
    return 0


def tally_of(storage: Storage, odd: OddObjects, bucket: str, prefix: str) -> Tally:
    """Every pair under the prefix. Held in memory are its counts, the decisions, and a few sidecars at a time. Raises
    StorageUnavailableError, AccessDeniedError."""
    decisions = _decisions(storage, odd, bucket, prefix)
    tally = Tally()
    sidecars = pair_sidecars(storage, bucket, prefix)
    with ThreadPoolExecutor(READERS) as readers:
        while batch := list(islice(sidecars, 4 * READERS)):
            for pair in readers.map(lambda stored: _read(storage, odd, stored), batch):
                if pair is not None:
                    tally.add(pair, _decided(pair, bucket, decisions))
    return tally


def _decisions(storage: Storage, odd: OddObjects, bucket: str, prefix: str) -> dict[str, tuple[Decision, str]]:
    """By the result's name: what was decided, and of which generation of its manifest."""
    found: dict[str, tuple[Decision, str]] = {}
    for stored in storage.list(bucket, prefix, Deadline(LISTING_S)):
        said = stored.metadata.get(DECISION_KEY)
        if not said or stored.name.startswith(OWN_PREFIXES):
            continue
        decision = next((one for one in get_args(Decision) if one == said), None)
        if decision is None or stored.name.endswith(MANIFEST_SUFFIX):
            odd.name(stored.bucket, stored.name, f"its {DECISION_KEY} is not one about a picture; it does not count")
            continue
        found[stored.name] = decision, stored.metadata.get(GENERATION_KEY, "")
    return found


def _decided(pair: Settled, bucket: str, decisions: dict[str, tuple[Decision, str]]) -> Decision | None:
    """What was decided about the pair's picture, as it is now."""
    place, _, name = (pair.result.uri if pair.result else "").removeprefix("gs://").partition("/")
    decision, generation = decisions.get(name, (None, ""))
    return decision if place == bucket and generation == str(pair.manifest.generation) else None


def _read(storage: Storage, odd: OddObjects, stored: StoredObject) -> Settled | None:
    """What the sidecar says; None, and named, where that cannot be used."""
    try:
        return read_sidecar(storage, stored, Settled)
    except NotASidecarError as problem:
        odd.name(stored.bucket, stored.name, f"{problem}; it does not count")
    except ObjectNotFoundError:
        pass  # replaced while it was read
    return None


def lines(target: str, tally: Tally) -> Iterator[str]:
    """The tables for people."""
    accepted, rejected = tally.total("accept"), tally.total("reject")
    pictures = tally.by_status.total()
    decided = f"{accepted + rejected:,} decided ({accepted:,} accepted, {rejected:,} rejected)"
    yield f"{target}: {counted(pictures, 'picture')}, {decided}"
    if tally.without_picture:
        yield f"  {counted(tally.without_picture, 'pair')} without a picture"
    if tally.without_risk:
        yield f"  {counted(tally.without_risk, 'picture')} without a recorded risk: made by an earlier version"
    if len(tally.calibrations) > 1:
        versions = ", ".join(shown(one) for one in sorted(tally.calibrations))
        yield f"  risks of {len(tally.calibrations)} calibrations, which are not alike: {versions}"
    if tally.too_few:
        yield f"TOO FEW to judge by: it takes {MIN_DECISIONS} accepted and {MIN_DECISIONS} rejected pictures"
    yield "\nstatus      pictures   decided: rejected by a person [95 % confidence]"
    for status in ("accepted", "review"):
        bad, good = tally.decided[status, "reject"], tally.decided[status, "accept"]
        yield f"{status:<10}{tally.by_status[status]:>10,}   {share(bad, bad + good)}"
    yield "\nrisk         decided: rejected by a person"
    for at, (low, high) in enumerate(pairwise(BIN_EDGES)):
        bad, good = tally.by_risk[at, "reject"], tally.by_risk[at, "accept"]
        yield f"{low:.1f} to {high:.1f}   {share(bad, bad + good)}"
    yield "\ncheck                   failed, yet accepted   failed and rejected   passed, yet rejected"
    for name in tally.checks():
        counts = [tally.by_check[name, *of] for of in ((False, "accept"), (False, "reject"), (True, "reject"))]
        yield f"{shown(name):<24}{counts[0]:>20,}{counts[1]:>22,}{counts[2]:>23,}"
    yield "\naccepted below   to look at   bad let through, of those decided   pictures saved, USD"
    bad, good = tally.decided["accepted", "reject"], tally.decided["accepted", "accept"]
    yield f"{'(as it is)':<17}{tally.by_status['review']:>10,}   {share(bad, bad + good):<35}{'-':>20}"
    for one in tally.thresholds:
        told = share(one.bad, one.bad + one.good)
        yield f"{one.threshold:<17}{one.looked_at:>10,}   {told:<35}{one.saved_usd:>20.2f}"
    yield "Saved is what pictures cost that were asked for after one below the risk. What more pictures would have been"
    yield "asked for is not known; nor is anything about pictures without a decision."
