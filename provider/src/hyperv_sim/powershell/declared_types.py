"""Objects of the Hyper-V module's classes: their properties, types and order are those of `contract.classes`.

A cmdlet's file gives the values that it knows, by the property's name. The other properties are there too, null or an
empty list, and the fidelity page lists them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TypeVar, get_args

from hyperv_sim.contract.classes import declared, numbers
from hyperv_sim.fidelity import fact
from hyperv_sim.powershell.properties import Property, describe, undescribed
from hyperv_sim.records import EnumMember, NetList, Scalar, ScalarType
from hyperv_sim.state.enumerations import NetEnum

T = TypeVar("T")

_UNTOLD: dict[str, Sequence[str]] = {}
_SCALARS = frozenset(get_args(ScalarType))
_GENERIC = re.compile(r"System\.Collections\.Generic\.(List|IReadOnlyList)<(.+)>")
_MSCORLIB = "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"
_MODULE = "Microsoft.HyperV.PowerShell.Objects, Version=10.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35"


def describe_class(  # noqa: PLR0913  # a declaration, with its parts by name
    kind: type[T],
    class_name: str,
    values: Mapping[str, Callable[[T], object]],
    *,
    constants: Mapping[str, object] | None = None,
    bases: Sequence[str] = (),
    aliases: Mapping[str, str] | None = None,
    since: Mapping[str, str] | None = None,
    text: Callable[[T], str] | None = None,
    as_class: str | None = None,
) -> None:
    """Declare that objects of the Python class `kind` are objects of this class of the module.

    `constants` are the values that are the same for all objects. `aliases` are the type file's further names, each for
    a property. `since` is the first Windows version that has a property. `as_class` is the class that declares the
    properties, if it is another one. Raises KeyError for a name that the class does not declare.
    """
    types = declared(as_class or class_name)
    since = since or {}
    told: dict[str, Property[T]] = {}
    for name, get in values.items():
        told[name] = Property(name, "Object", _getter(types[name], get), since.get(name, "2016"))
    for name, constant in (constants or {}).items():
        told[name] = _constant(name, _live(types[name], constant), since.get(name, "2016"))
    rows = [told.get(name) or _untold(name, types[name], since.get(name, "2016")) for name in types]
    by_name = {row.name: row for row in rows}
    for alias, name in (aliases or {}).items():
        source = by_name[name]
        rows.append(Property(alias, "Object", source.get, source.since, is_script=True, is_constant=source.is_constant))
    describe(kind, class_name, rows, bases=bases, text=text)
    _UNTOLD[class_name] = tuple(name for name in types if name not in told)


def untold() -> Mapping[str, Sequence[str]]:
    """The properties of each class that are null or empty because no source tells their values."""
    return {class_name: names for class_name, names in sorted(_UNTOLD.items()) if names}


def _live(type_name: str, raw: object) -> object:
    """A value of the host's state as a live one of a declared type; None stays null."""
    return raw if raw is None else _reader(type_name)(raw)


def _getter(type_name: str, get: Callable[[T], object]) -> Callable[[T], object]:
    read = _reader(type_name)  # once for a property, and not for each object

    def value(thing: T) -> object:
        raw = get(thing)
        return raw if raw is None else read(raw)

    return value


def _constant(name: str, value: object, since: str) -> Property[T]:
    return Property(name, "Object", lambda _: value, since, is_constant=True)


def _untold(name: str, type_name: str, since: str) -> Property[T]:
    element = _element(type_name)
    return _constant(name, _live(type_name, ()) if element else None, since)


@cache
def _reader(type_name: str) -> Callable[[object], object]:
    """What makes a raw value that is not None a live one of the type."""
    bare = type_name.removesuffix("?")
    element = _element(bare)
    if element:
        return _list_reader(element, _list_types(bare, element))
    if bare in _SCALARS:
        return lambda raw: Scalar(bare, raw)  # type: ignore[arg-type]  # one of the names just looked up
    members = numbers(bare)
    return _member_reader(bare, members) if members else _object_reader(bare)


def _element(type_name: str) -> str | None:
    """The type of a collection's items, or None if the type is no collection. Byte[] is a scalar of its own."""
    generic = _GENERIC.fullmatch(type_name)
    if generic:
        short = generic[2].removeprefix("System.")
        return short if short in _SCALARS else generic[2]
    return type_name.removesuffix("[]") if type_name.endswith("[]") and type_name not in _SCALARS else None


def _list_types(type_name: str, element: str) -> tuple[str, ...]:
    item = f"System.{element}" if element in _SCALARS else element
    generic = _GENERIC.fullmatch(type_name)
    if not generic:
        return (f"{item}[]", "System.Array", "System.Object")
    assembly = _MSCORLIB if element in _SCALARS else _MODULE
    of = "Generic.List" if generic[1] == "List" else "ObjectModel.ReadOnlyCollection"
    return (f"System.Collections.{of}`1[[{item}, {assembly}]]", "System.Object")


def _list_reader(element: str, type_names: tuple[str, ...]) -> Callable[[object], object]:
    read = _reader(element)

    def items(raw: object) -> NetList:
        if not isinstance(raw, list | tuple):
            raise TypeError(f"{raw!r} is no list, as {type_names[0]} is")
        return NetList(type_names, [read(item) for item in raw])  # type: ignore[misc]  # live, until it goes out

    return items


def _member_reader(type_name: str, members: Mapping[str, int]) -> Callable[[object], object]:
    """A member by its name; a number that is no member's is its own name, as .NET shows it."""
    found = {name: EnumMember(type_name, name, number) for name, number in members.items()}

    def member(raw: object) -> EnumMember:
        if isinstance(raw, int):
            return EnumMember(type_name, str(raw), raw)
        return found[raw.text if isinstance(raw, NetEnum) else str(raw)]

    return member


def _object_reader(type_name: str) -> Callable[[object], object]:
    def described(raw: object) -> object:
        if undescribed(raw):
            raise TypeError(f"a property of type {type_name} gave {raw!r}, which is not described")
        return raw

    return described


fact(
    "PowerShell",
    "the properties of the Hyper-V module's objects, with types and order, enumerations and their numbers",
    "the reflection of the module of 2019 in the test stubs of dsccommunity/HyperVDsc",
)
fact(
    "PowerShell",
    "a list within an object has its own type; that of an IReadOnlyList is inferred",
    "recorded on a PowerShell 7.6; the assembly's name from Microsoft's module for shielded machines",
)
