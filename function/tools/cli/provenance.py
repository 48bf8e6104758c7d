"""`python -m function provenance FILE…`: what a file says of its origin, and whether that holds."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import click

from function.imaging.formats import FORMATS, detect_format
from function.imaging.xmp import DIGITAL_SOURCE_TYPE
from function.provenance.reading import read_file
from function.provenance.rights import read_rights
from function.provenance.sandbox import Sandbox
from function.sidecar.files import ProvenanceRecord
from function.tools.cli.terminal import fail

HELP = """\
Prints what the content credentials (C2PA) of files say, whether they hold, who signed, and what the metadata say of
rights. It fetches nothing, and asks no list of trusted signers: "valid" means that the credentials belong to this
file and were signed by the key of the certificate that they show.

\b
  python -m function provenance composite-local/results/demo/bottle.jpg
"""
CARRIED = re.compile(
    rb'composite:role="([\w.-]{1,60})" composite:sha256="\w{64}" composite:credentials="([A-Za-z0-9+/=]+)"'
)
STORE_TYPE = "application/c2pa"


@click.command(help=HELP)
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="FILE...")
def provenance(files: tuple[Path, ...]) -> int:
    """Print. 0: all that is said holds; 1: some does not, or a file says nothing; 2: a file cannot be read."""
    sandbox, status = Sandbox(), 0
    try:
        for path in files:
            content = path.read_bytes()
            kind = detect_format(content)
            found = read_file(content, FORMATS[kind].mime_type if kind else "", sandbox)
            print(f"{path}: {headline(found)}")
            for line in [*described(found), *_other_words(content, sandbox)]:
                print(f"  {line}")
            status = max(status, 0 if found is not None and found.state == "valid" else 1)
    except OSError as error:
        return fail(error)
    finally:
        sandbox.close()
    return status


def headline(found: ProvenanceRecord | None) -> str:
    """The state in a few words."""
    if found is None:
        return "no content credentials"
    said = {
        "valid": "valid",
        "invalid": "DOES NOT HOLD",
        "unreadable": "CANNOT BE READ",
        "elsewhere": "kept elsewhere",
        "unsigned": "not signed",
    }[found.state]
    return f"{said}, signed with a TEST certificate" if found.test else said


def described(found: ProvenanceRecord | None) -> list[str]:
    """What they say, line by line."""
    if found is None:
        return []
    lines = [f"signed by: {found.issuer}"] if found.issuer else []
    lines += [f"made with: {found.generator}"] if found.generator else []
    lines += [f"signed at: {found.time}"] if found.time else []
    lines += [f"says: {claim}" for claim in found.claims]
    lines += [f"made of: {ingredient}" for ingredient in found.ingredients]
    return lines + ([f"note: {found.note}"] if found.note else [])


def _other_words(content: bytes, sandbox: Sandbox) -> list[str]:
    """Of the metadata, which anybody can write."""
    is_marked = DIGITAL_SOURCE_TYPE.encode() in content
    lines = ["metadata say: a composite with something generated (IPTC)"] if is_marked else []
    rights = read_rights(content)
    stated = {"creator": ", ".join(rights.creators), "copyright": rights.copyright, "terms": rights.terms}
    stated |= {"licence": rights.licence, "credit": rights.credit}
    lines += [f"{name}: {value}" for name, value in stated.items() if value]
    for role, store in CARRIED.findall(content):
        found = read_file(base64.b64decode(store), STORE_TYPE, sandbox)
        names = "; ".join(found.ingredients) or found.generator if found else None
        lines.append(f"carried along, unsigned: credentials of the {role.decode()} ({names or 'unreadable'})")
    return lines
