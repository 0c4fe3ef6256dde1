"""NAT networks and their static mappings: state, no wire. WinNAT's rules are with its cmdlets."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from hyperv_sim.state.snapshot import VOLATILE

TAKEN_PORTS = frozenset({("TCP", port) for port in (135, 445, 2179, 5985, 47001)})
"""Where Windows itself listens: RPC, SMB, Hyper-V's consoles, WinRM twice."""


@dataclass(slots=True, eq=False)
class StaticMapping:
    """What sends one external port on to one internal endpoint."""

    id: int = field(metadata=VOLATILE)
    nat: Nat = field(repr=False, metadata=VOLATILE)
    protocol: str
    external_port: int
    internal_address: IPv4Address
    internal_port: int
    external_address: str = "0.0.0.0"  # noqa: S104  # any address of the host; nothing is bound here
    remote_prefix: str = "0.0.0.0/0"


@dataclass(slots=True, eq=False)
class Nat:
    """A NAT network. Timeouts are in seconds, with Windows' defaults; the name is its identity."""

    name: str
    internal_prefix: IPv4Network
    icmp_query_timeout: int = 30
    tcp_established_timeout: int = 1800
    tcp_transient_timeout: int = 120
    udp_idle_timeout: int = 120
    tcp_filtering: str = "AddressDependentFiltering"
    udp_filtering: str = "AddressDependentFiltering"
    udp_inbound_refresh: bool = False
    mappings: list[StaticMapping] = field(default_factory=list)


@dataclass(slots=True)
class Nats:
    """All NAT networks, in the order of creation.

    `taken_ports` (protocol, port) are in use or excluded; `external_addresses` are those of the host that a mapping
    may name instead of any.
    """

    networks: list[Nat] = field(default_factory=list)
    taken_ports: frozenset[tuple[str, int]] = field(default=TAKEN_PORTS, metadata=VOLATILE)
    external_addresses: frozenset[str] = field(default=frozenset(), metadata=VOLATILE)
    next_mapping: int = field(default=0, metadata=VOLATILE)

    def named(self, name: str) -> Nat | None:
        """The NAT network of this name, in any case."""
        return next((nat for nat in self.networks if nat.name.lower() == name.lower()), None)

    def over(self, address: object) -> list[Nat]:
        """The NAT networks whose internal prefix holds this address."""
        return [nat for nat in self.networks if isinstance(address, IPv4Address) and address in nat.internal_prefix]

    def map(self, mapping: StaticMapping) -> StaticMapping:
        """Add a mapping under the next number. Numbers are not given again."""
        mapping.id = self.next_mapping
        self.next_mapping += 1
        mapping.nat.mappings.append(mapping)
        return mapping
