"""The nouns of PowerShell that attributes live on, and the forms that values take there."""

from __future__ import annotations

from nestedlab.declare import Form, Noun
from nestedlab.ownership import mark_in, marked, owner_of, unmarked

VM = Noun("VirtualMachine", "Get-VM", "Set-VM")
VMProcessor = Noun("VMProcessor", "Get-VMProcessor", "Set-VMProcessor")
VMMemory = Noun("VMMemory", "Get-VMMemory", "Set-VMMemory")
VMFirmware = Noun("VMFirmware", "Get-VMFirmware", "Set-VMFirmware")
VMSecurity = Noun("VMSecurity", "Get-VMSecurity", "Enable-VMTPM")
VMDvdDrive = Noun("DvdDrive", "Get-VMDvdDrive", "Set-VMDvdDrive")
VMNetworkAdapter = Noun(
    "VMNetworkAdapter", "Get-VMNetworkAdapter", "Set-VMNetworkAdapter", through=("Get-VMNetworkAdapter",)
)
VMNetworkAdapterConnection = Noun(
    "VMNetworkAdapter",
    "Get-VMNetworkAdapter",
    "Connect-VMNetworkAdapter",
    through=("Get-VMNetworkAdapter",),
    clears="Disconnect-VMNetworkAdapter",
)
VMSwitch = Noun("VMSwitch", "Get-VMSwitch", "Set-VMSwitch")
VMSwitchName = Noun("VMSwitch", "Get-VMSwitch", "Rename-VMSwitch")
NetNat = Noun("MSFT_NetNat", "Get-NetNat", "New-NetNat")
NetIPAddress = Noun("MSFT_NetIPAddress", "Get-NetIPAddress", "New-NetIPAddress")

MIB_BYTES = 1024**2
GIB_BYTES = 1024**3


def in_units(size: int, unit: int) -> int | float:
    """A size in bytes as so many of a unit: a whole number where it is one."""
    return size / unit if size % unit else size // unit


MIB = Form(fold=lambda mib, _: mib * MIB_BYTES, read=lambda size: None if size is None else in_units(size, MIB_BYTES))
"""Mebibytes in the program, bytes on the host."""

MIB_SHOWN = Form(fold=lambda mib, _: mib * MIB_BYTES)
"""Mebibytes in the program and in the property, bytes in the parameter (VMMemory.MaximumPerNumaNode, as the set-up
script of Docker for Windows reads it)."""

ON_OFF = Form(fold=lambda on, _: "On" if on else "Off", read=lambda state: state == "On")
"""A bool in the program, Microsoft.HyperV.PowerShell.OnOffState on the host."""

TEXT = Form(read=lambda text: text or "")
"""Text that the host may hold as null where it is empty."""

IDENTITY = Form(read=str)
"""A GUID as text in lower case with hyphens."""

RUNNING = Form(read=lambda state: state == "Running")
"""Whether a VMState is Running."""

NOTES = Form(read=lambda notes: unmarked(notes or ""))
"""The user's part of the notes."""

OWNER = Form(fold=lambda owner, notes: marked(str(notes or ""), owner), read=lambda notes: owner_of(notes or ""))
"""The marker's part of the notes; its row stands after the row of the notes, on the same parameter."""

STACK_ID = Form(
    fold=lambda stack, notes: marked(unmarked(str(notes or "")), f"{owner_of(str(notes or ''))} stack={stack}"),
    read=lambda notes: mark_in(notes or "").stack or None,
)
"""The stack's part of the marker; its row stands after the row of the owner, on the same parameter."""

CREATION = Form(read=lambda notes: mark_in(notes or "").creation or None)
"""Which creation the marker counts."""
