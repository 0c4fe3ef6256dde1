"""The baseline of a machine: a checkpoint taken once, while the machine is off, that a reset goes back to."""

from __future__ import annotations

from typing import Any

from nestedlab.declare import Change, Properties
from nestedlab.pipeline import Cmdlet, Facts, Pipeline, PSObject, cmdlet

ATTRIBUTES = frozenset({"baseline"})
"""The machine's attribute that this file reads and writes, beside the output baseline_id."""


def baseline_change(found: str | None, asked: str | None) -> Change:
    """A baseline is taken while the machine is off, and given up at any time.

    One that was lost ("") cannot be taken again, for the machine is not what it was then: it has to be made anew.
    """
    if found == "":
        return Change.REPLACE
    return Change.LIVE if asked is None else Change.OFF


def reads(machine: Cmdlet) -> tuple[Pipeline, ...]:
    """What shows the machine's checkpoints."""
    return (machine | Cmdlet("Get-VMSnapshot"),)


def found(facts: Facts, known: Properties) -> dict[str, Any]:
    """The attributes of this file. The checkpoint that was taken is known by its id; another of its name is not it."""
    identity = known.get("baseline_id")
    taken = _checkpoint(facts, known)
    if taken is None:
        return {"baseline": "" if identity and known.get("baseline") else None, "baseline_id": ""}
    return {"baseline": taken.text("Name"), "baseline_id": taken.text("Id")}


def _checkpoint(facts: Facts, known: Properties) -> PSObject | None:
    key, value = ("Id", known["baseline_id"]) if known.get("baseline_id") else ("Name", known.get("baseline"))
    return next((one for one in facts.all("VMSnapshot") if one.text(key) == value), None)


def take(machine: Cmdlet, name: str) -> Pipeline:
    """What takes the baseline."""
    return (machine | cmdlet("Checkpoint-VM", SnapshotName=name)).on_behalf_of("baseline")


def remove(identity: str) -> Pipeline:
    """What removes a checkpoint that was taken, and only that."""
    gone = cmdlet("Get-VMSnapshot", Id=identity) | cmdlet("Remove-VMSnapshot", Confirm=False)
    return gone.on_behalf_of("baseline")


def restore(identity: str) -> Pipeline:
    """What goes back to the baseline."""
    back = cmdlet("Get-VMSnapshot", Id=identity) | cmdlet("Restore-VMSnapshot", Confirm=False)
    return back.on_behalf_of("reset")
