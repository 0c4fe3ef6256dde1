"""The state of a host as plain data that two moments can be compared by."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from uuid import UUID

VOLATILE = {"volatile": True}
"""Marks a field that a snapshot leaves out: it changes without anyone changing the host."""

AS_TEXT = (UUID, IPv4Address, IPv4Network, IPv6Address)


def plain(thing: object) -> object:
    """Dataclasses as dicts without their volatile fields, enumerations by name, ids and addresses as text."""
    if is_dataclass(thing) and not isinstance(thing, type):
        kept = [field for field in fields(thing) if not field.metadata.get("volatile")]
        return {field.name: plain(getattr(thing, field.name)) for field in kept}
    if isinstance(thing, dict):
        return {str(key): plain(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple | set | frozenset):
        return [plain(item) for item in thing]
    if isinstance(thing, Enum):
        return thing.name
    return str(thing) if isinstance(thing, AS_TEXT) else thing
