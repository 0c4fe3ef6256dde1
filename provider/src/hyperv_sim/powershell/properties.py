"""How cmdlets declare their objects: one row per property, with its .NET type and where its value comes from.

A live object is a plain Python object of the host's state whose class has been described here, or a value of
`hyperv_sim.records`. It stays live between the commands of a pipeline and is serialised only at the pipeline's end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, TypeVar

from hyperv_sim.fidelity import POWERSHELL, fact
from hyperv_sim.records import EnumMember, NetList, NetObject, Scalar, ScalarType, Value
from hyperv_sim.state.enumerations import NetEnum

T = TypeVar("T")

PRIMITIVE_BASES = ("System.ValueType", "System.Object")
SECURE_STRING = "System.Security.SecureString"
HASHTABLE = ("System.Collections.Hashtable", "System.Object")
ARRAY = ("System.Object[]", "System.Array", "System.Object")
NULL = ("System.Object",)


@dataclass(frozen=True)  # no slots: Python 3.10 and 3.11 cannot construct a frozen generic class with them by alias
class Property(Generic[T]):
    """One property of an object.

    `type_name` is the .NET type of a primitive; an enumeration, a nested object and a list of these say it themselves
    ("Object"). `since` is the first Windows version that has the property. `is_script` marks a property that a type
    file adds: it goes on the wire among the extended ones; to a CIM object as text, besides the raw value of its name.
    `is_constant`: the value is the same for all objects, and `get` looks at none.
    """

    name: str
    type_name: ScalarType | str
    get: Callable[[T], object]
    since: str = "2016"
    is_script: bool = False
    is_constant: bool = False


@dataclass(frozen=True, eq=False)  # a key by its identity: there is one for each class, with dozens of properties
class ObjectType(Generic[T]):
    """A described class: type names from the most derived, properties in their order, and what ToString() gives.

    `notes` are extended properties that go out with every object and that no command sees.
    """

    type_names: tuple[str, ...]
    properties: tuple[Property[T], ...]
    text: Callable[[T], str]
    notes: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Selected:
    """What Select-Object makes: an object with note properties, live until the pipeline ends."""

    type_names: tuple[str, ...]
    values: Mapping[str, object] = field(default_factory=dict)


_DESCRIBED: dict[type, ObjectType[Any]] = {}


def describe(  # noqa: PLR0913  # a declaration, with its parts by name
    kind: type[T],
    type_name: str,
    properties: Sequence[Property[T]],
    *,
    bases: Sequence[str] = (),
    text: Callable[[T], str] | None = None,
    notes: Mapping[str, Value] | None = None,
) -> None:
    """Declare that objects of the Python class `kind` are .NET objects of this type.

    `bases` are the types between it and System.Object. Without `text`, ToString() gives the type's name, as .NET does.
    """
    _DESCRIBED[kind] = ObjectType(
        (type_name, *bases, "System.Object"), tuple(properties), text or (lambda _: type_name), notes or {}
    )


def described(live: object) -> ObjectType[Any] | None:
    """The declaration of a live object, or None for a value of `records` or a selection."""
    return _DESCRIBED.get(type(live))


def undescribed(live: object) -> type | None:
    """The Python class that keeps a live object from being serialised, or None: it is described, or of `records`."""
    if isinstance(live, tuple):
        return next((kind for item in live if (kind := undescribed(item))), None)
    is_value = live is None or isinstance(live, Scalar | EnumMember | NetObject | Mapping | Selected)
    return None if is_value or described(live) else type(live)


def type_names(live: object) -> tuple[str, ...]:
    """The .NET types of a live object, from the most derived one. Raises TypeError if it has no description."""
    if isinstance(live, Selected | NetObject):
        return live.type_names
    if isinstance(live, EnumMember):
        return (live.type_name, "System.Enum", *PRIMITIVE_BASES)
    if isinstance(live, Scalar) and live.type_name == "SecureString":
        return (SECURE_STRING, "System.Object")
    if isinstance(live, Scalar):
        bases = ("System.Object",) if live.type_name in ("String", "Version") else PRIMITIVE_BASES
        return (f"System.{live.type_name}", *bases)
    if isinstance(live, Mapping | tuple):
        return HASHTABLE if isinstance(live, Mapping) else live.type_names if isinstance(live, NetList) else ARRAY
    return NULL if live is None else _description(live).type_names


def _description(live: object) -> ObjectType[Any]:
    description = described(live)
    if description is None:
        raise TypeError(f"{live!r} is not described")
    return description


def _live(type_name: str, raw: object) -> object:
    if raw is None or isinstance(raw, Scalar | EnumMember | NetList) or type(raw) in _DESCRIBED:
        return raw
    if isinstance(raw, NetEnum):
        return EnumMember(raw.type_name, raw.text, int(raw.value))
    if isinstance(raw, list | tuple):
        return tuple(_live(type_name, item) for item in raw)
    if type_name == "Object":
        raise TypeError(f"a property of type Object gave {raw!r}, which is not described")
    return Scalar(type_name, raw)  # type: ignore[arg-type]  # rows spell a ScalarType; a mistake fails in the tests


def rows(live: object, windows: str) -> Sequence[Property[Any]]:
    """The properties that a live object has on this Windows version."""
    description = described(live)
    return _rows(description, windows) if description else ()


@cache
def _rows(description: ObjectType[Any], windows: str) -> Sequence[Property[Any]]:
    return [row for row in description.properties if row.since <= windows]


def get(live: object, name: str, windows: str) -> tuple[str, object] | None:
    """A property's own spelling and live value, or None if the object has no such property. Any case is taken.

    A type file's property hides the raw one of its name, as PowerShell looks extended members up first.
    """
    wanted = name.lower()
    if isinstance(live, Selected | NetObject | Mapping):
        members = _members(live)
        return next(((key, value) for key, value in members.items() if key.lower() == wanted), None)
    found = [row for row in rows(live, windows) if row.name.lower() == wanted]
    row = next((row for row in found if row.is_script), found[0] if found else None)
    return (row.name, _live(row.type_name, row.get(live))) if row else None


def _members(live: Selected | NetObject | Mapping[str, object]) -> Mapping[str, object]:
    """What PowerShell finds by a name; of a hashtable that is what is under its keys."""
    if isinstance(live, NetObject):
        return {**live.adapted, **live.extended}
    return live.values if isinstance(live, Selected) else live


def to_string(live: object) -> str:
    """What .NET's ToString() gives for a live value."""
    if live is None:
        return ""
    if isinstance(live, EnumMember):
        return live.name
    if isinstance(live, Scalar):
        return SECURE_STRING if live.type_name == "SecureString" else str(live.value)
    if isinstance(live, NetObject):
        return live.text
    if isinstance(live, Selected):
        return "@{" + "; ".join(f"{key}={to_string(value)}" for key, value in live.values.items()) + "}"
    return type_names(live)[0] if isinstance(live, Mapping | tuple) else _description(live).text(live)


def _flat(live: object) -> Value:
    """A value written at depth 0: primitives stay, lists keep their items, all else is its text."""
    if live is None or isinstance(live, Scalar):
        return live
    if isinstance(live, EnumMember):
        return Scalar("String", live.name)
    if isinstance(live, tuple):
        return _same_list(live, [_flat(item) for item in live])
    return Scalar("String", to_string(live))


def _same_list(live: tuple[object, ...], items: Sequence[Value]) -> tuple[Value, ...]:
    """The items as a collection of the same types."""
    return NetList(live.type_names, items) if isinstance(live, NetList) else tuple(items)


@cache
def _template(description: ObjectType[Any], windows: str) -> tuple[Mapping[str, Value], Mapping[str, Value]]:
    """The adapted and the extended properties in their order, with the values that all objects have in common.

    An object of the module has dozens of properties, and a class of machines is written often.
    """
    adapted: dict[str, Value] = {}
    extended: dict[str, Value] = {}
    for row in _rows(description, windows):
        value = _flat(_live(row.type_name, row.get(None))) if row.is_constant else None
        (extended if row.is_script else adapted)[row.name] = value
    return adapted, {**extended, **description.notes}


@cache
def _read_rows(description: ObjectType[Any], windows: str) -> Sequence[Property[Any]]:
    return [row for row in _rows(description, windows) if not row.is_constant]


def _object(live: object, windows: str) -> NetObject:
    """An object with its own first level of properties."""
    if isinstance(live, NetObject):
        return live
    description = _description(live)
    in_common = _template(description, windows)
    adapted, extended = dict(in_common[0]), dict(in_common[1])
    for row in _read_rows(description, windows):
        raw = row.get(live)
        value = raw if isinstance(raw, Scalar) else _flat(_live(row.type_name, raw))
        (extended if row.is_script else adapted)[row.name] = value
    return NetObject(description.type_names, adapted, extended, description.text(live))


def _noted(live: object, windows: str) -> Value:
    """A note property's value, written at depth 1: enumerations and objects stay objects."""
    if live is None or isinstance(live, Scalar | EnumMember):
        return live
    if isinstance(live, tuple):
        return _same_list(live, [_noted(item, windows) for item in live])
    if isinstance(live, Mapping):
        return {key: _noted(value, windows) for key, value in live.items()}
    return _object(live, windows)


def serialised(live: object, windows: str) -> Value:
    """A live object as remoting serialises it, at depth 1."""
    if isinstance(live, Selected):
        # One object under two names is written once, and then referred to: it has to be one object here too.
        noted = {id(value): _noted(value, windows) for value in live.values.values()}
        notes = {name: noted[id(value)] for name, value in live.values.items()}
        return NetObject(live.type_names, extended=notes)  # a PSCustomObject goes out without its text
    return _noted(live, windows)


fact(
    "PowerShell",
    "objects at depth 1: enumerations and objects within a whole object are text, after Select-Object objects",
    POWERSHELL,
)
