"""From the values of psrpcore, which reads CLIXML ([MS-PSRP] 2.2.5), to those of `records`."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psrpcore import types as ps

from hyperv_sim.records import EnumMember, NetObject, Scalar, ScalarType, Value


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
