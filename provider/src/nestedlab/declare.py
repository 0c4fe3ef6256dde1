"""The language of declarations: a resource is a table of rows, a row says everything about an attribute.

PowerShell's grammar makes this short. `Get-VMProcessor` reads a machine's processor and `Set-VMProcessor` writes it,
so `VMProcessor("Count")` names cmdlet, parameter and property at once. Schema, validation, diff, update, read-back,
the reference page and the SDK follow from the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, ClassVar, Literal, TypeAlias, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from nestedlab.pipeline import Argument, PSObject

Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"
"""A value as Pulumi's engine holds it."""

Properties: TypeAlias = Mapping[str, Any]
"""Values by attribute name (snake_case)."""


class Change(Enum):
    """What it takes to change an attribute of a thing that exists."""

    LIVE = "at any time"
    OFF = "while the machine is off; it is shut down for it and started again"
    REPLACE = "never: the object is deleted and made anew"


@dataclass(frozen=True)
class Depends:
    """A change that takes more or less with what is found and what is asked for; `text` tells users when."""

    text: str
    on: Callable[[Any, Any], Change]


def _same(left: Any, right: Any) -> bool:
    return bool(left == right)


def _as_is(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Form:
    """How a value looks on the host, where that is not how the user writes it.

    `fold` puts the value into what the host holds, given what other rows have put there before (two rows may share one
    property, as notes and owner do); `read` takes it out again.
    """

    fold: Callable[[Any, Argument | None], Argument | None] = lambda value, _: value
    read: Callable[[Any], Any] = _as_is


@dataclass(frozen=True)
class Place:
    """Where an attribute lives on the host: a noun, the parameter that writes it, the property that shows it."""

    noun: Noun
    parameter: str
    reads: str
    form: Form

    def value(self, thing: PSObject) -> Plain:
        """The attribute as the host's object has it."""
        found: Plain = self.form.read(thing[self.reads])
        return found

    def __str__(self) -> str:
        shown = f"{self.noun.reader}.{self.reads}"
        return f"{self.noun.writer} -{self.parameter}, {shown}" if self.parameter else shown


@dataclass(frozen=True)
class Noun:
    """A noun of PowerShell: `kind` is its object's type name, `reader` and `writer` show and change such an object.

    Call it with a parameter's name to get a place: `VMMemory("StartupBytes", reads="Startup", form=MIB)`.
    `through` are the cmdlets between the machine or switch and the writer; `clears` is the cmdlet that takes the place
    of the writer where the value is "".
    """

    kind: str
    reader: str
    writer: str
    through: tuple[str, ...] = ()
    clears: str = ""

    def __call__(self, parameter: str, *, reads: str = "", form: Form | None = None) -> Place:
        """A place that the writer's parameter writes and a property shows, of the same name unless `reads` is given."""
        return Place(self, parameter, reads or parameter, form or Form())

    def shows(self, reads: str, form: Form | None = None) -> Place:
        """A place that can be read but not written by a parameter of this noun's writer."""
        return Place(self, "", reads, form or Form())


@dataclass(frozen=True)
class Row:
    """What a row says of an attribute beside its name, type, default and meaning.

    `at` is None where the attribute is no single property of one noun; then the resource's own file reads and writes
    it, with the cmdlets that `by` names to users. `change` may depend on the found and the asked value. `same` compares
    an asked value with a found one; `computed` marks an output. `absent` says that None asks for nothing to be there;
    else it leaves the matter to the host. `newer` marks a property that Windows Server 2016 does not have: where it is
    missing, nothing is asked.
    """

    at: Place | None = None
    change: Change | Depends = Change.LIVE
    by: str = ""
    same: Callable[[Any, Any], bool] = _same
    computed: bool = False
    absent: bool = False
    newer: bool = False


@dataclass(frozen=True)
class Attribute:
    """A row together with the field that it stands on."""

    name: str
    row: Row
    field: FieldInfo

    @property
    def wire(self) -> str:
        """The name on Pulumi's wire, the same in every language: camelCase."""
        return to_camel(self.name)

    @property
    def fixed(self) -> bool:
        """Whether the attribute has but one value: an invariant, watched for drift, that no user sets."""
        return get_origin(self.field.annotation) is Literal and len(get_args(self.field.annotation)) == 1

    @property
    def place(self) -> str:
        """The cmdlets, parameters and properties that write and show the attribute on the host, in words."""
        return ", ".join(one for one in (self.row.by, str(self.row.at or "")) if one)

    @property
    def part(self) -> type[Part] | None:
        """The kind of parts that the attribute is a list of, if it is one."""
        found = next(iter(get_args(self.field.annotation)), None) if get_origin(self.field.annotation) is list else None
        return found if isinstance(found, type) and issubclass(found, Part) else None

    @property
    def meaning(self) -> str:
        """The attribute's documentation."""
        return self.field.description or ""

    def agrees(self, asked: Plain, found: Plain) -> bool:
        """Whether the host has what was asked for. What was left to the host (None) is right whatever it is."""
        if asked is None:
            return found is None or not self.row.absent
        if found is None and self.row.newer:
            return True
        return found is not None and self.row.same(asked, found)


class Declared(BaseModel):
    """A pydantic model whose field docstrings are its documentation and whose names are camelCase on the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_by_alias=True,
        loc_by_alias=False,
    )


class Table(Declared):
    """A model whose fields are rows."""

    @classmethod
    def attributes(cls) -> tuple[Attribute, ...]:
        """The rows, in the order of the table."""
        return _attributes(cls)

    @classmethod
    def inputs(cls) -> tuple[Attribute, ...]:
        """The rows that a program or the product sets."""
        return tuple(one for one in cls.attributes() if not one.row.computed)


class Part(Table):
    """One of several things of a kind that belong to a resource and have no life of their own, told apart by a key."""

    key: ClassVar[tuple[str, ...]]
    """The names of the attributes that tell one from another; they never change."""


def key_of(kind: type[Part], part: Properties) -> tuple[str, ...]:
    """What tells a part from another of its kind; names are the same in any case."""
    return tuple(str(part.get(name)).casefold() for name in kind.key)


@dataclass(frozen=True)
class Consequence:
    """What a change does beside what it says. One that is `forbidden` is an error: the program does not allow it."""

    text: str
    forbidden: bool = False


class Resource(Table):
    """A kind of thing on a Hyper-V host, declared as a table."""

    title: ClassVar[str]
    """What a message calls such a thing: "machine", "NAT switch"."""
    unknown: ClassVar[frozenset[str]] = frozenset()
    """The inputs that have no value yet, in a preview: what depends on one of them is not judged."""

    @classmethod
    def consequences(
        cls,
        found: Properties,  # noqa: ARG003 - for those who have some
        asked: Properties,  # noqa: ARG003
        changed: Sequence[Attribute],  # noqa: ARG003
        replaced: Sequence[Attribute],  # noqa: ARG003
    ) -> Iterator[Consequence]:
        """What a change does beside what it says, which its author may not expect."""
        return iter(())

    @classmethod
    def left_behind(cls, known: Properties) -> Iterator[str]:  # noqa: ARG003
        """What may be left on the host of one that is gone from it, known as at the last look."""
        return iter(())

    @classmethod
    def refusals(cls, before: Properties, asked: Properties) -> Iterator[tuple[tuple[str, ...], str]]:  # noqa: ARG003
        """Changes that neither an update nor a replacement should make: the path of the input, and why."""
        return iter(())


@cache
def _attributes(kind: type[Table]) -> tuple[Attribute, ...]:
    rows = (
        (name, info, next((one for one in info.metadata if isinstance(one, Row)), None))
        for name, info in kind.model_fields.items()
    )
    return tuple(Attribute(name, row, info) for name, info, row in rows if row is not None)
