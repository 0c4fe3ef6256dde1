"""Get-CimInstance for the classes that show what the host can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hyperv_sim import errors
from hyperv_sim.fidelity import fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.cim_classes import HARDWARE, describe_cim
from hyperv_sim.powershell.properties import Property
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.state.world import Host

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
    HARDWARE,
    "Win32_OperatingSystem",
    [
        O("BuildNumber", "String", lambda system: str(system.host.facts.build)),
        O("Caption", "String", lambda system: f"Microsoft Windows Server {system.host.windows} Datacenter"),
        O("CSName", "String", lambda system: system.host.name),
        O("DataExecutionPrevention_Available", "Boolean", lambda system: system.host.has_dep),
        O("OSArchitecture", "String", lambda _: "64-bit"),
        O("ProductType", "UInt32", lambda _: 3),
        O("TotalVisibleMemorySize", "UInt64", lambda system: system.host.memory // 1024),
        O("Version", "String", lambda system: f"10.0.{system.host.facts.build}"),
    ],
    text=lambda system: f"Win32_OperatingSystem: Microsoft Windows Server {system.host.windows} Datacenter",
)
describe_cim(
    ComputerSystem,
    HARDWARE,
    "Win32_ComputerSystem",
    [
        C("HypervisorPresent", "Boolean", lambda system: system.host.hypervisor_runs),
        C("Manufacturer", "String", lambda system: _hardware(system.host)[0]),
        C("Model", "String", lambda system: _hardware(system.host)[1]),
        C("Name", "String", lambda system: system.host.name),
        C("NumberOfLogicalProcessors", "UInt32", lambda system: system.host.logical_processors),
        C("NumberOfProcessors", "UInt32", lambda _: 1),
        C("PartOfDomain", "Boolean", lambda _: False),
        C("TotalPhysicalMemory", "UInt64", lambda system: system.host.memory),
    ],
    text=lambda system: f'Win32_ComputerSystem: {system.host.name} (Name = "{system.host.name}")',
)
# While the hypervisor runs these flags read False although the features are on. [microsoft/Windows-Sandbox PR#21]
describe_cim(
    Win32Processor,
    HARDWARE,
    "Win32_Processor",
    [
        W("DeviceID", "String", lambda _: "CPU0"),
        W(
            "Manufacturer",
            "String",
            lambda processor: "GenuineIntel" if processor.host.cpu == "intel" else "AuthenticAMD",
        ),
        W("NumberOfCores", "UInt32", lambda processor: processor.host.logical_processors // 2),
        W("NumberOfLogicalProcessors", "UInt32", lambda processor: processor.host.logical_processors),
        W(
            "SecondLevelAddressTranslationExtensions",
            "Boolean",
            lambda processor: processor.host.has_slat and not processor.host.hypervisor_runs,
        ),
        W(
            "VirtualizationFirmwareEnabled",
            "Boolean",
            lambda processor: processor.host.has_virtualization and not processor.host.hypervisor_runs,
        ),
        W(
            "VMMonitorModeExtensions",
            "Boolean",
            lambda processor: processor.host.has_virtualization and not processor.host.hypervisor_runs,
        ),
    ],
    text=lambda _: 'Win32_Processor (DeviceID = "CPU0")',
)

describe_cim(
    LogicalDisk,
    HARDWARE,
    "Win32_LogicalDisk",
    [
        L("DeviceID", "String", lambda disk: f"{disk.letter}:"),
        L("DriveType", "UInt32", lambda _: LOCAL_DISK),
        L("FileSystem", "String", lambda _: "NTFS"),
        L("FreeSpace", "UInt64", lambda disk: disk.host.files.free(f"{disk.letter}:\\")),
        L("Size", "UInt64", lambda disk: disk.host.files.drives[disk.letter]),
    ],
    text=lambda disk: f'Win32_LogicalDisk: {disk.letter}: (DeviceID = "{disk.letter}:")',
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
    if call.get("Namespace", HARDWARE).replace("\\", "/").lower() != HARDWARE:
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
    "four classes with the properties that show what the host can do",
    "not simulated",
)
