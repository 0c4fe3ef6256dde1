"""Smaller parts of a machine that are no single property: the DVD drive, the virtual TPM, an integration service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nestedlab.declare import Properties
from nestedlab.errors import RefusedError
from nestedlab.pipeline import Cmdlet, Facts, Pipeline, PSObject, cmdlet
from nestedlab.machine.disks.table import DVD_LOCATION

ATTRIBUTES = frozenset({"iso", "tpm", "time_synchronization"})
"""The machine's attributes that this file reads and writes."""

# The component of the integration services, by its public id: its name is in the language of Windows.
_TIME_SYNCHRONIZATION = "2497F4DE-E9FA-4204-80E4-4B75C46419C0"


def reads(machine: Cmdlet) -> tuple[Pipeline, ...]:
    """What shows these parts."""
    return tuple(machine | Cmdlet(name) for name in ("Get-VMDvdDrive", "Get-VMSecurity", "Get-VMIntegrationService"))


def found(facts: Facts) -> dict[str, Any]:
    """The attributes of this file."""
    dvd, security = facts.first("DvdDrive"), facts.first("VMSecurity")
    service = _time_synchronization(facts)
    return {
        "iso": dvd.text("Path") if dvd else "",
        "tpm": security["TpmEnabled"] is True if security else False,
        # A new machine has the service switched on (New-VM).
        "time_synchronization": service["Enabled"] is True if service else True,
    }


def _time_synchronization(facts: Facts) -> PSObject | None:
    return next((one for one in facts.objects if one.text("Id").upper().endswith(_TIME_SYNCHRONIZATION)), None)


def needs_look(changed: set[str], facts: Facts) -> bool:
    """Whether the integration services have to be asked for their names first."""
    return "time_synchronization" in changed and _time_synchronization(facts) is None


def changes(machine: Cmdlet, changed: set[str], desired: Properties, facts: Facts) -> Iterator[Pipeline]:
    """What gives these parts their settings."""
    if "iso" in changed:
        yield _insert(machine, desired["iso"], facts).setting("iso")
    if "tpm" in changed:
        yield from (one.setting("tpm") for one in _tpm(machine, enabled=desired["tpm"]))
    if "time_synchronization" in changed:
        name = "Enable-VMIntegrationService" if desired["time_synchronization"] else "Disable-VMIntegrationService"
        service = _time_synchronization(facts)
        switch = cmdlet(name, Name=service.text("Name") if service else None)
        yield (machine | switch).setting("time_synchronization")


def lacks_dvd_drive(facts: Facts) -> bool:
    """Whether the machine has no DVD drive and can be given one: it is new, or was left half-made, and so is off."""
    machine = facts.first("VirtualMachine")
    return facts.first("DvdDrive") is None and machine is not None and machine["State"] == "Off"


def dvd_drive(machine: Cmdlet) -> Pipeline:
    """What gives a machine an empty DVD drive: media change while it runs, a drive comes only while it is off."""
    return machine | cmdlet("Add-VMDvdDrive", ControllerNumber=0, ControllerLocation=DVD_LOCATION)


def _insert(machine: Cmdlet, image: str, facts: Facts) -> Pipeline:
    if facts.first("DvdDrive") is None and not lacks_dvd_drive(facts):
        raise RefusedError(
            "iso: somebody has taken the DVD drive out of the machine, and one can be added only while it is off. Shut "
            "it down (running=False), and start it again: the drive is added in between."
        )
    # $null takes the medium out; the drive stays.
    return machine | Cmdlet("Get-VMDvdDrive") | Cmdlet("Set-VMDvdDrive", {"Path": image or None})


def _tpm(machine: Cmdlet, *, enabled: bool) -> Iterator[Pipeline]:
    if not enabled:
        yield machine | Cmdlet("Disable-VMTPM")
        return
    # The TPM's state is sealed for a key of this host: without one it cannot be enabled (Set-VMKeyProtector).
    yield machine | cmdlet("Set-VMKeyProtector", NewLocalKeyProtector=True)
    yield machine | Cmdlet("Enable-VMTPM")
