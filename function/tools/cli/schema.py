"""`python -m function schema`: the JSON Schemas of what goes in and what comes out."""

from __future__ import annotations

import json

import click
from pydantic import BaseModel

from function.manifest.model import Manifest
from function.manifest.style import Style
from function.sidecar.catalogue import CatalogueSidecar
from function.sidecar.pair import Sidecar

DOCUMENTS: dict[str, type[BaseModel]] = {
    "manifest": Manifest,
    "style": Style,
    "sidecar": Sidecar,
    "catalogue-sidecar": CatalogueSidecar,
}


@click.command(help="Prints a JSON Schema.")
@click.argument("document", type=click.Choice(list(DOCUMENTS)))
def schema(document: str) -> int:
    """Print one schema."""
    print(json.dumps(DOCUMENTS[document].model_json_schema(by_alias=True), indent=2))
    return 0
