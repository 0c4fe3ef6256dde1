"""The host itself: what it is made of and what is on it. State only; it knows no wire."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Literal
from uuid import UUID

from hyperv_sim.state.contention import Contention
from hyperv_sim.state.enumerations import VMState, VMSwitchType
from hyperv_sim.state.files import File, Files
from hyperv_sim.state.groups import ADMINISTRATORS
from hyperv_sim.state.hooks import Hooks
from hyperv_sim.state.machines import Drive, HostAdapter, Machine
from hyperv_sim.state.network import Network
from hyperv_sim.state.snapshot import VOLATILE
from hyperv_sim.state.switches import Switch
from hyperv_sim.state.windows import WINDOWS, Windows

GIB = 2**30
OWN_MEMORY = 2 * GIB
"""Bytes that the host keeps for itself. How many is not known; Hyper-V leaves them to its root partition."""
DATA = r"C:\ProgramData\Microsoft\Windows\Hyper-V"
DISKS = r"C:\Users\Public\Documents\Hyper-V\Virtual Hard Disks"


@dataclass(slots=True, eq=False)
class Merge:
    """Disks that no checkpoint needs any more, on their way into one another: done after so many looks."""

    machine: Machine = field(metadata=VOLATILE)
    paths: list[str]
    looks_left: int


@dataclass(slots=True)
class Host:
    """A Hyper-V host. `lock` is held for each call of a cmdlet; memory is in bytes.

    `language` is that of the names which Windows translates (the integration services'); messages stay English.
    A machine, a switch and the like are kept by id; the order of a dict is the order of creation. Without the role
    (`has_hyper_v`) its cmdlets are absent; `has_virtualization` (VT-x or AMD-V, switched on), `has_slat` and `has_dep`
    are the hardware's; `is_virtual`: that is a machine of Hyper-V's in its turn. `migration_enabled` is what Get-VMHost
    says of live migration. `is_clustered`: new machines are roles of a failover cluster. `external_switches` names
    switches that an administrator has made, each on a network adapter of its own. The disks of a removed checkpoint
    are merged after `reads_to_merge` reads of the host. `groups` are those of the host that its user is in,
    `contention` is what others do on it meanwhile. `held_memory` is
    what the host's own programs hold.
    """

    windows: str = "2022"
    cpu: Literal["intel", "amd"] = "intel"
    name: str = "HYPERV"
    language: Literal["en", "de"] = "en"
    memory: int = 512 * GIB
    held_memory: int = 0
    logical_processors: int = 64
    has_hyper_v: bool = True
    has_virtualization: bool = True
    has_slat: bool = True
    has_dep: bool = True
    is_virtual: bool = False
    migration_enabled: bool = False
    is_clustered: bool = False
    external_switches: tuple[str, ...] = ()
    groups: tuple[str, ...] = (ADMINISTRATORS,)
    virtual_machine_path: str = DATA
    virtual_hard_disk_path: str = DISKS
    machines: dict[UUID, Machine] = field(default_factory=dict)
    switches: dict[UUID, Switch] = field(default_factory=dict)
    host_adapters: list[HostAdapter] = field(default_factory=list)
    network: Network = field(default_factory=Network)
    files: Files = field(default_factory=Files)
    hooks: Hooks = field(default_factory=Hooks, metadata=VOLATILE)
    contention: Contention = field(default_factory=Contention, metadata=VOLATILE)
    lock: Lock = field(default_factory=Lock, repr=False, metadata=VOLATILE)
    merges: list[Merge] = field(default_factory=list)
    reads_to_merge: int = field(default=2, metadata=VOLATILE)
    macs_given: int = field(default=0, metadata=VOLATILE)

    def __post_init__(self) -> None:
        for name in ("Virtual Machines", "Snapshots"):
            self.files.put(File(rf"{self.virtual_machine_path}\{name}", is_folder=True))
        self.files.put(File(self.virtual_hard_disk_path, is_folder=True))
        for name in self.external_switches:
            port = self.network.add_port()
            switch = Switch(name, VMSwitchType.External, net_adapter=port.description, host_name=self.name)
            self.switches[switch.id] = switch

    @property
    def facts(self) -> Windows:
        """What is particular to the host's Windows version."""
        return WINDOWS[self.windows]

    @property
    def can_nest(self) -> bool:
        """Whether a machine that exposes its processor's extensions can start. Intel nests from 2016 on."""
        return self.cpu == "intel" or self.facts.amd_nests

    @property
    def hypervisor_runs(self) -> bool:
        """Whether Hyper-V itself runs. It does not start without virtualization, SLAT and DEP."""
        return self.has_hyper_v and self.has_virtualization and self.has_slat and self.has_dep

    @property
    def free_memory(self) -> int:
        """Bytes that machines may still take, perhaps fewer than 0. A machine that is off or saved takes none."""
        resting = (VMState.Off, VMState.Saved)
        taken = sum(machine.memory.startup for machine in self.machines.values() if machine.state not in resting)
        return self.memory - OWN_MEMORY - taken

    def drives_on(self, path: str) -> list[Drive]:
        """The drives of machines that this file is attached to."""
        file = self.files.find(path)
        drives = [drive for machine in self.machines.values() for drive in machine.drives]
        return [drive for drive in drives if file is not None and self.files.find(drive.path) is file]

    def next_mac(self) -> str:
        """A dynamic MAC address from the host's pool, 12 hexadecimal digits."""
        self.macs_given += 1
        return f"00155D{self.macs_given:06X}"
