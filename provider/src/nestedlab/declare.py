"""The language of declarations: a resource is a table of rows, a row says everything about an attribute.

PowerShell's grammar makes this short. `Get-VMProcessor` reads a machine's processor and `Set-VMProcessor` writes it,
so `VMProcessor("Count")` names cmdlet, parameter and property at once. Schema, validation, diff, update, read-back,
the reference page and the SDK follow from the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from nestedlab.pipeline import Argument, PSObject

Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"
"""A value as Pulumi's engine holds it."""

Properties: TypeAlias = Mapping[str, Any]
"""Values by attribute name (snake_case)."""


class Change(Enum):
    """What it takes to change an attribute of an object that exists; the values are what users read."""

    LIVE = "at any time"
    OFF = "while the machine is off; a running one is shut down and started again"
    REPLACE = "never: the object is replaced"


def strongest(changes: Collection[Change]) -> Change:
    """What several changes take together."""
    return next((change for change in (Change.REPLACE, Change.OFF) if change in changes), Change.LIVE)


@dataclass(frozen=True)
class Depends:
    """A change that takes more or less depending on the attribute in the state and in the inputs; `text` tells when."""

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

    `at` is None if the attribute is no single property of one noun; then the resource's own file reads and writes it,
    with the cmdlets that `by` names to users. `change` may depend on the value in the state and in the inputs. `same`
    compares a value of the inputs with an observed one. `absent` says that None asks for nothing to be there; else it
    leaves the matter to the host. `newer` marks a property that Windows Server 2016 does not have: if it is missing,
    it is not compared. `formerly` are the names that the attribute had in the states of earlier versions (decision
    0011).
    """

    at: Place | None = None
    change: Change | Depends = Change.LIVE
    by: str = ""
    same: Callable[[Any, Any], bool] = _same
    absent: bool = False
    newer: bool = False
    formerly: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attribute:
    """A row together with the field that it stands on."""

    name: str
    row: Row
    field: FieldInfo

    @cached_property
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
        return ", ".join(text for text in (self.row.by, str(self.row.at or "")) if text)

    @property
    def part(self) -> type[Part] | None:
        """The kind of parts that the attribute is a list of, if it is one."""
        found = next(iter(get_args(self.field.annotation)), None) if get_origin(self.field.annotation) is list else None
        return found if isinstance(found, type) and issubclass(found, Part) else None

    def agrees(self, inputs: Table, observed: Table) -> bool:
        """Whether an observed table has what the inputs ask for. What is left to the host (None) is always right."""
        wanted, there = getattr(inputs, self.name), getattr(observed, self.name)
        if wanted is None:
            return there is None or not self.row.absent
        if there is None and self.row.newer:
            return True
        return there is not None and self.row.same(wanted, there)

    def change(self, observed: Table, inputs: Table) -> Change:
        """What it takes to change the attribute from what is observed to what the inputs ask for."""
        change = self.row.change
        if isinstance(change, Change):
            return change
        return change.on(getattr(observed, self.name), getattr(inputs, self.name))


class Declared(BaseModel):
    """A pydantic model whose names are camelCase on the wire. The strings after its fields are their documentation."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
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


class Part(Table):
    """One of several things of a kind that belong to a resource and have no life of their own, identified by a key."""

    key: ClassVar[tuple[str, ...]]
    """The names of the attributes that identify one; they never change."""

    @property
    def identity(self) -> tuple[str, ...]:
        """The part's key; names are the same in any case."""
        return tuple(str(getattr(self, name)).casefold() for name in self.key)


class Outputs(Table):
    """What a host shows of a resource and no program sets."""


class Resource(Table):
    """A kind of thing on a Hyper-V host, declared as a table of what a program or the product sets: its inputs."""

    title: ClassVar[str]
    """What a message calls such a thing: "machine", "NAT switch"."""
    outputs: ClassVar[type[Outputs]]
    """What else the host shows of one."""
    unknown: ClassVar[frozenset[str]] = frozenset()
    """The inputs that have no value yet, in a preview: what depends on one of them is not judged."""

    if TYPE_CHECKING:  # every resource has these rows, each in its place of the table
        name: str
        owner: str
        stack_id: str | None
        on: str | None

    @property
    def subject(self) -> str:
        """What a message calls this one: machine 'hv1'."""
        return f"{self.title} {self.name!r}"


@cache
def _attributes(kind: type[Table]) -> tuple[Attribute, ...]:
    rows = (
        (name, info, next((metadata for metadata in info.metadata if isinstance(metadata, Row)), None))
        for name, info in kind.model_fields.items()
    )
    return tuple(Attribute(name, row, info) for name, info, row in rows if row is not None)
