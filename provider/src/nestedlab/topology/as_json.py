"""A topology as plain values for JSON, with names as Pulumi spells them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from pydantic.alias_generators import to_camel

from nestedlab.topology.model import Topology


def as_json(topology: Topology) -> dict[str, Any]:
    """The topology as JSON can hold it. What is not known, or not there, is left out."""
    return dict(_plain(topology))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        named = {to_camel(field.name): _plain(getattr(value, field.name)) for field in fields(value)}
        return {name: plain for name, plain in named.items() if plain not in (None, "")}
    return [_plain(part) for part in value] if isinstance(value, tuple) else value
