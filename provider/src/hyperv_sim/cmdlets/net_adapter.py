"""The object MSFT_NetAdapter; Get-NetAdapter."""

from __future__ import annotations

from collections.abc import Iterator

from hyperv_sim.fidelity import REFERENCE, UNKNOWN, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.cim import NAMESPACE, query
from hyperv_sim.powershell.properties import Property, describe_cim
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
        P("Name", "String", lambda one: one.alias),
        P("InterfaceAlias", "String", lambda one: one.alias),
        P("InterfaceDescription", "String", lambda one: one.description),
        P("InterfaceIndex", "UInt32", lambda one: one.index),
        P("InterfaceGuid", "String", lambda one: f"{{{str(one.guid).upper()}}}"),
        P("Virtual", "Boolean", lambda one: not one.is_physical),
        P("HardwareInterface", "Boolean", lambda one: one.is_physical),
        P("ifIndex", "UInt32", lambda one: one.index, is_script=True),
        P("ifAlias", "String", lambda one: one.alias, is_script=True),
        P("ifDesc", "String", lambda one: one.description, is_script=True),
        P("Status", "String", lambda _: "Up", is_script=True),
        P("AdminStatus", "String", lambda _: "Up", is_script=True),
        P("MacAddress", "String", mac_with_hyphens, is_script=True),
        P("LinkSpeed", "String", lambda one: "1 Gbps" if one.is_physical else "10 Gbps", is_script=True),
    ],
    text=lambda one: f'MSFT_NetAdapter (Name = "{one.alias}")',
)

KEYS = {
    "Name": lambda one: one.alias,
    "InterfaceDescription": lambda one: one.description,
    "InterfaceIndex": lambda one: one.index,
}


@cmdlet("Get-NetAdapter", takes=(*KEYS, "Physical"))
def get_net_adapter(call: Call) -> Iterator[object]:
    """Get-NetAdapter: all but the loopback, by -Name, -InterfaceDescription or -InterfaceIndex; -Physical."""
    found = [one for one in call.host.network.listed() if not one.is_loopback]
    call.host.network.look_for_adapters()
    if call.get("Physical"):
        found = [one for one in found if one.is_physical]
    yield from query(call, "MSFT_NetAdapter", found, KEYS)


fact(
    "Get-NetAdapter",
    "one physical adapter and those to internal switches, all up; -IncludeHidden is not simulated",
    f"{REFERENCE}; Microsoft's NAT guide",
)
fact("Get-NetAdapter", "InterfaceGuid is the GUID in the Id of Hyper-V's adapter", UNKNOWN)
