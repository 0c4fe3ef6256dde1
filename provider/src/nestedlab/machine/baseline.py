"""The baseline of a machine: a checkpoint taken once, while the machine is off, that a reset goes back to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from nestedlab.lifecycle import SideEffect
from nestedlab.machine.changes import MachineChanges
from nestedlab.machine.facet import Facet
from nestedlab.machine.identity import machine_by_id
from nestedlab.machine.table import LOST, ObservedMachine
from nestedlab.names import same_name
from nestedlab.ownership import is_made_for, made_name, stem_of
from nestedlab.pipeline import Cmdlet, ErrorKind, Facts, Pipeline, PSObject, Step, cmdlet


class Baseline(Facet):
    """The checkpoint that `baseline` names, and going back to it."""

    attributes = frozenset({"baseline"})

    def reads(self, machine: UUID) -> tuple[Pipeline, ...]:
        """What shows the machine's checkpoints."""
        return (machine_by_id(machine) | Cmdlet("Get-VMSnapshot"),)

    def observe(self, facts: Facts, known: ObservedMachine) -> Mapping[str, Any]:
        """The checkpoint that was taken is known by its id; another of its name is not it."""
        identity, name = known.outputs.baseline_id, known.inputs.baseline or ""
        # If one before was given up by an interrupted attempt, the one asked for is there already.
        taken = _by_id(facts, identity) or _taken_as(known.id, name, facts)
        others = {"checkpoints": _others(taken.text("Id") if taken else "", facts)}
        if taken is None:
            return {"baseline": LOST if identity and name else None, "baseline_id": "", **others}
        return {"baseline": stem_of(taken.text("Name"), known.id), "baseline_id": taken.text("Id"), **others}

    def side_effects(self, changes: MachineChanges) -> Iterator[SideEffect]:
        """What a reset is forbidden by: somebody's checkpoint that may use a disk which the reset recreates."""
        others = changes.state.outputs.checkpoints
        anew = any(not disk.is_given and not disk.keep for disk in changes.inputs.data_disks)
        if changes.resets and others and anew:
            yield SideEffect(
                f"the machine's checkpoint {others[0]!r} was not taken by nestedlab, and may use a data disk that the "
                "reset recreates. Keep the data disks (keep=True), or remove the checkpoint if it is yours.",
                forbidden=True,
            )

    def prepare(self, changes: MachineChanges) -> Sequence[Step]:
        """Go back to the baseline, if that is asked for."""
        if not changes.resets:
            return ()
        now = changes.state
        off = (machine_by_id(now.id) | cmdlet("Stop-VM", TurnOff=True, Force=True)).tolerating(ErrorKind.WRONG_STATE)
        restoring = cmdlet("Get-VMSnapshot", Id=now.outputs.baseline_id) | cmdlet("Restore-VMSnapshot", Confirm=False)
        return (
            Step("turn the machine off, to go back to its baseline", (off,)),
            Step("go back to the baseline", (restoring.setting("reset"),), slow=True),
        )

    def before_start(self, changes: MachineChanges, facts: Facts) -> Step | None:
        """Take the baseline of the machine as it is set up now; one that somebody has renamed gets its name back."""
        name, now = changes.inputs.baseline, changes.state
        if "baseline" not in changes.names or not name:
            return None
        before = _by_id(facts, now.outputs.baseline_id)
        if before is not None and not is_made_for(before.text("Name"), now.id):
            return Step("give the baseline its name back", (_rename(before, now.id, name),))
        if _taken_as(now.id, name, facts) is not None:  # by an earlier attempt
            return None
        # A checkpoint has no notes of its own to say whose it is: its name carries the machine's id.
        taking = machine_by_id(now.id) | cmdlet("Checkpoint-VM", SnapshotName=made_name(name, now.id))
        return Step("take the baseline", (taking.setting("baseline"),), slow=True)

    def after_start(self, changes: MachineChanges, facts: Facts) -> Step | None:
        """Give up the baseline before, if there is one that is not the baseline any more.

        Last of all, when the others are in place: a machine does not start while a checkpoint's disks are merged.
        """
        before, now = (
            changes.state.outputs.baseline_id,
            _taken_as(changes.state.id, changes.inputs.baseline or "", facts),
        )
        if "baseline" not in changes.names or not before or (now is not None and now.text("Id") == before):
            return None
        gone = cmdlet("Get-VMSnapshot", Id=before) | cmdlet("Remove-VMSnapshot", Confirm=False)
        pipelines = (gone.tolerating(ErrorKind.ABSENT).setting("baseline"),)
        return Step("remove the previous baseline", pipelines, slow=True)


def _by_id(facts: Facts, identity: str) -> PSObject | None:
    return next((snapshot for snapshot in facts.all("VMSnapshot") if snapshot.text("Id") == identity), None)


def _taken_as(machine: UUID, name: str, facts: Facts) -> PSObject | None:
    """The checkpoint that was taken under the name; an administrator's of that name has not the machine's id in it."""
    made = made_name(name, machine)
    snapshots = facts.all("VMSnapshot")
    return next((snapshot for snapshot in snapshots if name and same_name(snapshot.text("Name"), made)), None)


def _others(identity: str, facts: Facts) -> list[str]:
    """The names of the machine's checkpoints that are not its baseline: somebody has taken them."""
    return sorted({snapshot.text("Name") for snapshot in facts.all("VMSnapshot") if snapshot.text("Id") != identity})


def _rename(taken: PSObject, machine: UUID, name: str) -> Pipeline:
    renamed = cmdlet("Rename-VMSnapshot", NewName=made_name(name, machine))
    return (cmdlet("Get-VMSnapshot", Id=taken.text("Id")) | renamed).setting("baseline")
