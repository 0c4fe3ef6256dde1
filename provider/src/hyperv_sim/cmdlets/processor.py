"""Get-VMProcessor and Set-VMProcessor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hyperv_sim.fidelity import GUIDE, UNKNOWN, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.components import DEVICE_BASES, PART, PART_ALIASES, PART_VALUES
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import Setting, change, names, within
from hyperv_sim.powershell.targets import each, machines, machines_with
from hyperv_sim.state.components import component_id
from hyperv_sim.state.enumerations import HYPER_V, VMState
from hyperv_sim.state.machines import Machine, Processor

DEVICE = r"b637f346-6a0e-4dec-af52-bd70cb80a21d\0"
"""The end of every processor's Id."""

FAILED = "Failed to modify device 'Processor'."

VALUES: Mapping[str, Callable[[Processor], object]] = {
    **PART_VALUES,
    "Count": lambda processor: processor.count,
    "CompatibilityForMigrationEnabled": lambda processor: processor.migration_compatible,
    "CompatibilityForOlderOperatingSystemsEnabled": lambda processor: processor.older_systems_compatible,
    "HwThreadCountPerCore": lambda processor: processor.threads_per_core,
    "ExposeVirtualizationExtensions": lambda processor: processor.expose_extensions,
    "Maximum": lambda processor: processor.maximum,
    "Reserve": lambda processor: processor.reserve,
    "RelativeWeight": lambda processor: processor.relative_weight,
    "MaximumCountPerNumaNode": lambda processor: processor.maximum_per_numa_node,
    "MaximumCountPerNumaSocket": lambda processor: processor.maximum_per_numa_socket,
    "EnableHostResourceProtection": lambda processor: processor.host_resource_protection,
    "OperationalStatus": lambda processor: _statuses(processor, "Ok", "HostResourceProtectionDisabled"),
    "StatusDescription": lambda processor: _statuses(processor, "OK", "Host resource protection is disabled."),
    "Name": lambda processor: {"en": "Processor", "de": "Prozessor"}[processor.machine.language],
    "Id": lambda processor: component_id(processor.machine, DEVICE),
}


def _statuses(processor: Processor, *running: str) -> tuple[str, ...]:
    """What it reports, in English on every host here: nothing while the machine is off."""
    return running if processor.machine.state is VMState.Running else ()


describe_class(
    Processor,
    f"{HYPER_V}.VMProcessor",
    VALUES,
    constants={
        **PART,
        "ResourcePoolName": "Primordial",
        **dict.fromkeys(("EnablePerfmonPmu", "EnablePerfmonLbr", "EnablePerfmonPebs", "EnablePerfmonIpt"), False),
        "EnableLegacyApicMode": False,
    },
    bases=DEVICE_BASES,
    aliases=PART_ALIASES,
    since=dict.fromkeys(
        (
            *("HwThreadCountPerCore", "EnablePerfmonPmu", "EnablePerfmonLbr", "EnablePerfmonPebs", "EnablePerfmonIpt"),
            *("EnableLegacyApicMode", "AllowACountMCount", "EnableHostResourceProtection"),
        ),
        "2019",
    ),
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
    Setting("Maximum", "maximum", off_only=True, check=within(0, 100)),
    Setting("MaximumCountPerNumaNode", "maximum_per_numa_node", off_only=True, check=too_many),
    Setting("MaximumCountPerNumaSocket", "maximum_per_numa_socket", off_only=True, check=_too_few),
    Setting("RelativeWeight", "relative_weight", off_only=True, check=within(1, 10000)),
    Setting("Reserve", "reserve", off_only=True, check=within(0, 100)),
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
fact(
    "Set-VMProcessor",
    "-Count beyond the host's logical processors is `InvalidParameter`",
    f"canonical/multipass#3352 has it refused by Start-VM; here at once: {UNKNOWN}, stricter",
)
fact(
    "Set-VMProcessor",
    "-HwThreadCountPerCore 0, 1 or 2, else `InvalidParameter`",
    "MicrosoftDocs/windows-powershell-docs#432; id inferred from the message",
)
fact(
    "Set-VMProcessor",
    "NUMA limits from 1 on, and processors in a node up to the host's, else `InvalidParameter`",
    f"{UNKNOWN}; stricter",
)
fact("Set-VMProcessor", "limits and weight only while off too", f"{UNKNOWN}; stricter")
fact("Set-VMProcessor", "-Perfmon and resource pools are refused", "not simulated")
fact(
    "Get-VMProcessor",
    "id, name in the host's language, pool, statuses of a running machine and none of one that is off",
    "listings in public notes and in tests of intel/mfd-hyperv; the German name inferred",
)
fact(
    "Get-VMProcessor",
    "Server 2016 shows no EnablePerfmon..., EnableLegacyApicMode and AllowACountMCount",
    "a listing in public notes that has none; which version added them is inferred",
)
