"""A plausible JSON answer to a response schema, as a text model that likes the picture would give it."""

from __future__ import annotations

from typing import Any

CONTENT = 0.9  # share of a number's range that stands for "good"


def fill_schema(schema: dict[str, Any]) -> Any:
    """A value that fits `schema` (OpenAPI subset or JSON Schema); unknown parts become an empty object."""
    if "anyOf" in schema:
        return fill_schema(schema["anyOf"][0])
    if schema.get("enum"):
        return schema["enum"][0]
    kind = str(schema.get("type", "object")).lower()
    if kind == "object":
        return {name: fill_schema(item) for name, item in schema.get("properties", {}).items()}
    if kind == "array":
        return [fill_schema(schema.get("items", {})) for _ in range(int(schema.get("minItems", 0)))]
    if kind in {"number", "integer"}:
        low, high = float(schema.get("minimum", 0)), float(schema.get("maximum", 1))
        value = low + CONTENT * (high - low)
        return round(value) if kind == "integer" else round(value, 3)
    if kind == "boolean":
        return True
    return "The product stands on the surface and its label is readable." if kind == "string" else None
