"""Parts of a machine that come in numbers or can be missing: controllers, DVD drives, VLANs, services, security."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from hyperv_sim.state.enumerations import ControllerType, VMNetworkAdapterVlanMode
from hyperv_sim.state.snapshot import VOLATILE

if TYPE_CHECKING:
    from hyperv_sim.state.machines import Adapter, Machine

Slot = tuple[ControllerType, int, int]
SCSI_CONTROLLERS, SCSI_LOCATIONS = 4, 64
"""How many SCSI controllers a machine takes, and drives each. [Microsoft's table of Hyper-V's limits]"""


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


HEARTBEAT = "84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47"
SHUTDOWN = "9F8233AC-BE49-4C79-8EE3-E7E1985B2077"
GUEST_SERVICE_INTERFACE = "6C09BB55-D683-4DA0-8931-C9BF705F6480"
COMPONENTS: dict[str, dict[str, str]] = {
    GUEST_SERVICE_INTERFACE: {"en": "Guest Service Interface", "de": "Gastdienstschnittstelle"},
    HEARTBEAT: {"en": "Heartbeat", "de": "Takt"},
    "2A34B1C2-FD73-4043-8A5B-DD2159BC743F": {
        "en": "Key-Value Pair Exchange",
        "de": "Austausch von Schlüsselwertepaaren",
    },
    SHUTDOWN: {"en": "Shutdown", "de": "Herunterfahren"},
    "2497F4DE-E9FA-4204-80E4-4B75C46419C0": {"en": "Time Synchronization", "de": "Zeitsynchronisierung"},
    "5CED1297-4598-4915-A5FC-AD21BB4D02A4": {"en": "VSS", "de": "VSS"},
}
"""The services by the GUID of their component, with the names that a host of each language shows. [a public script's
listings of an English and a German host]"""


def integration_services(machine: Machine) -> list[IntegrationService]:
    """The services of a new machine: all on but the guest service interface. [PlagueHO/LabBuilder#41]"""
    made: Any = {GUEST_SERVICE_INTERFACE: GuestServiceInterface}
    return [
        made.get(component, IntegrationService)(machine, component, enabled=component != GUEST_SERVICE_INTERFACE)
        for component in COMPONENTS
    ]
