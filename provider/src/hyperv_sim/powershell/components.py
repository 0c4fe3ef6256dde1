"""What all objects of the Hyper-V module have in common, and all parts of a machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from hyperv_sim.fidelity import fact
from hyperv_sim.powershell.properties import Property, describe
from hyperv_sim.state.components import component_id
from hyperv_sim.state.machines import Drive, DvdDrive, Machine


@dataclass(frozen=True, slots=True)
class CimSession:
    """The session that an object of the module was read through: the host's own."""


describe(
    CimSession,
    "Microsoft.Management.Infrastructure.CimSession",
    [
        Property[CimSession]("ComputerName", "String", lambda _: None, is_constant=True),
        Property[CimSession]("InstanceId", "Guid", lambda _: None, is_constant=True),
    ],
    text=lambda _: "CimSession: .",
)


class Part(Protocol):
    """A part of a machine."""

    @property
    def machine(self) -> Machine:
        """The machine that it belongs to."""
        ...


OBJECT: Mapping[str, object] = {"CimSession": CimSession(), "IsDeleted": False}
"""What is the same for every object that is there."""

PART: Mapping[str, object] = {**OBJECT, "VMSnapshotId": UUID(int=0), "VMSnapshotName": ""}
"""What is the same for every part of a machine."""

PART_VALUES: Mapping[str, Callable[[Part], object]] = {
    "VMId": lambda part: part.machine.id,
    "VMName": lambda part: part.machine.name,
    "ComputerName": lambda part: part.machine.host_name,
}

DRIVE: Mapping[str, object] = {**PART, "PoolName": "Primordial"}
"""What is the same for every drive."""

DRIVE_VALUES: Mapping[str, Callable[[Drive | DvdDrive], object]] = {
    **PART_VALUES,
    "Path": lambda drive: drive.path,
    "ControllerLocation": lambda drive: drive.controller_location,
    "ControllerNumber": lambda drive: drive.controller_number,
    "ControllerType": lambda drive: drive.controller_type,
    "Id": lambda drive: component_id(drive.machine, drive.id),
}

PART_ALIASES: Mapping[str, str] = {"VMCheckpointId": "VMSnapshotId", "VMCheckpointName": "VMSnapshotName"}

OBJECT_BASES = ("Microsoft.HyperV.PowerShell.VirtualizationObject",)
COMPONENT_BASES = ("Microsoft.HyperV.PowerShell.VMComponentObject", *OBJECT_BASES)
DEVICE_BASES = ("Microsoft.HyperV.PowerShell.VMDevice", *COMPONENT_BASES)
DRIVE_BASES = ("Microsoft.HyperV.PowerShell.Drive", *DEVICE_BASES)

fact(
    "PowerShell",
    "objects of the Hyper-V module: CimSession is `CimSession: .`, IsDeleted is False; parts of a machine have the "
    "VMSnapshotId of zeros, and VMCheckpointId and VMCheckpointName as aliases among the extended properties",
    "pluralsight/PS-AutoLab-Env#237 (a serialized machine); tests of intel/mfd-hyperv; those of a checkpoint's own "
    "parts are not simulated",
)
fact(
    "PowerShell",
    "type chains of the Hyper-V module's objects",
    "pluralsight/PS-AutoLab-Env#237 for the machine and its devices; the others inferred from the declared order",
)
fact(
    "PowerShell",
    "newer modules have further properties, which are absent here: a machine GuestStatePath and "
    "GuestStateIsolationType, a processor CompatibilityForMigrationMode, ApicMode, CpuBrandString and "
    "PerfCpuFreqCapMhz, memory HugePagesEnabled, MemoryEncryptionPolicy and MemoryEncryptionEnabled, an adapter "
    "VirtualSystemIdentifiers, a switch AllowNetLbfoTeams and RscOffloadEnabled",
    "not simulated; structures of containers/libhvee, tests of intel/mfd-hyperv, neither of which names the version",
)
