"""Smaller parts of a machine that are no single property: the DVD drive, the virtual TPM, an integration service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from nestedlab.errors import NotFoundError, RefusedError, kind_of
from nestedlab.lifecycle import differences
from nestedlab.machine.changes import MachineChanges
from nestedlab.machine.disks.table import DVD_LOCATION
from nestedlab.machine.facet import Facet
from nestedlab.machine.identity import machine_by_id
from nestedlab.machine.table import NestedHyperVHost, ObservedMachine
from nestedlab.pipeline import Cmdlet, ErrorKind, Facts, Pipeline, PSObject, cmdlet, statement


class DvdDrive(Facet):
    """The machine's DVD drive, and the image in it."""

    attributes = frozenset({"iso"})

    def reads(self, machine: UUID) -> tuple[Pipeline, ...]:
        """What shows the drive."""
        return (machine_by_id(machine) | Cmdlet("Get-VMDvdDrive"),)

    def observe(self, facts: Facts, known: ObservedMachine) -> Mapping[str, Any]:  # noqa: ARG002 - all of it is on the host
        """The image in the drive; "" for none, or no drive."""
        drive = facts.first("DvdDrive")
        return {"iso": drive.text("Path") if drive else ""}

    def lookup(self, inputs: NestedHyperVHost, now: ObservedMachine | None) -> Iterator[Pipeline]:
        """What shows the image for a new machine, unless it is on a share: an account's logon ends at the host."""
        if now is None and inputs.iso and not inputs.iso.startswith("\\\\"):
            yield statement("Get-Item", LiteralPath=inputs.iso).tolerating(*ErrorKind)

    def validate(self, facts: Facts, inputs: NestedHyperVHost, now: ObservedMachine | None) -> None:  # noqa: ARG002
        """Raise if the image is not on the host. What the host does not answer is left to it."""
        if any(error.cmdlet == "Get-Item" and kind_of(error) is ErrorKind.ABSENT for error in facts.errors):
            raise NotFoundError(f"iso: {inputs.iso} is not on the host. Check the path, as the host sees it.")

    def apply(self, changes: MachineChanges) -> Iterator[Pipeline]:
        """What adds a drive, if the machine is new or was left half-made, and inserts or ejects the image."""
        machine, facts = machine_by_id(changes.state.id), changes.state.facts
        has_drive = facts.first("DvdDrive") is not None
        if not has_drive and not changes.is_on:
            # A drive can be added only while the machine is off; the image in it changes at any time.
            yield machine | cmdlet("Add-VMDvdDrive", ControllerNumber=0, ControllerLocation=DVD_LOCATION)
        if "iso" not in changes.names:
            return
        if not has_drive and changes.is_on:
            raise RefusedError(
                "iso: somebody has removed the machine's DVD drive, and one can be added only while the machine is "
                "off. Shut it down (running=False), and start it again: the drive is added in between."
            )
        # $null ejects the image; the drive stays.
        yield (
            machine | Cmdlet("Get-VMDvdDrive") | Cmdlet("Set-VMDvdDrive", {"Path": changes.inputs.iso or None})
        ).setting("iso")


class Tpm(Facet):
    """The virtual TPM."""

    attributes = frozenset({"tpm"})

    def reads(self, machine: UUID) -> tuple[Pipeline, ...]:
        """What shows whether there is one."""
        return (machine_by_id(machine) | Cmdlet("Get-VMSecurity"),)

    def observe(self, facts: Facts, known: ObservedMachine) -> Mapping[str, Any]:  # noqa: ARG002
        """Whether there is one."""
        security = facts.first("VMSecurity")
        return {"tpm": security["TpmEnabled"] is True if security else False}

    def apply(self, changes: MachineChanges) -> Iterator[Pipeline]:
        """What enables it or disables it."""
        if "tpm" not in changes.names:
            return
        machine = machine_by_id(changes.state.id)
        if not changes.inputs.tpm:
            yield (machine | Cmdlet("Disable-VMTPM")).setting("tpm")
            return
        # The TPM's state is sealed for a key of this host: without one it cannot be enabled (Set-VMKeyProtector).
        yield (machine | cmdlet("Set-VMKeyProtector", NewLocalKeyProtector=True)).setting("tpm")
        yield (machine | Cmdlet("Enable-VMTPM")).setting("tpm")


# The component of the integration services, by its public id: its name is in the language of Windows.
_TIME_SYNCHRONIZATION = "2497F4DE-E9FA-4204-80E4-4B75C46419C0"


class TimeSynchronization(Facet):
    """The integration service that sets the guest's clock."""

    attributes = frozenset({"time_synchronization"})

    def reads(self, machine: UUID) -> tuple[Pipeline, ...]:
        """What shows the integration services."""
        return (machine_by_id(machine) | Cmdlet("Get-VMIntegrationService"),)

    def observe(self, facts: Facts, known: ObservedMachine) -> Mapping[str, Any]:  # noqa: ARG002
        """Whether the service is enabled, as it is on a new machine (New-VM)."""
        service = _service(facts)
        return {"time_synchronization": service["Enabled"] is True if service else True}

    def lookup(self, inputs: NestedHyperVHost, now: ObservedMachine | None) -> Iterator[Pipeline]:
        """What shows the service's name, if the service is to be changed and was not read yet."""
        changes = now is not None and "time_synchronization" in {row.name for row in differences(inputs, now.inputs)}
        if now is not None and changes and _service(now.facts) is None:
            yield from self.reads(now.id)

    def apply(self, changes: MachineChanges) -> Iterator[Pipeline]:
        """What enables or disables the service."""
        if "time_synchronization" not in changes.names:
            return
        name = "Enable-VMIntegrationService" if changes.inputs.time_synchronization else "Disable-VMIntegrationService"
        service = _service(changes.state.facts)
        enabling = cmdlet(name, Name=service.text("Name") if service else None)
        yield (machine_by_id(changes.state.id) | enabling).setting("time_synchronization")


def _service(facts: Facts) -> PSObject | None:
    return next((shown for shown in facts.objects if shown.text("Id").upper().endswith(_TIME_SYNCHRONIZATION)), None)
