"""Get-VMMemory and Set-VMMemory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hyperv_sim import errors
from hyperv_sim.fidelity import GUIDE, UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.components import DEVICE_BASES, PART, PART_ALIASES, PART_VALUES
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import Setting, change, names, within
from hyperv_sim.powershell.targets import each, machines, machines_with
from hyperv_sim.state.components import component_id
from hyperv_sim.state.enumerations import HYPER_V
from hyperv_sim.state.machines import MIB, Machine, Memory

FAILED = "Failed to modify device 'Memory'."
SMALLEST = 32 * MIB
DEVICE = "4764334d-e001-4176-82ee-5594ec9b530e"
"""The end of every memory's Id."""

VALUES: Mapping[str, Callable[[Memory], object]] = {
    **PART_VALUES,
    "Buffer": lambda memory: memory.buffer,
    "DynamicMemoryEnabled": lambda memory: memory.dynamic,
    "Maximum": lambda memory: memory.maximum,
    "MaximumPerNumaNode": lambda memory: memory.maximum_per_numa_node // MIB,
    "Minimum": lambda memory: memory.minimum,
    "Priority": lambda memory: memory.priority,
    "Startup": lambda memory: memory.startup,
    "Id": lambda memory: component_id(memory.machine, DEVICE),
}

describe_class(
    Memory,
    f"{HYPER_V}.VMMemory",
    VALUES,
    constants={**PART, "ResourcePoolName": "Primordial"},
    bases=DEVICE_BASES,
    aliases=PART_ALIASES,
)


def misaligned(_: Call, size: int) -> str | None:
    """What is wrong with an amount of memory in bytes, if anything. It comes in steps of 2 MiB. [minikube#16592]"""
    if size % (2 * MIB) or size < SMALLEST:
        return "Memory values must be properly aligned."
    return None


SETTINGS = (
    Setting("DynamicMemoryEnabled", "dynamic", off_only=True),
    Setting("StartupBytes", "startup", off_only=True, check=misaligned),
    Setting("MinimumBytes", "minimum", off_only=True, check=misaligned),
    Setting("MaximumBytes", "maximum", off_only=True, check=misaligned),
    Setting("MaximumAmountPerNumaNodeBytes", "maximum_per_numa_node", off_only=True, check=misaligned),
    Setting("Buffer", "buffer", off_only=True, check=within(5, 2000)),
    Setting("Priority", "priority", off_only=True, check=within(0, 100)),
)


def check_range(call: Call, memory: Memory, prefix: str = "") -> None:
    """Startup memory must lie between minimum and maximum, unless the same call turns dynamic memory off. [windsor]"""
    given = call.parameters
    amounts = {f"{prefix}{name}" for name in ("StartupBytes", "MinimumBytes", "MaximumBytes")}
    turned_on = given.get("DynamicMemoryEnabled") or given.get("DynamicMemory")
    turned_off = given.get("DynamicMemoryEnabled") is False or given.get("StaticMemory")
    if turned_off or not (turned_on or amounts & given.keys()):
        return
    startup = given.get(f"{prefix}StartupBytes", memory.startup)
    minimum = given.get(f"{prefix}MinimumBytes", memory.minimum)
    maximum = given.get(f"{prefix}MaximumBytes", memory.maximum)
    if not minimum <= startup <= maximum:
        raise errors.hyper_v("InvalidParameter", f"{FAILED} Startup memory must lie between minimum and maximum.")


@cmdlet("Get-VMMemory", takes=("VMName", "VM"))
def get_vm_memory(call: Call) -> Iterator[object]:
    """Get-VMMemory, of machines."""
    for machine in machines(call):
        yield machine.memory


@cmdlet("Set-VMMemory", takes=("VMName", "VM", "VMMemory", "Passthru", *names(SETTINGS)))
def set_vm_memory(call: Call) -> Iterator[object]:
    """Set-VMMemory: only while the machine is off."""

    def change_one(machine: Machine) -> Iterator[object]:
        check_range(call, machine.memory)
        change(call, machine, [(machine.memory, SETTINGS)], FAILED)
        if call.get("Passthru"):
            yield machine.memory

    yield from each(call, machines_with(call, "VMMemory"), change_one)


fact(
    "Set-VMMemory",
    "only while off (`InvalidState`): Windows also resizes the static memory of some running machines",
    f"hashicorp/packer#8633; {GUIDE}",
)
fact(
    "Set-VMMemory",
    "-MaximumAmountPerNumaNodeBytes is in bytes, and MaximumPerNumaNode shows it in MiB",
    "public: the set-up script of Docker for Windows",
)
fact(
    "Set-VMMemory",
    "-MaximumAmountPerNumaNodeBytes from 32 MiB on in steps of 2 MiB, less than the machine's memory too",
    f"microsoft/lis-test#301 for less; the steps {UNKNOWN}, stricter",
)
fact(
    "Set-VMMemory",
    "-StartupBytes outside minimum and maximum is `InvalidParameter` unless the call has -DynamicMemoryEnabled $false",
    f"{WINDSOR} for the rule; id inferred",
)
fact(
    "Get-VMMemory",
    "amounts in bytes; the limits are 512 MiB and 1 TiB until they are set, and mean nothing while static",
    f"{WINDSOR}; Buffer and Priority inferred",
)
fact("Get-VMMemory", "its id and its pool", "instances of Msvm_MemorySettingData in public code; the pool inferred")
