"""The object MSFT_NetAdapter; Get-NetAdapter."""

from __future__ import annotations

from collections.abc import Iterator

from hyperv_sim.fidelity import REFERENCE, UNKNOWN, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.cim import query
from hyperv_sim.powershell.cim_classes import NAMESPACE, describe_cim
from hyperv_sim.powershell.properties import Property
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.state.network import Interface

P = Property[Interface]


def mac_with_hyphens(interface: Interface) -> str:
    """A MAC address as Windows writes it; Hyper-V writes it without hyphens. [Microsoft's NAT guide]"""
    return "-".join(interface.mac_address[at : at + 2] for at in range(0, 12, 2))


describe_cim(
    Interface,
    NAMESPACE,
    "MSFT_NetAdapter",
    [
        P("Name", "String", lambda interface: interface.alias),
        P("InterfaceAlias", "String", lambda interface: interface.alias),
        P("InterfaceDescription", "String", lambda interface: interface.description),
        P("InterfaceIndex", "UInt32", lambda interface: interface.index),
        P("InterfaceGuid", "String", lambda interface: f"{{{str(interface.guid).upper()}}}"),
        P("Virtual", "Boolean", lambda interface: not interface.is_physical),
        P("HardwareInterface", "Boolean", lambda interface: interface.is_physical),
        P("ifIndex", "UInt32", lambda interface: interface.index, is_script=True),
        P("ifAlias", "String", lambda interface: interface.alias, is_script=True),
        P("ifDesc", "String", lambda interface: interface.description, is_script=True),
        P("Status", "String", lambda _: "Up", is_script=True),
        P("AdminStatus", "String", lambda _: "Up", is_script=True),
        P("MacAddress", "String", mac_with_hyphens, is_script=True),
        P("LinkSpeed", "String", lambda interface: "1 Gbps" if interface.is_physical else "10 Gbps", is_script=True),
    ],
    text=lambda interface: f'MSFT_NetAdapter (Name = "{interface.alias}")',
)

KEYS = {
    "Name": lambda interface: interface.alias,
    "InterfaceDescription": lambda interface: interface.description,
    "InterfaceIndex": lambda interface: interface.index,
}


@cmdlet("Get-NetAdapter", takes=(*KEYS, "Physical"))
def get_net_adapter(call: Call) -> Iterator[object]:
    """Get-NetAdapter: all but the loopback, by -Name, -InterfaceDescription or -InterfaceIndex; -Physical."""
    found = [interface for interface in call.host.network.listed() if not interface.is_loopback]
    call.host.network.look_for_adapters()
    if call.get("Physical"):
        found = [interface for interface in found if interface.is_physical]
    yield from query(call, "MSFT_NetAdapter", found, KEYS)


fact(
    "Get-NetAdapter",
    "one physical adapter and those to internal switches, all up; -IncludeHidden is not simulated",
    f"{REFERENCE}; Microsoft's NAT guide",
)
fact("Get-NetAdapter", "InterfaceGuid is the GUID in the Id of Hyper-V's adapter", UNKNOWN)
