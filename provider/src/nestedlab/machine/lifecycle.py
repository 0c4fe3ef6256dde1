"""What it takes to create, read, update and delete a machine: plans, without I/O, composed of the facets'."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar
from uuid import UUID

from nestedlab.declare import Attribute, Resource
from nestedlab.errors import NestedlabError, RefusedError
from nestedlab.lifecycle import ROLLED_BACK, CheckFailed, HalfMade, Observed, Plan, Prefetched, ReadsMany, shown, verify
from nestedlab.machine.adapters import facet as adapters
from nestedlab.machine.apply import applied, compiled
from nestedlab.machine.changes import MachineChanges
from nestedlab.machine.create import create, lookup, needed_by, older_namesake, take_over
from nestedlab.machine.disks.changes import changes_to_refuse, unreadable_disks
from nestedlab.machine.disks.facet import files_to_make, folder_of
from nestedlab.machine.disks.read import (
    UNREADABLE,
    are_merged,
    detached,
    made_files,
    merging_into,
    remembered,
    removable,
    shows_files,
)
from nestedlab.machine.facets import FACETS, decide
from nestedlab.machine.identity import machine_by_id
from nestedlab.machine.power import shut_down, start
from nestedlab.machine.read import apart, observe, read_if_there, reads, reads_started
from nestedlab.machine.table import MachineOutputs, NestedHyperVHost, ObservedMachine
from nestedlab.marking import mark_of
from nestedlab.ownership import begun, gone, left_alone, mark_on, name_taken, owner_of, stack_of
from nestedlab.pipeline import Cmdlet, ErrorKind, Facts, Pipeline, Step, cmdlet, statement
from nestedlab.retry import MERGING_DISKS, MERGING_STAYING_DISKS, STOPPED, Attempt, insist, poll

# How many machines are read in one invocation: its message and its answer stay within a few of WinRM's envelopes.
_AT_ONCE = 32


@dataclass(frozen=True)
class NestedHyperVHostLifecycle(ReadsMany[NestedHyperVHost, MachineOutputs]):
    """What it takes to create, read, update and delete a machine.

    `shutdown_seconds` is what a guest gets to stop. With `adopt` a create takes over what another state has left.
    """

    shutdown_seconds: float = 300
    adopt: bool = False
    kind: ClassVar[type[Resource]] = NestedHyperVHost

    def changes(self, inputs: NestedHyperVHost, state: ObservedMachine) -> MachineChanges:
        """What an update does: shut down, reset, grow, attach, detach, make or delete disks, or replace."""
        return decide(inputs, state)

    def validate_change(self, inputs: NestedHyperVHost, before: NestedHyperVHost) -> Iterator[CheckFailed]:
        """What would lose what is on a disk: to shrink it, or to have another data disk in its place."""
        return (CheckFailed(path, reason) for path, reason in changes_to_refuse(inputs, before))

    def orphans(self, state: ObservedMachine) -> Plan[str | None]:
        """The disks made for a machine that somebody has removed by hand. A JEA role need not show files."""
        yield from ()
        if not state.outputs.made_disks:
            return None
        return (
            "the machine is gone from the host, and the disks that were made for it may still be there: "
            f"{', '.join(state.outputs.made_disks)}. Nothing deletes them any more: remove them on the host if nobody "
            "needs them, or with `nestedlab orphans` and an earlier state (docs/interrupted.md)."
        )

    def warnings(self, state: ObservedMachine) -> Iterator[str]:
        """Disks that the host cannot read."""
        return unreadable_disks(state)

    def create(self, inputs: NestedHyperVHost, listed: Facts | None = None) -> Plan[ObservedMachine]:
        """Create the machine, or complete the one that an earlier attempt of the same owner has begun."""
        facts = yield lookup(inputs, listed)
        machines = facts.all("VirtualMachine")
        found = begun("machine", machines, inputs.name, mark_of(inputs), adopt=self.adopt)
        if found is not None:
            yield take_over(inputs, found)
            return (yield from self.update(inputs, Observed(found.id, inputs, MachineOutputs())))
        for facet in FACETS:
            facet.validate(facts, inputs, None)
        try:
            created = yield create(inputs)
        except ROLLED_BACK as error:
            yield from _find_unmarked(inputs, error)
            raise
        made = next(created.all("VirtualMachine"))
        machine = UUID(made.text("Id"))
        older = older_namesake(made, created.all("VirtualMachine"), inputs)
        if older is not None:
            taken = name_taken("machine", inputs.name, older, mark_of(inputs))
            raise HalfMade(taken, Observed(machine, inputs, MachineOutputs()))
        new = observe(Facts((made, *facts.all("VMHost"))), Observed(machine, inputs, MachineOutputs()))
        try:
            return (yield from self._converge(decide(inputs, new), is_new=True))
        except ROLLED_BACK as error:
            # A disk may have been made and not attached.
            disks = files_to_make(machine, inputs, folder_of(inputs, new.facts))
            raise HalfMade(error, replace(new, outputs=MachineOutputs.model_construct(made_disks=disks))) from error

    def needs(self, inputs: NestedHyperVHost, listed: Facts | None, coming: Facts) -> Plan[None]:
        """Raise if the name or a MAC address is taken, or if a switch, an image or a given disk is not there."""
        machines = () if listed is None else listed.all("VirtualMachine")
        begun("machine", machines, inputs.name, mark_of(inputs), adopt=self.adopt)
        pipelines = (*needed_by(inputs), *adapters.others_reads(inputs))
        if pipelines:
            facts = yield Step("look for what the machine needs", pipelines)
            for facet in FACETS:
                facet.validate(facts.joined_by(coming), inputs, None)
            adapters.refuse_taken_macs(inputs, facts)

    def read(self, state: ObservedMachine) -> Plan[ObservedMachine | None]:
        """Read the machine; None if a second, successful listing confirms that it is gone."""
        facts = yield from read_if_there(state.id, "read the machine", reads(state.id), state)
        return observe(facts, state) if facts else None

    def read_first(self, state: ObservedMachine) -> Plan[Prefetched[NestedHyperVHost, MachineOutputs]]:
        """Read one machine, and list the host's; those of the same stack are the others."""
        pipelines = (pipeline.tolerating(ErrorKind.ABSENT) for pipeline in reads(state.id))
        facts = yield Step("read the machine", (*pipelines, statement("Get-VM")))
        machines = apart(facts)
        owners = {machine: owner_of(of_one.objects[0].text("Notes")) for machine, of_one in machines.items()}
        stack = stack_of(state.inputs.owner)
        others = [machine for machine, owner in owners.items() if machine != state.id and stack_of(owner) == stack]
        if any(error.cmdlet != "Get-VHD" for error in facts.errors):
            return Prefetched(None, others=others)
        return Prefetched(observe(Facts(machines[state.id].objects, facts.errors), state), others=others)

    def read_many(self, identities: Sequence[UUID]) -> Plan[Mapping[UUID, Facts]]:
        """What the host shows of each machine; nothing of one with a disk that it does not show.

        An error does not say whose disk it is about.
        """
        parts: dict[UUID, Facts] = {}
        for begin in range(0, len(identities), _AT_ONCE):
            some = identities[begin : begin + _AT_ONCE]
            pipelines = tuple(pipeline for machine in some for pipeline in reads(machine))
            parts |= apart((yield Step("read the stack's machines", pipelines)))
        return {machine: facts for machine, facts in parts.items() if shows_files(facts)}

    def observe(self, facts: Facts, state: ObservedMachine) -> ObservedMachine | None:
        """What the facts show of a machine."""
        return observe(facts, state)

    def update(self, inputs: NestedHyperVHost, state: ObservedMachine) -> Plan[ObservedMachine]:
        """Bring the machine from whatever it is now to its inputs, by way of its baseline if it is to be reset."""
        known = _known(inputs, state)
        now = yield from self._read_to_change(inputs, known)
        changes = decide(inputs, now)
        steps = [step for facet in FACETS for step in facet.prepare(changes)]
        if steps:
            changes.refuse_forbidden()
            for step in steps:  # noqa: UP028 - a tuple cannot be sent the answers
                yield step
            now = yield from self._read_to_change(inputs, known)
        # The reset is done, or there is nothing to go back to: its text is all that is left of it.
        now = replace(now, inputs=now.inputs.model_copy(update={"reset": inputs.reset}))
        return (yield from self._converge(decide(inputs, now, after_reset=bool(steps))))

    def _read_to_change(self, inputs: NestedHyperVHost, known: ObservedMachine) -> Plan[ObservedMachine]:
        now = yield from self.read(known)
        if now is None:
            raise gone("machine", known.id, inputs.name)
        return now

    def delete(self, state: ObservedMachine) -> Plan[str | None]:
        """Remove the machine and the disks that were made for it, never an image or a disk it was given.

        One that has come to belong to a later creation, or to another stack, is left alone.
        """
        machine = machine_by_id(state.id)
        # Not all of it: a machine whose disk cannot be read can be removed all the same.
        pipelines = (Pipeline((machine,)), machine | Cmdlet("Get-VMHardDiskDrive"))
        facts = yield from read_if_there(state.id, "read the machine and its drives", pipelines, state)
        if facts is not None:
            shown = next(facts.all("VirtualMachine"))
            left = left_alone("machine", shown, state.inputs.stack_id, state.outputs.creation)
            if left is not None:
                yield from _remove_given_up(machine, replace(state, facts=facts))
                return left
            yield from _remove(machine)
        made = made_files(facts or Facts(), state)
        if made:
            yield from _remove_files(made)
        staying = merging_into(facts or Facts(), made)
        if staying:
            yield from _until_merged(staying)
        return None

    def _converge(self, changes: MachineChanges, *, is_new: bool = False) -> Plan[ObservedMachine]:
        """Make the changes, in the power state that they need."""
        if changes.replaced:
            raise RefusedError(_cannot_change(changes))
        changes.refuse_forbidden()
        if not changes.changed:
            return changes.state
        # What is refused is refused before the guest is shut down.
        changes = yield from _looked_up(changes, is_new=is_new)
        pipelines = compiled(changes)
        machine, state = machine_by_id(changes.state.id), changes.power_state
        if changes.shuts_down:
            yield from shut_down(machine, state, self.shutdown_seconds)
            state = "Off"
        facts, known = changes.state.facts, _known_after(changes)
        if pipelines or not changes.starts:
            facts = yield from applied(changes, pipelines, known)
        verify(changes.inputs, observe(facts, known), leaving_out=("running", "baseline"))
        for step in [facet.before_start(changes, facts) for facet in FACETS]:
            if step is not None:
                facts = yield _and_read(step, changes)
        if changes.starts:
            verify(changes.inputs, observe(facts, known), leaving_out=("running",))
            starting = (start(machine, state), *reads_started(changes.state.id))
            facts = facts.renewed((yield Step("start the machine", starting)))
        now = verify(changes.inputs, observe(facts, known))
        for step in [facet.after_start(changes, facts) for facet in FACETS]:
            if step is not None:
                now = verify(changes.inputs, observe((yield _and_read(step, changes)), known))
        return now


def _find_unmarked(inputs: NestedHyperVHost, error: NestedlabError) -> Plan[None]:
    """Raise HalfMade for a machine that was made and not marked.

    Only if marking it is what failed: then the one without notes is ours, since none had the name before.
    """
    if error.cmdlet != "Set-VM":
        return
    named = statement("Get-VM", Name=inputs.name).tolerating(ErrorKind.ABSENT)
    facts = yield Step("look for a machine that was made and not marked", (named,))
    unmarked = [vm for vm in facts.all("VirtualMachine") if not vm.text("Notes") and vm.text("State") == "Off"]
    if len(unmarked) == 1:
        raise HalfMade(error, Observed(UUID(unmarked[0].text("Id")), inputs, MachineOutputs())) from error


def _and_read(step: Step, changes: MachineChanges) -> Step:
    return replace(step, pipelines=(*step.pipelines, *reads(changes.state.id)))


def _known(inputs: NestedHyperVHost, state: ObservedMachine) -> ObservedMachine:
    """What an update knows of a machine that no host shows: the inputs, and what only the state can tell.

    Of the state alone are the disks that are no longer asked for, the last reset, the baseline's id and loose files.
    """
    known = {
        "data_disks": remembered(inputs, state),
        "switch": adapters.remembered(inputs, state),
        "reset": state.inputs.reset,
    }
    return replace(state, inputs=inputs.model_copy(update=known))


def _known_after(changes: MachineChanges) -> ObservedMachine:
    """What is known of the machine once the changes are made: a new baseline is known by its name alone."""
    now = changes.state
    # What is detached goes with the next change, unless a checkpoint may hold it.
    going = removable(now, after_reset=changes.after_reset)
    outputs = MachineOutputs.model_construct(
        made_disks=[path for path in detached(now) if path not in going],
        kept_disks=now.outputs.kept_disks,
        baseline_id="" if "baseline" in changes.names else now.outputs.baseline_id,
    )
    return Observed(now.id, changes.inputs, outputs)


def _looked_up(changes: MachineChanges, *, is_new: bool) -> Plan[MachineChanges]:
    """The changes, with what else must be known to make them. Raises if what they need is not there."""
    now, inputs = changes.state, changes.inputs
    facets = [facet for facet in FACETS if facet.attributes & changes.names]
    # What a new machine needs was looked up before it was made.
    known = needed_by(inputs) if is_new else ()
    pipelines = [pipeline for facet in facets for pipeline in facet.lookup(inputs, now) if pipeline not in known]
    if not pipelines:
        return changes
    facts = yield Step("look up what the changes need", tuple(pipelines))
    if not is_new:
        for facet in facets:
            facet.validate(facts, inputs, now)
    return replace(changes, state=replace(now, facts=Facts(now.facts.objects + facts.objects)))


def _remove(machine: Cmdlet) -> Plan[None]:
    """Turn a machine off, and remove it."""

    def removing(attempt: Attempt) -> Step:
        pipelines = (
            (machine | cmdlet("Stop-VM", TurnOff=True, Force=True)).tolerating(ErrorKind.WRONG_STATE),
            (machine | cmdlet("Remove-VM", Force=True)).tolerating(*attempt.retried),
        )
        return Step("remove the machine", pipelines, slow=True, delay=attempt.delay)

    yield from insist(removing, STOPPED, "Remove-VM")


def _remove_given_up(machine: Cmdlet, old: ObservedMachine) -> Plan[None]:
    """Remove the files that the machine had before a later creation took it over: no other state knows of them."""
    shown, files = next(old.facts.all("VirtualMachine")), detached(old)
    if not files or mark_on(shown).stack != (old.inputs.stack_id or ""):
        return
    facts = yield Step("see whether a checkpoint needs the disks given up", (machine | Cmdlet("Get-VMSnapshot"),))
    if facts.first("VMSnapshot") is None:
        yield from _remove_files(files)


def _remove_files(paths: list[str]) -> Plan[None]:
    """Remove disks of a machine that is gone."""

    def removing(attempt: Attempt) -> Step:
        files = (statement("Remove-Item", LiteralPath=path) for path in paths)
        tolerated = (ErrorKind.ABSENT, *attempt.retried)
        pipelines = tuple(file.tolerating(*tolerated) for file in files)
        return Step("remove the machine's disks", pipelines, delay=attempt.delay)

    yield from insist(removing, MERGING_DISKS)


def _until_merged(staying: Mapping[str, str]) -> Plan[None]:
    """Wait until what is in front of disks is merged into them. Raises RefusedError if that takes too long."""
    files = (path for pair in staying.items() for path in pair)
    tolerated = (ErrorKind.BUSY, *UNREADABLE)
    pipelines = tuple(statement("Get-VHD", Path=path).tolerating(*tolerated) for path in files)
    reading = Step("see whether the disks that stay are merged", pipelines)
    facts = yield from poll(reading, lambda facts: are_merged(facts, staying.values()), MERGING_STAYING_DISKS)
    if not are_merged(facts, staying.values()):
        raise RefusedError(
            f"the machine is removed, and its checkpoints are still being merged into {', '.join(staying)}. The host "
            f"completes this by itself, and is done when {', '.join(staying.values())} is gone. Leave the disks alone "
            "until then, and run the command again, which has nothing more to remove."
        )


def _cannot_change(changes: MachineChanges) -> str:
    rows = ", ".join(_difference(row, changes) for row in changes.replaced)
    return (
        f"{changes.inputs.subject} is on the host and cannot be changed in place: {rows}. Run `pulumi refresh`: the "
        "next preview then shows the replacement. If an interrupted attempt has left it so, change the program to what "
        "is there, or remove the machine on the host."
    )


def _difference(row: Attribute, changes: MachineChanges) -> str:
    there, wanted = getattr(changes.state.inputs, row.name), getattr(changes.inputs, row.name)
    return f"{row.name} is {shown(there)} and should be {shown(wanted)}"
