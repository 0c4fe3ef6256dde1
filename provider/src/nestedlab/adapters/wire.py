"""Properties on Pulumi's wire: camelCase names, numbers that may arrive as floats, values not known yet."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pulumi.output import Unknown
from pulumi.runtime import rpc
from pydantic import alias_generators

from nestedlab.declare import Plain, Resource

to_camel = cache(alias_generators.to_camel)
to_snake = cache(alias_generators.to_snake)


def from_wire(kind: type[Resource], sent: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The properties by attribute name, and the names of those that have no value yet.

    The SDK's own keys (`__provider`) are left out; a key that is no attribute stays, to be refused or translated.
    """
    names = _names(kind)
    values = {names.get(key, key): value for key, value in sent.items() if not key.startswith("__")}
    unknown = {name for name, value in values.items() if _has_unknown(value)}
    return {name: _plain(value) for name, value in values.items() if name not in unknown}, unknown


@cache
def _names(kind: type[Resource]) -> Mapping[str, str]:
    attributes = (*kind.attributes(), *kind.outputs.attributes())
    return {to_camel(name): name for attribute in attributes for name in (attribute.name, *attribute.row.formerly)}


def to_wire(values: Mapping[str, Plain]) -> dict[str, Any]:
    """The properties by wire name; those without a value are left out."""
    return {to_camel(name): _camel(value) for name, value in values.items() if value is not None}


def path_on_wire(path: tuple[str, ...]) -> str:
    """A property's path as Pulumi writes it: osDisk.sizeGib."""
    return ".".join(to_camel(part) for part in path)


def _has_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_unknown(part) for part in value.values())
    if isinstance(value, list):
        return any(_has_unknown(part) for part in value)
    return isinstance(value, Unknown) or value == rpc.UNKNOWN


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {to_snake(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    # A protobuf Struct knows no whole numbers: 4 arrives as 4.0.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _camel(value: Plain) -> Any:
    if isinstance(value, dict):
        return {to_camel(key): _camel(part) for key, part in value.items() if part is not None}
    return [_camel(part) for part in value] if isinstance(value, list) else value
