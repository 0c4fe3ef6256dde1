"""A host that answers as cases tell it. What is usual there follows from the tables; hosts/*.yaml say what differs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

import pytest
from tests.case_files import CASES, cases_in

from nestedlab import errors
from nestedlab.declare import Place, Resource, Table
from nestedlab.lifecycle import check
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.pipeline import Argument, Cmdlet, ErrorRecord, Facts, PSObject, Step
from nestedlab.plain import loaded, plain

FILES: dict[type[Resource], str] = {NestedHyperVHost: "nested_hyperv_host", NatSwitch: "nat_switch"}

Shown = dict[str, dict[str, Any]]
"""Properties of objects, by the short name of the objects' type."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Usual:
    """What the cases of a resource start from."""

    kind: type[Resource]
    file: Mapping[str, Any]
    """What hosts/*.yaml has of it."""
    inputs: Resource
    """The least that a program can ask for, with the defaults of the table."""
    objects: Mapping[str, PSObject]
    """What the host shows of the resource by then, and other objects, by the names that the cases have for them."""
    found: Mapping[str, Any]
    """The attributes that are read from it, inputs and outputs."""
    texts: Mapping[str, str]
    """What <name> stands for in a step."""

    @property
    def identity(self) -> UUID:
        """The resource's GUID."""
        return UUID(self.file["identity"])


@cache
def usual(kind: type[Resource]) -> Usual:
    """What the cases of a resource start from."""
    file = cases_in(CASES / "core" / "hosts" / f"{FILES[kind]}.yaml")
    inputs, failures = check(kind, file["desired"])
    assert inputs is not None, failures
    objects = _objects(kind, inputs, file["objects"])
    found = {**_found(kind, inputs, objects), **file["found"]}
    return Usual(kind, file, inputs, objects, found, {**_cmdlets(inputs), **file["texts"]})


def argument(values: Table, place: Place) -> Argument | None:
    """What the parameter takes that writes the place: rows that share it put their values into it in their order."""
    folded: Argument | None = None
    for attribute in values.attributes():
        at, value = attribute.row.at, getattr(values, attribute.name)
        shares = at is not None and (at.noun, at.parameter, at.reads) == (place.noun, place.parameter, place.reads)
        if at is not None and shares and value is not None:
            folded = at.form.fold(value, folded)
    return folded


def shown_by(values: Table, names: Iterable[str] | None = None) -> Shown:
    """The properties of the host's objects that show these attributes: all that have a value and a place.

    A property shows what the parameter takes, or else the attribute as it is (MIB_SHOWN).
    """
    shown: Shown = {}
    for attribute in values.attributes():
        place, value = attribute.row.at, getattr(values, attribute.name)
        if place is None or value is None or (names is not None and attribute.name not in names):
            continue
        taken = argument(values, place)
        shown.setdefault(place.noun.kind, {})[place.reads] = taken if place.form.read(taken) == value else value
    return shown


def _objects(kind: type[Resource], inputs: Resource, file: Shown) -> dict[str, PSObject]:
    """The objects that the rows make, and those of the file, each with what the usual one of its type has besides."""
    parts = (part for attribute in kind.attributes() if (part := attribute.part) is not None)
    rows = merged(*(shown_by(loaded(table, {})) for table in (*parts, kind.outputs)), shown_by(inputs))
    typical = merged(rows, {name: properties for name, properties in file.items() if "kind" not in properties})
    return {
        name: _object(properties.get("kind", name), {**typical.get(properties.get("kind", name), {}), **properties})
        for name, properties in {**typical, **file}.items()
    }


def _object(kind: str, properties: Mapping[str, Any]) -> PSObject:
    return PSObject(kind, {name: _typed(value) for name, value in properties.items() if name != "kind"})


def _typed(value: Any) -> Any:
    return UUID(value) if isinstance(value, str) and _GUID.fullmatch(value) else value


def merged(*several: Shown) -> Shown:
    """Properties of objects together; the later ones count."""
    together: Shown = {}
    for shown in several:
        for name, properties in shown.items():
            together[name] = {**together.get(name, {}), **properties}
    return together


def _found(kind: type[Resource], inputs: Resource, objects: Mapping[str, PSObject]) -> dict[str, Any]:
    """The inputs and the outputs' defaults; an input that is left to the host is what the host shows."""
    left_to_the_host = {
        row.name: place.value(objects[place.noun.kind])
        for row in kind.attributes()
        if (place := row.row.at) is not None and place.noun.kind in objects
    }
    return {**left_to_the_host, **plain(inputs), **plain(loaded(kind.outputs, {}))}


def _cmdlets(inputs: Resource) -> dict[str, str]:
    """Each cmdlet that writes rows, with all that the inputs have it write, by the cmdlet's name."""
    written: dict[str, dict[str, Argument]] = {}
    for place in (row.row.at for row in inputs.attributes()):
        if place is not None and place.parameter and (value := argument(inputs, place)) is not None:
            written.setdefault(place.noun.writer, {})[place.parameter] = value
    return {writer: str(Cmdlet(writer, parameters)) for writer, parameters in written.items()}


def spelt(kind: type[Resource], text: str) -> str:
    """A text of a case, with what stands for <name> in it."""
    while "<" in text:
        text = re.sub(r"<([A-Za-z -]+)>", lambda name: usual(kind).texts[name[1]].strip(), text)
    return text.strip()


def answer_of(kind: type[Resource], told: list[Any]) -> Facts:
    """An answer as the cases tell it: names of objects, groups and problems, with what differs from the usual."""
    objects: list[PSObject] = []
    problems: list[ErrorRecord] = []
    host = usual(kind)
    for mentioned in told:
        [(name, changes)] = mentioned.items() if isinstance(mentioned, dict) else [(mentioned, {})]
        if name in host.file["problems"]:
            problems.append(ErrorRecord(**{**host.file["problems"][name], **changes}))
        elif name in host.file["groups"]:
            members = host.file["groups"][name]
            assert changes.keys() <= set(members), f"{name} has no {changes.keys() - set(members)}"
            objects += [
                _changed(host.objects[member], changes.get(member) or {})
                for member in members
                if changes.get(member, {}) is not None
            ]
        else:
            objects.append(_changed(host.objects[name], changes))
    return Facts(tuple(objects), tuple(problems))


def _changed(usual_object: PSObject, changes: Mapping[str, Any]) -> PSObject:
    return _object(usual_object.kind, {**usual_object.properties, **changes})


def printed(step: Step) -> str:
    """The step and, on a line of its own, what is not usual in how it is run."""
    manner = {"timeout": step.timeout, "delay": step.delay, "lock": step.lock}
    unusual = ", ".join(f"{name} {value}" for name, value in manner.items() if value)
    return f"{step}\n~ {unusual}" if unusual else str(step)


@dataclass
class CannedHost:
    """A runner that answers as the case says."""

    kind: type[Resource]
    answers: list[list[Any] | str]
    steps: list[Step] = field(default_factory=list)
    host = "hv01"

    def run(self, step: Step) -> Facts:
        """The case's next answer."""
        self.steps.append(step)
        if len(self.steps) > len(self.answers):
            pytest.fail(f"nothing more was to be run, but was:\n{printed(step)}")
        told = self.answers[len(self.steps) - 1]
        if isinstance(told, str):
            raise {"TimeoutError": TimeoutError, **vars(errors)}[told]("as the case says")
        return answer_of(self.kind, told)
