"""What a result's XMP says: whose rights are in it, and the credentials that no signature carries."""

from __future__ import annotations

from function.imaging.formats import WriteFormat
from function.imaging.xmp import MAX_BYTES, Carried, Rights, xmp_packet
from function.pipeline.record import RunRecord
from function.provenance.rights import joined_rights

NOT_CARRIED = "they do not fit into the metadata of a {} and were dropped; a signature would carry them"


def result_xmp(record: RunRecord, kind: WriteFormat, *, signed: bool) -> str:
    """The packet of a result in the format `kind`. Where it is to be `signed`, its manifest holds the credentials of
    what it is made of; else they are kept here as they were, as far as they fit, and the inputs' record says what does
    not.
    """
    # The first photograph that states any speaks for all: beside the scene's a result has room for one.
    of_products = (stated for field, stated in record.rights.items() if field != "scene" and stated != Rights())
    rights = joined_rights(record.rights.get("scene", Rights()), next(of_products, Rights()))
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
