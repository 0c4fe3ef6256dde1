"""The host's network interfaces and their IP addresses: state and rules, no wire.

Time is counted in looks: what takes Windows a moment is there after the next Get cmdlets, so that tests need no clock.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID, uuid4

from hyperv_sim.state.nats import Nats
from hyperv_sim.state.snapshot import VOLATILE

Ip: TypeAlias = "ipaddress.IPv4Interface | ipaddress.IPv6Interface"
HOST_ADDRESS = "10.0.0.10/24"
HOST_GATEWAY = "10.0.0.1"
HARDWARE = "Intel(R) I350 Gigabit Network Connection"


@dataclass(slots=True, eq=False)
class Interface:
    """A network interface of the host. `index` is never given again; `guid` is the id of the Hyper-V adapter behind it.

    `reads_until_listed`: how many listings miss it; the adapter can come some time after its switch. [autolab waits]
    """

    index: int = field(metadata=VOLATILE)
    alias: str
    description: str
    mac_address: str = field(default="", metadata=VOLATILE)
    guid: UUID = field(default_factory=uuid4)
    is_physical: bool = False
    is_loopback: bool = False
    metric: int = 25
    gateway: str = ""
    reads_until_listed: int = field(default=0, metadata=VOLATILE)


@dataclass(slots=True, eq=False)
class Address:
    """An IP address of an interface, with its prefix.

    `reads_until_preferred`: the listing, counted from here, that shows it Preferred; until then Windows looks for a
    duplicate, and it is Tentative.
    `is_persistent`: whether it is in the PersistentStore too.
    """

    interface: Interface = field(repr=False)
    ip: Ip
    prefix_origin: str = "Manual"
    suffix_origin: str = "Manual"
    is_persistent: bool = True
    skip_as_source: bool = False
    reads_until_preferred: int = field(default=0, metadata=VOLATILE)

    @property
    def text(self) -> str:
        """The address alone; a link-local IPv6 one carries its interface."""
        scope = f"%{self.interface.index}" if self.ip.version == 6 and self.ip.is_link_local else ""
        return f"{self.ip.ip}{scope}"


@dataclass(slots=True)
class Network:
    """Interfaces, addresses and NAT networks.

    `adapter_delay`: how many listings miss a new adapter; `tentative_reads`: how many show a new address as Tentative.
    `last_index` is the last interface index given.
    """

    interfaces: list[Interface] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)
    nats: Nats = field(default_factory=Nats)
    adapter_delay: int = field(default=0, metadata=VOLATILE)
    tentative_reads: int = field(default=1, metadata=VOLATILE)
    last_index: int = field(default=3, metadata=VOLATILE)

    def __post_init__(self) -> None:
        loopback = Interface(
            1, "Loopback Pseudo-Interface 1", "Software Loopback Interface 1", is_loopback=True, metric=75
        )
        self.interfaces.append(loopback)
        for ip in ("127.0.0.1/8", "::1/128"):
            self._add(loopback, ip, "WellKnown", "WellKnown")
        lan = self.add_interface("Ethernet", HARDWARE, mac_address="A0369F10C2D4")
        lan.is_physical, lan.gateway, lan.reads_until_listed = True, HOST_GATEWAY, 0
        self.assign(lan, HOST_ADDRESS).reads_until_preferred = 0

    def add_interface(self, alias: str, description: str, *, mac_address: str, guid: UUID | None = None) -> Interface:
        """A new interface, up, with the addresses that it gives itself. A taken alias or description gets a number.

        [autolab matches aliases with such a number; ` #2` in Microsoft's NAT guide]
        """
        self.last_index += 1
        interface = Interface(
            self.last_index,
            _numbered(alias, " ", [other.alias for other in self.interfaces]),
            _numbered(description, " #", [other.description for other in self.interfaces]),
            mac_address,
            guid or uuid4(),
            reads_until_listed=self.adapter_delay,
        )
        self.interfaces.append(interface)
        self._add(interface, f"{_link_local(mac_address)}/64", "WellKnown", "Link")
        self._configure_itself(interface)
        return interface

    def add_port(self) -> Interface:
        """A network adapter of the host's hardware that a virtual switch has, so that it has no addresses."""
        self.last_index += 1
        number = 1 + len([interface for interface in self.interfaces if interface.is_physical])
        port = Interface(
            self.last_index, f"Ethernet {number}", f"{HARDWARE} #{number}", f"A0369F10C2{0xD3 + number:02X}"
        )
        port.is_physical = True
        self.interfaces.append(port)
        return port

    def remove_interface(self, guid: UUID) -> None:
        """Remove an interface with its addresses."""
        self.addresses = [address for address in self.addresses if address.interface.guid != guid]
        self.interfaces = [interface for interface in self.interfaces if interface.guid != guid]

    def listed(self) -> list[Interface]:
        """The interfaces that Windows shows by now."""
        return [interface for interface in self.interfaces if interface.reads_until_listed <= 0]

    def look_for_adapters(self) -> None:
        """A listing of adapters has been made: what is on its way comes nearer."""
        for interface in self.interfaces:
            interface.reads_until_listed -= 1

    def look_for_addresses(self) -> None:
        """A listing of addresses is made: the search for duplicates goes on."""
        for address in self.addresses:
            address.reads_until_preferred -= 1

    def of(self, interface: Interface, *, version: int | None = None) -> Iterator[Address]:
        """The interface's addresses, of one IP version or of both."""
        yield from (
            address
            for address in self.addresses
            if address.interface is interface and version in (None, address.ip.version)
        )

    def assign(self, interface: Interface, ip: str) -> Address:
        """Give the interface an address by hand. Its own 169.254 one goes."""
        address = self._add(interface, ip, "Manual", "Manual")
        address.reads_until_preferred = self.tentative_reads + 1
        self._configure_itself(interface)
        return address

    def remove_address(self, address: Address) -> None:
        """Remove an address. An interface without one gives itself a 169.254 one. [autolab, which filters them]"""
        self.addresses.remove(address)
        self._configure_itself(address.interface)

    def _add(self, interface: Interface, ip: str, prefix_origin: str, suffix_origin: str) -> Address:
        address = Address(interface, ipaddress.ip_interface(ip), prefix_origin, suffix_origin)
        self.addresses.append(address)
        return address

    def _configure_itself(self, interface: Interface) -> None:
        own = [address for address in self.of(interface, version=4) if address.prefix_origin == "WellKnown"]
        given = [address for address in self.of(interface, version=4) if address.prefix_origin != "WellKnown"]
        if given:
            self.addresses = [address for address in self.addresses if address not in own]
        elif not own:
            self._add(
                interface, f"169.254.{interface.index % 254 + 1}.{10 + interface.index % 200}/16", "WellKnown", "Link"
            )


def _numbered(name: str, mark: str, taken: list[str]) -> str:
    free, number = name, 1
    while free.lower() in (taken_name.lower() for taken_name in taken):
        number += 1
        free = f"{name}{mark}{number}"
    return free


def _link_local(mac_address: str) -> ipaddress.IPv6Address:
    """The address that IPv6 makes of a MAC address (modified EUI-64)."""
    own = bytes.fromhex(mac_address)
    host = bytes((own[0] ^ 2, *own[1:3], 0xFF, 0xFE, *own[3:]))
    return ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + host)
