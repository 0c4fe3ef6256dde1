"""Writes what goes out as CLIXML ([MS-PSRP] 2.2.5), in the order and the form of PowerShell's own serializer.

psrpcore writes the protocol's own messages. It is not asked for output: it writes an enumeration's second appearance
as a reference, where .NET boxes the member anew, misspells some durations, and takes three times as long.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from math import isnan
from typing import Any
from xml.sax.saxutils import escape

from hyperv_sim.records import EnumMember, NetList, NetObject, Scalar, ScalarType, Value

_ENUM_BASES = ("System.Enum", "System.ValueType", "System.Object")
_ARRAY = ("System.Object[]", "System.Array", "System.Object")
_HASHTABLE = ("System.Collections.Hashtable", "System.Object")

# What PowerShell escapes by its UTF-16 code units: control characters, all beyond the Basic Multilingual Plane, halves
# of a pair, and what would read as such an escape itself (serialization.cs, InternalSerializer.EncodeString).
_ESCAPED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\U00010000-\U0010ffff]|_(?=[xX])")

# What nearly all text consists of, and is written as it is; an underscore may have to be escaped.
_PLAIN = re.compile(r"[A-Za-z0-9 .,:;\\/()'`\[\]{}#@=+*?!$%|~^-]*")

# Neither are characters of XML 1.0; .NET's writer refers to them by number all the same, which strict readers refuse.
_NO_CHARACTERS = re.compile("[\ufffe\uffff]")

# TimeSpan.MaxValue, as near as Python's microseconds come.
_LONGEST = timedelta(days=10675199, hours=2, minutes=48, seconds=5, microseconds=477580)


def written(value: Value) -> str:
    """Give the element of a value."""
    writer = Writer()
    writer.add(value)
    return writer.text()


def escaped(text: str) -> str:
    """Escape what CLIXML's strings escape. What XML needs escaped besides is left to its writer."""
    return _ESCAPED.sub(_code_units, text)


def _code_units(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", errors="surrogatepass")
    return "".join(f"_x{units[at : at + 2].hex().upper()}_" for at in range(0, len(units), 2))


class Writer:
    """One message: objects are numbered, and a list of type names is written once and then referred to."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._objects = 0
        self._types: dict[tuple[str, ...], int] = {}
        self._written: dict[int, int] = {}

    def text(self) -> str:
        """Give what was written."""
        return "".join(self._parts)

    def raw(self, xml: str) -> None:
        """Write what is XML already."""
        self._parts.append(xml)

    def begin(self, name: str = "", type_names: tuple[str, ...] = ()) -> int:
        """Begin an object and give its number; `name` is its N attribute, or nothing."""
        number = self._objects
        self._objects += 1
        of = f' N="{name}"' if name else ""
        self._parts.append(f'<Obj{of} RefId="{number}">{self._type_names(type_names) if type_names else ""}')
        return number

    def member(self, name: str, type_name: str, member: str, number: int) -> None:
        """Write a member of an enumeration."""
        self.begin(name, (type_name, *_ENUM_BASES))
        self._parts.append(f"<ToString>{text(member)}</ToString><I32>{number}</I32></Obj>")

    def add(self, value: Value, name: str = "") -> None:
        """Write the element of a value; an object that was written before is referred to."""
        match value:
            case Scalar():
                tag, form = _SCALARS[value.type_name]
                of = f' N="{name}"' if name else ""
                self._parts.append(f"<{tag}{of}>{form(value.value)}</{tag}>")
            case None:
                self._parts.append(f'<Nil N="{name}" />' if name else "<Nil />")
            case EnumMember():
                self.member(name, value.type_name, value.name, value.number)
            case NetObject():
                self._object(value, name)
            case Mapping():
                self.begin(name, _HASHTABLE)
                self.dictionary(value)
            case _:
                self.begin(name, value.type_names if isinstance(value, NetList) else _ARRAY)
                self.items(value)

    def items(self, values: Iterable[Value]) -> None:
        """Write the items of a list that has begun, and end it."""
        self._parts.append("<LST>")
        for value in values:
            self.add(value)
        self._parts.append("</LST></Obj>")

    def dictionary(self, entries: Mapping[str, Value]) -> None:
        """Write the entries of a dictionary that has begun, and end it."""
        self._parts.append("<DCT>")
        for key, item in entries.items():
            self._parts.append(f'<En><S N="Key">{text(str(key))}</S>')
            self.add(item, "Value")
            self._parts.append("</En>")
        self._parts.append("</DCT></Obj>")

    def _object(self, value: NetObject, name: str) -> None:
        before = self._written.get(id(value))
        if before is not None:
            self._parts.append(f'<Ref N="{name}" RefId="{before}" />' if name else f'<Ref RefId="{before}" />')
            return
        self._written[id(value)] = self.begin(name, value.type_names)
        if value.text:
            self._parts.append(f"<ToString>{text(value.text)}</ToString>")
        self._properties("Props", value.adapted)
        self._properties("MS", value.extended)
        self._parts.append("</Obj>")

    def _properties(self, tag: str, properties: Mapping[str, Value]) -> None:
        if properties:
            self._parts.append(f"<{tag}>")
            for name, value in properties.items():
                self.add(value, _name(name))
            self._parts.append(f"</{tag}>")

    def _type_names(self, names: tuple[str, ...]) -> str:
        if not names:
            return ""
        if names in self._types:
            return f'<TNRef RefId="{self._types[names]}" />'
        number = self._types[names] = len(self._types)
        return f'<TN RefId="{number}">{_listed(names)}</TN>'


@lru_cache(maxsize=4096)  # the names of properties and types are few, and are written with every object
def _name(name: str) -> str:
    return text(name)


@lru_cache(maxsize=512)
def _listed(type_names: tuple[str, ...]) -> str:
    return "".join(f"<T>{text(name)}</T>" for name in type_names)


def text(plain: str) -> str:
    """Escape text for an element or an attribute."""
    if _PLAIN.fullmatch(plain):
        return plain
    return _NO_CHARACTERS.sub(lambda found: f"&#x{ord(found[0]):X};", escape(escaped(plain), {'"': "&quot;"}))


def _floating(value: float) -> str:
    return "NaN" if isnan(value) else repr(value).upper().removesuffix(".0")


def _date(value: datetime) -> str:
    """Give a date as XmlConvert does: to 100 ns without zeros at the end, with its offset if it has one."""
    fraction = f".{value.microsecond:06}".rstrip("0") if value.microsecond else ""
    offset = value.strftime("%z")
    zone = "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:]}" if offset else ""
    return f"{value.strftime('%Y-%m-%dT%H:%M:%S')}{fraction}{zone}"


def _duration(value: timedelta) -> str:
    """Give a TimeSpan as XmlConvert does: P1DT2H3M4.5S, PT0S for none."""
    if value == _LONGEST:
        return "P10675199DT2H48M5.4775807S"
    sign, rest = ("-", -value) if value < timedelta(0) else ("", value)
    minutes, seconds = divmod(rest.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{rest.microseconds:06}".rstrip("0") if rest.microseconds else ""
    parts = ((hours, "H"), (minutes, "M"))
    time = "".join(f"{number}{unit}" for number, unit in parts if number)
    time += f"{seconds}{fraction}S" if seconds or fraction or not (time or rest.days) else ""
    return f"{sign}P{f'{rest.days}D' if rest.days else ''}{f'T{time}' if time else ''}"


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


_SCALARS: Mapping[ScalarType, tuple[str, Callable[[Any], str]]] = {
    "Boolean": ("B", lambda value: "true" if value else "false"),
    "Byte": ("By", str),
    "Byte[]": ("BA", _encoded),
    "DateTime": ("DT", _date),
    "Double": ("Db", _floating),
    "Guid": ("G", str),
    "Int16": ("I16", str),
    "Int32": ("I32", str),
    "Int64": ("I64", str),
    "Single": ("Sg", _floating),
    "String": ("S", text),
    "TimeSpan": ("TS", _duration),
    "UInt16": ("U16", str),
    "UInt32": ("U32", str),
    "UInt64": ("U64", str),
    "Version": ("Version", str),
}
"""The tag of a .NET type and how its value is written. A SecureString is not among them: none goes out."""
