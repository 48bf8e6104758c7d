"""`python -m function`: schemas, local emulation, and the tools around catalogues and reviews."""

from __future__ import annotations

import argparse
import json
import sys

from function import PIPELINE_VERSION
from function.cli import redrive, status, submit
from function.local import demo
from function.manifest import Manifest
from function.review import command as review
from function.sidecar import CatalogueSidecar, Sidecar

DOCUMENTS = {"manifest": Manifest, "sidecar": Sidecar, "catalogue-sidecar": CatalogueSidecar}


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and run one command → exit status."""
    parser = argparse.ArgumentParser(
        "python -m function", description="Places product photographs into scenes: tools around the function."
    )
    parser.add_argument("--version", action="version", version=PIPELINE_VERSION)
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    demo.add_parsers(subparsers)
    submit.add_parser(subparsers)
    status.add_parser(subparsers)
    review.add_parsers(subparsers)
    redrive.add_parser(subparsers)
    _add_schema(subparsers)
    options = parser.parse_args(arguments)
    return options.run(options)


def _add_schema(subparsers: argparse._SubParsersAction) -> None:
    schema = subparsers.add_parser(
        "schema", help="print the JSON Schema of a manifest or a sidecar", description="Prints a JSON Schema."
    )
    schema.add_argument("document", choices=list(DOCUMENTS))
    schema.set_defaults(run=_print_schema)


def _print_schema(options: argparse.Namespace) -> int:
    model = DOCUMENTS[options.document]
    print(json.dumps(model.model_json_schema(by_alias=True), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
