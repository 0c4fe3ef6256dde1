"""What the reference page of the course file shows of each key, from its JSON schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from course_schema import MODELS, schema

_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "array": "list"}
_LIMITS = {"exclusiveMinimum": "above", "minimum": "at least", "maximum": "at most", "exclusiveMaximum": "below"}
_FORMATS = {"path": "path", "file-path": "path of a file"}


def parts() -> list[dict[str, Any]]:
    """The kinds of things that a course file has, each with its keys."""
    root = schema()
    shown = {"Course": root, **root["$defs"]}
    return [_part(model.__name__, shown[model.__name__]) for model in MODELS]


def _part(name: str, part: Mapping[str, Any]) -> dict[str, Any]:
    required = part.get("required", ())
    rows = [_row(key, value, required=key in required) for key, value in part["properties"].items()]
    return {"name": name, "meaning": part["description"], "rows": sorted(rows, key=lambda row: not row["is_required"])}


def _row(key: str, value: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    default = value.get("default")
    shown = (
        ""
        if default in (None, "")
        else "empty"
        if default in ({}, [])
        else f"`{str(default).lower() if isinstance(default, bool) else default}`"
    )
    return {
        "key": key,
        "value": ", ".join(dict.fromkeys(_kinds(value))),
        "default": "required" if required else shown,
        "is_required": required,
        "meaning": value["description"],
    }


def _kinds(value: Mapping[str, Any]) -> Iterator[str]:
    """What a value may be."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        yield f"[{name}](#{name.lower()})"
    elif "anyOf" in value or "oneOf" in value:
        for each in value.get("anyOf") or value["oneOf"]:
            yield from _kinds(each)
    elif "enum" in value:
        yield from (f"`{each}`" for each in value["enum"])
    elif value.get("type") == "array":
        yield f"list of {' or '.join(_kinds(value['items']))}"
    elif value.get("type") == "object":
        inside = value.get("additionalProperties") or next(iter(value.get("patternProperties", {}).values()), None)
        yield f"map of {' or '.join(_kinds(inside))}" if isinstance(inside, dict) and inside else "map"
    elif value.get("type") != "null":
        limits = [f"{words} {value[limit]:g}" for limit, words in _LIMITS.items() if limit in value]
        yield " ".join([_FORMATS.get(value.get("format", ""), _TYPES[value["type"]]), " and ".join(limits)]).strip()
