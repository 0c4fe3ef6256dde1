"""What nested virtualization requires of a parent host: read once, judged purely, in the article's terms.

Ids S1 to S12 are those of docs/requirements.md, which says for each where it is enforced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PureWindowsPath

from nestedlab.errors import kind_of
from nestedlab.ownership import owner_of
from nestedlab.pipeline import ErrorKind, Facts, Pipeline, PSObject, Step, statement

_AMD = "AuthenticAMD"  # Win32_Processor.Manufacturer
_INTEL_BUILD = 14393  # Windows Server 2016
_AMD_BUILD = 20348  # Windows Server 2022
_INTEL_VERSION = (8, 0)
_AMD_VERSION = (9, 3)

_GIB = 1024**3
_HOSTS_OWN_GIB = 2  # Hyper-V keeps memory for the host itself; how much is not documented


@dataclass(frozen=True)
class Finding:
    """What a check has found on the host. If it `refuses`, nested hosts are ruled out there; otherwise it is a warning.

    `requirement` is the id of docs/requirements.md, which no user is shown. `of` distinguishes findings of the same
    requirement: a drive, a machine version, a machine.
    """

    requirement: str
    text: str
    refuses: bool = False
    of: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Demand:
    """What one machine takes of its host: memory while it runs, and what its disks may yet grow by. 0 is not known.

    `fixed_gib` is what disks of a fixed size take as soon as they are made. `folder` is where its disks are created; ""
    is the host's default folder.
    """

    memory_mib: int = 0
    disk_gib: int = 0
    fixed_gib: int = 0
    folder: str = ""


def _survey() -> tuple[Pipeline, ...]:
    classes = ("Win32_OperatingSystem", "Win32_ComputerSystem", "Win32_Processor", "Win32_LogicalDisk")
    pipelines = (
        statement("Get-VMHost"),
        statement("Get-VMHostSupportedVersion"),
        statement("Get-VM"),
        *(statement("Get-CimInstance", ClassName=name) for name in classes),
    )
    # An endpoint need not show these; what cannot be read is not judged.
    return tuple(pipeline.tolerating(*ErrorKind) for pipeline in pipelines)


SURVEY = Step("check what the host supports", _survey())
"""All that the checks need, in one step."""


def findings(facts: Facts) -> list[Finding]:
    """What stands in the way of nested hosts on this parent, most fundamental first."""
    return [finding for judge in _JUDGES for finding in judge(facts)]


def _windows(facts: Facts) -> Iterator[Finding]:
    system = facts.first("Win32_OperatingSystem")
    if system is not None and system.number("BuildNumber") < _INTEL_BUILD:
        yield Finding(
            "S1",
            "the parent host needs Windows Server 2016 or later; it has "
            f"{system.text('Caption')} (build {system.text('BuildNumber')}). Use a newer host.",
            refuses=True,
        )
    missing = any(error.cmdlet == "Get-VMHost" and kind_of(error) is ErrorKind.NO_COMMAND for error in facts.errors)
    if missing:
        yield Finding(
            "S1",
            "the parent host needs the Hyper-V role; its PowerShell module is not there. Install it there with "
            "`Install-WindowsFeature Hyper-V -IncludeManagementTools -Restart`, or let the endpoint show its cmdlets.",
            refuses=True,
        )


def _processor(facts: Facts) -> Iterator[Finding]:
    system = facts.first("Win32_OperatingSystem")
    if system is not None and _is_before_amd(facts):
        yield Finding(
            "S2",
            "a parent with an AMD processor needs Windows Server 2022 or later for nested virtualization; it has "
            f"{system.text('Caption')}. Use a newer Windows there, or a parent with an Intel processor.",
            refuses=True,
        )


def _is_before_amd(facts: Facts) -> bool:
    processor, system = facts.first("Win32_Processor"), facts.first("Win32_OperatingSystem")
    if processor is None or system is None:
        return False
    return processor["Manufacturer"] == _AMD and system.number("BuildNumber") < _AMD_BUILD


def version_findings(facts: Facts, requested: str = "") -> list[Finding]:
    """What stands in the way of a nested host of the requested machine version; "" is the host's default version.

    "9.0" is how a version is written (Get-VMHostSupportedVersion).
    """
    processor, supported = facts.first("Win32_Processor"), list(facts.all("VMHostSupportedVersion"))
    version = requested or next((entry.text("Version") for entry in supported if entry["IsDefault"] is True), "")
    if processor is None or not version or _is_before_amd(facts):
        return []
    versions = sorted((entry.text("Version") for entry in supported), key=_version)
    if versions and version not in versions:
        text = (
            f"the parent host makes no machines of version {version}; there are {', '.join(versions)}. "
            "Set configuration_version to one of these."
        )
        return [Finding("S2", text, refuses=True, of=version)]
    least = _AMD_VERSION if processor["Manufacturer"] == _AMD else _INTEL_VERSION
    if _version(version) >= least:
        return []
    text = f"a nested host needs machine version {least[0]}.{least[1]} or later on this processor; " + (
        f"configuration_version is {version}. Set a newer version."
        if requested
        else f"the parent makes {version} by default. Use a parent with a newer Windows, or set configuration_version."
    )
    return [Finding("S2", text, refuses=True, of=version)]


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)


# Once the hypervisor runs these flags read False although the features are on; then Hyper-V itself is the proof, since
# it does not start without them (microsoft/Windows-Sandbox PR#21).
_FLAGS: Mapping[str, tuple[str, str, str, str]] = {
    "VirtualizationFirmwareEnabled": (
        "S2",
        "Win32_Processor",
        "VT-x or AMD-V is disabled in the parent host's firmware",
        "Enable it there.",
    ),
    "DataExecutionPrevention_Available": (
        "S3",
        "Win32_OperatingSystem",
        "Data Execution Prevention is disabled on the parent host",
        "Enable it in the firmware.",
    ),
    "SecondLevelAddressTranslationExtensions": (
        "S4",
        "Win32_Processor",
        "the parent host's processor has no second-level address translation",
        "Use another host.",
    ),
}


def _hardware(facts: Facts) -> Iterator[Finding]:
    computer = facts.first("Win32_ComputerSystem")
    if computer is None or computer["HypervisorPresent"] is not False:
        return
    missing = False
    for flag, (requirement, kind, cause, remedy) in _FLAGS.items():
        instance = facts.first(kind)
        if instance is not None and instance[flag] is False:
            missing = True
            yield Finding(requirement, f"{cause} ({kind}.{flag} is False). {remedy}", refuses=True)
    if not missing:
        yield Finding(
            "S1",
            "the hypervisor does not run on the parent host, though its hardware has what it needs: restart the host "
            "after installing the role, and check `bcdedit /enum` for hypervisorlaunchtype Auto.",
            refuses=True,
        )


def _migration(facts: Facts) -> Iterator[Finding]:
    host = facts.first("VMHost")
    if host is not None and host["VirtualMachineMigrationEnabled"] is True:
        yield Finding("S12", f"live migration is enabled on the parent host; {_STAYS}", of="migration")
    if any(machine["IsClustered"] is True for machine in facts.all("VirtualMachine")):
        yield Finding("S12", f"the parent host is in a failover cluster, which moves machines; {_STAYS}", of="cluster")


_STAYS = "a nested host cannot be migrated while it runs. Shut it down before moving it."


_JUDGES: tuple[Callable[[Facts], Iterator[Finding]], ...] = (_windows, _processor, _hardware, _migration)


def capacity(facts: Facts, demands: Mapping[str, Demand]) -> list[Finding]:
    """Whether the parent has enough for the stack's machines; `demands` are by owner.

    Memory that is assigned to other machines counts as taken; the stack's own machines count by their inputs.
    """
    host = facts.first("VMHost")
    return [] if host is None else [*_memory(host, facts, demands), *_disk(host, facts, demands)]


def too_little(facts: Facts, owner: str, wanted: Demand, replaced: Demand) -> Iterator[Finding]:
    """What a machine cannot be made for, once the one that it replaces is gone with its disks.

    Of disks only those of a fixed size count: others are small when they are made, and may never grow.
    """
    host = facts.first("VMHost")
    if host is None:
        return
    yield from _memory(host, facts, {owner: wanted})
    free, drive = _free(facts), _drive_of(wanted, host)
    given_back = replaced.fixed_gib if _drive_of(replaced, host) == drive else 0
    if drive in free and wanted.fixed_gib > free[drive] + given_back:
        yield Finding(
            "disk",
            f"the machine's disks of a fixed size take {wanted.fixed_gib} GiB when they are made; {drive} of the "
            f"parent host has {free[drive] + given_back:.0f} GiB for them. Free some space, make the disks smaller, or "
            "leave out `fixed`.",
            of=owner,
        )


def asks_too_much(facts: Facts, machine: str, processors: int, folder: str) -> Iterator[Finding]:
    """What one machine asks for that the host does not have: processors, or the drive of its folder."""
    host = facts.first("VMHost")
    there = host.number("LogicalProcessorCount") if host is not None else 0
    if there and processors > there:
        yield Finding(
            "processors",
            f"processors: the machine is to have {processors}, and the parent host has {there} logical processors. "
            "Ask for fewer.",
            of=machine,
        )
    drives = {disk.text("DeviceID").upper() for disk in facts.all("Win32_LogicalDisk")}
    drive = _drive(folder) if folder else ""
    if drives and len(drive) == len("D:") and drive not in drives:
        yield Finding(
            "drive",
            f"path: the parent host has no drive {drive}; it has {', '.join(sorted(drives))}. Choose another folder.",
            of=machine,
        )


def _memory(host: PSObject, facts: Facts, demands: Mapping[str, Demand]) -> Iterator[Finding]:
    others = (vm for vm in facts.all("VirtualMachine") if owner_of(vm.text("Notes")) not in demands)
    taken = sum(vm.number("MemoryAssigned") for vm in others) / _GIB
    needed = sum(demand.memory_mib for demand in demands.values()) / 1024
    installed = host.number("MemoryCapacity") / _GIB
    if needed + taken + _HOSTS_OWN_GIB > installed:
        yield Finding(
            "memory",
            f"the stack's machines need at least {needed:.1f} GiB of memory; the parent host has {installed:.1f} GiB, "
            f"of which it needs about {_HOSTS_OWN_GIB} GiB itself and other machines have {taken:.1f} GiB. Not all of "
            "them will start: set a smaller memory_mib, or stop other machines.",
        )


def _disk(host: PSObject, facts: Facts, demands: Mapping[str, Demand]) -> Iterator[Finding]:
    free = _free(facts)
    needed: Counter[str] = Counter()
    for demand in demands.values():
        needed[_drive_of(demand, host)] += demand.disk_gib
    for drive, gib in needed.items():
        if drive in free and gib > free[drive]:
            yield Finding(
                "disk",
                f"the stack's new disks, and those that grow, may take {gib:.0f} GiB or more; {drive} of the parent "
                f"host has {free[drive]:.0f} GiB free. Machines stop if a drive is full: free some space, make the "
                "disks smaller, or choose another path.",
                of=drive,
            )


def _free(facts: Facts) -> Mapping[str, float]:
    """GiB free on each of the host's drives."""
    return {disk.text("DeviceID").upper(): disk.number("FreeSpace") / _GIB for disk in facts.all("Win32_LogicalDisk")}


def _drive_of(demand: Demand, host: PSObject) -> str:
    return _drive(demand.folder or host.text("VirtualHardDiskPath"))


def _drive(folder: str) -> str:
    """The drive of a folder; "" if its space is not the drive's: on a share, or in a cluster's shared volume."""
    path = PureWindowsPath(folder)
    return "" if [part.casefold() for part in path.parts[1:2]] == ["clusterstorage"] else path.drive.upper()
