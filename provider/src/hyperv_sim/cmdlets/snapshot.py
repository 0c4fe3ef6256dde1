"""The object VMSnapshot; Checkpoint-VM, Get-, Rename-, Restore-, Remove-VMSnapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hyperv_sim import errors
from hyperv_sim.cmdlets.machine import RESTING
from hyperv_sim.fidelity import GUIDE, REFERENCE, REFLECTION, UNKNOWN, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.components import OBJECT, OBJECT_BASES
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import wrong_state
from hyperv_sim.powershell.targets import WILDCARDS, each, machines, named
from hyperv_sim.state import checkpoints
from hyperv_sim.state.enumerations import HYPER_V, CheckpointType, SnapshotType, VMState
from hyperv_sim.state.machines import Checkpoint, Machine

VALUES: Mapping[str, Callable[[Checkpoint], object]] = {
    "VMId": lambda checkpoint: checkpoint.machine.id,
    "VMName": lambda checkpoint: checkpoint.machine.name,
    "State": lambda checkpoint: checkpoint.state,
    "DVDDrives": lambda checkpoint: checkpoint.settings.dvd_drives,
    "HardDrives": lambda checkpoint: checkpoint.settings.drives,
    "VMIntegrationService": lambda checkpoint: checkpoint.settings.integration_services,
    "DynamicMemoryEnabled": lambda checkpoint: checkpoint.settings.memory.dynamic,
    "MemoryMaximum": lambda checkpoint: checkpoint.settings.memory.maximum,
    "MemoryMinimum": lambda checkpoint: checkpoint.settings.memory.minimum,
    "MemoryStartup": lambda checkpoint: checkpoint.settings.memory.startup,
    "ProcessorCount": lambda checkpoint: checkpoint.settings.processor.count,
    "Generation": lambda checkpoint: checkpoint.settings.generation,
    "IsClustered": lambda checkpoint: checkpoint.machine.is_clustered,
    "Notes": lambda checkpoint: checkpoint.settings.notes,
    "ParentSnapshotId": lambda checkpoint: checkpoint.parent.id if checkpoint.parent else None,
    "ParentSnapshotName": lambda checkpoint: checkpoint.parent.name if checkpoint.parent else None,
    "Path": lambda checkpoint: checkpoint.machine.snapshot_file_location,
    "Version": lambda checkpoint: checkpoint.settings.version,
    "GuestControlledCacheTypes": lambda checkpoint: checkpoint.settings.guest_controlled_cache_types,
    "LowMemoryMappedIoSpace": lambda checkpoint: checkpoint.settings.low_memory_mapped_io_space,
    "HighMemoryMappedIoSpace": lambda checkpoint: checkpoint.settings.high_memory_mapped_io_space,
    "LockOnDisconnect": lambda checkpoint: checkpoint.settings.lock_on_disconnect,
    "CreationTime": lambda checkpoint: checkpoint.created,
    "Id": lambda checkpoint: checkpoint.id,
    "Name": lambda checkpoint: checkpoint.name,
    "NetworkAdapters": lambda checkpoint: checkpoint.settings.adapters,
    "ComputerName": lambda checkpoint: checkpoint.machine.host_name,
    "IsDeleted": lambda checkpoint: checkpoint not in checkpoint.machine.checkpoints,
}

describe_class(
    Checkpoint,
    f"{HYPER_V}.VMSnapshot",
    VALUES,
    constants={
        "SnapshotType": SnapshotType.Standard,
        "IsAutomaticCheckpoint": False,
        "CimSession": OBJECT["CimSession"],
    },
    bases=(f"{HYPER_V}.VirtualMachineBase", f"{HYPER_V}.ComputeResource", *OBJECT_BASES),
    aliases={"ParentCheckpointId": "ParentSnapshotId", "ParentCheckpointName": "ParentSnapshotName"},
    since={"IsAutomaticCheckpoint": "2019"},
    text=lambda checkpoint: (
        f"VMSnapshot (Name = '{checkpoint.name}', VMName = '{checkpoint.machine.name}') [Id = '{checkpoint.id}']"
    ),
)


@cmdlet(
    "Checkpoint-VM", takes=("Name", "VM", "SnapshotName", "Passthru"), error_class=f"{HYPER_V}.Commands.NewVMSnapshot"
)
def checkpoint_vm(call: Call) -> Iterator[object]:
    """Checkpoint-VM: of a machine that is off, saved or running; not of a running one that exposes its extensions."""

    def take(machine: Machine) -> Iterator[object]:
        _check_take(machine)
        name = call.get("SnapshotName", f"{machine.name} - ({len(machine.checkpoints) + 1})")
        made = checkpoints.take(call.host, machine, name, _state(machine))
        if call.get("Passthru"):
            yield made

    yield from each(call, machines(call), take)


def _check_take(machine: Machine) -> None:
    failed = f"Checkpoint operation for '{machine.name}' failed."
    nested = machine.processor.expose_extensions and machine.state is VMState.Running
    only_production = machine.checkpoint_type is CheckpointType.ProductionOnly and machine.state is VMState.Running
    if machine.state not in (*RESTING, VMState.Running) or machine.is_merging:
        raise wrong_state(failed)
    if machine.checkpoint_type is CheckpointType.Disabled or nested:
        raise errors.hyper_v("InvalidOperation", f"{failed} The operation failed.")
    if only_production and not machine.guest_answers:
        raise errors.hyper_v("InvalidOperation", f"{failed} Production checkpoints cannot be created.")


def _state(machine: Machine) -> VMState:
    """What the machine is when restored: only a standard checkpoint of a running one has its memory."""
    kinds = (CheckpointType.Production, CheckpointType.ProductionOnly)
    with_memory = machine.checkpoint_type not in kinds or not machine.guest_answers
    if machine.state is VMState.Running:
        return VMState.Saved if with_memory else VMState.Off
    return machine.state


@cmdlet("Get-VMSnapshot", takes=("VMName", "VM", "Name", "Id"))
def get_vm_snapshot(call: Call) -> Iterator[object]:
    """Get-VMSnapshot, all of a machine's, those of a name, or by -Id."""
    if "Id" in call.parameters:
        every = [checkpoint for machine in call.host.machines.values() for checkpoint in machine.checkpoints]
        yield from _found(
            [checkpoint for checkpoint in every if checkpoint.id == call.parameters["Id"]], str(call.parameters["Id"])
        )
        return
    yield from each(call, machines(call), lambda machine: _of_name(machine, call.get("Name")))


def _of_name(machine: Machine, name: str | None) -> list[Checkpoint]:
    if name is None:
        return list(machine.checkpoints)
    if any(mark in name for mark in WILDCARDS):
        raise errors.not_simulated("wildcards in a checkpoint's name")
    return _found([checkpoint for checkpoint in machine.checkpoints if checkpoint.name.lower() == name.lower()], name)


def _found(found: list[Checkpoint], wanted: str) -> list[Checkpoint]:
    if not found:
        raise errors.hyper_v("ObjectNotFound", f'Hyper-V was unable to find a checkpoint "{wanted}".')
    return found


def _chosen(call: Call) -> Iterator[Checkpoint]:
    """The checkpoints of -VMSnapshot, or those of a machine's that have the name; without a name all."""
    if "VMSnapshot" not in call.parameters:
        for machine in list(_machines(call)):
            with call.going_on():
                for name in _all(call.get("Name")):
                    yield from _of_name(machine, name)
        return
    for checkpoint in _all(call.parameters["VMSnapshot"]):
        with call.going_on():
            if checkpoint.machine.id not in call.host.machines or checkpoint not in checkpoint.machine.checkpoints:
                raise errors.hyper_v("ObjectNotFound", f"The checkpoint '{checkpoint.name}' does not exist any more.")
            yield checkpoint


def _machines(call: Call) -> Iterator[Machine]:
    """-VMName names machines here, -Name checkpoints."""
    yield from _all(call.get("VM", ()))
    for name in _all(call.get("VMName", ())):
        with call.going_on():
            yield from named(call.host, name, missing="ObjectNotFound")


def _all(given: Any) -> tuple[Any, ...]:
    return given if isinstance(given, tuple) else (given,)


@cmdlet("Rename-VMSnapshot", takes=("VMName", "VM", "Name", "VMSnapshot", "NewName", "Passthru"))
def rename_vm_snapshot(call: Call) -> Iterator[object]:
    """Rename-VMSnapshot: a name in use is taken too."""
    for checkpoint in list(_chosen(call)):
        checkpoint.name = call.parameters["NewName"]
        if call.get("Passthru"):
            yield checkpoint


@cmdlet("Restore-VMSnapshot", takes=("VMName", "VM", "Name", "VMSnapshot", "Passthru"), confirms=True)
def restore_vm_snapshot(call: Call) -> Iterator[object]:
    """Restore-VMSnapshot: settings and disks as they were, of a machine that is off or saved."""
    found = list(_chosen(call))
    if len(found) > 1:
        raise errors.hyper_v("InvalidParameter", "More than one checkpoint has this name.")
    for checkpoint in found:
        with call.going_on():
            if checkpoint.machine.state not in RESTING or checkpoint.machine.is_merging:
                raise wrong_state(f"'{checkpoint.machine.name}' failed to apply checkpoint.")
            checkpoints.restore(call.host, checkpoint)
            if call.get("Passthru"):
                yield checkpoint


@cmdlet(
    "Remove-VMSnapshot",
    takes=("VMName", "VM", "Name", "VMSnapshot", "IncludeAllChildSnapshots", "Passthru"),
)
def remove_vm_snapshot(call: Call) -> Iterator[object]:
    """Remove-VMSnapshot: at once from the list; its disks are merged later, and are locked until then."""
    for checkpoint in list(_chosen(call)):
        machine = checkpoint.machine
        if checkpoint not in machine.checkpoints:  # gone with one that it was made on
            continue
        gone = checkpoints.descendants(machine, checkpoint) if call.get("IncludeAllChildSnapshots") else [checkpoint]
        checkpoints.remove(call.host, machine, gone)
        if call.get("Passthru"):
            yield machine


fact(
    "Checkpoint-VM",
    "the machine writes to NAME_GUID.avhdx next to each disk from then on; the checkpoint keeps the files before",
    "dsccommunity/HyperVDsc#28; Microsoft's guide to checkpoints; a public listing of a checkpoint's files",
)
fact(
    "Checkpoint-VM",
    "refused if the type is Disabled: `InvalidOperation,...NewVMSnapshot`",
    "hashicorp/vagrant#9977; public test data for the id",
)
fact(
    "Checkpoint-VM",
    "a running machine that exposes its extensions is refused",
    f"stricter: {GUIDE} of 2015 says it may fail, newer texts are silent",
)
fact(
    "Checkpoint-VM",
    "standard ones of a running machine restore as Saved, production ones as Off",
    "Microsoft's guide to checkpoints; Saved inferred",
)
fact(
    "Checkpoint-VM",
    "production ones need a guest that answers; else standard, or an error for ProductionOnly",
    REFERENCE,
)
fact("Checkpoint-VM", "paused, or while disks are merged: refused (`InvalidState`)", UNKNOWN)
fact("Get-VMSnapshot", "a name of no checkpoint: `ObjectNotFound`", "a public script that catches it")
fact("Get-VMSnapshot", "properties and types", "public stubs of the Hyper-V module's types")
fact(
    "Restore-VMSnapshot",
    "needs -Confirm:$false",
    f"{REFLECTION}: its impact is high; MicrosoftDocs/windows-powershell-docs#579",
)
fact(
    "Restore-VMSnapshot",
    "two checkpoints of the name: `InvalidParameter`, and none is restored",
    f"{UNKNOWN}; stricter",
)
fact("Restore-VMSnapshot", "refused unless Off or Saved", f"{UNKNOWN}; stricter")
fact(
    "Restore-VMSnapshot",
    "all settings come back but the name and the folders: notes, adapters, drives, TPM; added disks stay as files",
    f"{UNKNOWN} for the notes; the rest from what a checkpoint holds (Msvm_VirtualSystemSettingData)",
)
fact("Restore-VMSnapshot", "the differences since are deleted, and the machine gets new ones", "inferred")
fact(
    "Remove-VMSnapshot",
    "asks nobody",
    f"{REFLECTION}: its impact is medium, and it has no -Force; {REFERENCE}'s samples",
)
fact(
    "Remove-VMSnapshot",
    "the merge is asynchronous (`Status` Merging disks) and takes some looks; until then disks are busy, no start",
    "public scripts that wait for it; the lock inferred",
)
fact("Remove-VM", "its checkpoints go with it, and their disks are merged afterwards", REFERENCE)
fact("Remove-VM", "refused while disks are merged (`InvalidState`)", UNKNOWN)
fact("Rename-VMSnapshot", "a name in use is taken too", f"{UNKNOWN}; its characters are free: {REFERENCE}'s sample")
