"""`python -m function decide`: decisions from a review page, or of one pair by its name."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from function.deadline import Deadline
from function.errors import CompositeError
from function.settings import InvalidSettingsError
from function.sidecar import Sidecar
from function.storage.client import AccessDeniedError, Storage
from function.storage.names import is_object_uri, split_gs_uri
from function.tools.cli.odd_objects import shown
from function.tools.cli.terminal import bucket_and_prefix, confirmed, counted, fail, limits_here, open_storage
from function.tools.explain import UsageError
from function.tools.review.ask_again import ImpossibleRequestError, read_sidecar
from function.tools.review.decide import OUTCOMES_SAID, Outcome, write_decisions
from function.tools.review.decisions import (
    MAX_COMMENT_CHARS,
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
("review-decision": accept or reject). A picture that was made anew since it was judged is left alone, and said so.

  python -m function decide decisions.json gs://output         what a review page has exported
  python -m function decide gs://output --accept spring/000002 --reject spring/000005
  python -m function decide gs://output --redo spring/000003 --reason "the cap is cut off"
  python -m function decide gs://output --pick spring/000004 --attempt 2

--redo has the pair made again: the model is told the reason, and the seed is another one. It says the price and
asks before; the function's caps hold. --pick makes another attempt the result; nothing is paid. Both write the
manifest anew in the input bucket, and the picture follows as after any upload. A catalogue that is uploaded again
leaves such rows alone unless they have changed.

Without --by it is the account that you are signed in with. Anybody who may write to the bucket may write another
name: who really called is in its audit logs.
"""


def decide_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `decide`; `run` is set to what runs it."""
    parser.description = DECIDE_HELP
    parser.add_argument("decisions", nargs="?", type=Path, metavar="decisions.json", help="from a review page")
    parser.add_argument("target", metavar="gs://OUTPUT[/PREFIX]", help="where the pictures are")
    parser.add_argument("--by", metavar="NAME", help="who decided")
    for name, said in {
        "accept": "accept the picture of this pair",
        "reject": "reject it",
        "redo": "have it made again",
        "pick": "make another attempt the result",
    }.items():
        parser.add_argument(f"--{name}", action="append", default=[], metavar="PAIR", help=said)
    parser.add_argument(
        "--comment", metavar="TEXT", help=f"kept with the picture, {MAX_COMMENT_CHARS} characters at most"
    )
    parser.add_argument("--reason", metavar="TEXT", help="of --redo: what is wrong, told to the model")
    parser.add_argument("--placement", metavar="TEXT", help="of --redo: another placement")
    parser.add_argument("--seed", type=int, metavar="N", help="of --redo; default: a random one")
    parser.add_argument("--attempts", type=int, metavar="N", help="of --redo: pictures that it may cost")
    parser.add_argument("--attempt", type=int, metavar="N", help="of --pick: which attempt")
    parser.add_argument("--yes", action="store_true", help="do not ask before something is paid for")
    parser.set_defaults(run=run_decide)


def run_decide(args: argparse.Namespace) -> int:
    """Carry the decisions out. 0: all done; 1: one of them could not be; 2: it could not be done."""
    try:
        storage = open_storage(bucket_and_prefix(args.target)[0])
        if args.decisions:
            decisions = read_decisions(args.decisions)
        else:
            decisions = _named(args, lambda name: _find(storage, args.target, name))
        prices = [_price(storage, args.target, one) for one in decisions if one.decision == "redo"]
        if prices and not _agreed(prices, yes=args.yes):
            print("nothing was done")
            return 0
        by = (args.by or "").strip() or who()
        outcomes: Counter[Outcome] = Counter()
        for decision, outcome in write_decisions(decisions, args.target, storage, by):
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
        print(f"Follow it with:\n  python -m function status {args.target} --watch")
    return 0 if outcomes["written"] == len(decisions) else 1


def _named(args: argparse.Namespace, find: Callable[[str], tuple[str, Sidecar]]) -> list[Decision]:
    """The decisions that are named on the command line. Raises UsageError, InvalidDecisionsError."""
    rows = []
    for decision in ("accept", "reject", "redo", "pick"):
        for name in getattr(args, decision):
            sidecar_name, sidecar = find(name)
            row = {
                "decision": decision,
                "sidecar": sidecar_name,
                "result": sidecar.result.uri if sidecar.result else None,
                "manifest_generation": sidecar.manifest.generation if sidecar.manifest else None,
                "comment": args.comment,
            }
            if decision == "redo":
                reasons = [check.reason for check in sidecar.checks.values() if not check.passed]
                row |= {"feedback": args.reason if args.reason is not None else " ".join(reasons)[:500]}
                row |= {"placement": args.placement, "seed": args.seed, "attempts": args.attempts}
            elif decision == "pick":
                row |= {"attempt": args.attempt}
            rows.append(decision_from(row, f"--{decision} {name}"))
    if not rows:
        raise UsageError("name a file of decisions, or pairs with --accept, --reject, --redo or --pick")
    return rows


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
