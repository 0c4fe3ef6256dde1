"""Get-CimInstance for the classes that tell what the host can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hyperv_sim import errors
from hyperv_sim.fidelity import fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.properties import Property, describe_cim
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.state.world import Host

NAMESPACE = "root/cimv2"
LOCAL_DISK = 3
"""The DriveType of a fixed drive; it has no other ones. [Microsoft's reference of Win32_LogicalDisk]"""


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """Win32_OperatingSystem."""

    host: Host


@dataclass(frozen=True, slots=True)
class ComputerSystem:
    """Win32_ComputerSystem."""

    host: Host


@dataclass(frozen=True, slots=True)
class Win32Processor:
    """Win32_Processor: the host has one."""

    host: Host


@dataclass(frozen=True, slots=True)
class LogicalDisk:
    """Win32_LogicalDisk: a drive of the host, by its letter."""

    host: Host
    letter: str


def _hardware(host: Host) -> tuple[str, str]:
    """Who made the host's hardware, and what it is called."""
    return ("Microsoft Corporation", "Virtual Machine") if host.is_virtual else ("Contoso", "Server 1")


O = Property[OperatingSystem]  # noqa: E741  # a row's name stands at the left of a table
C = Property[ComputerSystem]
W = Property[Win32Processor]
L = Property[LogicalDisk]

describe_cim(
    OperatingSystem,
    NAMESPACE,
    "Win32_OperatingSystem",
    [
        O("BuildNumber", "String", lambda one: str(one.host.facts.build)),
        O("Caption", "String", lambda one: f"Microsoft Windows Server {one.host.windows} Datacenter"),
        O("CSName", "String", lambda one: one.host.name),
        O("DataExecutionPrevention_Available", "Boolean", lambda one: one.host.has_dep),
        O("OSArchitecture", "String", lambda _: "64-bit"),
        O("ProductType", "UInt32", lambda _: 3),
        O("TotalVisibleMemorySize", "UInt64", lambda one: one.host.memory // 1024),
        O("Version", "String", lambda one: f"10.0.{one.host.facts.build}"),
    ],
    text=lambda one: f"Win32_OperatingSystem: Microsoft Windows Server {one.host.windows} Datacenter",
)
describe_cim(
    ComputerSystem,
    NAMESPACE,
    "Win32_ComputerSystem",
    [
        C("HypervisorPresent", "Boolean", lambda one: one.host.hypervisor_runs),
        C("Manufacturer", "String", lambda one: _hardware(one.host)[0]),
        C("Model", "String", lambda one: _hardware(one.host)[1]),
        C("Name", "String", lambda one: one.host.name),
        C("NumberOfLogicalProcessors", "UInt32", lambda one: one.host.logical_processors),
        C("NumberOfProcessors", "UInt32", lambda _: 1),
        C("PartOfDomain", "Boolean", lambda _: False),
        C("TotalPhysicalMemory", "UInt64", lambda one: one.host.memory),
    ],
    text=lambda one: f'Win32_ComputerSystem: {one.host.name} (Name = "{one.host.name}")',
)
# While the hypervisor runs these flags read False although the features are on. [microsoft/Windows-Sandbox PR#21]
describe_cim(
    Win32Processor,
    NAMESPACE,
    "Win32_Processor",
    [
        W("DeviceID", "String", lambda _: "CPU0"),
        W("Manufacturer", "String", lambda one: "GenuineIntel" if one.host.cpu == "intel" else "AuthenticAMD"),
        W("NumberOfCores", "UInt32", lambda one: one.host.logical_processors // 2),
        W("NumberOfLogicalProcessors", "UInt32", lambda one: one.host.logical_processors),
        W(
            "SecondLevelAddressTranslationExtensions",
            "Boolean",
            lambda one: one.host.has_slat and not one.host.hypervisor_runs,
        ),
        W(
            "VirtualizationFirmwareEnabled",
            "Boolean",
            lambda one: one.host.has_virtualization and not one.host.hypervisor_runs,
        ),
        W(
            "VMMonitorModeExtensions",
            "Boolean",
            lambda one: one.host.has_virtualization and not one.host.hypervisor_runs,
        ),
    ],
    text=lambda _: 'Win32_Processor (DeviceID = "CPU0")',
)

describe_cim(
    LogicalDisk,
    NAMESPACE,
    "Win32_LogicalDisk",
    [
        L("DeviceID", "String", lambda one: f"{one.letter}:"),
        L("DriveType", "UInt32", lambda _: LOCAL_DISK),
        L("FileSystem", "String", lambda _: "NTFS"),
        L("FreeSpace", "UInt64", lambda one: one.host.files.free(f"{one.letter}:\\")),
        L("Size", "UInt64", lambda one: one.host.files.drives[one.letter]),
    ],
    text=lambda one: f'Win32_LogicalDisk: {one.letter}: (DeviceID = "{one.letter}:")',
)

CLASSES: dict[str, Callable[[Host], Sequence[object]]] = {
    "win32_operatingsystem": lambda host: [OperatingSystem(host)],
    "win32_computersystem": lambda host: [ComputerSystem(host)],
    "win32_processor": lambda host: [Win32Processor(host)],
    "win32_logicaldisk": lambda host: [LogicalDisk(host, letter) for letter in host.files.drives],
}


@cmdlet("Get-CimInstance", takes=("ClassName", "Namespace"))
def get_cim_instance(call: Call) -> Iterator[object]:
    """Get-CimInstance -ClassName, for four classes of root/cimv2."""
    if call.get("Namespace", NAMESPACE).replace("\\", "/").lower() != NAMESPACE:
        raise errors.not_simulated("a CIM namespace other than root/cimv2")
    name = call.parameters["ClassName"]
    if name.lower() not in CLASSES:
        raise errors.not_simulated(f"the CIM class {name}")
    yield from CLASSES[name.lower()](call.host)


fact(
    "Get-CimInstance",
    "while the hypervisor runs, the flags of Win32_Processor read False although the features are on",
    "microsoft/Windows-Sandbox PR#21 for one, inferred for two",
)
fact(
    "Get-CimInstance",
    "Win32_ComputerSystem on a machine of Hyper-V: Manufacturer Microsoft Corporation, Model Virtual Machine",
    "systemd/systemd#21816 (the firmware's own words), puppetlabs/facter#409",
)
fact("Get-CimInstance", "Win32_ComputerSystem on hardware: a made-up Manufacturer and Model", "not simulated")
fact(
    "Get-CimInstance",
    "four classes with the properties that tell what the host can do; __ClassMetadata without hash and MiXml",
    "not simulated",
)
