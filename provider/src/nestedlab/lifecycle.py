"""Check, diff, update and read-back: pure, for every resource alike, from its table."""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, NoReturn, Protocol, TypeAlias, TypeVar, get_args
from uuid import UUID

from pydantic import BaseModel, ValidationError, create_model

from nestedlab.declare import Attribute, Change, Noun, Plain, Properties, Resource, Table, key_of
from nestedlab.errors import (
    AccessError,
    ConflictError,
    Interrupted,
    NestedlabError,
    NotFoundError,
    RefusedError,
    RevertedError,
)
from nestedlab.pipeline import Argument, Cmdlet, Facts, Pipeline, PSObject, Step

T = TypeVar("T")

_SHOULD = re.compile(r"^(Input|String) should ")

Plan: TypeAlias = Generator[Step, Facts, T]
"""What is to be done, a step at a time; each next step may depend on what the host answered to the last."""


@dataclass(frozen=True)
class Found:
    """A thing as the host has it: its id, its attributes by name, and the answer they were taken from."""

    id: UUID
    values: Properties
    facts: Facts


@dataclass(frozen=True)
class Around:
    """What reading one resource shows of others of its stack: facts at hand, and which there are to be read yet."""

    found: Found | None
    facts: Mapping[UUID, Facts] = field(default_factory=dict)
    others: Sequence[UUID] = ()


class Lifecycle(Protocol):
    """What a resource does beyond its table. Every method is pure; the plans it returns are performed by a handler."""

    kind: ClassVar[type[Resource]]

    def create(self, desired: Properties) -> Plan[Found]:
        """Make it, or complete what an earlier attempt of the same owner has begun."""
        ...

    def read(self, identity: UUID, known: Properties) -> Plan[Found | None]:
        """Look at it, known as at the last look; None where a second, successful look confirms that it is gone."""
        ...

    def update(self, identity: UUID, desired: Properties, known: Properties | None = None) -> Plan[Found]:
        """Bring it from whatever state it is in, known as at the last look, to what is desired."""
        ...

    def delete(self, identity: UUID, known: Properties) -> Plan[None]:
        """Remove it and what was made for it; nothing to do where that is gone already."""
        ...


@dataclass(frozen=True)
class CheckFailed:
    """A reason why a property cannot be as asked; `path` leads to it: ("os_disk", "size_gib")."""

    path: tuple[str, ...]
    reason: str


def check(
    kind: type[Resource], asked: Mapping[str, Any], unknown: Collection[str] = (), before: Properties | None = None
) -> tuple[dict[str, Plain], list[CheckFailed]]:
    """The inputs with their defaults, and all that is wrong with them at once.

    `unknown` names the inputs that have no value yet, in a preview; they are left out and not complained of. `before`
    are the inputs so far, where the object exists.
    """
    given = {name: value for name, value in asked.items() if name not in unknown and value is not None}
    try:
        inputs = _but(kind, frozenset(unknown)).model_validate(given).model_dump(exclude_none=True)
    except ValidationError as error:
        return given, [_failure(kind, one) for one in error.errors()]
    known = {one.name for one in kind.inputs()} - set(unknown)
    inputs = {name: value for name, value in inputs.items() if name in known}
    return inputs, [CheckFailed(path, reason) for path, reason in kind.refusals(before or {}, inputs)]


@cache
def _but(kind: type[Resource], unknown: frozenset[str]) -> type[Resource]:
    """The resource's table for when some inputs have no value yet: these are not asked for, and not judged by."""
    if not unknown:
        return kind
    fields: dict[str, Any] = {name: (Any, None) for name in unknown if name in kind.model_fields}
    table: type[Resource] = create_model(kind.__name__, __base__=kind, **fields)
    table.unknown = unknown
    return table


def _failure(kind: type[Resource], error: Any) -> CheckFailed:
    path = tuple(str(part) for part in error["loc"]) or (kind.inputs()[0].name,)
    if error["type"] == "extra_forbidden":
        return CheckFailed(path, f"there is no such property; there are {', '.join(_properties(kind, path[:-1]))}")
    if error["type"] == "missing":
        return CheckFailed(path, "is required")
    if error["type"] == "model_type":
        reason = f"must be a {error['ctx']['class_name']}"
    else:
        reason = _SHOULD.sub("must ", str(error["msg"]).removeprefix("Value error, "))
    shown = "" if isinstance(error["input"], dict) else f" (it is {error['input']!r})"
    return CheckFailed(path, reason + shown)


def _properties(kind: type[Resource], path: tuple[str, ...]) -> list[str]:
    """The properties that a program can set there: in the resource, or in the part of it that the path leads to."""
    if not path:
        return [one.name for one in kind.inputs() if not one.fixed]
    part: type[BaseModel] = kind
    for name in path:
        field = part.model_fields.get(name)
        part = (_model_in(field.annotation) if field else None) or part
    return list(part.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for one in get_args(annotation) if (model := _model_in(one))), None)


def differences(
    kind: type[Table], asked: Properties, found: Properties, unknown: Collection[str] = ()
) -> list[Attribute]:
    """The inputs in which the host does not have what was asked for; a value that is not known yet is another one."""
    return [
        one for one in kind.inputs() if one.name in unknown or not one.agrees(asked.get(one.name), found.get(one.name))
    ]


def values(kind: type[Table], objects: Iterable[PSObject]) -> dict[str, Plain]:
    """The attributes that the rows alone can read from these objects; the last object of a type counts."""
    latest = {one.kind: one for one in objects}
    return {
        one.name: one.row.at.value(latest[one.row.at.noun.kind])
        for one in kind.attributes()
        if one.row.at is not None and one.row.at.noun.kind in latest
    }


def settled(kind: type[Table], before: Properties, found: Properties) -> dict[str, Plain]:
    """The attributes as found, in the spelling of before where they mean the same: a spelling is not a drift.

    An input that was left to the host is not there; one that asks for nothing is, where something is found.
    """
    settled: dict[str, Plain] = {}
    for one in kind.attributes():
        asked, shown = before.get(one.name), found.get(one.name)
        if one.row.computed:
            settled[one.name] = shown
        elif asked is not None or (one.row.absent and shown is not None):
            settled[one.name] = asked if one.agrees(asked, shown) else _nearest(one, asked, shown)
    return settled


def _nearest(attribute: Attribute, asked: Any, found: Any) -> Plain:
    """What was found, as near to what was asked as it can be told: parts in the asked order and spelling."""
    if attribute.part is None or found is None:
        return found  # type: ignore[no-any-return] # a plain value
    kind = attribute.part
    before = {key_of(kind, one): one for one in asked}
    places = list(before)
    # Two of one key, an administrator's doing, are both there to be seen.
    ordered = sorted(found, key=lambda one: places.index(key) if (key := key_of(kind, one)) in before else len(places))
    return [settled(kind, before.get(key_of(kind, one), one), one) for one in ordered]


def writes(
    kind: type[Table], target: Cmdlet | Pipeline, changed: Sequence[Attribute], asked: Properties
) -> list[Pipeline]:
    """One pipeline for each noun that has changed rows, from the target through the noun's writer.

    Rows that share a parameter are written together, whichever of them has changed.
    """
    places = [one.row.at for one in changed if one.row.at is not None and one.row.at.parameter]
    nouns = list(dict.fromkeys(place.noun for place in places))
    return [
        _write(kind, target, noun, {one.parameter for one in places if one.noun == noun}, asked).setting(
            ", ".join(one.name for one in changed if one.row.at is not None and one.row.at.noun == noun)
        )
        for noun in nouns
    ]


def _write(
    kind: type[Table], target: Cmdlet | Pipeline, noun: Noun, parameters: set[str], asked: Properties
) -> Pipeline:
    folded: dict[str, Argument] = {}
    for attribute in kind.inputs():
        place = attribute.row.at
        value = asked.get(attribute.name)
        if place is None or place.noun != noun or place.parameter not in parameters or value is None:
            continue
        argument = place.form.fold(value, folded.get(place.parameter))
        if argument is not None:
            folded[place.parameter] = argument
    cleared = noun.clears and all(argument == "" for argument in folded.values())
    last = Cmdlet(noun.clears) if cleared else Cmdlet(noun.writer, folded)
    start = target if isinstance(target, Pipeline) else Pipeline((target,))
    return Pipeline((*start.cmdlets, *(Cmdlet(name) for name in noun.through), last))


def verify(kind: type[Resource], subject: str, asked: Properties, found: Found) -> Found:
    """What was found, if it is what was asked for.

    Raises RevertedError naming each property that the host took and did not keep.
    """
    reverted = differences(kind, asked, found.values)
    if not reverted:
        return found
    said = "; ".join(
        f"{one.name} was set to {asked.get(one.name)!r} and is {found.values.get(one.name)!r}" for one in reverted
    )
    raise RevertedError(
        f"{subject}: the host accepted the change and did not keep it: {said}. "
        "Look at the host's Hyper-V-VMMS event log for the reason; `pulumi up` tries again."
    )


UNDONE = (AccessError, ConflictError, NotFoundError, RefusedError, RevertedError)
"""The errors after which a create is undone. After any other the next attempt resumes it: the answer is lost, or the
host out of reach."""


def undone(error: NestedlabError, undo: Plan[None]) -> Plan[NoReturn]:
    """Undo what was made before the error, and raise the error; it says so where the undoing failed too."""
    try:
        yield from undo
    except Interrupted:
        raise
    except (NestedlabError, TimeoutError) as second:
        raise type(error)(
            f"{error} What was made so far is still on the host, because removing it failed too: {second} "
            "The next `pulumi up` goes on from there."
        ) from error
    raise error


@dataclass(frozen=True)
class Difference:
    """What an update would change, and which of that only a replacement can."""

    changed: tuple[Attribute, ...]
    replaced: tuple[Attribute, ...]


def diff(kind: type[Resource], found: Properties, asked: Properties, unknown: Collection[str] = ()) -> Difference:
    """Compare what the host had at the last look with what is asked for."""
    changed = differences(kind, asked, found, unknown)
    replaced = (one for one in changed if _needs(one, found, asked) is Change.REPLACE)
    return Difference(tuple(changed), tuple(replaced))


def needs(changed: Iterable[Attribute], found: Properties, asked: Properties) -> set[Change]:
    """What it takes to make the changes."""
    return {_needs(one, found, asked) for one in changed}


def _needs(attribute: Attribute, found: Properties, asked: Properties) -> Change:
    change = attribute.row.change
    return change if isinstance(change, Change) else change.on(found.get(attribute.name), asked.get(attribute.name))


def hardest(taken: Collection[Change]) -> Change:
    """What several changes take together."""
    return next((one for one in (Change.REPLACE, Change.OFF) if one in taken), Change.LIVE)
