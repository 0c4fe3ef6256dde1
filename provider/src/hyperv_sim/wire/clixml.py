"""Between the values of `records` and the values of psrpcore, which writes and reads CLIXML ([MS-PSRP] 2.2.5)."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from psrpcore import types as ps

from hyperv_sim.records import EnumMember, NetObject, Scalar, ScalarType, Value
from hyperv_sim.wire.outgoing import OutgoingArray, OutgoingObject, OutgoingProperty


def to_wire(value: Value) -> Any:
    """Give psrpcore's form of a value that goes out, with the .NET type that the value names."""
    match value:
        case None:
            return None
        case Scalar():
            return _OUTGOING[value.type_name](value.value)
        case EnumMember():
            return _enum_member(value.type_name, value.name, value.number)
        case NetObject():
            return _object_to_wire(value)
        case Mapping():
            return {str(key): to_wire(item) for key, item in value.items()}
        case _:
            return OutgoingArray(map(to_wire, value))


def from_wire(value: Any) -> Value:
    """Give the form of `records` to a value that came in.

    A type that `records` has no scalar for (ScriptBlock, Decimal, XmlDocument ...) becomes a NetObject of that type
    name, so that a binder refuses it rather than takes it for a string.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return Scalar("Boolean", value)
    if isinstance(value, enum.Enum):
        return EnumMember(value.PSObject.type_names[0], value.name, int(value.value))  # type: ignore[attr-defined]
    for python_type, read in _INCOMING:
        if isinstance(value, python_type):
            return read(value)
    return _object_from_wire(value)


def escaped(text: str) -> str:
    """Escape what XML 1.0 cannot carry, as CLIXML does; psrpcore leaves it undone in ToString."""
    return _NOT_IN_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


_NOT_IN_XML = re.compile("[\x00-\x1f\x7f-\x9f]")


def _object_to_wire(value: NetObject) -> OutgoingObject:
    return OutgoingObject(
        type_names=value.type_names,
        adapted_properties=_properties(value.adapted),
        extended_properties=_properties(value.extended),
        to_string=escaped(value.text),
    )


def _properties(values: Mapping[str, Value]) -> list[OutgoingProperty]:
    return [OutgoingProperty(name, to_wire(value)) for name, value in values.items()]


@lru_cache(maxsize=1024)
def _enum_member(type_name: str, name: str, number: int) -> enum.Enum:
    """Make a member that is written as .NET's are: type names, ToString with the name, I32 with the number.

    Where one member stands twice in a message psrpcore writes the second as a reference; Windows boxes it anew.
    """
    module, _, own_name = type_name.rpartition(".")
    made: Any = enum.Enum(own_name, {name: number}, module=module)  # type: ignore[misc] # made at run time
    member: enum.Enum = made[name]
    return member


def _duration(value: timedelta) -> ps.PSDuration:
    """Give a TimeSpan. psrpcore 0.3.1 writes 10, 20 .. 50 whole seconds as 1 .. 5; a tick (100 ns) more avoids that."""
    seconds = value % timedelta(minutes=1) if value >= timedelta(0) else -value % timedelta(minutes=1)
    is_misspelt = seconds and not seconds % timedelta(seconds=10)
    return ps.PSDuration(value, nanoseconds=100 if is_misspelt else 0)


_kept = lru_cache(maxsize=1024)  # psrpcore's own values are dear to make, and many are the same

# Plain Python values where psrpcore writes them as the type asked for: they cost it a quarter of what its own cost.
_OUTGOING: dict[ScalarType, Callable[[Any], Any]] = {
    "Boolean": bool,
    "Byte": _kept(ps.PSByte),
    "Byte[]": bytes,
    "DateTime": lambda value: value,
    "Double": ps.PSDouble,
    "Guid": lambda value: value,
    "Int16": _kept(ps.PSInt16),
    "Int32": int,
    "Int64": _kept(ps.PSInt64),
    "SecureString": ps.PSSecureString,
    "Single": ps.PSSingle,
    "String": str,
    "TimeSpan": _duration,
    "UInt16": _kept(ps.PSUInt16),
    "UInt32": _kept(ps.PSUInt),
    "UInt64": _kept(ps.PSUInt64),
    "Version": _kept(ps.PSVersion),
}


def _integer(type_name: ScalarType) -> Callable[[Any], Value]:
    def read(value: Any) -> Value:
        types = [name.removeprefix("Deserialized.") for name in value.PSTypeNames]
        if "System.Enum" in types:  # an enumeration member of a type that psrpcore does not know
            return EnumMember(types[0], value.PSObject.to_string or str(int(value)), int(value))
        return Scalar(type_name, int(value))

    return read


def _mapping_from_wire(value: Mapping[Any, Any]) -> Value:
    return {str(key): from_wire(item) for key, item in value.items()}


def _array_from_wire(value: Iterable[Any]) -> Value:
    return tuple(from_wire(item) for item in value)


def _opaque(value: Any) -> Value:
    return NetObject(tuple(value.PSTypeNames), text=str(value))


# In this order: a psrpcore type that derives from another stands before it.
_INCOMING: tuple[tuple[Any, Callable[[Any], Value]], ...] = (
    (ps.PSInt64, _integer("Int64")),
    (ps.PSInt16, _integer("Int16")),
    (ps.PSByte, _integer("Byte")),
    (ps.PSUInt16, _integer("UInt16")),
    (ps.PSUInt64, _integer("UInt64")),
    (ps.PSUInt, _integer("UInt32")),
    ((ps.PSSByte, ps.PSChar, ps.PSDecimal, ps.PSScriptBlock, ps.PSUri, ps.PSXml), _opaque),
    (ps.PSInt, _integer("Int32")),
    (ps.PSDouble, lambda value: Scalar("Double", float(value))),
    (ps.PSSingle, lambda value: Scalar("Single", float(value))),
    (ps.PSVersion, lambda value: Scalar("Version", str(value))),
    (ps.PSSecureString, lambda value: Scalar("SecureString", str(value.decrypt()))),
    (str, lambda value: Scalar("String", str(value))),
    (bytes, lambda value: Scalar("Byte[]", bytes(value))),
    (UUID, lambda value: Scalar("Guid", UUID(int=value.int))),
    (datetime, lambda value: Scalar("DateTime", datetime.combine(value.date(), value.timetz()))),
    (timedelta, lambda value: Scalar("TimeSpan", timedelta(microseconds=value // timedelta(microseconds=1)))),
    (dict, _mapping_from_wire),
    (list, _array_from_wire),
)


def _object_from_wire(value: Any) -> Value:
    meta = value.PSObject
    return NetObject(
        type_names=tuple(meta.type_names),
        adapted={entry.name: from_wire(entry.get_value(value)) for entry in meta.adapted_properties},
        extended={entry.name: from_wire(entry.get_value(value)) for entry in meta.extended_properties},
        text=meta.to_string or "",
    )
