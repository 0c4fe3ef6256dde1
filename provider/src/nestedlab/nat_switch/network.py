"""The NAT networks that concern a switch, as one typed view of what a host shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from uuid import UUID

from nestedlab.names import same_name
from nestedlab.nat_switch.forwards import StaticMapping, mappings_in
from nestedlab.nat_switch.gateway import (
    HostAdapter,
    OtherNetwork,
    host_adapter,
    networks_elsewhere,
    networks_of_other_switches,
)
from nestedlab.nat_switch.table import NatSwitch, network, shares
from nestedlab.ownership import is_made_for
from nestedlab.pipeline import Facts


@dataclass(frozen=True)
class Nat:
    """A NAT network of the host. `internal` is the prefix behind it; "" if Windows shows none."""

    name: str
    internal: str

    @property
    def behind(self) -> IPv4Network | None:
        """The network behind the NAT."""
        return network(self.internal) if self.internal else None

    def holds(self, part: IPv4Network) -> bool:
        """Whether a network lies in the one behind the NAT."""
        return self.behind is not None and part.subnet_of(self.behind)

    def overlaps(self, other: IPv4Network) -> bool:
        """Whether a network has addresses in common with the one behind the NAT."""
        return self.behind is not None and self.behind.overlaps(other)


@dataclass(frozen=True)
class NatNetworks:
    """The NAT networks of a host and the networks around them, seen from one switch.

    The switch is `known` by its inputs or by its state. `own` is the NAT made for it, and `others` are all the rest.
    `adapter` is the host's to the switch, `elsewhere` are the networks of the host's other adapters, and
    `other_switches` those of them that are on an internal switch. `switches` are the ids of all other switches.
    """

    known: NatSwitch
    own: Nat | None
    others: tuple[Nat, ...]
    mappings: tuple[StaticMapping, ...]
    adapter: HostAdapter | None
    elsewhere: tuple[IPv4Network, ...]
    other_switches: tuple[OtherNetwork, ...]
    switches: tuple[UUID, ...]

    def known_by(self, known: NatSwitch) -> NatNetworks:
        """The same networks, seen from the switch as it is known otherwise: by its state instead of its inputs."""
        return replace(self, known=known)

    def without(self, nat: Nat | None) -> NatNetworks:
        """The same networks once one of the others is gone."""
        return replace(self, others=tuple(other for other in self.others if other != nat))

    @property
    def joined(self) -> Nat | None:
        """The NAT network that the switch joins, if it joins one and that is there."""
        return self.named(self.known.nat) if self.known.nat else None

    def named(self, name: str) -> Nat | None:
        """The NAT network of this name, if it is there."""
        nats = (self.own, *self.others)
        return next((nat for nat in nats if nat is not None and same_name(name, nat.name)), None)

    @property
    def nat(self) -> Nat | None:
        """The NAT network that the switch is behind: its own, or else the one that it joins."""
        return self.own or self.joined

    def forwards_of(self, nat: str) -> tuple[StaticMapping, ...]:
        """The forwards of a NAT network."""
        return tuple(mapping for mapping in self.mappings if same_name(mapping.nat, nat))

    def is_behind(self, nat: Nat) -> bool:
        """Whether the switch has an address behind the NAT network now."""
        return any(nat.overlaps(part) for part in (self.adapter.networks if self.adapter else ()))

    def others_behind(self, nat: Nat) -> tuple[OtherNetwork, ...]:
        """The networks of other switches that have addresses behind the NAT network."""
        return tuple(other for other in self.other_switches if nat.overlaps(other.network))

    def forwards_of_others(self, nat: Nat) -> tuple[StaticMapping, ...]:
        """The forwards of the NAT network that are not the switch's."""
        ours = self.own_forwards(nat.name, self.inside(nat))
        return tuple(mapping for mapping in self.forwards_of(nat.name) if mapping not in ours)

    def inside(self, nat: Nat) -> str:
        """The prefix that the switch's forwards lead into: in a shared NAT that of its own network alone."""
        return (self.known.prefix or "") if shares(self.known) else nat.internal

    def forwards_into(self, nat: str, *prefixes: str) -> tuple[StaticMapping, ...]:
        """The forwards of a NAT network that lead into one of the prefixes, and into nobody else's part of it."""
        within = [network(prefix) for prefix in prefixes if prefix]
        return tuple(mapping for mapping in self.forwards_of(nat) if self._is_ours(mapping.leads_to, within))

    def own_forwards(self, nat: str, *prefixes: str) -> tuple[StaticMapping, ...]:
        """The forwards that lead into one of the prefixes, or into the network that the switch has now.

        What is known of the switch may be older than a change whose answer was lost.
        """
        address = self.adapter.gateway() if self.adapter else None
        return self.forwards_into(nat, *prefixes, str(address.network) if address else "")

    def _is_ours(self, address: IPv4Address, within: list[IPv4Network]) -> bool:
        # A prefix may have been made too wide by hand: another adapter's network that lies in it is not part of it.
        return any(
            address in prefix
            and not any(address in other and other != prefix and other.subnet_of(prefix) for other in self.elsewhere)
            for prefix in within
        )


def nat_networks(switch: UUID | None, known: NatSwitch, facts: Facts) -> NatNetworks:
    """What a host shows of the NAT networks that concern a switch; None is one that is not created yet."""
    nats = [Nat(nat.text("Name"), nat.text("InternalIPInterfaceAddressPrefix")) for nat in facts.all("MSFT_NetNat")]
    own = next((nat for nat in nats if switch is not None and is_made_for(nat.name, switch)), None)
    adapter = host_adapter(switch, facts) if switch is not None else None
    return NatNetworks(
        known=known,
        own=own,
        others=tuple(nat for nat in nats if own is None or nat.name != own.name),
        mappings=mappings_in(facts),
        adapter=adapter,
        elsewhere=networks_elsewhere(adapter, facts),
        other_switches=tuple(networks_of_other_switches(switch, facts)),
        switches=tuple(other for other in _listed(facts) if other != switch),
    )


def _listed(facts: Facts) -> list[UUID]:
    return [UUID(shown.text("Id")) for shown in facts.all("VMSwitch")]


def switches_behind_nats(facts: Facts) -> frozenset[str]:
    """The casefolded names of the internal switches whose network is behind a NAT network of the host."""
    nats = [Nat(nat.text("Name"), nat.text("InternalIPInterfaceAddressPrefix")) for nat in facts.all("MSFT_NetNat")]
    return frozenset(
        other.switch.casefold()
        for other in networks_of_other_switches(None, facts)
        if any(nat.holds(other.network) for nat in nats)
    )
