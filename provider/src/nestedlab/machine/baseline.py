"""The baseline of a machine: a checkpoint taken once, while the machine is off, that a reset goes back to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from nestedlab.declare import Change, Depends, Properties
from nestedlab.ownership import is_made_for, made_name, stem_of
from nestedlab.pipeline import Cmdlet, ErrorKind, Facts, Pipeline, PSObject, cmdlet, statement
from nestedlab.names import same_name

ATTRIBUTES = frozenset({"baseline"})
"""The machine's attribute that this file reads and writes, beside the output baseline_id."""


def _change(found: str | None, asked: str | None) -> Change:
    # One that was lost ("") cannot be taken again, for the machine is not what it was then.
    if found == "":
        return Change.REPLACE
    return Change.LIVE if asked is None else Change.OFF


BASELINE_CHANGE = Depends("taken while the machine is off, given up at any time; one lost takes a new machine", _change)


RESET_CHANGE = Depends("at any time; a machine that runs is turned off for it", lambda *_: Change.LIVE)


def reads(machine: Cmdlet) -> tuple[Pipeline, ...]:
    """What shows the machine's checkpoints."""
    return (machine | Cmdlet("Get-VMSnapshot"),)


def found(machine: UUID, facts: Facts, known: Properties) -> dict[str, Any]:
    """The attributes of this file. The checkpoint that was taken is known by its id; another of its name is not it."""
    identity = known.get("baseline_id")
    # Where one before was given up by an interrupted attempt, the asked one is there already.
    taken = _by_id(facts, str(identity)) or taken_as(machine, str(known.get("baseline") or ""), facts)
    told = {"checkpoints": others(taken.text("Id") if taken else "", facts)}
    if taken is None:
        return {"baseline": "" if identity and known.get("baseline") else None, "baseline_id": "", **told}
    return {"baseline": stem_of(taken.text("Name"), machine), "baseline_id": taken.text("Id"), **told}


def _by_id(facts: Facts, identity: str) -> PSObject | None:
    return next((one for one in facts.all("VMSnapshot") if one.text("Id") == identity), None)


def taken_as(machine: UUID, name: str, facts: Facts) -> PSObject | None:
    """The checkpoint that was taken under the name; an administrator's of that name has not the machine's id in it."""
    made = made_name(name, machine)
    return next((one for one in facts.all("VMSnapshot") if name and same_name(one.text("Name"), made)), None)


def was_renamed(machine: UUID, identity: str, facts: Facts) -> bool:
    """Whether somebody has given the checkpoint that was taken another name."""
    taken = _by_id(facts, identity)
    return taken is not None and not is_made_for(taken.text("Name"), machine)


def others(identity: str, facts: Facts) -> list[str]:
    """The names of the machine's checkpoints that are not its baseline: somebody has taken them."""
    return sorted({one.text("Name") for one in facts.all("VMSnapshot") if one.text("Id") != identity})


def looks(machine: Cmdlet, identity: str) -> tuple[Pipeline, ...]:
    """What shows the machine, whether its baseline is there, and all its checkpoints."""
    return (Pipeline((machine,)), statement("Get-VMSnapshot", Id=identity).setting("baseline"), *reads(machine))


def take(machine: Cmdlet, identity: UUID, name: str) -> Pipeline:
    """What takes the baseline. A checkpoint has no notes of its own to say whose it is: its name carries the id."""
    made = cmdlet("Checkpoint-VM", SnapshotName=made_name(name, identity))
    return (machine | made).setting("baseline")


def rename(machine: UUID, identity: str, name: str) -> Pipeline:
    """What gives the checkpoint that was taken its name back."""
    named = cmdlet("Rename-VMSnapshot", NewName=made_name(name, machine))
    return (cmdlet("Get-VMSnapshot", Id=identity) | named).setting("baseline")


def remove(identity: str) -> Pipeline:
    """What removes a checkpoint that was taken, and only that."""
    gone = cmdlet("Get-VMSnapshot", Id=identity) | cmdlet("Remove-VMSnapshot", Confirm=False)
    return gone.tolerating(ErrorKind.ABSENT).setting("baseline")


def restore(identity: str) -> Pipeline:
    """What goes back to the baseline."""
    back = cmdlet("Get-VMSnapshot", Id=identity) | cmdlet("Restore-VMSnapshot", Confirm=False)
    return back.setting("reset")
