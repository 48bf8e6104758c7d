"""What `composite_http` takes and gives, as an OpenAPI description (https://spec.openapis.org/oas/v3.1.1).

The schemas are those of the models that the function itself works with.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from function import PIPELINE_VERSION
from function.delivery.accept import MIME_TYPES
from function.delivery.http_answers import HEALTH_PATH, OPENAPI_PATH, OWN_STATUS_OF, PAIRS_PATH, STATUS_OF
from function.delivery.http_form import FILE_FIELDS, PRODUCT_FILE, SEVERAL_FILES
from function.manifest.flat_fields import FLAT_FIELDS, LABEL_PREFIX
from function.manifest.model import Manifest
from function.manifest.placement import PRODUCT_MASK_FIELD
from function.manifest.product_views import MAX_VIEWS
from function.sidecar.pair import Sidecar

JsonDict = dict[str, Any]

DESCRIPTION = (
    "Puts a product photograph into a scene. Callers need permission: send a Google identity token whose audience is "
    "the service's address. Answers of 401 and 403 that are not JSON come from the platform."
)
MEANING = {
    400: "the request or its manifest is invalid",
    403: "an image reference points where this function may not read",
    404: "an image does not exist",
    406: "no format that Accept allows can be produced; nothing was billed",
    408: "the body did not arrive in time",
    413: "the request, or an image, is too large",
    415: "an image is in an unsupported format",
    422: "an image cannot be read",
    429: "a spending cap is used up; Retry-After says until when, where that is known",
    502: "the model returned no picture",
    503: "the model or storage cannot be reached; the same request may succeed later",
    504: "the time for a request is used up; what was paid for is kept, and found by the same request for a week",
}
OUTCOME = ("X-Request-Id", "X-Composite-Status", "X-Composite-Usd")
TEXT: JsonDict = {"type": "string"}
PICTURE: JsonDict = {"type": "string", "format": "binary"}


def openapi() -> JsonDict:
    """The document, ready for JSON."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Product composites", "version": PIPELINE_VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"identityToken": []}],
        "paths": {
            PAIRS_PATH: {"post": _pair()},
            HEALTH_PATH: _readable("health", "Whether the server answers; calls no other service", "Health"),
            OPENAPI_PATH: _readable("openapi", "This description", "OpenApi"),
        },
        "components": {
            "schemas": _schemas(),
            "headers": _headers(),
            "securitySchemes": {"identityToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _pair() -> JsonDict:
    json_form = {"application/json": {"schema": _schema("Composite")}}
    pictures = {mime_type: {"schema": PICTURE} for mime_type in MIME_TYPES}
    return {
        "operationId": "composite",
        "summary": "One product into one scene",
        "parameters": [
            {
                "name": "X-Request-Id",
                "in": "header",
                "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,128}$"},
                "description": "returned in the response, and logged as event_id",
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _schema("Manifest")},
                "multipart/form-data": {"schema": _schema("Form")},
            },
        },
        "responses": {
            "200": _response("the picture, or JSON that holds it", json_form | pictures, OUTCOME),
            "201": _response("the picture was too large to be sent; it is stored", json_form, (*OUTCOME, "Location")),
            **_errors(),
        },
    }


def _errors() -> JsonDict:
    """A response for each status, with the codes that it can have."""
    codes: dict[int, list[str]] = {}
    for code, status in {**{code.value: status for code, status in STATUS_OF.items()}, **OWN_STATUS_OF}.items():
        codes.setdefault(status, []).append(code)
    return {
        str(status): _response(
            f"{MEANING[status]} ({', '.join(codes[status])})",
            {"application/json": {"schema": _error_schema(codes[status])}},
            (*OUTCOME, "Retry-After") if status == 429 else OUTCOME,
        )
        for status in sorted(MEANING)
    }


def _error_schema(codes: list[str]) -> JsonDict:
    narrower = {"properties": {"error": {"properties": {"code": {"enum": codes}}}}}
    return {"allOf": [_schema("Error"), narrower]}


def _readable(name: str, summary: str, schema: str) -> JsonDict:
    content = {"application/json": {"schema": _schema(schema)}}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "responses": {"200": _response(summary, content, ("X-Request-Id",))},
        },
        "head": {
            "operationId": f"{name}Head",
            "summary": f"{summary}, without a body",
            "responses": {"200": _response(summary, {}, ("X-Request-Id",))},
        },
    }


def _response(description: str, content: JsonDict, headers: tuple[str, ...]) -> JsonDict:
    stated: JsonDict = {"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers}}
    return {"description": description, **stated, **({"content": content} if content else {})}


def _schema(name: str) -> JsonDict:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> JsonDict:
    image = "data:image/…;base64,… , or gs://bucket/object where it is stored"
    message = {"type": "object", "properties": {"code": TEXT, "message": TEXT}, "required": ["code", "message"]}
    return {
        **_models(Manifest, "validation"),
        **_models(Sidecar, "serialization"),
        "Form": {
            "type": "object",
            "description": "files for the images, or references as in a manifest; every other field as text",
            "properties": {name: _form_field(name) for name in FLAT_FIELDS},
            "patternProperties": {
                f"^{LABEL_PREFIX.replace('.', '[.]')}.": TEXT,
                f"^{PRODUCT_FILE.replace('.', '[.]')}.": _photographs(),
                f"^{PRODUCT_MASK_FIELD.pattern}$": PICTURE,
            },
            "additionalProperties": False,
        },
        "Composite": {
            "type": "object",
            "properties": {
                "sidecar": _schema("Sidecar"),
                "image": {"type": "string", "description": f"the first picture: {image}"},
                "images": {
                    "type": "object",
                    "description": "all pictures of a manifest with outputs, by name",
                    "additionalProperties": {"type": "string", "description": image},
                },
            },
            "required": ["sidecar", "image"],
            "additionalProperties": False,
        },
        "Error": {
            "type": "object",
            "properties": {"error": {**message, "additionalProperties": False}},
            "required": ["error"],
            "additionalProperties": False,
        },
        "Health": {
            "type": "object",
            "properties": {"status": {"const": "ok"}, "pipeline_version": TEXT},
            "required": ["status", "pipeline_version"],
        },
        "OpenApi": {"type": "object", "required": ["openapi", "info", "paths"]},
    }


def _photographs() -> JsonDict:
    several = {"type": "array", "items": PICTURE, "minItems": 1, "maxItems": MAX_VIEWS}
    return {"oneOf": [PICTURE, several], "description": "one file, or several of this name: the first leads"}


def _form_field(name: str) -> JsonDict:
    if name == SEVERAL_FILES:
        return _photographs()
    return PICTURE if name in FILE_FIELDS else TEXT


def _models(model: type[BaseModel], mode: Any) -> JsonDict:
    """A model's schema and those of its parts, by name."""
    schema = model.model_json_schema(by_alias=True, mode=mode, ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), model.__name__: schema}


def _headers() -> JsonDict:
    return {
        "X-Request-Id": {"schema": TEXT, "required": True, "description": "the caller's own, or a new one"},
        "X-Composite-Status": {"schema": {"enum": ["accepted", "review", "failed"]}, "description": "as in a sidecar"},
        "X-Composite-Usd": {"schema": TEXT, "description": "its cost in USD; absent where no price is known"},
        "Retry-After": {"schema": TEXT, "description": "seconds until the cap has room, where that is known"},
        "Location": {"schema": TEXT, "description": "gs:// address of the picture"},
    }
