"""NestedHyperVHost: a virtual machine that can run Hyper-V of its own. The table; what it takes is in machines.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PureWindowsPath
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from nestedlab.declare import Attribute, Change, Consequence, Part, Properties, Resource, Row, key_of
from nestedlab.nouns import (
    IDENTITY,
    MIB,
    MIB_SHOWN,
    NOTES,
    ON_OFF,
    OWNER,
    RUNNING,
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
from nestedlab.parts import doubled, parts_change, same_parts
from nestedlab.machine.adapters.table import Adapter
from nestedlab.machine.baseline import BASELINE_CHANGE, RESET_CHANGE
from nestedlab.machine.disks.table import (
    ANOTHER,
    DATA_DISKS_CHANGE,
    DISK_CHANGE,
    OS_LOCATION,
    DataDisk,
    Disk,
    by_location,
    is_another,
    same_disk,
    shrinks,
)
from nestedlab.machine.changes import machine_consequences
from nestedlab.names import (
    ConfigurationVersion,
    IsoPath,
    Name,
    Owner,
    SwitchName,
    WindowsPath,
    same_name,
    same_path,
    same_text,
)


def _same_folder(asked: str, found: str) -> bool:
    # New-VM -Path P makes the machine's folder P\NAME, and that is what Get-VM shows.
    return same_path(asked, found) or same_path(asked, str(PureWindowsPath(found).parent))


class NestedHyperVHost(Resource):
    """A virtual machine that can run Hyper-V: Generation 2, static memory, virtualization extensions exposed."""

    title: ClassVar[str] = "machine"

    name: Annotated[Name, Row(VM("NewVMName", reads="Name"), same=same_name)]
    """Name of the machine on the host. By default the resource's logical name."""
    processors: Annotated[int, Field(ge=1, le=2048), Row(VMProcessor("Count"), Change.OFF)] = 4
    """Virtual processors given to the machine."""
    processor_weight: Annotated[int, Field(ge=1, le=10000), Row(VMProcessor("RelativeWeight"), Change.OFF)] = 100
    """Share of the host's processors that the machine gets when they are scarce, beside other machines' weights."""
    processor_limit: Annotated[int, Field(ge=1, le=100), Row(VMProcessor("Maximum"), Change.OFF)] = 100
    """Most of its virtual processors' time that the machine may use, in percent."""
    processor_reserve: Annotated[int, Field(ge=0, le=100), Row(VMProcessor("Reserve"), Change.OFF)] = 0
    """Part of its virtual processors' time that is kept for the machine, in percent."""
    processors_per_numa_node: Annotated[
        int | None, Field(ge=1, le=2048), Row(VMProcessor("MaximumCountPerNumaNode"), Change.OFF)
    ] = None
    """Most virtual processors that a NUMA node of the machine has, at most as many as the host has. By default as the
    host's own nodes are."""
    numa_nodes_per_socket: Annotated[
        int | None, Field(ge=1, le=2048), Row(VMProcessor("MaximumCountPerNumaSocket"), Change.OFF)
    ] = None
    """Most NUMA nodes that a socket of the machine has. By default as the host's own sockets are."""
    memory_mib: Annotated[
        int,
        Field(ge=32, le=240 * 1024**2, multiple_of=2),
        Row(VMMemory("StartupBytes", reads="Startup", form=MIB), Change.OFF),
    ] = 8192
    """Memory given to the machine, in MiB, a multiple of 2. It is static; 4096 is the least that a nested host is
    of use with."""
    memory_per_numa_node_mib: Annotated[
        int | None,
        Field(ge=32, le=240 * 1024**2, multiple_of=2),
        Row(VMMemory("MaximumAmountPerNumaNodeBytes", reads="MaximumPerNumaNode", form=MIB_SHOWN), Change.OFF),
    ] = None
    """Most memory that a NUMA node of the machine has, in MiB, a multiple of 2. By default as the host's own nodes
    are."""
    os_disk: Annotated[Disk, Row(change=DISK_CHANGE, same=same_disk)]
    """The disk that the machine starts from: it is attached first, which is the order of the firmware. One that is put
    in later stands behind data disks there, on which there should be no system then."""
    data_disks: Annotated[list[DataDisk], Row(change=DATA_DISKS_CHANGE, same=same_parts(DataDisk))] = []
    """Further disks of the machine. They are attached and detached while it runs."""
    iso: Annotated[IsoPath, Row(VMDvdDrive.shows("Path", form=TEXT), by="Set-VMDvdDrive -Path", same=same_path)] = ""
    """Image of a DVD on the host that is in the machine's DVD drive; empty for none."""
    adapters: Annotated[list[Adapter], Row(change=parts_change(Adapter), same=same_parts(Adapter))] = []
    """The machine's network adapters, where `switch` and `mac_spoofing`, which describe one, are not enough."""
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
    the network directly. It weakens isolation: where that is unwelcome, use a NatSwitch inside or outside. Off unless
    asked for."""
    secure_boot: Annotated[bool, Row(VMFirmware("EnableSecureBoot", reads="SecureBoot", form=ON_OFF), Change.OFF)] = (
        True
    )
    """Whether the firmware starts signed systems only."""
    secure_boot_template: Annotated[
        Literal["MicrosoftWindows", "MicrosoftUEFICertificateAuthority", "OpenSourceShieldedVM"],
        Row(VMFirmware("SecureBootTemplate"), Change.OFF),
    ] = "MicrosoftWindows"
    """Whose signatures the firmware takes: MicrosoftUEFICertificateAuthority is for Linux, OpenSourceShieldedVM for
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
    """Whether the machine is to run."""
    baseline: Annotated[
        Name | None,
        Row(
            change=BASELINE_CHANGE,
            same=same_name,
            by="Checkpoint-VM -SnapshotName, Remove-VMSnapshot, Get-VMSnapshot.Name",
            absent=True,
        ),
    ] = None
    """Name of a checkpoint that is taken once, while the machine is off and set up, and kept, so that `reset` can go
    back to it; on the host the machine's id is added to it. While there is one, the disks it has can neither be taken
    away nor grow."""
    reset: Annotated[str | None, Row(change=RESET_CHANGE, by="Restore-VMSnapshot")] = None
    """Any text; when it changes, the machine goes back to its baseline. Settings are as the program says afterwards;
    disks that the baseline does not have are made anew, but for those to keep."""
    on_power_off: Annotated[Literal["restart", "fail"], Row(by="Stop-VM, Start-VM")] = "restart"
    """What a change does that needs the machine off while it runs, as a reset does: shut it down and start it again,
    or fail. What says running=False shuts it down all the same."""
    automatic_start: Annotated[Literal["Nothing", "StartIfRunning", "Start"], Row(VM("AutomaticStartAction"))] = (
        "StartIfRunning"
    )
    """What becomes of the machine when the host starts."""
    automatic_start_delay: Annotated[int, Field(ge=0, le=2**31 - 1), Row(VM("AutomaticStartDelay"))] = 0
    """Seconds that the host waits before it starts the machine by itself."""
    automatic_stop: Annotated[Literal["TurnOff", "Save", "ShutDown"], Row(VM("AutomaticStopAction"), Change.OFF)] = (
        "ShutDown"
    )
    """What becomes of the machine when the host shuts down. A nested host with running machines cannot be saved."""
    checkpoint_type: Annotated[
        Literal["Disabled", "Production", "ProductionOnly", "Standard"], Row(VM("CheckpointType"))
    ] = "Production"
    """What kind of checkpoints are taken of the machine."""
    on: Annotated[str | None, Field(min_length=1), Row(change=Change.REPLACE, absent=True)] = None
    """Name of the parent host, one of those in the setting `nestedlab:hosts`; by default `nestedlab:address` says it.
    On another host it is made anew."""
    notes: Annotated[str, Row(VM("Notes", form=NOTES), same=same_text)] = ""
    """Free text kept with the machine."""
    path: Annotated[WindowsPath | None, Row(VM.shows("Path"), Change.REPLACE, by="New-VM -Path", same=_same_folder)] = (
        None
    )
    """Folder on the host under which the machine's own folder is made. By default the host's."""
    configuration_version: Annotated[
        ConfigurationVersion | None, Row(VM.shows("Version", form=TEXT), Change.REPLACE, by="New-VM -Version")
    ] = None
    """The machine's configuration version at birth, one of those that the host supports (Get-VMHostSupportedVersion).
    By default the host's newest."""

    generation: Annotated[Literal[2], Row(VM.shows("Generation"), Change.REPLACE, by="New-VM -Generation")] = 2
    """Generation of the machine. Always 2."""
    dynamic_memory: Annotated[Literal[False], Row(VMMemory("DynamicMemoryEnabled"), Change.OFF)] = False
    """Whether the memory is dynamic. Always off: nested virtualization rules it out."""
    automatic_checkpoints: Annotated[Literal[False], Row(VM("AutomaticCheckpointsEnabled"), Change.OFF, newer=True)] = (
        False
    )
    """Whether the host takes a checkpoint at each start. Always off: it would put a file in front of each disk. Windows
    Server 2016 does not know it."""
    expose_virtualization_extensions: Annotated[
        Literal[True], Row(VMProcessor("ExposeVirtualizationExtensions"), Change.OFF)
    ] = True
    """Whether the virtual processor offers the virtualization extensions to the guest. Always on. An AMD processor
    takes Windows Server 2022 for it."""
    owner: Annotated[Owner, Row(VM("Notes", form=OWNER))]
    """Who the machine belongs to, as project/stack/logical name; kept in its notes."""

    vm_id: Annotated[str, Row(VM.shows("Id", form=IDENTITY), computed=True)] = ""
    """The machine's GUID."""
    host: Annotated[str, Row(VM.shows("ComputerName", form=TEXT), computed=True)] = ""
    """Name of the parent host, as it calls itself."""
    version: Annotated[str, Row(VM.shows("Version", form=TEXT), computed=True)] = ""
    """The machine's configuration version."""
    os_disk_path: Annotated[str, Row(by="Get-VMHardDiskDrive.Path", computed=True)] = ""
    """The file of the disk that the machine starts from."""
    baseline_id: Annotated[str, Row(by="Get-VMSnapshot.Id", computed=True)] = ""
    """The GUID of the checkpoint that is the baseline."""
    made_disks: Annotated[list[str], Row(by="New-VHD -Path, Get-VMHardDiskDrive.Path", computed=True)] = []
    """Files that were made for the machine and go with it."""
    kept_disks: Annotated[list[str], Row(by="New-VHD -Path, Get-VMHardDiskDrive.Path", computed=True)] = []
    """Files that were made for the machine and stay when it goes (`keep`)."""
    checkpointed_disks: Annotated[list[int], Row(by="Get-VMHardDiskDrive.Path", computed=True)] = []
    """Locations of the disks that a checkpoint holds, the baseline or another, 0 being the OS disk's. While it is
    there they can neither be taken away nor grow."""
    other_disks: Annotated[list[str], Row(by="Get-VMHardDiskDrive.Path", computed=True)] = []
    """Files on further controllers, which somebody has added and which are left alone."""
    checkpoints: Annotated[list[str], Row(by="Get-VMSnapshot.Name", computed=True)] = []
    """Names of the machine's checkpoints that somebody has taken beside the baseline, and which are left alone."""

    @field_validator("data_disks")
    @classmethod
    def _in_slots(cls, disks: list[DataDisk]) -> list[DataDisk]:
        placed = [
            disk if disk.location is not None else disk.model_copy(update={"location": place})
            for place, disk in enumerate(disks, start=1)
        ]
        _unique(DataDisk, [disk.model_dump() for disk in placed])
        return placed

    @field_validator("adapters")
    @classmethod
    def _by_name(cls, adapters: list[Adapter]) -> list[Adapter]:
        _unique(Adapter, [adapter.model_dump() for adapter in adapters])
        return adapters

    @field_validator("switch", "mac_spoofing")
    @classmethod
    def _of_the_one_adapter(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("adapters") or "adapters" in cls.unknown:
            if value is not None and "adapters" not in cls.unknown:
                raise ValueError("describes the one adapter of a machine; with adapters, say it of one of them")
            return value
        return value if value is not None else ("" if info.field_name == "switch" else False)

    @field_validator("checkpoint_type")
    @classmethod
    def _takes_a_baseline(cls, kind: str, info: ValidationInfo) -> str:
        if kind == "Disabled" and info.data.get("baseline"):
            raise ValueError("lets no baseline be taken: leave baseline out, or choose another type")
        return kind

    @field_validator("reset")
    @classmethod
    def _of_a_baseline(cls, reset: str | None, info: ValidationInfo) -> str | None:
        if reset is not None and not info.data.get("baseline") and "baseline" not in cls.unknown:
            raise ValueError("goes back to a baseline: the machine needs one (baseline)")
        return reset

    @classmethod
    def consequences(
        cls, found: Properties, asked: Properties, changed: Sequence[Attribute], replaced: Sequence[Attribute]
    ) -> Iterator[Consequence]:
        """A machine that is replaced, is shut down, or loses a disk."""
        return machine_consequences(found, asked, changed, replaced)

    @classmethod
    def left_behind(cls, known: Properties) -> Iterator[str]:
        """The disks made for the machine: whoever removes a machine by hand leaves them."""
        if known.get("made_disks"):
            yield (
                "the machine is gone from the host, and the disks that were made for it may still be there: "
                f"{', '.join(known['made_disks'])}. They do not go with it any more: remove them on the host if nobody "
                "needs them."
            )

    @classmethod
    def refusals(cls, before: Properties, asked: Properties) -> Iterator[tuple[tuple[str, ...], str]]:
        """What would lose what is on a disk: to shrink it, or to have another data disk in its place."""
        there = by_location(before)
        for location, disk in by_location(asked).items():
            was, where = there.get(location) or {}, "os_disk" if location == OS_LOCATION else "data_disks"
            if shrinks(was.get("size_gib"), disk.get("size_gib")):
                yield (where, "size_gib"), f"a disk cannot shrink: it has {was['size_gib']} GiB; ask for that or more"
            elif location != OS_LOCATION and is_another(was, disk):
                yield (where,), f"at location {location} {ANOTHER}"


def _unique(kind: type[Part], parts: Sequence[Properties]) -> None:
    double = doubled(kind, parts)
    if double is not None:
        raise ValueError(f"two of them have the same {' and '.join(kind.key)}, {', '.join(key_of(kind, double))}")
