"""How a machine comes to be: looked for, made, marked as its owner's in the same breath."""

from __future__ import annotations

from nestedlab.declare import Properties
from nestedlab.nouns import MIB_BYTES
from nestedlab.ownership import marked
from nestedlab.pipeline import Step, cmdlet, statement
from nestedlab.resources import adapters, disks


def lookup(desired: Properties) -> Step:
    """What shows whether the machine is there already, and whether what it needs is."""
    # All of them: one that an earlier attempt has begun is ours whatever its name was then.
    asked = (statement("Get-VM"), statement("Get-VMHost"), *adapters.lookup(desired), *disks.lookup(desired))
    return Step("look for the machine and what it needs", asked)


def birth(desired: Properties) -> Step:
    """What makes a machine and marks it."""
    making = cmdlet(
        "New-VM",
        Name=desired["name"],
        Generation=2,
        MemoryStartupBytes=desired["memory_mib"] * MIB_BYTES,
        NoVHD=True,
        Path=desired.get("path"),
        Version=desired.get("configuration_version"),
    )
    # New-VM takes no notes. Piped on, the marker is set on the host even if this process ends in between.
    notes = marked(desired["notes"], desired["owner"])
    return Step("make the machine", (making | cmdlet("Set-VM", Notes=notes, Passthru=True),))
