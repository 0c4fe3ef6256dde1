"""The object MSFT_NetRoute; Get-NetRoute."""

from __future__ import annotations

from collections.abc import Iterator

from hyperv_sim.fidelity import REFERENCE, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.cim import ADDRESS_FAMILY, FOREVER, in_words, query
from hyperv_sim.powershell.cim_classes import NAMESPACE, describe_cim
from hyperv_sim.powershell.properties import Property
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.state.routes import Route, routes

P = Property[Route]
PROTOCOL = {"Local": 2, "NetMgmt": 3}


def family(route: Route) -> str:
    """IPv4 or IPv6."""
    return f"IPv{route.version}"


describe_cim(
    Route,
    NAMESPACE,
    "MSFT_NetRoute",
    [
        P("DestinationPrefix", "String", lambda route: route.destination),
        P("NextHop", "String", lambda route: route.next_hop),
        P("InterfaceIndex", "UInt32", lambda route: route.interface.index),
        P("InterfaceAlias", "String", lambda route: route.interface.alias),
        P("RouteMetric", "UInt16", lambda route: route.metric),
        P("InterfaceMetric", "UInt32", lambda route: route.interface.metric),
        *in_words("AddressFamily", "UInt16", ADDRESS_FAMILY, family),
        *in_words("Protocol", "UInt16", PROTOCOL, lambda route: route.protocol),
        *in_words("Publish", "Byte", {"No": 0}, lambda _: "No"),
        *in_words("Store", "Byte", {"ActiveStore": 1}, lambda _: "ActiveStore"),
        P("ValidLifetime", "TimeSpan", lambda _: FOREVER),
        P("PreferredLifetime", "TimeSpan", lambda _: FOREVER),
        P("ifIndex", "UInt32", lambda route: route.interface.index, is_script=True),
    ],
    text=lambda route: f'MSFT_NetRoute (DestinationPrefix = "{route.destination}", NextHop = "{route.next_hop}")',
)

KEYS = {
    "DestinationPrefix": lambda route: route.destination,
    "NextHop": lambda route: route.next_hop,
    "InterfaceIndex": lambda route: route.interface.index,
    "InterfaceAlias": lambda route: route.interface.alias,
    "RouteMetric": lambda route: route.metric,
    "AddressFamily": family,
    "Protocol": lambda route: route.protocol,
}


@cmdlet("Get-NetRoute", takes=tuple(KEYS))
def get_net_route(call: Call) -> Iterator[object]:
    """Get-NetRoute, of the active store."""
    yield from query(call, "MSFT_NetRoute", routes(call.host.network), KEYS)


fact(
    "Get-NetRoute", "the active store: routes of prefixes, addresses, broadcast, multicast, and the gateway", REFERENCE
)
