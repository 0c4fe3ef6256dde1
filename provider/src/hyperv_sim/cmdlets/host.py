"""Get-VMHost and Get-VMHostSupportedVersion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hyperv_sim.fidelity import WINDSOR, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.properties import Property, describe
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.state.enumerations import HYPER_V
from hyperv_sim.state.world import Host

P = Property[Host]

describe(
    Host,
    f"{HYPER_V}.VMHost",
    [
        P("ComputerName", "String", lambda host: host.name),
        P("Name", "String", lambda host: host.name),
        P("LogicalProcessorCount", "Int32", lambda host: host.logical_processors),
        P("MemoryCapacity", "Int64", lambda host: host.memory),
        P("VirtualHardDiskPath", "String", lambda host: host.virtual_hard_disk_path),
        P("VirtualMachinePath", "String", lambda host: host.virtual_machine_path),
        P("MacAddressMinimum", "String", lambda _: "00155D0000FF"),
        P("MacAddressMaximum", "String", lambda _: "00155DFFFFFF"),
        P("EnableEnhancedSessionMode", "Boolean", lambda _: False),
        P("NumaSpanningEnabled", "Boolean", lambda _: True),
        P("VirtualMachineMigrationEnabled", "Boolean", lambda host: host.migration_enabled),
        P("MaximumVirtualMachineMigrations", "UInt32", lambda _: 2),
    ],
)


@dataclass(frozen=True, slots=True)
class SupportedVersion:
    """A VM configuration version that the host runs."""

    version: str
    is_default: bool


V = Property[SupportedVersion]

describe(
    SupportedVersion,
    f"{HYPER_V}.VMHostSupportedVersion",
    [
        V("Version", "Version", lambda supported: supported.version),
        V("IsDefault", "Boolean", lambda supported: supported.is_default),
    ],
)


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
            yield SupportedVersion(version, is_default)


fact(
    "Get-VMHost",
    "names, folders, processors, memory, migration, the range of MAC addresses; no more",
    f"{WINDSOR}; public scripts; processors and memory inferred",
)
fact(
    "Get-VMHostSupportedVersion",
    "the versions of the host's Windows, and which is for new machines",
    "Microsoft's guide to upgrading a machine's version",
)
