"""The object VirtualMachine; Get-VM, Remove-VM, Rename-VM."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone

from hyperv_sim import errors
from hyperv_sim.fidelity import REFERENCE, UNKNOWN, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.components import OBJECT, OBJECT_BASES
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.names import unfit
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.targets import each, machines, named, present
from hyperv_sim.records import Scalar
from hyperv_sim.state import checkpoints
from hyperv_sim.state.enumerations import HYPER_V, VMOperationalStatus, VMState
from hyperv_sim.state.machines import Machine

RESTING = (VMState.Off, VMState.Saved)
OK, MERGING = VMOperationalStatus.Ok, VMOperationalStatus.MergingDisks
WELL, MERGING_DISKS = "Operating normally", "Merging disks"


def _uptime(machine: Machine) -> timedelta:
    return datetime.now(timezone.utc) - machine.started if machine.started else timedelta(0)


def _assigned(machine: Machine) -> int:
    return 0 if machine.state in RESTING else machine.memory.startup


VALUES: Mapping[str, Callable[[Machine], object]] = {
    "ConfigurationLocation": lambda vm: vm.path,
    "SmartPagingFilePath": lambda vm: vm.smart_paging_file_path,
    "SnapshotFileLocation": lambda vm: vm.snapshot_file_location,
    "AutomaticStartAction": lambda vm: vm.automatic_start_action,
    "AutomaticStartDelay": lambda vm: vm.automatic_start_delay,
    "AutomaticStopAction": lambda vm: vm.automatic_stop_action,
    "AutomaticCriticalErrorAction": lambda vm: vm.automatic_critical_error_action,
    "AutomaticCriticalErrorActionTimeout": lambda vm: vm.automatic_critical_error_minutes,
    "AutomaticCheckpointsEnabled": lambda vm: vm.automatic_checkpoints,
    "MemoryAssigned": _assigned,
    "MemoryDemand": _assigned,
    "Uptime": _uptime,
    "OperationalStatus": lambda vm: (OK, MERGING) if vm.is_merging else (OK,),
    "SecondaryOperationalStatus": lambda vm: MERGING if vm.is_merging else None,
    "StatusDescriptions": lambda vm: (WELL, MERGING_DISKS) if vm.is_merging else (WELL,),
    "SecondaryStatusDescription": lambda vm: MERGING_DISKS if vm.is_merging else None,
    "Status": lambda vm: MERGING_DISKS if vm.is_merging else WELL,
    "CheckpointType": lambda vm: vm.checkpoint_type,
    "Version": lambda vm: vm.version,
    "VirtualMachineSubType": lambda vm: f"Generation{vm.generation}",
    "Notes": lambda vm: vm.notes,
    "State": lambda vm: vm.state,
    "DVDDrives": lambda vm: vm.dvd_drives,
    "HardDrives": lambda vm: vm.drives,
    "VMIntegrationService": lambda vm: vm.integration_services,
    "DynamicMemoryEnabled": lambda vm: vm.memory.dynamic,
    "MemoryMaximum": lambda vm: vm.memory.maximum,
    "MemoryMinimum": lambda vm: vm.memory.minimum,
    "MemoryStartup": lambda vm: vm.memory.startup,
    "ProcessorCount": lambda vm: vm.processor.count,
    "Generation": lambda vm: vm.generation,
    "IsClustered": lambda vm: vm.is_clustered,
    "ParentSnapshotId": lambda vm: vm.parent_checkpoint.id if vm.parent_checkpoint else None,
    "ParentSnapshotName": lambda vm: vm.parent_checkpoint.name if vm.parent_checkpoint else None,
    "Path": lambda vm: vm.path,
    "GuestControlledCacheTypes": lambda vm: vm.guest_controlled_cache_types,
    "LowMemoryMappedIoSpace": lambda vm: vm.low_memory_mapped_io_space,
    "HighMemoryMappedIoSpace": lambda vm: vm.high_memory_mapped_io_space,
    "LockOnDisconnect": lambda vm: vm.lock_on_disconnect,
    "CreationTime": lambda vm: vm.created,
    "Id": lambda vm: vm.id,
    "Name": lambda vm: vm.name,
    "NetworkAdapters": lambda vm: vm.adapters,
    "ComputerName": lambda vm: vm.host_name,
}

describe_class(
    Machine,
    f"{HYPER_V}.VirtualMachine",
    VALUES,
    constants={
        **OBJECT,
        "SmartPagingFileInUse": False,
        "CPUUsage": 0,
        "MemoryStatus": "",
        "PrimaryOperationalStatus": OK,
        "PrimaryStatusDescription": WELL,
        "ReplicationHealth": "NotApplicable",
        "ReplicationMode": "None",
        "ReplicationState": "Disabled",
        "ResourceMeteringEnabled": False,
        "EnhancedSessionTransportType": "VMBus",
        "VirtualMachineType": "RealizedVirtualMachine",
    },
    bases=(f"{HYPER_V}.VirtualMachineBase", f"{HYPER_V}.ComputeResource", *OBJECT_BASES),
    aliases={
        "ParentCheckpointId": "ParentSnapshotId",
        "ParentCheckpointName": "ParentSnapshotName",
        "VMName": "Name",
        "VMId": "Id",
        "CheckpointFileLocation": "SnapshotFileLocation",
    },
    since={"AutomaticCheckpointsEnabled": "2019"},
    text=lambda vm: f"VirtualMachine (Name = '{vm.name}') [Id = '{vm.id}']",
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
    "no replication, no metering, no smart paging, the type of a generation; CPUUsage never changes",
    "tests of intel/mfd-hyperv and of techthoughts' Diag-V; PS-AutoLab-Env#237; PlagueHO's blog; the rest inferred",
)
fact(
    "Remove-VM",
    "refused unless Off or Saved (`InvalidState`, InvalidOperation)",
    "public code for the rule and the text; id and category inferred",
)
fact("Remove-VM", "needs `-Force` or `-Confirm:$false`, for nobody can answer", "public code always passes one of them")
fact("Remove-VM", "leaves disk files [documented] and folders [inferred]", REFERENCE)
fact("PowerShell", "a live object of what is gone by now: `ObjectNotFound`", UNKNOWN)
fact("Rename-VM", "allowed in any state, a name in use too", f"{UNKNOWN} for the state")
