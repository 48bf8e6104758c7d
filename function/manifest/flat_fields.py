"""A manifest's fields as flat names with text values, as a spreadsheet's columns and an HTML form give them:
`output.format` and `labels.sku` are fields of a field.
"""

from __future__ import annotations

import json
import re
from typing import Any, get_args

from function.manifest import json_text
from function.manifest.model import Manifest
from function.manifest.output_target import Output
from function.manifest.placement import Placement
from function.manifest.product_views import MAX_VIEWS, view_field

LABEL_PREFIX = "labels."
# Spreadsheets write 768 as 768.0 or 768,0; with three zeros it might be a thousand.
WHOLE_NUMBER = re.compile(r"([+-]?[0-9]{1,18})(?:[.,]0{1,2})?")
NUMBER_FIELDS = ("budget_usd", "placement.height_cm", "placement.scene_cm_per_px", "placement.tolerance")
BOX_FIELD = "placement.box"  # four numbers, or a JSON list
WORDS = {"placement": "words"}  # a text beside fields of the field is this one of them
FLAG_FIELDS = ("batch",)
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
SHARE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,20})?|\.[0-9]{1,20}")
OBJECT_FIELDS = ("scene", "output", "labels", "placement", "placement.reference")  # may hold a JSON object
LIST_FIELDS = ("outputs",)  # hold a JSON list, or names with commas or blanks between them
JSON_LIST_FIELDS = ("product", "products")  # may hold one; a file may be called [1].png
JSON_LIST = re.compile(r'\s*\[\s*("|\{|\]\s*$)')
VIEW_FIELDS = tuple(view_field("product", index) for index in range(1, MAX_VIEWS))  # what `product` does not hold
NESTED_FIELDS = (
    *VIEW_FIELDS,
    "scene.prompt",
    *(f"output.{name}" for name in Output.model_fields),
    *(f"placement.{name}" for name in Placement.model_fields),
)
FLAT_FIELDS = (*Manifest.model_fields, *NESTED_FIELDS)


def _is_whole_number(annotation: Any) -> bool:
    return any(int in (one, *get_args(one)) for one in get_args(annotation))


WHOLE_NUMBER_FIELDS = {
    *(name for name, field in Manifest.model_fields.items() if _is_whole_number(field.annotation)),
    *(f"output.{name}" for name, field in Output.model_fields.items() if _is_whole_number(field.annotation)),
}


def is_known(name: str) -> bool:
    """Whether a manifest has such a field."""
    return name in FLAT_FIELDS or (name.startswith(LABEL_PREFIX) and len(name) > len(LABEL_PREFIX))


def set_field(fields: dict[str, Any], name: str, text: str) -> None:
    """Put the flat field `name` with its `text` into `fields`, a manifest's in the making.

    Raises ValueError, whose message names the field, when the text is not what the field holds, or the field is filled
    already.
    """
    value = parse_value(name, text)
    parent, _, child = (name, "", "") if name in VIEW_FIELDS else name.partition(".")
    if parent in WORDS and isinstance(fields.get(parent), str) and child:
        fields[parent] = {WORDS[parent]: fields[parent]}
    elif parent in WORDS and isinstance(fields.get(parent), dict) and isinstance(value, str):
        child = child or WORDS[parent]
    if not child:
        if parent in fields:
            raise ValueError(f"{parent} is given twice")
        fields[parent] = value
        return
    inner = fields.setdefault(parent, {})
    if not isinstance(inner, dict) or child in inner:
        raise ValueError(f"{parent} is given twice")
    inner[child] = value


def join_views(fields: dict[str, Any]) -> None:
    """Make one list of `product` and `product.1`, `product.2`, whose place is their number's. Raises ValueError."""
    further = [fields.pop(name) for name in VIEW_FIELDS if name in fields]
    if not further:
        return
    if "product" not in fields:
        raise ValueError("product is empty: the first photograph belongs there")
    if not isinstance(fields["product"], str):
        raise ValueError("product holds a list of photographs already: add the others there")
    fields["product"] = [fields["product"], *further]


def parse_value(name: str, text: str) -> Any:
    """The text of a flat field as the manifest holds it. Raises ValueError, whose message names the field."""
    if name in WHOLE_NUMBER_FIELDS:
        number = WHOLE_NUMBER.fullmatch(text.strip())
        if not number:
            raise ValueError(f"{name}: {short(text)} is not a whole number")
        return int(number[1])
    if name in NUMBER_FIELDS:
        if not NUMBER.fullmatch(text.strip()):
            raise ValueError(f"{name}: {short(text)} is not a number such as 12.50")
        return float(text)
    if name in FLAG_FIELDS:
        if text.strip().lower() not in FLAGS:
            raise ValueError(f"{name}: {short(text)} is neither true nor false")
        return FLAGS[text.strip().lower()]
    if name == BOX_FIELD and not text.lstrip().startswith("["):
        return _parse_box(text)
    if name == "products" and not text.lstrip().startswith("["):
        raise ValueError("products: must be a JSON list of objects with name, product and placement")
    is_list = name in LIST_FIELDS or name == BOX_FIELD
    if is_list and not text.lstrip().startswith("["):
        return text.replace(",", " ").split()
    is_list = is_list or (name in JSON_LIST_FIELDS and JSON_LIST.match(text) is not None)
    if is_list or (name in OBJECT_FIELDS and text.lstrip().startswith("{")):
        try:
            return parse_json(text)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return text


def _parse_box(text: str) -> list[float]:
    """Four numbers with blanks, commas or semicolons between them. A spreadsheet may write 0,25 for a quarter: then
    blanks or semicolons stand between the four. Raises ValueError."""
    parts = [part.strip(",").replace(",", ".") for part in re.split(r"[\s;]+", text.strip())]
    if len(parts) != 4:
        parts = re.split(r"[\s,;]+", text.strip())
    if len(parts) != 4 or not all(SHARE.fullmatch(part) for part in parts):
        raise ValueError(f"{BOX_FIELD}: {short(text)} is not four numbers such as 0.4 0.3 0.2 0.5")
    return [float(part) for part in parts]


def parse_json(text: str) -> Any:
    """Parsed JSON. Raises ValueError with a sentence for people."""
    try:
        return json_text.parse_json(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error.msg} at column {error.pos + 1}") from None


def short(text: str) -> str:
    """A text quoted in a message, cut to 60 characters."""
    return repr(text if len(text) <= 60 else text[:59] + "…")
