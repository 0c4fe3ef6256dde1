"""The host's routes, as Windows makes them of its addresses and gateways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hyperv_sim.state.network import Address, Interface, Network


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the active store."""

    destination: str
    next_hop: str
    interface: Interface
    metric: int = 256
    protocol: str = "Local"

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.destination else 4


def routes(network: Network) -> Iterator[Route]:
    """All routes of the listed interfaces: multicast and broadcast, prefixes and single addresses, and gateways.

    [Get-NetRoute's output in Microsoft's documentation shows this set on any host]
    """
    for interface in network.listed():
        versions = sorted({address.ip.version for address in network.of(interface)})
        if 4 in versions:
            yield Route("255.255.255.255/32", "0.0.0.0", interface)  # noqa: S104  # on the link itself
            yield Route("224.0.0.0/4", "0.0.0.0", interface)  # noqa: S104
        if 6 in versions:
            yield Route("ff00::/8", "::", interface)
        for address in network.of(interface):
            yield from _of(address)
        if interface.gateway:
            yield Route("0.0.0.0/0", interface.gateway, interface, metric=0, protocol="NetMgmt")


def _of(address: Address) -> Iterator[Route]:
    """The prefix, the address itself and, for IPv4, the prefix's broadcast address."""
    net, on_link = address.ip.network, "0.0.0.0" if address.ip.version == 4 else "::"  # noqa: S104
    single = 32 if address.ip.version == 4 else 128
    if net.prefixlen < single:
        yield Route(str(net), on_link, address.interface)
    yield Route(f"{address.ip.ip}/{single}", on_link, address.interface)
    if address.ip.version == 4 and net.prefixlen < 31:
        yield Route(f"{net.broadcast_address}/32", on_link, address.interface)
