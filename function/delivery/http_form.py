"""A form (`multipart/form-data`) → a manifest's fields, and the images that came as files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO, Any

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser

from function.errors import InvalidManifestError
from function.manifest.flat_fields import FLAT_FIELDS, is_known, join_views, set_field, short
from function.manifest.placement import MASK_FIELD, PRODUCT_MASK_FIELD
from function.manifest.product_views import view_field
from function.pipeline.fetch import Source, check_size

FILE_FIELDS = ("scene", "product", MASK_FIELD)
SEVERAL_FILES = "product"  # views of it, the first leading
PRODUCT_FILE = "products."  # before the name of one of several products
MAX_NAMED = 5  # of unknown fields
MAX_FORM_FIELDS = 200  # every field of a manifest, 32 labels, and room


def parse_form(
    body: bytes, parameters: Mapping[str, str], max_source_bytes: int
) -> tuple[dict[str, Any], dict[str, Source]]:
    """Form fields are the manifest's (`labels.sku`, `output.format` too); files are its images → both, by field.

    `parameters` are those of the content type. Raises InvalidManifestError, SourceTooLargeError.
    """
    # Images may come as data: references in fields; the library's own limit is half a megabyte.
    parser = FormDataParser(
        stream_factory=_in_memory, max_form_memory_size=len(body), max_form_parts=MAX_FORM_FIELDS, silent=False
    )
    try:
        _, texts, files = parser.parse(io.BytesIO(body), "multipart/form-data", len(body), dict(parameters))
    except HTTPException:
        raise InvalidManifestError(f"the form has more than the {MAX_FORM_FIELDS} parts allowed") from None
    except ValueError as error:
        raise InvalidManifestError(f"the form cannot be read: {error}") from None
    # The names are the caller's own, and as long as the form.
    if unknown := [short(name) for name in texts if not is_known(name)]:
        raise InvalidManifestError(f"{', '.join(unknown[:MAX_NAMED])}: unknown field (known: {', '.join(FLAT_FIELDS)})")
    fields: dict[str, Any] = {}
    try:
        for name, text in texts.items(multi=True):
            set_field(fields, name, text)
    except ValueError as error:
        raise InvalidManifestError(str(error)) from None
    uploaded: dict[str, Source] = {}
    for name, upload in files.items(multi=True):
        try:
            _add_file(name, upload.read(), fields, uploaded, max_source_bytes)
        except ValueError as error:
            raise InvalidManifestError(str(error)) from None
    try:
        join_views(fields)
    except ValueError as error:
        raise InvalidManifestError(str(error)) from None
    return fields, uploaded


def _add_file(
    name: str, content: bytes, fields: dict[str, Any], uploaded: dict[str, Source], max_source_bytes: int
) -> None:
    """Put a file among the `uploaded`, and its placeholder into the manifest's `fields`. Raises
    InvalidManifestError, SourceTooLargeError, ValueError."""
    if name == MASK_FIELD:
        check_size(name, "the uploaded file", len(content), max_source_bytes)
        set_field(fields, name, "data:,")
        uploaded[name] = Source("upload:" + name, None, content)
        return
    if of_product := PRODUCT_MASK_FIELD.fullmatch(name):
        check_size(name, "the uploaded file", len(content), max_source_bytes)
        _set_mask(name, _product_called(f"{PRODUCT_FILE}{of_product[1]}", fields))
        uploaded[name] = Source("upload:" + name, None, content)
        return
    part, key = (fields, name) if name in FILE_FIELDS else (_product_called(name, fields), "product")
    if part is None:
        raise _unknown_file(name)
    earlier = [field for field in uploaded if field == name or field.startswith(f"{name}.")]
    if (key in part and not earlier) or (earlier and key != SEVERAL_FILES):
        raise InvalidManifestError(f"{name} is given twice")
    field = view_field(name, len(earlier))
    check_size(field, "the uploaded file", len(content), max_source_bytes)
    if same := next((one for one in earlier if uploaded[one].content == content), None):
        raise InvalidManifestError(f"{field}: it is the same photograph as {same}; send each once")
    # The manifest's model wants references; the bytes themselves go beside them.
    part[key] = ["data:,", *(f"data:,{index}" for index in range(1, len(earlier) + 1))] if earlier else "data:,"
    uploaded[field] = Source("upload:" + field, None, content)


def _set_mask(name: str, product: dict[str, Any] | None) -> None:
    """Put a placeholder for the mask's file `name` beside the words of its product. Raises InvalidManifestError."""
    if product is None:
        raise _unknown_file(name)
    asked = product.get("placement") or {}
    if isinstance(asked, str):
        asked = {"words": asked}
    if not isinstance(asked, dict) or "mask" in asked:
        raise InvalidManifestError(f"{name} is given twice")
    product["placement"] = asked | {"mask": "data:,"}


def _unknown_file(name: str) -> InvalidManifestError:
    known = f"{', '.join(FILE_FIELDS)}, {PRODUCT_FILE}NAME and {PRODUCT_FILE}NAME.{MASK_FIELD} of one of products"
    return InvalidManifestError(f"{short(name)}: unknown file (known: {known})")


def _product_called(name: str, fields: dict[str, Any]) -> dict[str, Any] | None:
    """The one of `products` that the file `products.NAME` shows."""
    products = fields.get("products")
    called = name.removeprefix(PRODUCT_FILE)
    if called == name or not isinstance(products, list):
        return None
    return next((one for one in products if isinstance(one, dict) and one.get("name") == called), None)


def _in_memory(*_: Any, **__: Any) -> IO[bytes]:
    """Temporary files would be memory too, where the function runs."""
    return io.BytesIO()
