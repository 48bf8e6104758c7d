"""`python -m function review`: the page to look at results."""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path

import click

from function.errors import CompositeError
from function.storage.client import AccessDeniedError
from function.storage.names import split_gs_uri
from function.tools.cli.odd_objects import OddObjects
from function.tools.cli.spending import spending_today
from function.tools.cli.terminal import fail, open_storage
from function.tools.explain import UsageError
from function.tools.review.cloud import CloudStore
from function.tools.review.page import FULL_SIZE_PAIRS, write_review
from function.tools.review.pair import load_pairs
from function.tools.review.pictures import PREVIEW_PX
from function.tools.review.serve import serve_review

DEFAULT_FOLDER = Path("review")

REVIEW_HELP = f"""\
Writes a page to look at every pair under a prefix of the output bucket: a folder with index.html and its
pictures. It needs no server and no network; open it in a browser, keep it, or copy it to a bucket.

\b
  python -m function review gs://output
  python -m function review gs://output/spring --to spring-review

Run it again as more pairs settle: pictures that are there already are not read again, and decisions stay.
Up to {FULL_SIZE_PAIRS} pairs the originals are copied too, so that 100 % shows every pixel. Above that the
page has {PREVIEW_PX}-pixel previews and a link to each original. --full copies them whatever the number
(about 10 MB a 4K pair), --previews never does.

\b
  python -m function review gs://output/spring --serve

serves the page on this machine until Ctrl-C, and adds functions to it: your decisions are written to the
bucket at once, a picture can be made again with your words (the price is shown first), another attempt can be picked,
and new pictures appear by themselves. It is bound to 127.0.0.1, and its address holds a token that is new each time.
"""


@click.command(help=REVIEW_HELP)
@click.argument("source", metavar="gs://OUTPUT[/PREFIX]", help="where the sidecars are")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="default: review; with --serve a folder that is deleted at the end",
)
@click.option("--serve", is_flag=True, help="serve it on this machine, with redo and pick")
@click.option("--port", type=int, default=0, metavar="N", help="of --serve; default: a free one")
@click.option("--by", metavar="NAME", help="of --serve: who decides; default: the account you are signed in with")
@click.option("--full/--previews", default=None, help="copy the originals too, or never")
def review(source: str, to: Path | None, serve: bool, port: int, by: str | None, full: bool | None) -> int:
    """Write the page, print where it is. 0: written; 1: nothing is settled yet; 2: it could not be done."""
    try:
        storage = open_storage(split_gs_uri(source)[0])
        if serve:
            return serve_review(storage, source, to, port=port, full=full, by=(by or "").strip())
        pairs = load_pairs(CloudStore(storage), source, OddObjects().name)
        first = next(pairs, None)
        if first is None:
            return fail(f"no settled pair under {source} yet", code=1)
        today = spending_today(storage, split_gs_uri(source)[0])
        page = write_review(
            chain([first], pairs),
            to or DEFAULT_FOLDER,
            source,
            full=full,
            progress=_tell,
            spending=str(today or ""),
        )
    except (UsageError, CompositeError, AccessDeniedError, ValueError, OSError) as error:
        return fail(error)
    print(f"review: {page}")
    return 0


def _tell(done: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} pairs ", end="", file=sys.stderr, flush=True)
