"""PowerShell as data: cmdlets joined by pipes, steps of several pipelines, and what a host answers.

Nothing here talks to a host. A `Runner` does; everything above it is pure and can be printed: `str(step)` is the text
of a preview, of the debug log and of a test's expectation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Protocol, TypeAlias
from uuid import UUID

Argument: TypeAlias = "str | int | bool | UUID | None"
"""What a parameter takes; None is $null."""

Value: TypeAlias = "str | int | float | bool | UUID | tuple[Value, ...] | None"


@dataclass(frozen=True)
class Cmdlet:
    """One cmdlet with its parameters by name. A switch parameter has the value True."""

    name: str
    parameters: Mapping[str, Argument] = field(default_factory=dict)

    def __or__(self, following: Cmdlet | Pipeline) -> Pipeline:
        return Pipeline((self,)) | following

    def __str__(self) -> str:
        return " ".join([self.name, *(_spelled(name, value) for name, value in self.parameters.items())])


def cmdlet(name: str, /, **parameters: Argument) -> Cmdlet:
    """A cmdlet; a parameter that is None is left out."""
    return Cmdlet(name, {key: value for key, value in parameters.items() if value is not None})


def _spelled(name: str, value: Argument) -> str:
    if value is None:
        return f"-{name} $null"
    if isinstance(value, bool):
        return f"-{name}" if value else f"-{name}:$false"
    if isinstance(value, str):
        return f"-{name} '" + value.replace("'", "''") + "'"
    return f"-{name} {value}"


class ErrorKind(Enum):
    """What kind of error a record reports, whatever the cmdlet and the language of Windows."""

    ABSENT = auto()
    EXISTS = auto()
    BUSY = auto()
    DENIED = auto()
    WRONG_STATE = auto()
    INVALID = auto()
    NOT_SUPPORTED = auto()
    NO_MEMORY = auto()
    NO_SPACE = auto()
    NO_COMMAND = auto()
    NO_PARAMETER = auto()
    PROMPTED = auto()
    FAILED = auto()
    UNSPECIFIED = auto()
    OTHER = auto()


@dataclass(frozen=True)
class Pipeline:
    """Cmdlets joined by pipes: one statement. Live objects pass between them on the host.

    `tolerates` names what may go wrong without harm: removing what is gone, making what is there. `properties` names
    what the pipeline sets, in messages.
    """

    cmdlets: tuple[Cmdlet, ...]
    tolerates: frozenset[ErrorKind] = frozenset()
    properties: str = ""

    def __or__(self, following: Cmdlet | Pipeline) -> Pipeline:
        rest = following.cmdlets if isinstance(following, Pipeline) else (following,)
        return replace(self, cmdlets=self.cmdlets + rest)

    def tolerating(self, *kinds: ErrorKind) -> Pipeline:
        """The same pipeline, for which errors of these kinds are no failure."""
        return replace(self, tolerates=self.tolerates | set(kinds))

    def setting(self, properties: str) -> Pipeline:
        """The same pipeline, whose failure is reported as a failure to set these properties."""
        return replace(self, properties=properties)

    def __str__(self) -> str:
        return " | ".join(map(str, self.cmdlets))


def statement(name: str, /, **parameters: Argument) -> Pipeline:
    """A pipeline of one cmdlet."""
    return Pipeline((cmdlet(name, **parameters),))


END_MARK = "nestedlab: all of the batch has run"
"""What END sends back."""

END = statement("Select-Object", InputObject=END_MARK)
"""The last statement of a batch: if its mark has arrived, every statement has run and has been heard.

Any endpoint has the cmdlet, a restricted one too, and without a role that names it (CreateRestrictedForRemoteServer in
PowerShell's InitialSessionState).
"""


@dataclass(frozen=True)
class Step:
    """Pipelines sent together, in one invocation: two HTTP requests, however many they are.

    After a failing pipeline the following ones still run (PowerShell's batch semantics), some of them after the answer
    has come; so a step never holds one that does harm when an earlier one has failed. `timeout` bounds the wait in
    seconds; then the step is stopped on the host and the runner raises `TimeoutError`. Without it the connection's
    `step_timeout` does, and what is `slow` by nature gets more of it. `delay` is waited before, in seconds, where the
    host needs a moment. Steps of the same `lock` never run at the same time against a host.
    """

    purpose: str
    pipelines: tuple[Pipeline, ...]
    timeout: float | None = None
    slow: bool = False
    delay: float = 0
    lock: str | None = None

    @property
    def only_reads(self) -> bool:
        """True where running the step twice is the same as running it once, because it changes nothing."""
        return all(command.name.startswith("Get-") for pipeline in self.pipelines for command in pipeline.cmdlets)

    def __str__(self) -> str:
        return "\n".join([f"# {self.purpose}", *(str(pipeline) for pipeline in self.pipelines)])


@dataclass(frozen=True)
class PSObject:
    """An object that the host sent: the short name of its type, and its properties as plain values.

    A member of an enumeration is its name, a nested object its text.
    """

    kind: str
    properties: Mapping[str, Value]

    def __getitem__(self, name: str) -> Value:
        return self.properties.get(name)

    def text(self, name: str) -> str:
        """A property as text; an absent one is empty."""
        value = self.properties.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> int:
        """A property as a whole number; an absent one is 0."""
        value = self.properties.get(name)
        return int(value) if isinstance(value, (int, float, str)) and value != "" else 0


@dataclass(frozen=True)
class ErrorRecord:
    """An error record: what Windows says went wrong. `cmdlet` is its name as the caller wrote it, where known."""

    error_id: str
    category: str
    message: str
    cmdlet: str = ""
    hresult: int | None = None

    def __str__(self) -> str:
        return f"{self.message} ({self.error_id}, {self.category})"


@dataclass(frozen=True)
class Facts:
    """What the host answered to a step.

    It is not `whole` if a terminating error has cut the batch off (see `perform.answer_to`): then nothing is known of
    what is not there.
    """

    objects: tuple[PSObject, ...] = ()
    errors: tuple[ErrorRecord, ...] = ()
    warnings: tuple[str, ...] = ()
    whole: bool = True

    def all(self, kind: str) -> Iterator[PSObject]:
        """The objects of a type, by its short name."""
        return (shown for shown in self.objects if shown.kind == kind)

    def renewed(self, later: Facts) -> Facts:
        """The same facts, with the objects of each type that a later answer shows in place of those before.

        Errors stay: one about a disk tells why the disk is not shown.
        """
        shown = {thing.kind for thing in later.objects}
        kept = tuple(thing for thing in self.objects if thing.kind not in shown)
        return Facts((*kept, *later.objects), (*self.errors, *later.errors))

    def without(self, identity: UUID) -> Facts:
        """The same facts, without the object of this id."""
        return replace(self, objects=tuple(thing for thing in self.objects if thing.text("Id") != str(identity)))

    def joined_by(self, coming: Facts) -> Facts:
        """The same facts, with the objects of others that these do not show, known by name or path."""
        there = {_called(thing) for thing in self.objects}
        return Facts((*self.objects, *(thing for thing in coming.objects if _called(thing) not in there)), self.errors)

    def first(self, kind: str) -> PSObject | None:
        """The first object of a type, or None."""
        return next(self.all(kind), None)


def _called(thing: PSObject) -> tuple[str, str]:
    return thing.kind, (thing.text("Name") or thing.text("Path")).casefold()


class Runner(Protocol):
    """The one door to a host."""

    @property
    def host(self) -> str:
        """The host's name as the user gave it, for messages."""
        ...

    def run(self, step: Step) -> Facts:
        """Run the step on the host and return its facts, error records included.

        Raises `nestedlab.errors.Interrupted` if the answer was lost and the step may or may not have run,
        `TimeoutError` if `timeout` has passed, and other errors of `nestedlab.errors` if the host cannot be used.
        """
        ...
