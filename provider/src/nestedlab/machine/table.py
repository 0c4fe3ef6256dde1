"""NestedHyperVHost: a virtual machine that can run Hyper-V of its own, as a table."""

from __future__ import annotations

from pathlib import PureWindowsPath
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator

from nestedlab.declare import Change, Depends, Outputs, Resource, Row
from nestedlab.lifecycle import Observed
from nestedlab.limits import A_HOST, LIMITS_PAGE, MODULE, REFERENCE, Source, ours, sourced
from nestedlab.machine.adapters.table import Adapter
from nestedlab.machine.disks.table import DATA_DISKS_CHANGE, DISK_CHANGE, DataDisk, Disk, same_disk
from nestedlab.names import (
    ConfigurationVersion,
    IsoPath,
    MachineName,
    Owner,
    SwitchName,
    Title,
    WindowsPath,
    same_name,
    same_path,
    same_text,
)
from nestedlab.nouns import (
    CREATION,
    IDENTITY,
    MIB,
    MIB_BYTES,
    MIB_SHOWN,
    NOTES,
    ON_OFF,
    OWNER,
    RUNNING,
    STACK_ID,
    TEXT,
    VM,
    VMDvdDrive,
    VMFirmware,
    VMMemory,
    VMNetworkAdapter,
    VMNetworkAdapterConnection,
    VMProcessor,
    VMSecurity,
)
from nestedlab.parts import parts_change, same_parts, unique


def _same_folder(wanted: str, there: str) -> bool:
    # New-VM -Path P makes the machine's folder P\NAME, and that is what Get-VM shows.
    return same_path(wanted, there) or same_path(wanted, str(PureWindowsPath(there).parent))


_INT32 = 2**31 - 1
_MOST_MIB = (2**63 - 1) // MIB_BYTES

_Count = Annotated[
    int,
    Field(ge=0, le=_INT32),
    Source(f"{MODULE}: an integer of 32 bits; Msvm_ProcessorSettingData: none below 0"),
]

LOST = ""
"""The baseline of a machine whose checkpoint somebody has removed."""


def _baseline_change(there: str | None, wanted: str | None) -> Change:
    # One that was lost cannot be taken again, for the machine is not what it was then.
    if there == LOST:
        return Change.REPLACE
    return Change.LIVE if wanted is None else Change.OFF


_BASELINE_CHANGE = Depends(
    "taken while the machine is off, given up at any time; if it was lost, the machine is replaced", _baseline_change
)
_RESET_CHANGE = Depends("at any time; a running machine is turned off", lambda *_: Change.LIVE)


class MachineOutputs(Outputs):
    """What a host shows of a machine and no program sets."""

    vm_id: Annotated[str, Row(VM.shows("Id", form=IDENTITY))] = ""
    """The machine's GUID."""
    creation: Annotated[int | None, Row(VM.shows("Notes", form=CREATION))] = None
    """Counts the creates that have made the machine or taken it over."""
    host: Annotated[str, Row(VM.shows("ComputerName", form=TEXT))] = ""
    """Name of the parent host, as it calls itself."""
    power_state: Annotated[str, Row(VM.shows("State", form=TEXT))] = ""
    """The machine's power state when it was last read: Running, Off, Saved, Paused or another VMState."""
    version: Annotated[str, Row(VM.shows("Version", form=TEXT))] = ""
    """The machine's configuration version."""
    os_disk_path: Annotated[str, Row(by="Get-VMHardDiskDrive.Path")] = ""
    """The file of the disk that the machine starts from."""
    baseline_id: Annotated[str, Row(by="Get-VMSnapshot.Id")] = ""
    """The GUID of the checkpoint that is the baseline."""
    made_disks: Annotated[list[str], Row(by="New-VHD -Path, Get-VMHardDiskDrive.Path")] = []
    """Files that were made for the machine and go with it."""
    kept_disks: Annotated[list[str], Row(by="New-VHD -Path, Get-VMHardDiskDrive.Path")] = []
    """Files that were made for the machine and stay when it goes (`keep`)."""
    checkpointed_disks: Annotated[list[int], Row(by="Get-VMHardDiskDrive.Path")] = []
    """Locations of the disks that a checkpoint holds, the baseline or another, 0 being the OS disk's. While it is
    there they cannot be removed or resized."""
    other_disks: Annotated[list[str], Row(by="Get-VMHardDiskDrive.Path")] = []
    """Files on further controllers, which somebody has added and which are left alone."""
    checkpoints: Annotated[list[str], Row(by="Get-VMSnapshot.Name")] = []
    """Names of the machine's checkpoints that somebody has taken besides the baseline, and which are left alone."""


class NestedHyperVHost(Resource):
    """A virtual machine that can run Hyper-V: Generation 2, static memory, virtualization extensions exposed."""

    title: ClassVar[str] = "machine"
    outputs: ClassVar[type[Outputs]] = MachineOutputs

    name: Annotated[MachineName, Row(VM("NewVMName", reads="Name"), same=same_name)]
    """Name of the machine on the host. By default the resource's logical name, or what `pulumi:autonaming` makes of
    it."""
    processors: Annotated[
        int, Field(ge=1, le=2048), Source(f"{LIMITS_PAGE} (2025)"), Row(VMProcessor("Count"), Change.OFF)
    ] = 4
    """Virtual processors given to the machine."""
    processor_weight: Annotated[
        int, Field(ge=1, le=10000), Source(REFERENCE), Row(VMProcessor("RelativeWeight"), Change.OFF)
    ] = 100
    """Share of the host's processors that the machine gets when they are scarce, relative to other machines'."""
    processor_limit: Annotated[int, Field(ge=0, le=100), Source(REFERENCE), Row(VMProcessor("Maximum"), Change.OFF)] = (
        100
    )
    """Most of its virtual processors' time that the machine may use, in percent."""
    processor_reserve: Annotated[
        int, Field(ge=0, le=100), Source(REFERENCE), Row(VMProcessor("Reserve"), Change.OFF)
    ] = 0
    """Share of its virtual processors' time that is reserved for the machine, in percent."""
    processors_per_numa_node: Annotated[_Count | None, Row(VMProcessor("MaximumCountPerNumaNode"), Change.OFF)] = None
    """Most virtual processors in one NUMA node of the machine, at most as many as the host has. By default as in the
    host's own nodes."""
    numa_nodes_per_socket: Annotated[_Count | None, Row(VMProcessor("MaximumCountPerNumaSocket"), Change.OFF)] = None
    """Most NUMA nodes in one socket of the machine. By default as in the host's own sockets."""
    memory_mib: Annotated[
        int,
        Field(ge=32, le=240 * 1024**2, multiple_of=2),
        Source(f"FuseCP/FuseCP#180 for the least; {LIMITS_PAGE} (2025); microsoft/hcsshim#589 for the steps"),
        Row(VMMemory("StartupBytes", reads="Startup", form=MIB), Change.OFF),
    ] = 8192
    """Memory given to the machine, in MiB, a multiple of 2. Static. A nested host needs at least 4096 to be useful."""
    memory_per_numa_node_mib: Annotated[
        int | None,
        Field(ge=0, le=_MOST_MIB),
        Source(f"{MODULE}: bytes in an integer of 64 bits; Msvm_MemorySettingData: none below 0"),
        Row(VMMemory("MaximumAmountPerNumaNodeBytes", reads="MaximumPerNumaNode", form=MIB_SHOWN), Change.OFF),
    ] = None
    """Most memory in one NUMA node of the machine, in MiB. By default as in the host's own nodes."""
    os_disk: Annotated[Disk, Row(change=DISK_CHANGE, same=same_disk)]
    """The disk that the machine boots from: it is attached first, and the firmware's boot order is the order of
    attaching. If it is attached again later it comes after the data disks in the boot order, so do not put a system
    on those."""
    data_disks: Annotated[list[DataDisk], Row(change=DATA_DISKS_CHANGE, same=same_parts)] = []
    """Further disks of the machine. They are attached and detached while it runs."""
    iso: Annotated[IsoPath, Row(VMDvdDrive.shows("Path", form=TEXT), by="Set-VMDvdDrive -Path", same=same_path)] = ""
    """Image of a DVD on the host that is in the machine's DVD drive; empty for none."""
    adapters: Annotated[list[Adapter], Row(change=parts_change(Adapter), same=same_parts)] = []
    """The machine's network adapters, if `switch` and `mac_spoofing`, which describe one, are not enough."""
    switch: Annotated[
        SwitchName | None,
        Field(validate_default=True),
        Row(VMNetworkAdapterConnection("SwitchName", form=TEXT), same=same_name),
    ] = None
    """Name of the switch on the host that the machine's one network adapter is connected to; empty for none."""
    mac_spoofing: Annotated[
        bool | None, Field(validate_default=True), Row(VMNetworkAdapter("MacAddressSpoofing", form=ON_OFF))
    ] = None
    """Whether the adapter may send with other MAC addresses than its own, so that machines inside the nested host reach
    the network directly. It weakens isolation: if that is unwelcome, use a NatSwitch inside or outside. Off by
    default."""
    secure_boot: Annotated[bool, Row(VMFirmware("EnableSecureBoot", reads="SecureBoot", form=ON_OFF), Change.OFF)] = (
        True
    )
    """Whether the firmware boots signed systems only."""
    secure_boot_template: Annotated[
        Literal["MicrosoftWindows", "MicrosoftUEFICertificateAuthority", "OpenSourceShieldedVM"],
        Source("code of windsorcli/terraform-provider-hyperv and of microsoft/openvmm"),
        Row(VMFirmware("SecureBootTemplate"), Change.OFF),
    ] = "MicrosoftWindows"
    """Whose signatures the firmware accepts: MicrosoftUEFICertificateAuthority is for Linux, OpenSourceShieldedVM for
    shielded Linux from Windows Server 2019 on."""
    tpm: Annotated[
        bool,
        Row(
            VMSecurity.shows("TpmEnabled"),
            Change.OFF,
            by="Set-VMKeyProtector -NewLocalKeyProtector, Enable-VMTPM, Disable-VMTPM",
        ),
    ] = False
    """Whether the machine has a virtual TPM. Its key stays on this host: the machine does not start on another one."""
    time_synchronization: Annotated[
        bool, Row(by="Enable-VMIntegrationService, Disable-VMIntegrationService, Get-VMIntegrationService.Enabled")
    ] = True
    """Whether the guest's clock follows the host's (integration service). Off for a lab with a domain of its own."""
    running: Annotated[bool, Row(VM.shows("State", form=RUNNING), by="Start-VM, Resume-VM, Stop-VM")] = True
    """Whether the machine runs."""
    baseline: Annotated[
        Title | None,
        Row(
            change=_BASELINE_CHANGE,
            same=same_name,
            by="Checkpoint-VM -SnapshotName, Remove-VMSnapshot, Get-VMSnapshot.Name",
            absent=True,
        ),
    ] = None
    """Name of a checkpoint that is taken once, while the machine is off and set up, and kept, so that `reset` can go
    back to it; on the host the machine's id is added to the name. While it is there, the disks that it holds cannot
    be removed or resized."""
    reset: Annotated[str | None, Row(change=_RESET_CHANGE, by="Restore-VMSnapshot")] = None
    """Any text; when it changes, the machine goes back to its baseline. Afterwards its settings are those of the
    program again; disks that are not in the baseline are created again, empty, except those with `keep`."""
    on_power_off: Annotated[Literal["restart", "fail"], ours("what it does is ours"), Row(by="Stop-VM, Start-VM")] = (
        "restart"
    )
    """What to do when an update or reset needs a running machine to be off: `restart` shuts it down and starts it
    again, `fail` refuses the update. A saved or paused machine counts as running: it is resumed first. With
    `running=False` the machine is shut down whatever is set here."""
    automatic_start: Annotated[
        Literal["Nothing", "StartIfRunning", "Start"], Source(MODULE), Row(VM("AutomaticStartAction"))
    ] = "StartIfRunning"
    """What the host does with the machine when it starts."""
    automatic_start_delay: Annotated[
        int,
        Field(ge=0, le=_INT32),
        Source(f"{MODULE}: an integer of 32 bits; Msvm_VirtualSystemSettingData: an interval, which has no sign"),
        Row(VM("AutomaticStartDelay")),
    ] = 0
    """Seconds that the host waits before it starts the machine automatically."""
    automatic_stop: Annotated[
        Literal["TurnOff", "Save", "ShutDown"], Source(MODULE), Row(VM("AutomaticStopAction"), Change.OFF)
    ] = "ShutDown"
    """What the host does with the machine when it shuts down. A nested host with running machines cannot be saved."""
    checkpoint_type: Annotated[
        Literal["Disabled", "Production", "ProductionOnly", "Standard"], Source(MODULE), Row(VM("CheckpointType"))
    ] = "Production"
    """What kind of checkpoints are taken of the machine."""
    on: Annotated[str | None, Field(min_length=1), A_HOST, Row(change=Change.REPLACE, absent=True)] = None
    """Name of the parent host, one of those in the setting `nestedlab:hosts`; by default the one at
    `nestedlab:address`. Changing it replaces the machine."""
    notes: Annotated[str, Row(VM("Notes", form=NOTES), same=same_text)] = ""
    """Free text kept with the machine."""
    path: Annotated[WindowsPath | None, Row(VM.shows("Path"), Change.REPLACE, by="New-VM -Path", same=_same_folder)] = (
        None
    )
    """Folder on the host under which the machine's own folder is made. By default the host's."""
    configuration_version: Annotated[
        ConfigurationVersion | None, Row(VM.shows("Version", form=TEXT), Change.REPLACE, by="New-VM -Version")
    ] = None
    """The configuration version that the machine is created with, one that the host supports
    (Get-VMHostSupportedVersion). By default the host's newest."""

    generation: Annotated[Literal[2], Row(VM.shows("Generation"), Change.REPLACE, by="New-VM -Generation")] = 2
    """Generation of the machine. Always 2."""
    dynamic_memory: Annotated[Literal[False], Row(VMMemory("DynamicMemoryEnabled"), Change.OFF)] = False
    """Whether the memory is dynamic. Always off: nested virtualization rules it out."""
    automatic_checkpoints: Annotated[Literal[False], Row(VM("AutomaticCheckpointsEnabled"), Change.OFF, newer=True)] = (
        False
    )
    """Whether the host takes a checkpoint at each start. Always off: it would put a file in front of each disk. Windows
    Server 2016 does not have it."""
    expose_virtualization_extensions: Annotated[
        Literal[True], Row(VMProcessor("ExposeVirtualizationExtensions"), Change.OFF)
    ] = True
    """Whether the virtual processor offers the virtualization extensions to the guest. Always on. With an AMD
    processor the host needs Windows Server 2022 for it."""
    owner: Annotated[Owner, Row(VM("Notes", form=OWNER))]
    """Who the machine belongs to, as project/stack/logical name; kept in its notes."""
    stack_id: Annotated[str | None, Row(VM("Notes", form=STACK_ID))] = None
    """Identity of the stack that the machine belongs to; kept in its notes."""

    @field_validator("data_disks")
    @classmethod
    @sourced(Source("code of windsorcli/terraform-provider-hyperv", "one disk in each location"))
    def _in_slots(cls, disks: list[DataDisk]) -> list[DataDisk]:
        placed = [
            disk if disk.location is not None else disk.model_copy(update={"location": place})
            for place, disk in enumerate(disks, start=1)
        ]
        unique(placed)
        return placed

    @field_validator("adapters")
    @classmethod
    @sourced(
        ours(
            "adapters are known by their names; `Remove-VMNetworkAdapter -Name` removes all of a name",
            "no two of one name",
        )
    )
    def _by_name(cls, adapters: list[Adapter]) -> list[Adapter]:
        unique(adapters)
        return adapters

    @field_validator("switch", "mac_spoofing")
    @classmethod
    @sourced(ours("it describes the one adapter of a machine without `adapters`", "not together with `adapters`"))
    def _of_the_one_adapter(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("adapters") or "adapters" in cls.unknown:
            if value is not None and "adapters" not in cls.unknown:
                raise ValueError("is for a machine with one adapter; with adapters, set it in one of them")
            return value
        return value if value is not None else ("" if info.field_name == "switch" else False)

    @field_validator("checkpoint_type")
    @classmethod
    @sourced(Source(f"{REFERENCE}: Disabled allows no checkpoint", "not Disabled together with `baseline`"))
    def _takes_a_baseline(cls, kind: str, info: ValidationInfo) -> str:
        if kind == "Disabled" and info.data.get("baseline"):
            raise ValueError(
                "allows no checkpoint, so there can be no baseline: leave baseline out, or choose another type"
            )
        return kind

    @field_validator("reset")
    @classmethod
    @sourced(ours("it goes back to the baseline", "only together with `baseline`"))
    def _of_a_baseline(cls, reset: str | None, info: ValidationInfo) -> str | None:
        if reset is not None and not info.data.get("baseline") and "baseline" not in cls.unknown:
            raise ValueError("needs a baseline to go back to: set baseline, or leave reset out")
        return reset


ObservedMachine: TypeAlias = Observed[NestedHyperVHost, MachineOutputs]
"""A machine as a host has it, or as a state recorded it."""
