"""`python -m function schema`: the JSON Schemas of what goes in and what comes out."""

from __future__ import annotations

import argparse
import json

from pydantic import BaseModel

from function.manifest.model import Manifest
from function.manifest.style import Style
from function.sidecar import CatalogueSidecar, Sidecar

DOCUMENTS: dict[str, type[BaseModel]] = {
    "manifest": Manifest,
    "style": Style,
    "sidecar": Sidecar,
    "catalogue-sidecar": CatalogueSidecar,
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments; `run` is set to what runs it."""
    parser.description = "Prints a JSON Schema."
    parser.add_argument("document", choices=list(DOCUMENTS))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print one schema."""
    print(json.dumps(DOCUMENTS[args.document].model_json_schema(by_alias=True), indent=2))
    return 0
