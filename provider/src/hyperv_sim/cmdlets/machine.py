"""The object VirtualMachine; Get-VM, Remove-VM, Rename-VM."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from hyperv_sim import errors
from hyperv_sim.fidelity import REFERENCE, UNKNOWN, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.names import unfit
from hyperv_sim.powershell.properties import Property, describe
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.targets import each, machines, named, present
from hyperv_sim.records import Scalar
from hyperv_sim.state import checkpoints
from hyperv_sim.state.enumerations import HYPER_V, VMOperationalStatus, VMState
from hyperv_sim.state.machines import Machine

P = Property[Machine]
RESTING = (VMState.Off, VMState.Saved)
OK, MERGING = VMOperationalStatus.Ok, VMOperationalStatus.MergingDisks


def _uptime(machine: Machine) -> timedelta:
    return datetime.now(timezone.utc) - machine.started if machine.started else timedelta(0)


def _assigned(machine: Machine) -> int:
    return 0 if machine.state in RESTING else machine.memory.startup


describe(
    Machine,
    f"{HYPER_V}.VirtualMachine",
    [
        P("Name", "String", lambda vm: vm.name),
        P("VMName", "String", lambda vm: vm.name),
        P("Id", "Guid", lambda vm: vm.id),
        P("VMId", "Guid", lambda vm: vm.id),
        P("State", "Object", lambda vm: vm.state),
        P("Status", "String", lambda vm: "Merging disks" if vm.is_merging else "Operating normally"),
        P("OperationalStatus", "Object", lambda vm: (OK, MERGING) if vm.is_merging else (OK,)),
        P("PrimaryOperationalStatus", "Object", lambda _: OK),
        P("SecondaryOperationalStatus", "Object", lambda vm: MERGING if vm.is_merging else None),
        P("Generation", "Int32", lambda vm: vm.generation),
        P("Version", "String", lambda vm: vm.version),
        P("Path", "String", lambda vm: vm.path),
        P("ConfigurationLocation", "String", lambda vm: vm.path),
        P("SnapshotFileLocation", "String", lambda vm: vm.snapshot_file_location),
        P("CheckpointFileLocation", "String", lambda vm: vm.snapshot_file_location),
        P("SmartPagingFilePath", "String", lambda vm: vm.smart_paging_file_path),
        P("Notes", "String", lambda vm: vm.notes),
        P("ProcessorCount", "Int64", lambda vm: vm.processor.count),
        P("DynamicMemoryEnabled", "Boolean", lambda vm: vm.memory.dynamic),
        P("MemoryStartup", "Int64", lambda vm: vm.memory.startup),
        P("MemoryMinimum", "Int64", lambda vm: vm.memory.minimum),
        P("MemoryMaximum", "Int64", lambda vm: vm.memory.maximum),
        P("MemoryAssigned", "Int64", _assigned),
        P("MemoryDemand", "Int64", _assigned),
        P("Uptime", "TimeSpan", _uptime),
        P("CreationTime", "DateTime", lambda vm: vm.created),
        P("CPUUsage", "Int32", lambda _: 0),
        P("AutomaticStartAction", "Object", lambda vm: vm.automatic_start_action),
        P("AutomaticStartDelay", "Int32", lambda vm: vm.automatic_start_delay),
        P("AutomaticStopAction", "Object", lambda vm: vm.automatic_stop_action),
        P("AutomaticCriticalErrorAction", "Object", lambda vm: vm.automatic_critical_error_action),
        P("AutomaticCriticalErrorActionTimeout", "Int32", lambda vm: vm.automatic_critical_error_minutes),
        P("AutomaticCheckpointsEnabled", "Boolean", lambda vm: vm.automatic_checkpoints, since="2019"),
        P("CheckpointType", "Object", lambda vm: vm.checkpoint_type),
        P("LockOnDisconnect", "Object", lambda vm: vm.lock_on_disconnect),
        P("GuestControlledCacheTypes", "Boolean", lambda vm: vm.guest_controlled_cache_types),
        P("LowMemoryMappedIoSpace", "UInt32", lambda vm: vm.low_memory_mapped_io_space),
        P("HighMemoryMappedIoSpace", "UInt64", lambda vm: vm.high_memory_mapped_io_space),
        P("NetworkAdapters", "Object", lambda vm: vm.adapters),
        P("HardDrives", "Object", lambda vm: vm.drives),
        P("DVDDrives", "Object", lambda vm: vm.dvd_drives),
        P("VMIntegrationService", "Object", lambda vm: vm.integration_services),
        P("ParentSnapshotId", "Guid", lambda vm: vm.parent_checkpoint.id if vm.parent_checkpoint else None),
        P("ParentSnapshotName", "String", lambda vm: vm.parent_checkpoint.name if vm.parent_checkpoint else None),
        P("ParentCheckpointId", "Guid", lambda vm: vm.parent_checkpoint.id if vm.parent_checkpoint else None),
        P("ParentCheckpointName", "String", lambda vm: vm.parent_checkpoint.name if vm.parent_checkpoint else None),
        P("ComputerName", "String", lambda vm: vm.host_name),
        P("IsClustered", "Boolean", lambda vm: vm.is_clustered),
    ],
    bases=(f"{HYPER_V}.VirtualMachineBase", f"{HYPER_V}.VirtualizationObject"),
    text=lambda vm: f"VirtualMachine (Name = '{vm.name}') [Id = '{str(vm.id).upper()}']",
)


@cmdlet("Get-VM", takes=("Name", "Id"))
def get_vm(call: Call) -> Iterator[object]:
    """Get-VM, all, by -Name (wildcards, every machine of the name) or by -Id."""
    checkpoints.look(call.host)
    if "Id" in call.parameters:
        machine = call.host.machines.get(call.parameters["Id"])
        if machine is None:
            wanted = call.parameters["Id"]
            message = f'Hyper-V was unable to find a virtual machine with id "{wanted}".'
            raise errors.hyper_v("ObjectNotFound", message, target=Scalar("Guid", wanted))
        yield machine
    elif "Name" not in call.parameters:
        yield from call.host.machines.values()
    else:
        for name in call.parameters["Name"]:
            with call.going_on():
                yield from named(call.host, name, wildcards=True)


@cmdlet("Remove-VM", takes=("Name", "VM", "Force", "Passthru"), confirms=True)
def remove_vm(call: Call) -> Iterator[object]:
    """Remove-VM: only off or saved machines; disk files and folders stay."""

    def remove(machine: Machine) -> Iterator[object]:
        is_held = call.host.contention.refuses(call.cmdlet.name, machine.id)
        if is_held or machine.state not in RESTING or machine.is_merging:
            raise errors.hyper_v(
                "InvalidState",
                "The operation cannot be performed while the virtual machine is in its current state.",
            )
        if machine.checkpoints:
            checkpoints.remove(call.host, machine, list(machine.checkpoints))
        del call.host.machines[machine.id]
        call.host.files.remove(machine.configuration_file)
        if call.get("Passthru"):
            yield machine

    yield from each(call, machines(call), remove)


@cmdlet("Rename-VM", takes=("Name", "VM", "NewName", "Passthru"))
def rename_vm(call: Call) -> Iterator[object]:
    """Rename-VM, in any state; a name that another machine has is taken too."""

    def rename(machine: Machine) -> Iterator[object]:
        wrong = unfit(call, call.parameters["NewName"])
        if wrong:
            raise errors.hyper_v("InvalidParameter", f"'{machine.name}' could not be renamed. {wrong}")
        if not call.host.hooks.forgets(call.cmdlet.name, "NewName"):
            machine.name = call.parameters["NewName"]
        if call.get("Passthru"):
            yield from present(call, machine)

    yield from each(call, machines(call), rename)


fact("Get-VM", "a name in use several times gives every machine of it", "dsccommunity/HyperVDsc#105")
fact(
    "Get-VM",
    "a missing `-Name` is `InvalidParameter`, InvalidArgument, target the name; a pattern may fit nothing",
    "public logs; code of taliesins/terraform-provider-hyperv",
)
fact(
    "Remove-VM",
    "on a busy host (--busy) a machine that was just turned off is refused for a moment (`InvalidState`)",
    "taliesins/terraform-provider-hyperv#275",
)
fact("Get-VM", "a missing `-Id` is `ObjectNotFound`", f"public logs for id and category; wording {UNKNOWN}")
fact(
    "Get-VM",
    "IsClustered is what the host is set up with: machines become roles of the cluster as they are made",
    "not simulated: on Windows somebody adds them",
)
fact(
    "Get-VM",
    "absent: heartbeat, replication; CPUUsage never changes",
    "not simulated",
)
fact(
    "Remove-VM",
    "refused unless Off or Saved (`InvalidState`, InvalidOperation)",
    "public code for the rule and the text; id and category inferred",
)
fact("Remove-VM", "needs `-Force` or `-Confirm:$false`, for nobody can answer", "public code always passes one of them")
fact("Remove-VM", "leaves disk files [documented] and folders [inferred]", REFERENCE)
fact("Rename-VM", "allowed in any state, a name in use too", f"{UNKNOWN} for the state")
