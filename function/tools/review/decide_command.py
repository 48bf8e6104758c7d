"""`python -m function decide`: decisions from a review page, or of one pair by its name."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from function.deadline import Deadline
from function.errors import CompositeError
from function.manifest.flat_fields import BOX_FIELD, parse_value
from function.settings import InvalidSettingsError
from function.sidecar.pair import Sidecar
from function.storage.client import AccessDeniedError, Storage
from function.storage.names import is_object_uri, split_gs_uri
from function.tools.cli.odd_objects import shown
from function.tools.cli.terminal import bucket_and_prefix, confirmed, counted, fail, limits_here, open_storage
from function.tools.explain import UsageError
from function.tools.review.ask_again import ImpossibleRequestError, read_sidecar
from function.tools.review.decide import OUTCOMES_SAID, Outcome, write_decisions
from function.tools.review.decisions import (
    MAX_COMMENT_CHARS,
    ONLY_PRODUCT,
    Decision,
    InvalidDecisionsError,
    decision_from,
    read_decisions,
)
from function.tools.review.price import Price
from function.tools.review.who import who
from function.tools.timeouts import CALL_S

DECIDE_HELP = """\
Carries out decisions about pictures. With who decided and when, they are written to the picture's metadata
("review-decision": accept or reject). A picture that was made again since then is left alone, and reported.

\b
  python -m function decide decisions.json gs://output         what a review page has exported
  python -m function decide gs://output --accept spring/000002 --reject spring/000005
  python -m function decide gs://output --redo spring/000003 --reason "the cap is cut off"
  python -m function decide gs://output --pick spring/000004 --attempt 2

--redo has the pair made again: the model is told the reason, and the seed is another one. It says the price and
asks before; the function's caps hold. --pick makes another attempt the result; nothing is paid. Both write the
manifest again into the input bucket, and the picture follows as after any upload. A catalogue that is uploaded again
leaves such rows alone unless they have changed.

The default of --by is the account that you are signed in with. Anyone with write access to the bucket can write
another name; the bucket's audit logs have the real caller.
"""


@dataclass(frozen=True)
class _Details:
    """What is said of the pairs that are named on the command line."""

    comment: str | None
    reason: str | None
    placement: str | None
    box: tuple[str, ...]
    seed: int | None
    attempts: int | None
    attempt: int | None


def _one_at_most(context: click.Context, _: click.Parameter, given: tuple[Path, ...]) -> Path | None:
    if len(given) > 1:
        raise click.UsageError(f"Got unexpected extra argument ({given[1]})", context)
    return given[0] if given else None


@click.command(help=DECIDE_HELP)
@click.argument(
    "decisions_file",
    type=click.Path(path_type=Path),
    nargs=-1,  # an optional one before one that is required
    callback=_one_at_most,
    metavar="[decisions.json]",
    help="from a review page",
)
@click.argument("target", metavar="gs://OUTPUT[/PREFIX]", help="where the pictures are")
@click.option("--by", metavar="NAME", help="who decided")
@click.option("--accept", multiple=True, metavar="PAIR", help="accept the picture of this pair")
@click.option("--reject", multiple=True, metavar="PAIR", help="reject it")
@click.option("--redo", multiple=True, metavar="PAIR", help="have it made again")
@click.option("--pick", multiple=True, metavar="PAIR", help="make another attempt the result")
@click.option("--comment", metavar="TEXT", help=f"kept with the picture, {MAX_COMMENT_CHARS} characters at most")
@click.option("--reason", metavar="TEXT", help="of --redo: what is wrong, told to the model")
@click.option("--placement", metavar="TEXT", help="of --redo: another placement")
@click.option(
    "--box",
    multiple=True,
    metavar="[NAME=]X Y W H",
    help="of --redo: where the product, or the one of several of that name, is to stand, in shares of the scene",
)
@click.option("--seed", type=int, metavar="N", help="of --redo; default: a random one")
@click.option("--attempts", type=int, metavar="N", help="of --redo: pictures that it may cost")
@click.option("--attempt", type=int, metavar="N", help="of --pick: which attempt")
@click.option("--yes", is_flag=True, help="do not ask before something is paid for")
def decide(
    decisions_file: Path | None,
    target: str,
    by: str | None,
    accept: tuple[str, ...],
    reject: tuple[str, ...],
    redo: tuple[str, ...],
    pick: tuple[str, ...],
    yes: bool,
    **details: Any,
) -> int:
    """Carry the decisions out. 0: all done; 1: one of them could not be; 2: it could not be done."""
    try:
        storage = open_storage(bucket_and_prefix(target)[0])
        if decisions_file:
            decisions = read_decisions(decisions_file)
        else:
            named = {"accept": accept, "reject": reject, "redo": redo, "pick": pick}
            decisions = _named(named, _Details(**details), lambda name: _find(storage, target, name))
        prices = [_price(storage, target, one) for one in decisions if one.decision == "redo"]
        if prices and not _agreed(prices, yes=yes):
            print("nothing was done")
            return 0
        person = (by or "").strip() or who()
        outcomes: Counter[Outcome] = Counter()
        for decision, outcome in write_decisions(decisions, target, storage, person):
            outcomes[outcome] += 1
            if outcome != "written":
                print(f"{shown(decision.subject)}: {OUTCOMES_SAID[outcome]}", file=sys.stderr)
    except (
        InvalidDecisionsError,
        UsageError,
        InvalidSettingsError,
        CompositeError,
        AccessDeniedError,
        ValueError,
        OSError,
    ) as error:
        return fail(error)
    print(f"{outcomes['written']} of {counted(len(decisions), 'decision')} written")
    if prices and outcomes["written"]:
        print(f"Follow it with:\n  python -m function status {target} --watch")
    return 0 if outcomes["written"] == len(decisions) else 1


def _named(
    named: dict[str, tuple[str, ...]], details: _Details, find: Callable[[str], tuple[str, Sidecar]]
) -> list[Decision]:
    """The decisions about `named` pairs, by what was decided. Raises UsageError, InvalidDecisionsError."""
    rows = []
    for decision, names in named.items():
        for name in names:
            sidecar_name, sidecar = find(name)
            row: dict[str, object] = {
                "decision": decision,
                "sidecar": sidecar_name,
                "result": sidecar.result.uri if sidecar.result else None,
                "manifest_generation": sidecar.manifest.generation if sidecar.manifest else None,
                "comment": details.comment,
            }
            if decision == "redo":
                reasons = [check.reason for check in sidecar.checks.values() if not check.passed]
                row |= {"feedback": details.reason if details.reason is not None else " ".join(reasons)[:500]}
                row |= {"placement": details.placement, "boxes": _boxes(details.box)}
                row |= {"seed": details.seed, "attempts": details.attempts}
            elif decision == "pick":
                row |= {"attempt": details.attempt}
            rows.append(decision_from(row, f"--{decision} {name}"))
    if not rows:
        raise UsageError("name a file of decisions, or pairs with --accept, --reject, --redo or --pick")
    return rows


def _boxes(given: tuple[str, ...]) -> dict[str, object]:
    """The boxes of --box by product, not checked yet. Raises ValueError."""
    named = [text.rpartition("=") for text in given]
    return {name or ONLY_PRODUCT: parse_value(BOX_FIELD, box) for name, _, box in named}


def _find(storage: Storage, target: str, name: str) -> tuple[str, Sidecar]:
    """The sidecar of a pair that a person calls `a/b/pair`, by its picture's name or by its address too."""
    bucket, prefix = bucket_and_prefix(target)
    if is_object_uri(name) and split_gs_uri(name)[0] == bucket:
        name = split_gs_uri(name)[1]
    stem, _, suffix = name.rpartition(".")
    names = [f"{name}.json", *([f"{stem}.json"] if stem and "/" not in suffix else [])]
    for candidate in [*names, *([f"{prefix}/{one}" for one in names] if prefix else [])]:
        try:
            return candidate, read_sidecar(storage, bucket, candidate, Deadline(CALL_S))
        except ImpossibleRequestError as problem:
            if problem.outcome != "missing":
                raise UsageError(f"{shown(name)}: {OUTCOMES_SAID[problem.outcome]}") from None
    raise UsageError(f"{shown(name)}: there is no such pair in gs://{bucket}; its name is that on the review page")


def _price(storage: Storage, target: str, decision: Decision) -> Price | None:
    """Of a redo; None where its pair cannot be read, which is said when it is carried out."""
    limits = limits_here()
    try:
        sidecar = read_sidecar(storage, split_gs_uri(target)[0], decision.sidecar, Deadline(CALL_S))
    except ImpossibleRequestError:
        return None
    model = sidecar.model.requested_id if sidecar.model else limits.gemini_model
    return Price.of(model, decision.attempts or limits.max_attempts)


def _agreed(prices: list[Price | None], *, yes: bool) -> bool:
    known = [price for price in prices if price]
    least = sum(price.each_usd for price in known)
    most = sum(price.each_usd * price.pictures for price in known)
    each = str(known[0]) if len(known) == 1 else f"about ${least:.2f}, at most ${most:.2f}"
    print(f"{counted(len(prices), 'pair')} to make again: {each}; the function's caps hold")
    return confirmed("go on?", yes=yes)
