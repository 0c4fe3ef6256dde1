"""How a machine is created: looked up, made, and marked as its owner's in the same pipeline."""

from __future__ import annotations

from nestedlab.machine.facets import FACETS
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nouns import MIB_BYTES
from nestedlab.ownership import marked, owner_of
from nestedlab.pipeline import ErrorKind, Facts, Pipeline, Step, cmdlet, statement


def lookup(inputs: NestedHyperVHost, listed: Facts | None) -> Step:
    """What shows whether the machine is there already, and whether what it needs is.

    One that an earlier attempt has begun is ours whatever its name was then. Once the operation has `listed` the host's
    machines, only one that was seen then can be such; to list all for each would take the square of their number.
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
    notes = marked(inputs.notes, inputs.owner)
    return Step("make the machine", (making | cmdlet("Set-VM", Notes=notes, Passthru=True),))
