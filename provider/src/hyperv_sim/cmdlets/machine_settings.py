"""Set-VM."""

from __future__ import annotations

from collections.abc import Iterator

from hyperv_sim import errors
from hyperv_sim.cmdlets.memory import check_range, misaligned
from hyperv_sim.cmdlets.processor import too_many
from hyperv_sim.fidelity import UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.names import unfit
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import Setting, change, names
from hyperv_sim.powershell.targets import each, machines
from hyperv_sim.state.machines import Machine


def _negative(_: Call, number: int) -> str | None:
    return "The value must not be negative." if number < 0 else None


PROCESSOR = (Setting("ProcessorCount", "count", off_only=True, check=too_many),)
MEMORY = (
    Setting("DynamicMemory", "dynamic", off_only=True),
    Setting("StaticMemory", "dynamic", off_only=True, value=lambda given: not given),
    Setting("MemoryMinimumBytes", "minimum", off_only=True, check=misaligned),
    Setting("MemoryMaximumBytes", "maximum", off_only=True, check=misaligned),
    Setting("MemoryStartupBytes", "startup", off_only=True, check=misaligned),
)
OWN = (
    Setting("NewVMName", "name", check=unfit),
    Setting("Notes", "notes"),
    Setting("AutomaticStartAction", "automatic_start_action"),
    Setting("AutomaticStartDelay", "automatic_start_delay", check=_negative),
    Setting("AutomaticStopAction", "automatic_stop_action", off_only=True),
    Setting("AutomaticCriticalErrorAction", "automatic_critical_error_action"),
    Setting("AutomaticCriticalErrorActionTimeout", "automatic_critical_error_minutes", check=_negative),
    Setting("AutomaticCheckpointsEnabled", "automatic_checkpoints", off_only=True),
    Setting("CheckpointType", "checkpoint_type"),
    Setting("LockOnDisconnect", "lock_on_disconnect"),
    Setting("GuestControlledCacheTypes", "guest_controlled_cache_types", off_only=True),
    Setting("LowMemoryMappedIoSpace", "low_memory_mapped_io_space", off_only=True),
    Setting("HighMemoryMappedIoSpace", "high_memory_mapped_io_space", off_only=True),
    Setting("SnapshotFileLocation", "snapshot_file_location"),
    Setting("SmartPagingFilePath", "smart_paging_file_path", off_only=True),
)


@cmdlet("Set-VM", takes=("Name", "VM", "Passthru", *names(PROCESSOR), *names(MEMORY), *names(OWN)))
def set_vm(call: Call) -> Iterator[object]:
    """Set-VM: notes, name and actions in any state; processors, memory and the like only while off."""
    if call.get("DynamicMemory") and call.get("StaticMemory"):
        raise errors.not_simulated("Set-VM -DynamicMemory with -StaticMemory")

    def change_one(machine: Machine) -> Iterator[object]:
        check_range(call, machine.memory, "Memory")
        parts = ((machine.processor, PROCESSOR), (machine.memory, MEMORY), (machine, OWN))
        change(call, machine, parts, f"Modifying the properties of '{machine.name}' failed.")
        if call.get("Passthru"):
            yield machine

    yield from each(call, machines(call), change_one)


fact(
    "Set-VM",
    "notes, name, start and critical error actions, checkpoint type, snapshot folder, lock: in any state",
    f"{UNKNOWN} but for the notes; against it, dsccommunity/HyperVDsc#216 has the start action only while off",
)
fact(
    "Set-VM",
    "processors, memory, stop action, automatic checkpoints, cache and I/O space, paging file: only while off",
    f"canonical/multipass#4204; {WINDSOR}; dsccommunity/HyperVDsc#216 for the stop action",
)
fact(
    "Set-VM",
    "a delay or time below 0: `InvalidParameter`",
    f"Msvm_VirtualSystemSettingData: intervals have no sign; id {UNKNOWN}",
)
fact("Set-VM", "-AutomaticCheckpointsEnabled is unknown to Server 2016", "inferred from a DSC resource in lability")
