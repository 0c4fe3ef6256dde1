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
COR_E_SYSTEM = -2146233087
"""The HRESULT of System.SystemException and of what derives from it, if it sets none."""
EXCEPTION = ("System.Exception", "System.Object")

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

    `merges_errors`: its errors that end nothing are to come among the output, as 2>&1 has it; `merges_warnings` says
    so of warnings. `piped` is what the client pipes to it; it waits for each.
    """

    name: str
    parameters: tuple[Parameter, ...] = ()
    is_script: bool = False
    merges_errors: bool = False
    merges_warnings: bool = False
    piped: Iterator[Value] | None = None


Statement: TypeAlias = Sequence[Command]


@dataclass(frozen=True, slots=True)
class NetException:
    """A .NET exception: its types go from the most derived one to System.Object.

    `own` are the properties of its own classes in Windows' order, with Message among them if its class declares that
    anew. `site` is the method that threw it, empty if it was made and never thrown; `source` is the method's assembly.
    """

    message: str
    type_names: tuple[str, ...] = EXCEPTION
    own: Mapping[str, Value] = field(default_factory=dict)
    hresult: int = COR_E_EXCEPTION
    site: str = ""
    inner: NetException | None = None
    source: str = "System.Management.Automation"

    @property
    def name(self) -> str:
        """The class's name without its namespace."""
        return self.type_names[0].rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Invocation:
    """The command that a record comes from.

    `name` is the one it was called by, empty while it is still being bound. `iteration` is how many objects each
    command of the pipeline has been given so far, from the pipeline itself on. `bound` are its arguments.
    """

    command: str
    name: str = ""
    is_function: bool = False
    iteration: tuple[int, ...] = (0, 1)
    position: int = 1
    bound: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """An error as PowerShell reports it.

    `category` is a name of System.Management.Automation.ErrorCategory; `target` is what the error is about. There is
    no `invocation` if no command could be found.
    """

    fully_qualified_error_id: str
    category: str
    exception: NetException
    activity: str = ""
    target: Value = None
    target_name: str = ""
    target_type: str = ""
    invocation: Invocation | None = None

    @property
    def message(self) -> str:
        """What the error says."""
        return self.exception.message

    @property
    def reason(self) -> str:
        """The class of its exception."""
        return self.exception.name


@dataclass(frozen=True, slots=True)
class Output:
    """An object of the output stream, already cut to the depth that remoting serialises (1)."""

    value: Value


@dataclass(frozen=True, slots=True)
class Failure:
    """A record of the error stream, or with `as_output` an error among the output; the invocation goes on.

    `has_ended`: the error has ended its statement, the first of a batch.
    """

    error: ErrorRecord
    as_output: bool = False
    has_ended: bool = False


@dataclass(frozen=True, slots=True)
class Warned:
    """A record of the warning stream, or with `as_output` a warning among the output."""

    message: str
    invocation: Invocation
    as_output: bool = False


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


class BrokenEndpointError(Exception):
    """The endpoint is there, and its configuration cannot be loaded: a runspace pool on it breaks while it opens."""

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
