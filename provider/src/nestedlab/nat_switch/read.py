"""Reading NAT switches: what shows all of them, and what the host's answer says of one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from nestedlab.lifecycle import values
from nestedlab.nat_switch import forwards, gateway
from nestedlab.nat_switch.network import NatNetworks, nat_networks
from nestedlab.nat_switch.table import NatSwitch, NatSwitchOutputs, ObservedNatSwitch, network, shares
from nestedlab.pipeline import Facts, Pipeline, PSObject, statement
from nestedlab.plain import observed

# Listings, because a host has few of these, and because one that succeeds also proves what is not there.
READS: tuple[Pipeline, ...] = (
    statement("Get-VMSwitch"),
    *gateway.READS,
    statement("Get-NetNat"),
    *forwards.READS,
)
"""What shows all NAT switches of a host."""


def listed(switch: UUID, facts: Facts) -> PSObject | None:
    """The switch itself, if the facts show it."""
    return next((shown for shown in facts.all("VMSwitch") if shown.text("Id") == str(switch)), None)


def observe(facts: Facts, known: ObservedNatSwitch) -> ObservedNatSwitch | None:
    """The NAT switch as the facts show it, known from the state or by its inputs; None if they do not show it."""
    shown = listed(known.id, facts)
    if shown is None:
        return None
    networks = nat_networks(known.id, known.inputs, facts)
    inputs = {
        **values(NatSwitch, [shown]),
        **_nat(networks),
        **_gateway_and_prefix(networks),
        "on": known.inputs.on,
    }
    outputs: dict[str, Any] = {
        **values(NatSwitchOutputs, [shown]),
        "nat_name": networks.nat.name if networks.nat else "",
    }
    return ObservedNatSwitch(known.id, observed(NatSwitch, inputs), NatSwitchOutputs.model_construct(**outputs), facts)


def _nat(networks: NatNetworks) -> dict[str, Any]:
    """The NAT network that the switch has or joins, and the switch's forwards in it."""
    known, nat = networks.known, networks.nat
    if nat is None:
        return {"nat": "", "forwards": []} if known.nat else {"prefix": "", "nat_prefix": "", "forwards": []}
    mapped = [mapping.forward for mapping in networks.forwards_into(nat.name, networks.inside(nat))]
    if not known.nat:
        return {"prefix": nat.internal, "nat_prefix": nat.internal, "forwards": mapped}
    # One that still has a NAT of its own has not joined another, nor has one that the other has no place for.
    is_joined = networks.own is None and (not known.prefix or nat.holds(network(known.prefix)))
    return {"nat": nat.name if is_joined else "", "forwards": mapped}


def _gateway_and_prefix(networks: NatNetworks) -> dict[str, Any]:
    """The gateway as a program would ask for it, and the prefix of a switch whose NAT may be of several.

    There the NAT may be wider than the switch's own network, and the address shows that. Elsewhere a length that is not
    the prefix's is shown with the address.
    """
    known = networks.known
    address = networks.adapter.gateway(gateway.bare(known)) if networks.adapter else None
    shown = address.text if address else ""
    if shares(known):
        return {"gateway": shown, "prefix": str(address.network) if address else known.prefix or ""}
    if address is not None and known.prefix and address.length != network(known.prefix).prefixlen:
        return {"gateway": f"{shown}/{address.length}"}
    return {"gateway": shown}
