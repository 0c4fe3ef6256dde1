"""How a machine is created: looked up, made, and marked as its owner's in the same pipeline."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from nestedlab.machine.facets import FACETS
from nestedlab.machine.identity import machine_by_id
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.marking import mark_of, taken_over
from nestedlab.nouns import MIB_BYTES
from nestedlab.ownership import Begun, marked, namesakes, owner_of
from nestedlab.pipeline import ErrorKind, Facts, Pipeline, PSObject, Step, cmdlet, statement

_TIME = re.compile(r"(?P<second>[\d-]+T[\d:]+)(\.(?P<fraction>\d+))?")


def lookup(inputs: NestedHyperVHost, listed: Facts | None) -> Step:
    """What shows whether the machine is there already, and whether what it needs is.

    A machine that an earlier attempt has begun is ours, whatever its name was then. If the operation has `listed` the
    host's machines already, all of them are listed again only if one of them was begun for this resource.
    """
    named = statement("Get-VM", Name=inputs.name).tolerating(ErrorKind.ABSENT)
    machines = statement("Get-VM") if listed is None or _is_begun(inputs, listed) else named
    needed = needed_by(inputs)
    return Step("look for the machine and what it needs", (machines, statement("Get-VMHost"), *needed))


def _is_begun(inputs: NestedHyperVHost, listed: Facts) -> bool:
    return any(owner_of(machine.text("Notes")) == inputs.owner for machine in listed.all("VirtualMachine"))


def needed_by(inputs: NestedHyperVHost) -> tuple[Pipeline, ...]:
    """What shows whether everything that a new machine needs is on the host."""
    return tuple(pipeline for facet in FACETS for pipeline in facet.lookup(inputs, None))


def create(inputs: NestedHyperVHost) -> Step:
    """What makes a machine and marks it."""
    making = cmdlet(
        "New-VM",
        Name=inputs.name,
        Generation=2,
        MemoryStartupBytes=inputs.memory_mib * MIB_BYTES,
        NoVHD=True,
        Path=inputs.path,
        Version=inputs.configuration_version,
    )
    # New-VM takes no notes. Piped on, the marker is set on the host even if this process ends in between.
    notes = marked(inputs.notes, str(replace(mark_of(inputs), creation=1)))
    named = statement("Get-VM", Name=inputs.name).tolerating(ErrorKind.ABSENT)
    return Step("make the machine", (making | cmdlet("Set-VM", Notes=notes, Passthru=True), named))


def older_namesake(made: PSObject, listed: Iterable[PSObject], inputs: NestedHyperVHost) -> PSObject | None:
    """Another machine of the same name that was created earlier by the host's clock. Of the two, that one stays."""
    others = namesakes(listed, inputs.name, UUID(made.text("Id")))
    return next((other for other in others if _age(other) < _age(made)), None)


def _age(machine: PSObject) -> tuple[str, str]:
    """The order in which a host's machines were created, the same for every observer: by host time, then by id."""
    time = _TIME.match(machine.text("CreationTime"))
    return f"{time['second']}.{(time['fraction'] or '').ljust(7, '0')}" if time else "", machine.text("Id")


def take_over(inputs: NestedHyperVHost, found: Begun) -> Step:
    """What marks a machine that an earlier attempt has begun, before anything else is done to it."""
    writing = machine_by_id(found.id) | cmdlet("Set-VM", Notes=taken_over(found, inputs, inputs.notes))
    return Step("take over the machine that was begun", (writing,))
