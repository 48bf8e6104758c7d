"""`python -m function review` and `python -m function decide`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from itertools import chain
from pathlib import Path

from function.errors import CompositeError
from function.storage.client import Forbidden
from function.storage.names import split_gs_uri
from function.tools.cli.odd_objects import OddObjects, shown
from function.tools.cli.spending import spending_today
from function.tools.cli.terminal import UsageProblem, fail, open_storage
from function.tools.review.cloud import CloudStore
from function.tools.review.decide import DecisionsInvalid, Outcome, read_decisions, write_decisions
from function.tools.review.page import FULL_SIZE_PAIRS, write_review
from function.tools.review.pair import load_pairs
from function.tools.review.pictures import PREVIEW_PX
from function.tools.review.who import who

REVIEW_HELP = f"""\
Writes a page to look at every pair under a prefix of the output bucket: a folder with index.html and its
pictures. It needs no server and no network; open it in a browser, keep it, or copy it to a bucket.

  python -m function review gs://output
  python -m function review gs://output/spring --to spring-review

Run it again as more pairs settle: pictures that are there already are not read again, and decisions stay.
Up to {FULL_SIZE_PAIRS} pairs the originals are copied too, so that 100 % shows every pixel. Above that the
page has {PREVIEW_PX}-pixel previews and a link to each original. --full copies them whatever the number
(about 10 MB a 4K pair), --previews never does.
"""

DECIDE_HELP = """\
Writes the decisions downloaded from a review page to the metadata of the pictures, under "review-decision"
(accept or reject), with who decided ("review-decided-by") and when ("review-decided-at"). A picture that was made
anew since it was judged is left alone, and said so.

  python -m function decide decisions.json gs://output
  python -m function decide decisions.json gs://output --by jo@example.com

Without --by it is the account that you are signed in with. Anybody who may write to the bucket may write another
name: who really called is in its audit logs.
"""

OUTCOMES_SAID = {
    "written": "written",
    "replaced": "made anew since it was judged: look again",
    "missing": "not there any more",
    "no_result": "not a result that the function has written",
    "elsewhere": "not under the address that was given",
    "forbidden": "this identity may not change it",
}


def review_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `review`; `run` is set to what runs it."""
    parser.description = REVIEW_HELP
    parser.add_argument("source", metavar="gs://OUTPUT[/PREFIX]", help="where the sidecars are")
    parser.add_argument("--to", type=Path, default=Path("review"), metavar="DIR", help="default: review")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--full", action="store_true", default=None, help="copy the originals too")
    size.add_argument("--previews", action="store_false", dest="full", help="never copy the originals")
    parser.set_defaults(run=run_review)


def decide_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `decide`; `run` is set to what runs it."""
    parser.description = DECIDE_HELP
    parser.add_argument("decisions", type=Path, metavar="decisions.json", help="from a review page")
    parser.add_argument("target", metavar="gs://OUTPUT[/PREFIX]", help="where the pictures are")
    parser.add_argument("--by", metavar="NAME", help="who decided")
    parser.set_defaults(run=run_decide)


def run_review(args: argparse.Namespace) -> int:
    """Write the page, print where it is. 0: written; 1: nothing is settled yet; 2: it could not be done."""
    try:
        storage = open_storage(split_gs_uri(args.source)[0])
        pairs = load_pairs(CloudStore(storage), args.source, OddObjects().name)
        first = next(pairs, None)
        if first is None:
            return fail(f"no settled pair under {args.source} yet", code=1)
        today = spending_today(storage, split_gs_uri(args.source)[0])
        page = write_review(
            chain([first], pairs), args.to, args.source, full=args.full, progress=_tell, spending=str(today or "")
        )
    except (UsageProblem, CompositeError, Forbidden, ValueError, OSError) as error:
        return fail(error)
    print(f"review: {page}")
    return 0


def _tell(done: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} pairs ", end="", file=sys.stderr, flush=True)


def run_decide(args: argparse.Namespace) -> int:
    """Write the decisions. 0: all written; 1: one of them could not be; 2: it could not be done."""
    try:
        decisions = read_decisions(args.decisions)
        by = (args.by or "").strip() or who()
        outcomes: Counter[Outcome] = Counter()
        for decision, outcome in write_decisions(decisions, args.target, open_storage(), by):
            outcomes[outcome] += 1
            if outcome != "written":
                print(f"{shown(decision.result_uri)}: {OUTCOMES_SAID[outcome]}", file=sys.stderr)
    except (DecisionsInvalid, CompositeError, Forbidden, ValueError, OSError) as error:
        return fail(error)
    print(f"{outcomes['written']} of {len(decisions)} decisions written")
    return 0 if outcomes["written"] == len(decisions) else 1
