"""The .NET enumerations of the simulated objects, with the numbers that they have on the wire.

The numbers are those of `hyperv_sim.contract.classes`; a test compares them. States that no machine is in here are left
out. A member that is no Python name ends in an underscore here (`None_`) and nowhere else.
"""

from __future__ import annotations

from enum import Enum

HYPER_V = "Microsoft.HyperV.PowerShell"


class NetEnum(Enum):
    """A .NET enumeration of the Hyper-V module."""

    @property
    def text(self) -> str:
        """The member's .NET name, as ToString() gives it."""
        return self.name.rstrip("_")

    @property
    def type_name(self) -> str:
        """The full name of the .NET type."""
        return f"{HYPER_V}.{type(self).__name__}"


class VMState(NetEnum):
    """The state of a machine."""

    Other = 1
    Running = 2
    Off = 3
    Stopping = 4
    Saved = 6
    Paused = 9
    Starting = 10


class VMOperationalStatus(NetEnum):
    """What a machine is at besides its state."""

    Ok = 2
    MergingDisks = 32772


class SnapshotType(NetEnum):
    """The kind of a checkpoint; those that users make are standard ones."""

    Standard = 0
    Recovery = 1
    Planned = 2
    Missing = 5
    Replica = 6
    AppConsistentReplica = 7
    SyncedReplica = 8


class StartAction(NetEnum):
    """What a machine does when the host starts."""

    Nothing = 2
    StartIfRunning = 3
    Start = 4


class StopAction(NetEnum):
    """What a machine does when the host stops."""

    TurnOff = 2
    Save = 3
    ShutDown = 4


class CriticalErrorAction(NetEnum):
    """What a machine does when its storage is lost."""

    None_ = 0
    Pause = 1


class CheckpointType(NetEnum):
    """The kind of checkpoint that a machine makes."""

    Disabled = 2
    Production = 3
    ProductionOnly = 4
    Standard = 5


class OnOffState(NetEnum):
    """On or off. On is 0: the number must never be tested for truth."""

    On = 0
    Off = 1


class ControllerType(NetEnum):
    """The kind of a disk controller."""

    IDE = 0
    SCSI = 1
    PMEM = 2


class CacheAttributes(NetEnum):
    """How a disk's writes are cached."""

    Default = 0
    WriteCacheEnabled = 1
    WriteCacheAndFUAEnabled = 2
    WriteCacheDisabled = 3


class ConsoleModeType(NetEnum):
    """Where a generation 2 machine's firmware talks."""

    Default = 0
    COM1 = 1
    COM2 = 2
    None_ = 3


class IPProtocolPreference(NetEnum):
    """The protocol that a generation 2 machine boots from the network with."""

    IPv4 = 0
    IPv6 = 1


class VMNetworkAdapterPortMirroringMode(NetEnum):
    """An adapter's part in port mirroring."""

    None_ = 0
    Destination = 1
    Source = 2


class VMNetworkAdapterVlanMode(NetEnum):
    """How a network adapter takes part in VLANs."""

    Untagged = 0
    Access = 1
    Trunk = 2
    Private = 3


class DvdMediaType(NetEnum):
    """What is in a DVD drive."""

    None_ = 0
    ISO = 1
    PassThrough = 2


class VMSwitchType(NetEnum):
    """The kind of a virtual switch."""

    Private = 0
    Internal = 1
    External = 2


class VMSwitchBandwidthMode(NetEnum):
    """How a virtual switch reserves bandwidth."""

    Default = 0
    Weight = 1
    Absolute = 2
    None_ = 3


class VhdType(NetEnum):
    """The kind of a virtual disk."""

    Unknown = 0
    Fixed = 2
    Dynamic = 3
    Differencing = 4

    @property
    def type_name(self) -> str:
        """The full name of the .NET type: the VHD cmdlets have a namespace of their own."""
        return "Microsoft.Vhd.PowerShell.VhdType"


class VhdFormat(NetEnum):
    """The format of a virtual disk."""

    Unknown = 0
    VHD = 2
    VHDX = 3
    VHDSet = 4

    @property
    def type_name(self) -> str:
        """The full name of the .NET type: the VHD cmdlets have a namespace of their own."""
        return "Microsoft.Vhd.PowerShell.VhdFormat"


BY_NAME = {enumeration.__name__: enumeration for enumeration in NetEnum.__subclasses__()}
"""The enumerations by their short .NET name, as the contract spells a parameter's type."""


def member(enumeration: type[NetEnum], text: str) -> NetEnum | None:
    """The member of this .NET name, in any case, or None."""
    wanted = text.strip().lower()
    return next((candidate for candidate in enumeration if candidate.text.lower() == wanted), None)
