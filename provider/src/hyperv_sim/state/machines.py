"""Machines, their parts and their checkpoints, which refer to each other: state, no wire.

The rules of what may change when are with the cmdlets that change it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal
from uuid import UUID, uuid4

from hyperv_sim.state.enumerations import (
    CacheAttributes,
    CheckpointType,
    ConsoleModeType,
    ControllerType,
    CriticalErrorAction,
    IPProtocolPreference,
    OnOffState,
    StartAction,
    StopAction,
    VMNetworkAdapterPortMirroringMode,
    VMNetworkAdapterVlanMode,
    VMState,
)
from hyperv_sim.state.integration_components import COMPONENTS, GUEST_SERVICE_INTERFACE, SHUTDOWN
from hyperv_sim.state.snapshot import VOLATILE
from hyperv_sim.state.switches import Switch

MIB = 2**20
NO_MAC = "000000000000"
Manner = Literal["responsive", "absent", "locked", "failing"]
Slot = tuple[ControllerType, int, int]
SCSI_CONTROLLERS, SCSI_LOCATIONS = 4, 64
"""How many SCSI controllers a machine takes, and drives each. [Microsoft's table of Hyper-V's limits]"""


@dataclass(slots=True)
class Guest:
    """What runs in a machine. `manner` says how it takes a shutdown request.

    responsive: shuts down after `shutdown_seconds`. locked: goes down only by -Force, at once. absent: it has no
    integration services, so that even -Force waits without an end. failing: the request fails, by -Force too.
    """

    manner: Manner = "responsive"
    shutdown_seconds: float = 0.0


@dataclass(slots=True, eq=False)
class Processor:
    """A machine's virtual processors."""

    machine: Machine = field(repr=False, metadata=VOLATILE)
    count: int = 1
    expose_extensions: bool = False
    migration_compatible: bool = False
    older_systems_compatible: bool = False
    host_resource_protection: bool = False
    threads_per_core: int = 0
    maximum: int = 100
    reserve: int = 0
    relative_weight: int = 100
    maximum_per_numa_node: int = 1
    maximum_per_numa_socket: int = 1


@dataclass(slots=True, eq=False)
class Memory:
    """A machine's memory, in bytes. `minimum` and `maximum` mean nothing while dynamic memory is off."""

    machine: Machine = field(repr=False, metadata=VOLATILE)
    startup: int = 512 * MIB
    dynamic: bool = False
    minimum: int = 512 * MIB
    maximum: int = 1024 * 1024 * MIB
    maximum_per_numa_node: int = 1024 * 1024 * MIB
    buffer: int = 20
    priority: int = 50


@dataclass(slots=True, eq=False)
class Firmware:
    """The firmware of a generation 2 machine."""

    machine: Machine = field(repr=False, metadata=VOLATILE)
    secure_boot: OnOffState = OnOffState.On
    secure_boot_template: str = "MicrosoftWindows"
    preferred_network_boot_protocol: IPProtocolPreference = IPProtocolPreference.IPv4
    console_mode: ConsoleModeType = ConsoleModeType.Default
    pause_after_boot_failure: OnOffState = OnOffState.Off


@dataclass(slots=True, eq=False)
class Adapter:
    """A network adapter of a machine; the machine is None for those of the host."""

    name: str
    machine: Machine | None = field(default=None, repr=False, metadata=VOLATILE)
    id: UUID = field(default_factory=uuid4)
    switch: Switch | None = None
    mac_address: str = field(default=NO_MAC, metadata=VOLATILE)
    dynamic_mac: bool = True
    is_legacy: bool = False
    mac_spoofing: OnOffState = OnOffState.Off
    dhcp_guard: OnOffState = OnOffState.Off
    router_guard: OnOffState = OnOffState.Off
    allow_teaming: OnOffState = OnOffState.Off
    device_naming: OnOffState = OnOffState.Off
    port_mirroring: VMNetworkAdapterPortMirroringMode = VMNetworkAdapterPortMirroringMode.None_
    vlan: Vlan = field(init=False)

    def __post_init__(self) -> None:
        self.vlan = Vlan(self)


class HostAdapter(Adapter):
    """An adapter of the host itself. It has a .NET type of its own. [Microsoft's reference of Add-VMNetworkAdapter]"""


@dataclass(slots=True, eq=False)
class Drive:
    """A disk in a slot of a machine's controller. `path` is the virtual disk's file."""

    machine: Machine = field(repr=False, metadata=VOLATILE)
    controller_type: ControllerType
    controller_number: int
    controller_location: int
    path: str
    id: UUID = field(default_factory=uuid4)
    maximum_iops: int = 0
    minimum_iops: int = 0
    cache: CacheAttributes = CacheAttributes.Default

    @property
    def slot(self) -> Slot:
        """What identifies the drive in its machine."""
        return (self.controller_type, self.controller_number, self.controller_location)


@dataclass(slots=True, eq=False)
class ScsiController:
    """A SCSI controller; its number is its place among the machine's."""

    machine: Machine = field(repr=False, metadata=VOLATILE)
    id: UUID = field(default_factory=uuid4)

    @property
    def number(self) -> int:
        """The number that drives name it by; -1 once it is removed."""
        controllers = self.machine.scsi_controllers
        return controllers.index(self) if self in controllers else -1


@dataclass(slots=True, eq=False)
class DvdDrive:
    """A DVD drive in a slot of a machine's controller. `path` is the image in it, empty if there is none."""

    machine: Machine = field(repr=False, metadata=VOLATILE)
    controller_type: ControllerType
    controller_number: int
    controller_location: int
    path: str = ""
    id: UUID = field(default_factory=uuid4)

    @property
    def slot(self) -> Slot:
        """What identifies the drive in its machine."""
        return (self.controller_type, self.controller_number, self.controller_location)


@dataclass(slots=True, eq=False)
class Vlan:
    """What VLANs a network adapter is in; what the mode has no use for is 0 or empty."""

    adapter: Adapter = field(repr=False, metadata=VOLATILE)
    mode: VMNetworkAdapterVlanMode = VMNetworkAdapterVlanMode.Untagged
    access_id: int = 0
    native_id: int = 0
    allowed_ids: tuple[int, ...] = ()


@dataclass(slots=True, eq=False)
class Security:
    """A machine's security settings. `key_protector` is what encrypts its state and its TPM's, made on this host."""

    machine: Machine = field(repr=False, metadata=VOLATILE)
    tpm_enabled: bool = False
    tpm_initialized: bool = False
    """Whether the machine has ever started with its TPM."""
    encrypt_state: bool = False
    virtualization_based_security_opt_out: bool = False
    key_protector: UUID | None = None


@dataclass(slots=True, eq=False)
class IntegrationService:
    """A service of the host to a machine's guest. `component` is what identifies it in any language."""

    machine: Machine = field(repr=False, metadata=VOLATILE)
    component: str
    enabled: bool = True


class GuestServiceInterface(IntegrationService):
    """The one service with a .NET type of its own. [dsccommunity/HyperVDsc#76]"""


@dataclass(slots=True, eq=False)
class Machine:
    """A virtual machine. Its id is its identity: names are not unique. [dsccommunity/HyperVDsc#105]"""

    name: str
    generation: int
    version: str
    path: str
    id: UUID = field(default_factory=uuid4)
    host_name: str = "HYPERV"
    language: str = "en"
    is_clustered: bool = False
    state: VMState = VMState.Off
    notes: str = ""
    snapshot_file_location: str = ""
    smart_paging_file_path: str = ""
    automatic_start_action: StartAction = StartAction.StartIfRunning
    automatic_start_delay: int = 0
    automatic_stop_action: StopAction = StopAction.Save
    automatic_critical_error_action: CriticalErrorAction = CriticalErrorAction.Pause
    automatic_critical_error_minutes: int = 30
    automatic_checkpoints: bool = False
    checkpoint_type: CheckpointType = CheckpointType.Production
    lock_on_disconnect: OnOffState = OnOffState.Off
    guest_controlled_cache_types: bool = False
    low_memory_mapped_io_space: int = 128 * MIB
    high_memory_mapped_io_space: int = 512 * MIB
    adapters: list[Adapter] = field(default_factory=list)
    drives: list[Drive] = field(default_factory=list)
    dvd_drives: list[DvdDrive] = field(default_factory=list)
    scsi_controllers: list[ScsiController] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    parent_checkpoint: Checkpoint | None = field(default=None, metadata=VOLATILE)
    is_merging: bool = False
    created: datetime = field(default_factory=lambda: datetime.now(timezone.utc), metadata=VOLATILE)
    started: datetime | None = field(default=None, metadata=VOLATILE)
    guest: Guest = field(default_factory=Guest)
    processor: Processor = field(init=False)
    memory: Memory = field(init=False)
    firmware: Firmware | None = field(init=False)
    security: Security = field(init=False)
    integration_services: list[IntegrationService] = field(init=False)

    def __post_init__(self) -> None:
        self.processor = Processor(self)
        self.memory = Memory(self)
        self.firmware = Firmware(self) if self.generation == 2 else None
        self.security = Security(self)
        self.integration_services = _integration_services(self)
        self.scsi_controllers.append(ScsiController(self))

    @property
    def configuration_file(self) -> str:
        """The file that holds the machine's configuration."""
        return rf"{self.path}\Virtual Machines\{str(self.id).upper()}.vmcx"

    @property
    def guest_answers(self) -> bool:
        """Whether the guest can be asked to shut down: it has the services, and the host offers that one."""
        shutdown = next(service for service in self.integration_services if service.component == SHUTDOWN)
        return shutdown.enabled and self.guest.manner != "absent"

    @property
    def attachments(self) -> list[str]:
        """The files that the machine has open while it runs, without their parents."""
        return [*(drive.path for drive in self.drives), *(dvd.path for dvd in self.dvd_drives if dvd.path)]

    def free_slots(self) -> Iterator[Slot]:
        """The slots without a drive, in the order in which Hyper-V fills them.

        Generation 1: IDE 0 and 1 with two places each, then SCSI. Generation 2: SCSI.
        """
        taken = {*(drive.slot for drive in self.drives), *(dvd.slot for dvd in self.dvd_drives)}
        ide = [(ControllerType.IDE, number, location) for number in (0, 1) for location in (0, 1)]
        scsi = [
            (ControllerType.SCSI, controller.number, location)
            for controller in self.scsi_controllers
            for location in range(SCSI_LOCATIONS)
        ]
        yield from (slot for slot in (ide if self.generation == 1 else []) + scsi if slot not in taken)


@dataclass(slots=True, eq=False)
class Checkpoint:
    """A checkpoint. `settings` is the machine as it was, with its disks' files; `state` what it is when restored."""

    machine: Machine = field(repr=False, metadata=VOLATILE)
    name: str
    settings: Machine = field(repr=False)
    state: VMState
    parent: Checkpoint | None = field(repr=False, metadata=VOLATILE)
    id: UUID = field(default_factory=uuid4)
    created: datetime = field(default_factory=lambda: datetime.now(timezone.utc), metadata=VOLATILE)

    @property
    def file(self) -> str:
        """The file that holds its configuration."""
        return rf"{self.machine.snapshot_file_location}\Snapshots\{str(self.id).upper()}.vmcx"


def _integration_services(machine: Machine) -> list[IntegrationService]:
    """The services of a new machine: all on but the guest service interface. [PlagueHO/LabBuilder#41]"""
    made: Any = {GUEST_SERVICE_INTERFACE: GuestServiceInterface}
    return [
        made.get(component, IntegrationService)(machine, component, enabled=component != GUEST_SERVICE_INTERFACE)
        for component in COMPONENTS
    ]
