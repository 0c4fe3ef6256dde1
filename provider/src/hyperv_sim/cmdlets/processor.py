"""Get-VMProcessor and Set-VMProcessor."""

from __future__ import annotations

from collections.abc import Iterator

from hyperv_sim.fidelity import GUIDE, UNKNOWN, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.properties import Property, describe
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import Setting, change, names
from hyperv_sim.powershell.targets import each, machines, machines_with
from hyperv_sim.state.enumerations import HYPER_V
from hyperv_sim.state.machines import Machine, Processor

P = Property[Processor]
FAILED = "Failed to modify device 'Processor'."

describe(
    Processor,
    f"{HYPER_V}.VMProcessor",
    [
        P("VMName", "String", lambda processor: processor.machine.name),
        P("VMId", "Guid", lambda processor: processor.machine.id),
        P("Count", "Int64", lambda processor: processor.count),
        P("CompatibilityForMigrationEnabled", "Boolean", lambda processor: processor.migration_compatible),
        P(
            "CompatibilityForOlderOperatingSystemsEnabled",
            "Boolean",
            lambda processor: processor.older_systems_compatible,
        ),
        P("HwThreadCountPerCore", "Int64", lambda processor: processor.threads_per_core, since="2019"),
        P("ExposeVirtualizationExtensions", "Boolean", lambda processor: processor.expose_extensions),
        P(
            "EnableHostResourceProtection",
            "Boolean",
            lambda processor: processor.host_resource_protection,
            since="2019",
        ),
        P("Maximum", "Int64", lambda processor: processor.maximum),
        P("Reserve", "Int64", lambda processor: processor.reserve),
        P("RelativeWeight", "Int32", lambda processor: processor.relative_weight),
        P("MaximumCountPerNumaNode", "Int32", lambda processor: processor.maximum_per_numa_node),
        P("MaximumCountPerNumaSocket", "Int32", lambda processor: processor.maximum_per_numa_socket),
    ],
    bases=(f"{HYPER_V}.VMComponentObject",),
)


def too_many(call: Call, count: int) -> str | None:
    """What is wrong with a number of processors, if anything."""
    if not 1 <= count <= call.host.logical_processors:
        return f"The number of processors must lie between 1 and {call.host.logical_processors}."
    return None


def _too_few(_: Call, count: int) -> str | None:
    return None if count >= 1 else "The number must be at least 1."


def _threads(_: Call, count: int) -> str | None:
    """0 takes what the host has."""
    return None if 0 <= count <= 2 else "A core has one hardware thread or two; 0 takes what the host has."


SETTINGS = (
    Setting("Count", "count", off_only=True, check=too_many),
    Setting("CompatibilityForMigrationEnabled", "migration_compatible", off_only=True),
    Setting("CompatibilityForOlderOperatingSystemsEnabled", "older_systems_compatible", off_only=True),
    Setting("EnableHostResourceProtection", "host_resource_protection", off_only=True),
    Setting("ExposeVirtualizationExtensions", "expose_extensions", off_only=True),
    Setting("HwThreadCountPerCore", "threads_per_core", off_only=True, check=_threads),
    Setting("Maximum", "maximum", off_only=True),
    Setting("MaximumCountPerNumaNode", "maximum_per_numa_node", off_only=True, check=too_many),
    Setting("MaximumCountPerNumaSocket", "maximum_per_numa_socket", off_only=True, check=_too_few),
    Setting("RelativeWeight", "relative_weight", off_only=True),
    Setting("Reserve", "reserve", off_only=True),
)


@cmdlet("Get-VMProcessor", takes=("VMName", "VM"))
def get_vm_processor(call: Call) -> Iterator[object]:
    """Get-VMProcessor, of machines."""
    for machine in machines(call):
        yield machine.processor


@cmdlet("Set-VMProcessor", takes=("VMName", "VM", "VMProcessor", "Passthru", *names(SETTINGS)))
def set_vm_processor(call: Call) -> Iterator[object]:
    """Set-VMProcessor: only while the machine is off. Extensions are taken on any host; Start-VM finds out."""

    def change_one(machine: Machine) -> Iterator[object]:
        change(call, machine, [(machine.processor, SETTINGS)], FAILED)
        if call.get("Passthru"):
            yield machine.processor

    yield from each(call, machines_with(call, "VMProcessor"), change_one)


fact(
    "Set-VMProcessor",
    "only while off (`InvalidState`)",
    f"{GUIDE} for the extensions; code of lability for the rest; id inferred",
)
fact("Set-VMProcessor", "-ExposeVirtualizationExtensions is taken on any processor", "jamesstringer90/Easy-GPU-PV#7")
fact("Set-VMProcessor", "-Count beyond the host's logical processors is `InvalidParameter`", UNKNOWN)
fact(
    "Set-VMProcessor",
    "-HwThreadCountPerCore 0, 1 or 2; NUMA limits from 1 on, else `InvalidParameter`",
    f"{UNKNOWN} but for 0",
)
fact("Set-VMProcessor", "limits and weight only while off too", f"{UNKNOWN}; stricter")
fact("Set-VMProcessor", "-Perfmon and resource pools are refused", "not simulated")
fact("Get-VMProcessor", "properties and types", "code of taliesins and lability; Count inferred")
