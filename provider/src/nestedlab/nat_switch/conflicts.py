"""What on a host stands in the way of a NAT switch: other NAT networks, and the networks it has routes to."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv4Network

from nestedlab.declare import Properties
from nestedlab.errors import ConflictError, NotFoundError
from nestedlab.parts import reconcile
from nestedlab.pipeline import Facts, PSObject
from nestedlab.resources import forwards
from nestedlab.names import same_name
from nestedlab.nat_switch.table import nat_network, network

# Windows Server 2016 and Windows 10 before 1809 take one NAT; for later ones the sources disagree, and Windows decides.
_FIRST_BUILD_WITH_MORE_NATS = 17763

# A VPN puts two routes before the default one, 0.0.0.0/1 and 128.0.0.0/1, to get all that nobody else has a route to.
_HALF = 1


def refuse_conflicts(desired: Properties, facts: Facts, own_nat: PSObject | None, own_adapter: PSObject | None) -> None:
    """Raise ConflictError or NotFoundError naming what is in the way of the switch, or what it wants to join."""
    others = [one for one in _nats(facts) if own_nat is None or one.text("Name") != own_nat.text("Name")]
    if desired.get("nat"):
        _refuse_itself(desired, own_nat)
        _refuse_joining(desired, others)
    else:
        _refuse_nats(desired, others, facts)
    _refuse_routes(network(desired["prefix"]), facts, own_adapter)


def refuse_taken_ports(
    desired: Properties, facts: Facts, own_nat: PSObject | None, own_networks: Collection[IPv4Network]
) -> None:
    """Raise ConflictError naming where the port of a forward to be made leads to: Windows says only that it is in use.

    What is in the switch's own NAT network, or leads into one of its networks in whichever, is its own.
    """
    networks = [network(desired["prefix"]), *own_networks]
    own: list[PSObject] = []
    others: list[PSObject] = []
    for one in facts.all("MSFT_NetNatStaticMapping"):
        ours = own_nat is not None and same_name(one.text("NatName"), own_nat.text("Name"))
        inside = any(IPv4Address(one.text("InternalIPAddress")) in known for known in networks)
        (own if ours or inside else others).append(one)
    made = reconcile(forwards.PortForward, desired["forwards"], [forwards.shown(one) for one in own])
    for forward in made.missing:
        taken = next((one for one in others if _clash(forward, forwards.shown(one))), None)
        if taken is not None:
            raise ConflictError(
                f"{forwards.called(forward)}: this port of the host leads to {taken.text('InternalIPAddress')} "
                f"already, by the NAT network {taken.text('NatName')!r}. Choose another external_port, or another "
                "external_address of the host."
            )


def _clash(asked: Properties, there: Properties) -> bool:
    same = all(asked[name] == there[name] for name in ("protocol", "external_port"))
    addresses = {asked["external_address"], there["external_address"]}
    return same and (len(addresses) == 1 or forwards.ANY_ADDRESS in addresses)


def _nats(facts: Facts) -> Iterator[PSObject]:
    return facts.all("MSFT_NetNat")


def _refuse_itself(desired: Properties, own_nat: PSObject | None) -> None:
    if own_nat is not None and same_name(desired["nat"], own_nat.text("Name")):
        raise ConflictError(
            f"nat: {desired['nat']!r} is the switch's own NAT network, which would go if it joined one. Leave nat out, "
            "or name another NAT network."
        )


def _refuse_joining(desired: Properties, nats: list[PSObject]) -> None:
    joined = next((one for one in nats if same_name(desired["nat"], one.text("Name"))), None)
    if joined is None:
        raise NotFoundError(
            f"nat: there is no NAT network named {desired['nat']!r} on the host. Pass the nat_name of a NatSwitch of "
            "this program, or a name that Get-NetNat shows there."
        )
    if not holds(joined, desired["prefix"]):
        internal = joined.text("InternalIPInterfaceAddressPrefix")
        raise ConflictError(
            f"prefix: {desired['prefix']} does not lie in {internal} of the NAT network {joined.text('Name')!r}. "
            "Choose a prefix inside it, or let the NAT be wider (nat_prefix of the NatSwitch that owns it)."
        )


def holds(nat: PSObject, prefix: str) -> bool:
    """Whether a prefix lies in the network behind a NAT."""
    internal = nat.text("InternalIPInterfaceAddressPrefix")
    return bool(internal) and network(prefix).subnet_of(network(internal))


def _refuse_nats(desired: Properties, others: list[PSObject], facts: Facts) -> None:
    wanted = nat_network(desired)
    for one in others:
        internal = one.text("InternalIPInterfaceAddressPrefix")
        if internal and network(internal).overlaps(wanted):
            raise ConflictError(
                f"prefix: {wanted} overlaps {internal} of the NAT network {one.text('Name')!r} on the host. "
                "Choose another prefix, join that NAT (nat), or remove it."
            )
    system = facts.first("Win32_OperatingSystem")
    if others and system is not None and system.number("BuildNumber") < _FIRST_BUILD_WITH_MORE_NATS:
        raise ConflictError(
            f"the host has the NAT network {others[0].text('Name')!r} already, and {system.text('Caption')} (build "
            f"{system.text('BuildNumber')}) takes only one. Join it (nat), remove it, or use a parent with Windows "
            "Server 2019."
        )


def _refuse_routes(prefix: IPv4Network, facts: Facts, own_adapter: PSObject | None) -> None:
    for route in facts.all("MSFT_NetRoute"):
        if own_adapter is not None and route.number("InterfaceIndex") == own_adapter.number("InterfaceIndex"):
            continue
        if _in_the_way(network(route.text("DestinationPrefix")), prefix):
            raise ConflictError(
                f"prefix: {prefix} overlaps the host's route to {route.text('DestinationPrefix')} through "
                f"{route.text('InterfaceAlias') or 'interface ' + route.text('InterfaceIndex')}. Choose another prefix."
            )


def _in_the_way(destination: IPv4Network, prefix: IPv4Network) -> bool:
    """Whether a route is to a network of its own: not to everything, or half of it, nor to every multicast group."""
    is_network = destination.prefixlen > _HALF and not destination.is_multicast
    return is_network and destination.overlaps(prefix)
