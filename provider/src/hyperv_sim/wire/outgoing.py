"""Objects and arrays with just what psrpcore reads of a value that it writes.

psrpcore's own PSObject collects all of its properties at each access to one of its attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class OutgoingProperty:
    """A property and its value."""

    name: str
    value: Any

    def get_value(self, _of: object) -> Any:
        """Give the value; psrpcore asks so."""
        return self.value


@dataclass(slots=True)
class OutgoingMeta:
    """What psrpcore reads of a value's PSObject."""

    type_names: Sequence[str] = ()
    adapted_properties: Sequence[OutgoingProperty] = ()
    extended_properties: Sequence[OutgoingProperty] = ()
    to_string: str = ""


class OutgoingObject:
    """An object with its properties."""

    __slots__ = ("PSObject", "__weakref__")  # psrpcore knows an object again by a weak reference

    def __init__(self, **meta: Any) -> None:
        self.PSObject = OutgoingMeta(**meta)


class OutgoingArray(list[Any]):
    """An array of objects; psrpcore takes a list for an ArrayList."""

    PSObject = OutgoingMeta(("System.Object[]", "System.Array", "System.Object"))
