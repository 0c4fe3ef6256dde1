"""What on a host stands in the way of a NAT switch: other NAT networks, other switches, the host's routes."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network

from nestedlab.errors import ConflictError, NotFoundError
from nestedlab.names import same_name
from nestedlab.nat_switch.changes import NatChange
from nestedlab.nat_switch.forwards import PortForward, StaticMapping, called, clash
from nestedlab.nat_switch.gateway import HostAdapter
from nestedlab.nat_switch.network import NatNetworks
from nestedlab.nat_switch.table import NatSwitch, nat_network, network
from nestedlab.parts import reconcile
from nestedlab.pipeline import Facts, PSObject

# Windows Server 2016 and Windows 10 before 1809 take one NAT; for later ones the sources disagree, and Windows decides.
_FIRST_BUILD_WITH_MORE_NATS = 17763

# A VPN puts two routes before the default one, 0.0.0.0/1 and 128.0.0.0/1, to get all that nobody else has a route to.
_HALF = 1


def refuse_conflicts(inputs: NatSwitch, networks: NatNetworks, facts: Facts) -> None:
    """Raise ConflictError or NotFoundError naming what is in the way of the switch, or what it is to join."""
    if inputs.nat:
        _refuse_itself(inputs.nat, networks)
        _refuse_joining(inputs.nat, inputs, networks)
    else:
        _refuse_overlap(nat_network(inputs), networks)
        _refuse_second_nat(networks, facts)
    _refuse_routes(network(inputs.prefix), networks.adapter, facts)


def _refuse_itself(nat: str, networks: NatNetworks) -> None:
    if networks.own is not None and same_name(nat, networks.own.name):
        raise ConflictError(
            f"nat: {nat!r} is the switch's own NAT network, which is removed if the switch joins one. Leave nat out, "
            "or name another NAT network."
        )


def _refuse_joining(nat: str, inputs: NatSwitch, networks: NatNetworks) -> None:
    joined = next((other for other in networks.others if same_name(nat, other.name)), None)
    if joined is None:
        raise NotFoundError(
            f"nat: there is no NAT network named {nat!r} on the host. Pass the nat_name of a NatSwitch of this "
            "program, or a name that Get-NetNat shows there."
        )
    if not joined.holds(network(inputs.prefix)):
        part = f"{joined.internal} of " if joined.internal else ""
        raise ConflictError(
            f"prefix: {inputs.prefix} does not lie in {part}the NAT network {joined.name!r}. "
            "Choose a prefix inside it, or widen that NAT network (nat_prefix of the NatSwitch that owns it)."
        )


def _refuse_overlap(wanted: IPv4Network, networks: NatNetworks) -> None:
    overlapping = next((nat for nat in networks.others if nat.overlaps(wanted)), None)
    if overlapping is not None:
        raise ConflictError(
            f"prefix: {wanted} overlaps {overlapping.internal} of the NAT network {overlapping.name!r} on the host. "
            "Choose another prefix, join that NAT network (nat), or remove it if it is yours."
        )


def _refuse_second_nat(networks: NatNetworks, facts: Facts) -> None:
    system = facts.first("Win32_OperatingSystem")
    if networks.others and system is not None and system.number("BuildNumber") < _FIRST_BUILD_WITH_MORE_NATS:
        raise ConflictError(
            f"the host has the NAT network {networks.others[0].name!r} already, and {system.text('Caption')} (build "
            f"{system.text('BuildNumber')}) takes only one. Join it (nat), remove it if it is yours, or use a parent "
            "with Windows Server 2019 or later."
        )


def _refuse_routes(prefix: IPv4Network, adapter: HostAdapter | None, facts: Facts) -> None:
    for route in facts.all("MSFT_NetRoute"):
        is_own = adapter is not None and route.number("InterfaceIndex") == adapter.index
        if not is_own and _is_in_the_way(network(route.text("DestinationPrefix")), prefix):
            raise ConflictError(
                f"prefix: {prefix} overlaps the host's route to {route.text('DestinationPrefix')} through "
                f"{_interface(route)}. Choose another prefix."
            )


def _interface(route: PSObject) -> str:
    return route.text("InterfaceAlias") or f"interface {route.text('InterfaceIndex')}"


def _is_in_the_way(destination: IPv4Network, prefix: IPv4Network) -> bool:
    """Whether a route is to a network of its own: not to everything, or half of it, nor to every multicast group."""
    is_network = destination.prefixlen > _HALF and not destination.is_multicast
    return is_network and destination.overlaps(prefix)


def refuse_taken_ports(inputs: NatSwitch, networks: NatNetworks) -> None:
    """Raise ConflictError if the port of a forward to be made leads elsewhere: Windows says only that it is in use."""
    ours = [mapping for mapping in networks.mappings if _is_ours(mapping, inputs, networks)]
    others = [mapping for mapping in networks.mappings if mapping not in ours]
    for forward in reconcile(inputs.forwards, [mapping.forward for mapping in ours]).missing:
        taken = next((mapping for mapping in others if clash(forward, mapping.forward)), None)
        if taken is not None:
            raise ConflictError(
                f"{called(forward)}: this port of the host leads to {taken.leads_to} already, through the NAT network "
                f"{taken.nat!r}. Choose another external_port, or another external_address of the host."
            )


def _is_ours(mapping: StaticMapping, inputs: NatSwitch, networks: NatNetworks) -> bool:
    """Whether a forward is in the switch's own NAT network, or leads into a network of the switch in any of them."""
    if networks.own is not None and same_name(mapping.nat, networks.own.name):
        return True
    ours = (network(inputs.prefix), *(networks.adapter.networks if networks.adapter else ()))
    return any(mapping.leads_to in part for part in ours)


def refuse_stranding(change: NatChange, kept: Collection[PortForward]) -> None:
    """Raise ConflictError if what others have behind the switch's own NAT would not be behind it any more.

    These are the networks of other switches, whether they have forwards or not, and the forwards to be `kept`.
    """
    own = change.networks.own
    if own is None or not change.removes_own:
        return
    stays = None if change.inputs.nat else nat_network(change.inputs)
    changed = "nat" if change.inputs.nat else "nat_prefix"
    instead = "leave nat out" if change.inputs.nat else "choose a nat_prefix that contains it"
    for other in change.networks.other_switches:
        if own.holds(other.network) and (stays is None or not other.network.subnet_of(stays)):
            raise ConflictError(
                f"{changed}: the network {other.network} of the switch {other.switch!r} is behind the NAT network "
                f"{own.name!r}, and would not be any more. Move that switch to another NAT network first, or {instead}."
            )
    for forward in kept:
        if stays is None or IPv4Address(forward.internal_address) not in stays:
            raise ConflictError(
                f"{changed}: the NAT network {own.name!r} has a forward to {forward.internal_address} that is not this "
                "switch's, and that address would not be behind it any more. Move that forward to another NAT network "
                f"first, or {instead}."
            )
