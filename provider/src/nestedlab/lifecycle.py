"""Check, diff, what is written and what is read back: pure, for every resource alike, from its table."""

from __future__ import annotations

import difflib
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError, create_model

from nestedlab.declare import Attribute, Change, Noun, Outputs, Part, Plain, Properties, Resource, Table
from nestedlab.errors import (
    AccessError,
    ConflictError,
    NestedlabError,
    NotFoundError,
    RefusedError,
    RevertedError,
)
from nestedlab.names import unsendable
from nestedlab.pipeline import Argument, Cmdlet, Facts, Pipeline, PSObject, Step
from nestedlab.plain import observed, table_in

T = TypeVar("T")
TableT = TypeVar("TableT", bound=Table)
InputsT = TypeVar("InputsT", bound=Resource)
OutputsT = TypeVar("OutputsT", bound=Outputs)

_FEW = 10
"""How many names a message lists."""

_SHOULD = re.compile(r"^(Input|String) should ")

Plan: TypeAlias = Generator[Step, Facts, T]
"""What is to be done, a step at a time; each next step may depend on what the host answered to the last."""


@dataclass(frozen=True)
class Observed(Generic[InputsT, OutputsT]):
    """A resource as a host has it, or as a state recorded it, with the facts that it was read from, if any.

    Its inputs are unvalidated: the host may have what no program can set.
    """

    id: UUID
    inputs: InputsT
    outputs: OutputsT
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True)
class Prefetched(Generic[InputsT, OutputsT]):
    """What reading one resource shows of others of its stack: facts at hand, and which there are to be read yet."""

    read: Observed[InputsT, OutputsT] | None
    facts: Mapping[UUID, Facts] = field(default_factory=dict)
    others: Sequence[UUID] = ()


@dataclass(frozen=True)
class SideEffect:
    """What a change does besides what it says: a shutdown, a replacement, the loss of data.

    One that is `forbidden` is an error: the program, or what is on the host, does not allow it.
    """

    text: str
    forbidden: bool = False


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What bringing a resource from its state to its inputs does, decided once.

    A preview reports it, and an update compiles it to pipelines. `replaced` are the changed attributes that only a
    replacement can change.
    """

    changed: tuple[Attribute, ...]
    replaced: tuple[Attribute, ...]
    side_effects: tuple[SideEffect, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The names of what has changed."""
        return frozenset(attribute.name for attribute in self.changed)

    def refuse_forbidden(self) -> None:
        """Raise RefusedError if the program, or what is on the host, does not allow the change."""
        forbidden = [effect.text for effect in self.side_effects if effect.forbidden]
        if forbidden:
            raise RefusedError(" ".join(forbidden))


class Lifecycle(ABC, Generic[InputsT, OutputsT]):
    """What a resource does beyond its table. Every method is pure; the plans it returns are performed elsewhere."""

    kind: ClassVar[type[Resource]]

    def changes(self, inputs: InputsT, state: Observed[InputsT, OutputsT]) -> Changes:
        """What an update does, decided from the inputs and the state."""
        changed, replaced = diff(state.inputs, inputs)
        return Changes(changed=changed, replaced=replaced)

    def validate_change(
        self,
        inputs: InputsT,  # noqa: ARG002 - for those that refuse some
        before: InputsT,  # noqa: ARG002
    ) -> Iterator[CheckFailed]:
        """Changes of inputs that neither an update nor a replacement should make."""
        return iter(())

    def orphans(self, state: Observed[InputsT, OutputsT]) -> Plan[str | None]:  # noqa: ARG002 - for those that leave some
        """What is left on the host of one that is gone from it, in words; None if nothing is."""
        yield from ()
        return None

    def warnings(self, state: Observed[InputsT, OutputsT]) -> Iterator[str]:  # noqa: ARG002 - for those that have some
        """What to know of one as it was just read, in words: what is wrong with it that an update cannot mend."""
        return iter(())

    @abstractmethod
    def create(self, inputs: InputsT, listed: Facts | None = None) -> Plan[Observed[InputsT, OutputsT]]:
        """Create it, or complete what an earlier attempt of the same owner has begun.

        `listed` are all machines of the host as this operation has seen them before, if it has. Raises HalfMade with
        the identity of what is on the host if it could not be completed.
        """

    @abstractmethod
    def needs(self, inputs: InputsT, listed: Facts | None, coming: Facts) -> Plan[None]:
        """Raise the error that a create would meet: a name that is taken, or something that is not on the host.

        `listed` are all machines of the host, if they are known; `coming` is what will be there by then.
        """

    @abstractmethod
    def read(self, state: Observed[InputsT, OutputsT]) -> Plan[Observed[InputsT, OutputsT] | None]:
        """Read it; None if a second, successful listing confirms that it is gone."""

    @abstractmethod
    def update(self, inputs: InputsT, state: Observed[InputsT, OutputsT]) -> Plan[Observed[InputsT, OutputsT]]:
        """Bring it from whatever it is now to the inputs."""

    @abstractmethod
    def delete(self, state: Observed[InputsT, OutputsT]) -> Plan[str | None]:
        """Remove it and what was made for it; nothing to do if that is gone already.

        Returns what it has left on the host and why, in words, if it has left something.
        """

    def undo(self, made: Observed[InputsT, OutputsT]) -> Plan[None]:
        """Remove what a create has left half made: the rollback."""
        yield from self.delete(made)


class ReadsMany(Lifecycle[InputsT, OutputsT], ABC):
    """A lifecycle that can read several resources of its kind at once."""

    @abstractmethod
    def read_first(self, state: Observed[InputsT, OutputsT]) -> Plan[Prefetched[InputsT, OutputsT]]:
        """Read one resource, and see which others there are of its stack."""

    @abstractmethod
    def read_many(self, identities: Sequence[UUID]) -> Plan[Mapping[UUID, Facts]]:
        """What the host shows of each; nothing of one if the answer is doubtful."""

    @abstractmethod
    def observe(self, facts: Facts, state: Observed[InputsT, OutputsT]) -> Observed[InputsT, OutputsT] | None:
        """What the facts show of a resource; None if they do not show it."""


@dataclass(frozen=True)
class CheckFailed:
    """A reason why a property cannot have its value; `path` leads to it: ("os_disk", "size_gib")."""

    path: tuple[str, ...]
    reason: str


def check(
    kind: type[InputsT], values: Properties, unknown: Collection[str] = ()
) -> tuple[InputsT | None, list[CheckFailed]]:
    """The inputs with their defaults, or all that is wrong with them at once.

    `unknown` names the inputs that have no value yet, in a preview; they are None and not judged.
    """
    # The engine sends outputs too, where the SDK has named them so that they have no value before there is one.
    left_out = {*unknown, *kind.outputs.model_fields}
    given = {name: value for name, value in values.items() if name not in left_out and value is not None}
    failures = [
        CheckFailed(path, f"must not contain {sign!r}, which cannot be sent to a host. Leave it out.")
        for path, sign in unsendable(given)
    ]
    try:
        inputs = _without(kind, frozenset(unknown)).model_validate(given)
    except ValidationError as error:
        inputs = None
        failures += [_failure(kind, failure) for failure in error.errors()]
    return (None, failures) if failures else (inputs, [])


@cache
def _without(kind: type[InputsT], unknown: frozenset[str]) -> type[InputsT]:
    """The resource's table for when some inputs have no value yet: these are not asked for, and not judged by."""
    if not unknown:
        return kind
    fields: dict[str, Any] = {name: (Any, None) for name in unknown if name in kind.model_fields}
    table: type[InputsT] = create_model(kind.__name__, __base__=kind, **fields)
    table.unknown = unknown
    return table


def _failure(kind: type[Resource], error: Any) -> CheckFailed:
    path = tuple(str(part) for part in error["loc"]) or (kind.attributes()[0].name,)
    if error["type"] == "extra_forbidden":
        return CheckFailed(path, _no_such_property(kind, path))
    if error["type"] == "missing":
        return CheckFailed(path, "is required")
    if error["type"] == "model_type":
        reason = f"must be a {error['ctx']['class_name']}"
    else:
        reason = _SHOULD.sub("must ", str(error["msg"]).removeprefix("Value error, "))
    shown = "" if isinstance(error["input"], dict) else f" (it is {error['input']!r})"
    return CheckFailed(path, reason + shown)


def _no_such_property(kind: type[Resource], path: tuple[str, ...]) -> str:
    known = _properties(kind, path[:-1])
    nearest = difflib.get_close_matches(path[-1], known, n=1)
    if nearest:
        return f"there is no such property; did you mean {nearest[0]!r}?"
    few = f"there are {', '.join(known)}" if len(known) <= _FEW else f"see docs/reference/{kind.__name__}.md"
    return f"there is no such property; {few}"


def _properties(kind: type[Resource], path: tuple[str, ...]) -> list[str]:
    """The properties that a program can set there: in the resource, or in the part of it that the path leads to."""
    if not path:
        return [attribute.name for attribute in kind.attributes() if not attribute.fixed]
    part: type[BaseModel] = kind
    for name in path:
        info = part.model_fields.get(name)
        part = (table_in(info.annotation) if info else None) or part
    return list(part.model_fields)


def differences(inputs: TableT, there: TableT) -> list[Attribute]:
    """The attributes in which what is there is not what the inputs ask for."""
    return [attribute for attribute in inputs.attributes() if not attribute.agrees(inputs, there)]


def diff(there: TableT, inputs: TableT) -> tuple[tuple[Attribute, ...], tuple[Attribute, ...]]:
    """The attributes that differ, and those of them that only a replacement can change."""
    changed = tuple(differences(inputs, there))
    return changed, tuple(row for row in changed if row.change(there, inputs) is Change.REPLACE)


def values(kind: type[Table], objects: Iterable[PSObject]) -> dict[str, Plain]:
    """The attributes that the rows alone can read from these objects; the last object of a type counts."""
    latest = {shown.kind: shown for shown in objects}
    return {
        attribute.name: place.value(latest[place.noun.kind])
        for attribute in kind.attributes()
        if (place := attribute.row.at) is not None and place.noun.kind in latest
    }


def normalised(inputs: TableT, there: TableT) -> TableT:
    """What is there, in the spelling of the inputs if it means the same: a spelling is not a drift.

    An input that is left to the host has no value; one that asks for nothing to be there has, if something is.
    """
    return observed(
        type(there), {attribute.name: _normalised(attribute, inputs, there) for attribute in there.attributes()}
    )


def _normalised(attribute: Attribute, inputs: Table, there: Table) -> Any:
    wanted, shown = getattr(inputs, attribute.name), getattr(there, attribute.name)
    if wanted is None and not attribute.row.absent:
        return None
    return wanted if attribute.agrees(inputs, there) else _nearest(attribute, wanted, shown)


def _nearest(attribute: Attribute, wanted: Any, shown: Any) -> Any:
    """What is there, as near to the inputs as it can be told: parts in their order and spelling."""
    if attribute.part is None or shown is None:
        return shown
    before: dict[tuple[str, ...], Part] = {part.identity: part for part in wanted or ()}
    places = list(before)
    # Two of one key, an administrator's doing, are both there to be seen.
    ordered = sorted(shown, key=lambda part: places.index(part.identity) if part.identity in before else len(places))
    return [normalised(before.get(part.identity, part), part) for part in ordered]


def writes(target: Cmdlet | Pipeline, changed: Sequence[Attribute], inputs: Table) -> list[Pipeline]:
    """One pipeline for each noun that has changed rows, from the target through the noun's writer.

    Rows that share a parameter are written together, whichever of them has changed.
    """
    places = [attribute.row.at for attribute in changed if attribute.row.at is not None and attribute.row.at.parameter]
    nouns = list(dict.fromkeys(place.noun for place in places))
    return [
        _write(target, noun, {place.parameter for place in places if place.noun == noun}, inputs).setting(
            ", ".join(
                attribute.name
                for attribute in changed
                if attribute.row.at is not None and attribute.row.at.noun == noun
            )
        )
        for noun in nouns
    ]


def _write(target: Cmdlet | Pipeline, noun: Noun, parameters: set[str], inputs: Table) -> Pipeline:
    folded: dict[str, Argument] = {}
    for attribute in inputs.attributes():
        place, value = attribute.row.at, getattr(inputs, attribute.name)
        if place is None or place.noun != noun or place.parameter not in parameters or value is None:
            continue
        argument = place.form.fold(value, folded.get(place.parameter))
        if argument is not None:
            folded[place.parameter] = argument
    cleared = noun.clears and all(argument == "" for argument in folded.values())
    last = Cmdlet(noun.clears) if cleared else Cmdlet(noun.writer, folded)
    start = target if isinstance(target, Pipeline) else Pipeline((target,))
    return Pipeline((*start.cmdlets, *(Cmdlet(name) for name in noun.through), last))


def verify(
    inputs: InputsT, now: Observed[InputsT, OutputsT], leaving_out: Collection[str] = ()
) -> Observed[InputsT, OutputsT]:
    """What was read back, if it is what was asked for.

    Raises RevertedError naming each property that the host took and did not keep.
    """
    reverted = [row for row in differences(inputs, now.inputs) if row.name not in leaving_out]
    if not reverted:
        return now
    text = "; ".join(
        f"{row.name} was set to {shown(getattr(inputs, row.name))} and is {shown(getattr(now.inputs, row.name))}"
        for row in reverted
    )
    raise RevertedError(
        f"{inputs.subject}: the host accepted the change and did not keep it: {text}. "
        "Look at the host's Hyper-V-VMMS event log for the reason; `pulumi up` tries again."
    )


def shown(value: object) -> str:
    """A value as a message shows it: parts as their author would write them."""
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, Table):
        return repr(value.model_dump(exclude_none=True, warnings=False))
    return repr(value)


class HalfMade(NestedlabError):  # noqa: N818 - it is what is on the host, and `error` says why
    """A create that could not be completed: what it has made by then, with its identity, and the error.

    The front decides: it rolls the create back (`Lifecycle.undo`), or keeps the identity, and an update completes it.
    """

    def __init__(self, error: NestedlabError, made: Observed[Any, Any]) -> None:
        super().__init__(str(error))
        self.error = error
        self.made = made


ROLLED_BACK = (AccessError, ConflictError, NotFoundError, RefusedError, RevertedError)
"""The errors after which a create is rolled back. After any other the next attempt resumes it: the answer is lost, or
the host out of reach."""
