"""How a machine is created: looked up, made, and marked as its owner's in the same pipeline."""

from __future__ import annotations

from nestedlab.machine.facets import FACETS
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nouns import MIB_BYTES
from nestedlab.ownership import marked
from nestedlab.pipeline import Pipeline, Step, cmdlet, statement


def lookup(inputs: NestedHyperVHost) -> Step:
    """What shows whether the machine is there already, and whether what it needs is."""
    # All machines: one that an earlier attempt has begun is ours whatever its name was then.
    needed = needed_by(inputs)
    return Step("look for the machine and what it needs", (statement("Get-VM"), statement("Get-VMHost"), *needed))


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
