"""`python -m function status`: what is settled, how, and what it has cost."""

from __future__ import annotations

import json
import math
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import chain

import click

from function.deadline import Deadline
from function.delivery.cloud_event import is_catalogue
from function.delivery.switch import read_switch
from function.errors import CompositeError, StorageUnavailableError
from function.storage.client import AccessDeniedError, Storage, StoredObject
from function.storage.names import gs_uri
from function.tools.cli.batch_summary import BatchSummary, batch_summary
from function.tools.cli.live_screen import LiveScreen, bar, clock
from function.tools.cli.odd_objects import OddObjects, shown
from function.tools.cli.people import People, count_people
from function.tools.cli.sidecar_index import STATUSES, Settled, SettledReader, list_manifests, unsettled
from function.tools.cli.spending import Spending, spending_of_catalogue, spending_today
from function.tools.cli.terminal import bucket_and_prefix, counted, fail, open_storage
from function.tools.explain import UsageError
from function.tools.timeouts import CALL_S

POLL_S = 2.0
POLL_SHARE = 4  # listing takes at most a quarter of the time
INTERRUPTED = 130
FAILURES_SHOWN = 10

HELP = """\
Counts the pairs under a prefix of the output bucket: settled, accepted, for review, failed, and what they have
cost. Pairs that are still to come are counted from the input bucket, which the sidecars name; give --input
while there is no sidecar yet. It says so when that bucket is paused (see `pause`).

\b
  python -m function status gs://output
  python -m function status gs://output/spring --watch
  python -m function status gs://output/spring --input gs://input --json
"""


@dataclass(frozen=True)
class CatalogueStatus:
    """What a settled catalogue's sidecar says of its rows."""

    status: str
    rows_written: int
    rows_refused: int
    budget: Spending | None = None


@dataclass
class Status:
    """The counts. `waiting` is None when the input bucket is unknown; a manifest that is settled and was
    uploaded again since counts as waiting only. `spent_usd` counts known prices, those of such earlier results too.
    `failures` are the manifests that failed, with the code.

    `paused` are the names of the input buckets that are.
    """

    settled: int = 0
    accepted: int = 0
    review: int = 0
    failed: int = 0
    waiting: int | None = None
    spent_usd: float = 0.0
    without_price: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    catalogues: dict[str, CatalogueStatus] = field(default_factory=dict)
    catalogues_waiting: int = 0
    people: People = field(default_factory=People)
    today: Spending | None = None
    paused: list[str] = field(default_factory=list)
    batches: BatchSummary | None = None

    @property
    def done(self) -> bool:
        """Whether everything that was uploaded is settled."""
        return self.waiting == 0 and not self.catalogues_waiting


@click.command(help=HELP)
@click.argument("target", metavar="gs://OUTPUT[/PREFIX]", help="where the sidecars are")
@click.option("--input", "input_uri", metavar="gs://INPUT", help="the input bucket, when no sidecar names it yet")
@click.option("--watch", is_flag=True, help="stay until everything is settled")
@click.option("--json", "as_json", is_flag=True, help="print JSON, one object a line")
def status(target: str, input_uri: str | None, watch: bool, as_json: bool) -> int:
    """Count and print, once or until everything is settled. 0, or 2 when it could not be read."""
    try:
        bucket, prefix = bucket_and_prefix(target)
        source = bucket_and_prefix(input_uri)[0] if input_uri else None
        storage = open_storage(bucket, *([source] if source else []))
        odd = OddObjects()
        reader = SettledReader(storage, odd)
        screen = _Screen(target, as_json=as_json, live=watch)
        while True:
            started = time.monotonic()
            counts = count(storage, reader, odd, bucket, prefix, source)
            screen.show(counts)
            if not watch or counts.done:
                return 0
            time.sleep(max(POLL_S, (time.monotonic() - started) * (POLL_SHARE - 1)))
    except (UsageError, CompositeError, AccessDeniedError) as error:
        return fail(error)
    except KeyboardInterrupt:
        print()
        return INTERRUPTED


def count(
    storage: Storage, reader: SettledReader, odd: OddObjects, bucket: str, prefix: str, source: str | None
) -> Status:
    """One look at both buckets. Raises StorageUnavailableError, AccessDeniedError."""
    settled = reader.list(bucket, prefix)
    status = Status(today=spending_today(storage, bucket), batches=batch_summary(storage, bucket))
    sources = {source: list_manifests(storage, source, prefix)} if source else _sources(storage, settled, odd, prefix)
    waiting = {gs_uri(one.bucket, one.name) for found in sources.values() for one, _ in unsettled(found, settled)}
    for manifest, one in settled.items():
        if one.is_catalogue:
            written, refused = one.rows or (0, 0)
            budget = spending_of_catalogue(storage, bucket, manifest)
            status.catalogues[manifest] = CatalogueStatus(one.status, written, refused, budget)
        else:
            _add(status, one, again=manifest in waiting)
    status.people = count_people(settled, reader.results, chain.from_iterable(sources.values()))
    if sources:
        status.catalogues_waiting = sum(map(is_catalogue, waiting))
        status.waiting = len(waiting) - status.catalogues_waiting
        status.paused = [name for name in sorted(sources) if read_switch(storage, name, Deadline(CALL_S)).paused]
    return status


def _sources(
    storage: Storage, settled: dict[str, Settled], odd: OddObjects, prefix: str
) -> dict[str, list[StoredObject]]:
    """What lies in each input bucket that a sidecar names. One that cannot be listed is named as odd: anybody may have
    written a sidecar; only when it is all of them, the fault is another one, and is raised."""
    found, failure = {}, None
    for name in sorted({one.input_bucket for one in settled.values()}):
        try:
            found[name] = list_manifests(storage, name, prefix)
        except (StorageUnavailableError, AccessDeniedError) as error:
            failure = error
            odd.name(name, "", f"a sidecar names this bucket, and it cannot be listed: {error}")
    if failure and not found:
        raise failure
    return found


def _add(status: Status, one: Settled, *, again: bool) -> None:
    """Count a sidecar; of one that is to come `again` only what it has cost."""
    if one.usd is None:
        status.without_price += 1
    else:
        status.spent_usd = round(status.spent_usd + one.usd, 6)
    if again:
        return
    status.settled += 1
    if one.status in STATUSES:
        setattr(status, one.status, getattr(status, one.status) + 1)
    if one.status == "failed":
        status.failures[one.manifest] = one.error_code or "unknown"
    if one.error_code:
        status.errors[one.error_code] = status.errors.get(one.error_code, 0) + 1


class _Screen:
    """Shows a status: over the last one on a terminal, else whenever it has changed. While it watches it measures how
    fast pairs settle."""

    def __init__(self, target: str, *, as_json: bool, live: bool):
        self._target, self._as_json = target, as_json
        self._redraw = live and not as_json and sys.stdout.isatty()
        self._last: list[str] = []
        self._live = LiveScreen()
        self._first: tuple[float, int] | None = None

    def show(self, status: Status) -> None:
        """Print it, unless nothing is new."""
        if self._first is None:
            self._first = time.monotonic(), status.settled
        lines = [json.dumps(asdict(status) | {"done": status.done})] if self._as_json else self._lines(status)
        if lines == self._last:
            return
        if self._redraw:
            self._live.draw(lines)
        else:
            print("\n".join(lines), flush=True)
        self._last = lines

    def _progress(self, status: Status) -> list[str]:
        """The bar, how fast pairs settle, and how long the rest takes at that."""
        if not status.waiting or self._first is None:
            return []
        share = status.settled / (status.settled + status.waiting)
        since, before = self._first
        minutes = (time.monotonic() - since) / 60
        per_minute = (status.settled - before) / minutes if minutes else 0.0
        pace = f"  {per_minute:,.1f} pairs a minute" if self._redraw and per_minute else ""
        left = f", about {clock(60 * status.waiting / per_minute)} left" if pace else ""
        return [f"  {bar(share)} {math.floor(100 * share)}%{pace}{left}"]

    def _lines(self, status: Status) -> list[str]:
        if not status.settled and not status.catalogues and status.waiting is None:
            return [f"{self._target}: nothing is settled yet (say --input gs://INPUT to count what waits)"]
        known = "" if status.waiting is None else f" of {status.settled + status.waiting:,}"
        lines = [f"{self._target}: {status.settled:,}{known} settled", *self._progress(status)]
        errors = Counter(status.errors).most_common()
        why = f"  ({', '.join(f'{code} {number:,}' for code, number in errors)})" if errors else ""
        lines += [f"  {name:<9}{getattr(status, name):>8,}{why if name == 'failed' else ''}" for name in STATUSES]
        if status.waiting:
            lines.append(f"  {'to come':<9}{status.waiting:>8,}")
        today = [f"  {'today':<9}{status.today} (all of gs://OUTPUT, UTC)"] if status.today else []
        lines.append(f"  {'people':<9}{status.people}")
        unknown = f"  (and {counted(status.without_price, 'pair')} of unknown price)" if status.without_price else ""
        lines.append(f"  {'spent':<9}{f'${status.spent_usd:,.2f}':>8}{unknown}")
        lines += today
        for name, one in sorted(status.catalogues.items()):
            refused = f", {one.rows_refused:,} refused (see its sidecar)" if one.rows_refused else ""
            budget = f"; {one.budget}" if one.budget else ""
            lines.append(f"  {shown(name)}: {counted(one.rows_written, 'row')} written{refused}{budget}")
        if status.catalogues_waiting:
            lines.append(f"  {counted(status.catalogues_waiting, 'catalogue')} to come")
        failed = sorted(status.failures.items())
        lines += [f"  failed: {shown(name)} ({code})" for name, code in failed[:FAILURES_SHOWN]]
        if len(failed) > FAILURES_SHOWN:
            lines.append(f"  failed: {len(failed) - FAILURES_SHOWN:,} more (--json names all of them)")
        if status.batches:
            lines.append(f"  {'batches':<9}{status.batches} (all of gs://OUTPUT)")
        lines += [f"  gs://{name} is paused: python -m function resume gs://{name}" for name in status.paused]
        return lines
