"""What goes into a shell and what comes out of it, as plain values: no wire format, no state of the host.

A client's invocation is a list of statements, a statement a list of commands joined by pipes. A shell answers with
records: output objects, error records, warnings. Values carry their .NET type because PowerShell serialises by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Literal, Protocol, TypeAlias

COR_E_EXCEPTION = -2146233088
"""The HRESULT that .NET gives an exception that sets none."""

ScalarType: TypeAlias = Literal[
    "Boolean",
    "Byte",
    "Byte[]",
    "DateTime",
    "Double",
    "Guid",
    "Int16",
    "Int32",
    "Int64",
    "SecureString",
    "Single",
    "String",
    "TimeSpan",
    "UInt16",
    "UInt32",
    "UInt64",
    "Version",
]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A .NET primitive. `value` is a bool, int, float, str, bytes, UUID, datetime or timedelta; a Version is a str."""

    type_name: ScalarType
    value: object


@dataclass(frozen=True, slots=True)
class EnumMember:
    """A member of a .NET enumeration: EnumMember("Microsoft.HyperV.PowerShell.VMState", "Off", 3)."""

    type_name: str
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class NetObject:
    """An object with properties. `adapted` holds a .NET or CIM object's own, `extended` the note properties.

    `type_names` go from the most derived type to System.Object; `text` is what ToString() gives.
    """

    type_names: tuple[str, ...]
    adapted: Mapping[str, Value] = field(default_factory=dict)
    extended: Mapping[str, Value] = field(default_factory=dict)
    text: str = ""


class NetList(tuple["Value", ...]):
    """A .NET collection with types of its own, from the most derived one; any other tuple is an Object[]."""

    type_names: tuple[str, ...]

    def __new__(cls, type_names: tuple[str, ...], items: Iterable[Value] = ()) -> NetList:
        """The items, as a collection of these types."""
        made = super().__new__(cls, items)
        made.type_names = type_names
        return made


Value: TypeAlias = "Scalar | EnumMember | NetObject | tuple[Value, ...] | Mapping[str, Value] | None"


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument as the client sent it. `name` is None for a positional one; a switch has the value None or True."""

    name: str | None
    value: Value


@dataclass(frozen=True, slots=True)
class Command:
    """A command as the client sent it; `is_script` marks script text, which no restricted endpoint takes.

    `merges_errors`: its errors that end nothing are to come among the output, as 2>&1 has it.
    """

    name: str
    parameters: tuple[Parameter, ...] = ()
    is_script: bool = False
    merges_errors: bool = False


Statement: TypeAlias = Sequence[Command]


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """An error as PowerShell reports it.

    `category` is a name of System.Management.Automation.ErrorCategory; `exception_types` go from the most derived type
    to System.Object; `target` is what the error is about: a text or a GUID.
    """

    fully_qualified_error_id: str
    category: str
    message: str
    exception_types: tuple[str, ...] = ("System.Exception", "System.Object")
    activity: str = ""
    reason: str = ""
    target: Scalar | None = None
    target_name: str = ""
    target_type: str = ""
    hresult: int = COR_E_EXCEPTION


@dataclass(frozen=True, slots=True)
class Output:
    """An object of the output stream, already cut to the depth that remoting serialises (1)."""

    value: Value


@dataclass(frozen=True, slots=True)
class Failure:
    """A record of the error stream, or with `as_output` an error among the output; the invocation goes on."""

    error: ErrorRecord
    as_output: bool = False


@dataclass(frozen=True, slots=True)
class Warned:
    """A record of the warning stream."""

    message: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The client is told now that the invocation has ended, with an error if it failed. More may run, unheard."""

    error: ErrorRecord | None = None


@dataclass(frozen=True, slots=True)
class Unheard:
    """A statement has run after the invocation had ended for the client: nothing of it is heard."""


Record: TypeAlias = "Output | Failure | Warned | Ended | Unheard"


class InvocationFailedError(Exception):
    """The invocation ends in state Failed with this error record, as after `-ErrorAction Stop`."""

    def __init__(self, error: ErrorRecord) -> None:
        super().__init__(error.message)
        self.error = error


class Shell(Protocol):
    """What the PSRP server needs of a host: one runspace pool's way to run commands."""

    def invoke(self, statements: Sequence[Statement], stop: Event) -> Iterator[Record]:
        """Run the statements in order and yield records as they come.

        Ends when all is done. Once `stop` is set it ends early, without undoing anything, as Ctrl+C does.
        Raises InvocationFailedError if the invocation as a whole fails and nothing runs after that. After an `Ended`
        only `Unheard` come, one for each statement that is still run.
        """
        ...
