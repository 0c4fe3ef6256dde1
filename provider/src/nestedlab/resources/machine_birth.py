"""How a machine comes to be: looked for, made, marked as its owner's in the same breath."""

from __future__ import annotations

from uuid import UUID

from nestedlab.declare import Properties
from nestedlab.errors import ConflictError
from nestedlab.nouns import MIB_BYTES
from nestedlab.ownership import marked, owner_of
from nestedlab.pipeline import Facts, Step, cmdlet, statement
from nestedlab.resources import adapters, disks
from nestedlab.resources.names import same_name


def lookup(desired: Properties) -> Step:
    """What shows whether the machine is there already, and whether what it needs is."""
    # All of them: one that an earlier attempt has begun is ours whatever its name was then.
    asked = (statement("Get-VM"), statement("Get-VMHost"), *adapters.lookup(desired), *disks.lookup(desired))
    return Step("look for the machine and what it needs", asked)


def own(facts: Facts, desired: Properties) -> UUID | None:
    """The machine that an earlier attempt of the same owner has made, if any; a stranger's is a conflict."""
    machines = list(facts.all("VirtualMachine"))
    marked_so = [one for one in machines if owner_of(one.text("Notes")) == desired["owner"]]
    if len(marked_so) > 1:
        ids = " and ".join(one.text("Id") for one in marked_so)
        raise ConflictError(f"two machines are marked as this one, {ids}: remove the one that is not wanted")
    if marked_so:
        return UUID(marked_so[0].text("Id"))
    named = [one for one in machines if same_name(one.text("Name"), desired["name"])]
    if named:
        stranger = named[0]
        owner = owner_of(stranger.text("Notes"))
        whose = f"it belongs to {owner}" if owner else "it was not made by nestedlab"
        raise ConflictError(
            f"a machine named {desired['name']!r} is on the host already ({stranger.text('Id')}) and {whose}. "
            "It is left alone: give this one another name, or remove that one."
        )
    return None


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
