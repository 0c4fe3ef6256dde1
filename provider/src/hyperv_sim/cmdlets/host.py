"""Get-VMHost and Get-VMHostSupportedVersion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from hyperv_sim.fidelity import WINDSOR, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.components import OBJECT, OBJECT_BASES
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.state.enumerations import HYPER_V
from hyperv_sim.state.world import Host

VALUES: Mapping[str, Callable[[Host], object]] = {
    "LogicalProcessorCount": lambda host: host.logical_processors,
    "SupportedVmVersions": lambda host: host.facts.vm_versions,
    "VirtualHardDiskPath": lambda host: host.virtual_hard_disk_path,
    "VirtualMachinePath": lambda host: host.virtual_machine_path,
    "MemoryCapacity": lambda host: host.memory,
    "Name": lambda host: host.name,
    "VirtualMachineMigrationEnabled": lambda host: host.migration_enabled,
    "ComputerName": lambda host: host.name,
}

describe_class(
    Host,
    f"{HYPER_V}.VMHost",
    VALUES,
    constants={
        **OBJECT,
        "EnableEnhancedSessionMode": False,
        "MacAddressMaximum": "00155DFFFFFF",
        "MacAddressMinimum": "00155D0000FF",
        "NumaSpanningEnabled": True,
        "MaximumVirtualMachineMigrations": 2,
    },
    bases=OBJECT_BASES,
)


@dataclass(frozen=True, slots=True)
class SupportedVersion:
    """A VM configuration version that the host runs."""

    host_name: str
    version: str
    is_default: bool


SUPPORTED: Mapping[str, Callable[[SupportedVersion], object]] = {
    "Version": lambda supported: supported.version,
    "IsDefault": lambda supported: supported.is_default,
    "ComputerName": lambda supported: supported.host_name,
}

describe_class(SupportedVersion, f"{HYPER_V}.VMHostSupportedVersion", SUPPORTED, constants=OBJECT, bases=OBJECT_BASES)


@cmdlet("Get-VMHost")
def get_vm_host(call: Call) -> Iterator[object]:
    """Get-VMHost, of this host only."""
    yield call.host


@cmdlet("Get-VMHostSupportedVersion", takes=("Default",))
def get_vm_host_supported_version(call: Call) -> Iterator[object]:
    """Get-VMHostSupportedVersion [-Default]."""
    for version in call.host.facts.vm_versions:
        is_default = version == call.host.facts.default_vm_version
        if is_default or not call.get("Default"):
            yield SupportedVersion(call.host.name, version, is_default)


fact(
    "Get-VMHost",
    "names, folders, processors, memory, migration, the range of MAC addresses",
    f"{WINDSOR}; public scripts; processors and memory inferred",
)
fact(
    "Get-VMHostSupportedVersion",
    "the versions of the host's Windows, and which is for new machines",
    "Microsoft's guide to upgrading a machine's version",
)
