"""What a result's XMP says: whose rights are in it, and the credentials that no signature carries."""

from __future__ import annotations

from collections.abc import Sequence

from function.imaging.formats import WriteFormat
from function.imaging.xmp import MAX_BYTES, Carried, Rights, xmp_packet
from function.pipeline.record import RunRecord
from function.provenance.rights import joined_rights

NOT_CARRIED = "they do not fit into the metadata of a {} and were dropped; a signature would carry them"


def result_xmp(record: RunRecord, product_fields: Sequence[Sequence[str]], kind: WriteFormat, *, signed: bool) -> str:
    """The packet of a result in the format `kind`; `product_fields`: what each product's photographs are called.

    Where it is to be `signed`, its manifest holds the credentials of what it is made of; else they are kept here as
    they were, as far as they fit, and the inputs' record says what does not.
    """
    scene, *products = (_stated_rights(record, fields) for fields in (("scene",), *product_fields))
    rights = joined_rights(scene, products)
    carried: list[Carried] = []
    for role, one in () if signed else record.ingredients.items():
        if one.archive is None:
            continue
        if one.places:
            record.note_provenance(one, "they say where it was taken; without a signature they are dropped as a whole")
            continue
        tried = [*carried, Carried(role, one.sha256, one.archive)]
        if len(xmp_packet(rights, tried).encode()) <= MAX_BYTES[kind]:
            carried = tried
        else:
            record.note_provenance(one, NOT_CARRIED.format(kind))
    return xmp_packet(rights, carried)


def _stated_rights(record: RunRecord, fields: Sequence[str]) -> Rights:
    """The first photograph that states any speaks for its product."""
    return next((one for field in fields if (one := record.rights.get(field, Rights())) != Rights()), Rights())
