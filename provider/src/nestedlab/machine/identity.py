"""How a machine is named to cmdlets: by its GUID, never by its name."""

from __future__ import annotations

from uuid import UUID

from nestedlab.pipeline import Cmdlet, cmdlet


def machine_by_id(machine: UUID) -> Cmdlet:
    """The machine. Names are not unique in Hyper-V; only Get-VM takes a GUID, other cmdlets get the machine piped."""
    return cmdlet("Get-VM", Id=machine)
