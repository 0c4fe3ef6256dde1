"""The object VMNetworkAdapter; Get-, Set-, Rename-VMNetworkAdapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import UUID

from hyperv_sim import errors
from hyperv_sim.fidelity import REFERENCE, UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.adapters import check_mac, chosen, on_host
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.components import DEVICE_BASES, PART, PART_ALIASES
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import Setting, change, names
from hyperv_sim.state.components import component_id
from hyperv_sim.state.enumerations import HYPER_V, VMState
from hyperv_sim.state.machines import NO_MAC, Adapter, HostAdapter


def _id(adapter: Adapter) -> str:
    """Microsoft:<VM>\\<adapter> for a machine's. The form for the host's own is not known; it has no VM in it here."""
    return component_id(adapter.machine, adapter.id) if adapter.machine else f"Microsoft:{str(adapter.id).upper()}"


def _text(adapter: Adapter) -> str:
    """Without an Id, as a VLAN setting shows its ParentAdapter. [microsoft/SDN#25; tests of intel/mfd-hyperv]"""
    own = adapter.machine.id if adapter.machine else ""
    return f"VMNetworkAdapter (Name = '{adapter.name}', VMName = '{_vm_name(adapter)}') [VMId = '{own}']"


def _vm_name(adapter: Adapter) -> str | None:
    return adapter.machine.name if adapter.machine else None


def _status(adapter: Adapter, running: str) -> tuple[str, ...]:
    return (running,) if adapter.machine is None or adapter.machine.state is VMState.Running else ()


BASE: Mapping[str, Callable[[Adapter], object]] = {
    "MacAddress": lambda adapter: adapter.mac_address,
    "SwitchName": lambda adapter: adapter.switch.name if adapter.switch else None,
    "StatusDescription": lambda adapter: _status(adapter, "OK"),
    "Status": lambda adapter: _status(adapter, "Ok"),
    "Id": _id,
    "SwitchId": lambda adapter: adapter.switch.id if adapter.switch else None,
    "VlanSetting": lambda adapter: adapter.vlan,
    "MacAddressSpoofing": lambda adapter: adapter.mac_spoofing,
    "DhcpGuard": lambda adapter: adapter.dhcp_guard,
    "RouterGuard": lambda adapter: adapter.router_guard,
    "PortMirroringMode": lambda adapter: adapter.port_mirroring,
    "AllowTeaming": lambda adapter: adapter.allow_teaming,
    "Name": lambda adapter: adapter.name,
    "VMName": _vm_name,
}
"""What the adapters of machines and of the host tell."""

BASE_CONSTANTS = {
    **PART,
    "IsExternalAdapter": False,
    "VirtualSubnetId": 0,
    "DynamicIPAddressLimit": 0,
    "StormLimit": 0,
    "FixSpeed10G": "Off",
    "VMQWeight": 100,
    "IPsecOffloadMaxSA": 512,
    "VrssEnabledRequested": True,
    "IsTemplate": False,
}
ALIASES = {
    **PART_ALIASES,
    "VmmqQueuePairs": "VrssMaxQueuePairs",
    "VmmqQueuePairsRequested": "VrssMaxQueuePairsRequested",
}
WINDOWS_2019_ON = dict.fromkeys(
    [
        f"Vrss{name}{requested}"
        for name in (
            *("MaxQueuePairs", "MinQueuePairs", "QueueSchedulingMode", "ExcludePrimaryProcessor"),
            *("IndependentHostSpreading", "VmbusChannelAffinityPolicy"),
        )
        for requested in ("", "Requested")
    ],
    "2019",
)
"""[MicrosoftDocs/windows-powershell-docs#2268: the parameters that set them came with Server 2019]"""

VALUES: Mapping[str, Callable[[Adapter], object]] = {
    **BASE,
    "DynamicMacAddressEnabled": lambda adapter: adapter.dynamic_mac,
    "IsLegacy": lambda adapter: adapter.is_legacy,
    "IsSynthetic": lambda adapter: not adapter.is_legacy,
    "DeviceNaming": lambda adapter: adapter.device_naming,
    "Connected": lambda adapter: adapter.switch is not None,
    "VMId": lambda adapter: adapter.machine.id if adapter.machine else None,
    "ComputerName": lambda adapter: adapter.machine.host_name if adapter.machine else None,
}

describe_class(
    Adapter,
    f"{HYPER_V}.VMNetworkAdapter",
    VALUES,
    constants={
        **BASE_CONSTANTS,
        "IPAddresses": (),
        "IsManagementOs": False,
        "ClusterMonitored": True,
        "IovWeight": 0,
        "IovInterruptModeration": "Default",
        "PacketDirectNumProcs": 0,
        "PacketDirectModerationCount": 0,
        "PacketDirectModerationInterval": 0,
        "IeeePriorityTag": "Off",
        "VmmqEnabledRequested": False,
        "VrssMaxQueuePairsRequested": 16,
    },
    bases=(f"{HYPER_V}.VMNetworkAdapterBase", *DEVICE_BASES),
    aliases=ALIASES,
    since=WINDOWS_2019_ON,
    text=_text,
)

HOST_VALUES: Mapping[str, Callable[[HostAdapter], object]] = {
    **BASE,
    "DeviceId": lambda adapter: f"{{{str(adapter.id).upper()}}}",
    "ComputerName": lambda adapter: adapter.switch.host_name if adapter.switch else None,
}

describe_class(
    HostAdapter,
    f"{HYPER_V}.VMInternalNetworkAdapter",
    HOST_VALUES,
    constants={**BASE_CONSTANTS, "IsManagementOs": True, "IeeePriorityTag": "On", "VMId": UUID(int=0)},
    bases=(f"{HYPER_V}.VMNetworkAdapterBase", *DEVICE_BASES),
    aliases=ALIASES,
    since=WINDOWS_2019_ON,
    text=lambda adapter: f"VMInternalNetworkAdapter, Name = '{adapter.name}'",
)


def _bad_mac(_: Call, text: str) -> str | None:
    return None if check_mac(text) else f"'{text}' is not a MAC address of one adapter."


SETTINGS = (
    Setting("DynamicMacAddress", "dynamic_mac", off_only=True),
    Setting("StaticMacAddress", "mac_address", off_only=True, check=_bad_mac, value=check_mac),
    Setting("MacAddressSpoofing", "mac_spoofing"),
    Setting("DhcpGuard", "dhcp_guard"),
    Setting("RouterGuard", "router_guard"),
    Setting("AllowTeaming", "allow_teaming"),
    Setting("DeviceNaming", "device_naming", off_only=True),
    Setting("PortMirroring", "port_mirroring"),
)


@cmdlet("Get-VMNetworkAdapter", takes=("VMName", "VM", "Name", "ManagementOS", "SwitchName", "All"))
def get_vm_network_adapter(call: Call) -> Iterator[object]:
    """Get-VMNetworkAdapter: of machines, of the host (-ManagementOS [-SwitchName]), or -All."""
    if call.get("All"):
        if "Name" in call.parameters:
            raise errors.not_simulated("Get-VMNetworkAdapter -All with -Name")
        yield from call.host.host_adapters
        for machine in call.host.machines.values():
            yield from machine.adapters
    elif call.get("ManagementOS"):
        yield from on_host(call)
    else:
        yield from chosen(call)


@cmdlet("Set-VMNetworkAdapter", takes=("VMName", "VM", "Name", "VMNetworkAdapter", "Passthru", *names(SETTINGS)))
def set_vm_network_adapter(call: Call) -> Iterator[object]:
    """Set-VMNetworkAdapter: spoofing and guards in any state; the MAC address only while the machine is off."""
    if call.get("DynamicMacAddress") and "StaticMacAddress" in call.parameters:
        raise errors.not_simulated("Set-VMNetworkAdapter -DynamicMacAddress with -StaticMacAddress")
    for adapter in chosen(call):
        with call.going_on():
            change(call, adapter.machine, [(adapter, SETTINGS)], "Failed to modify device 'Network Adapter'.")
            _set_mac(call, adapter)
            yield from passed(call, [adapter])


def _set_mac(call: Call, adapter: Adapter) -> None:
    """A given address is static; a dynamic one comes with the next start."""
    if "StaticMacAddress" in call.parameters:
        adapter.dynamic_mac = False
    elif call.get("DynamicMacAddress"):
        adapter.mac_address = NO_MAC


@cmdlet("Rename-VMNetworkAdapter", takes=("VMName", "VM", "Name", "VMNetworkAdapter", "NewName", "Passthru"))
def rename_vm_network_adapter(call: Call) -> Iterator[object]:
    """Rename-VMNetworkAdapter, in any state."""
    for adapter in chosen(call):
        adapter.name = call.parameters["NewName"]
        yield from passed(call, [adapter])


def passed(call: Call, found: Sequence[Adapter]) -> Sequence[Adapter]:
    """What -Passthru gives."""
    return found if call.get("Passthru") else ()


fact(
    "Set-VMNetworkAdapter",
    "-MacAddressSpoofing, guards, teaming, mirroring in any state",
    "inferred: Microsoft's script sets it without looking",
)
fact(
    "Set-VMNetworkAdapter",
    "the MAC address and device naming only while off",
    f"dsccommunity/HyperVDsc#41 for the MAC address; device naming {UNKNOWN}, stricter",
)
fact(
    "Set-VMNetworkAdapter",
    "a -StaticMacAddress of a group (odd first byte) or of zeros is `InvalidParameter`; so too Add-VMNetworkAdapter",
    f"hashicorp/vagrant#11681 for a group; zeros and the id {UNKNOWN}",
)
fact("Get-VMNetworkAdapter", "a -Name that no adapter has is `ObjectNotFound`", WINDSOR)
fact(
    "Get-VMNetworkAdapter",
    "the host's adapters are VMInternalNetworkAdapter, with other properties; their Id has a form of its own here",
    f"{REFERENCE} of Add-VMNetworkAdapter; their text from Microsoft's guide to converged NICs; id {UNKNOWN}",
)
fact(
    "Get-VMNetworkAdapter",
    "offloads, limits and queues as they are until somebody sets them; which Server 2016 does not show; DeviceId",
    "defaults of taliesins/terraform-provider-hyperv; MicrosoftDocs/windowsserverdocs#4302 and "
    "windows-powershell-docs#2268; public scripts that join DeviceId to Get-NetAdapter",
)
fact("Get-VMNetworkAdapter", "Status is Ok while the machine runs", "tests of intel/mfd-hyperv; empty else: inferred")
fact("Get-VMNetworkAdapter", "IPAddresses is empty: there is no guest to report any", "not simulated")
fact(
    "Rename-VMNetworkAdapter",
    "in any state; a name that another adapter has is taken too",
    f"{WINDSOR} for the name; the state {UNKNOWN}",
)
