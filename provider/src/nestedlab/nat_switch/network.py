"""The NAT network that a switch has or joins, and the switch's forwards in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address
from typing import Any
from uuid import UUID

from nestedlab.declare import Properties
from nestedlab.errors import ConflictError
from nestedlab.lifecycle import Found
from nestedlab.ownership import is_made_for, made_name
from nestedlab.pipeline import ErrorKind, Facts, Pipeline, PSObject, statement
from nestedlab.resources import forwards, gateways
from nestedlab.names import same_name
from nestedlab.nat_switch.conflicts import holds
from nestedlab.nat_switch.table import nat_network, network, same_prefix

READS: tuple[Pipeline, ...] = (statement("Get-NetNat"), *forwards.READS)
"""What shows all NAT networks and their forwards."""


def nat_of(switch: UUID, facts: Facts) -> PSObject | None:
    """The NAT network that was made for the switch."""
    return next((one for one in facts.all("MSFT_NetNat") if is_made_for(one.text("Name"), switch)), None)


def shares(known: Properties) -> bool:
    """Whether the NAT network is, or may be, of several switches."""
    wider, prefix = known.get("nat_prefix") or "", known.get("prefix") or ""
    return bool(known.get("nat")) or (bool(wider) and not same_prefix(wider, prefix))


def shown(switch: UUID, facts: Facts, known: Properties) -> dict[str, Any]:
    """What the host shows of the NAT network that the switch has or joins, and of its forwards."""
    own = nat_of(switch, facts)
    nat = own if own is not None or not known.get("nat") else _nat_named(known["nat"], facts)
    if nat is None:
        nothing = {"nat": ""} if known.get("nat") else {"prefix": "", "nat_prefix": ""}
        return {**nothing, "nat_name": "", "forwards": []}
    name, internal = nat.text("Name"), nat.text("InternalIPInterfaceAddressPrefix")
    mapped = [forwards.shown(one) for one in _forwards(name, (_inside(nat, known),), switch, facts)]
    if not known.get("nat"):
        return {"prefix": internal, "nat_prefix": internal, "nat_name": name, "forwards": mapped}
    # One that still has a NAT of its own has not joined another, nor has one that the other has no place for.
    joined = own is None and (not known.get("prefix") or holds(nat, known["prefix"]))
    return {"nat": name if joined else "", "nat_name": name, "forwards": mapped}


def _nat_named(name: str, facts: Facts) -> PSObject | None:
    return next((one for one in facts.all("MSFT_NetNat") if same_name(name, one.text("Name"))), None)


def _inside(nat: PSObject, known: Properties) -> str:
    """Where forwards of the switch lead: on a shared NAT into its own network alone."""
    return str(known.get("prefix", "") if shares(known) else nat.text("InternalIPInterfaceAddressPrefix"))


def _forwards(nat: str, prefixes: Iterable[str], switch: UUID, facts: Facts) -> list[PSObject]:
    """The forwards of a NAT network that lead into one of the prefixes, and not into another switch's part of it."""
    within = [network(one) for one in prefixes if one]
    return forwards.mappings(nat, within, gateways.networks_of_others(switch, facts), facts)


def changes(
    desired: Properties,
    now: Found,
    known: Properties,
    kept: Sequence[Properties],
    tolerated: tuple[ErrorKind, ...],
) -> Iterator[Pipeline]:
    """What takes away the gateway, the NAT and the forwards that are wrong, and makes the right ones.

    In this order: a NAT goes before its gateway, and comes after it.
    """
    own = nat_of(now.id, now.facts)
    right = own is not None and _has_prefix(own, desired)
    fitting = own if right else None
    nat = _nat_named(desired["nat"], now.facts) if desired.get("nat") else fitting
    name = nat.text("Name") if nat is not None else desired.get("nat") or made_name(desired["name"], now.id)
    if not same_name(known.get("nat") or "", desired.get("nat") or ""):
        yield from leaving(now.id, now.facts, known)
    if desired.get("nat") or not right:
        yield from removal(now.id, now.facts)
    yield from gateways.changes(now.id, now.facts, desired, known)
    remade = not (desired.get("nat") or right)
    if remade:
        making = statement("New-NetNat", Name=name, InternalIPInterfaceAddressPrefix=str(nat_network(desired)))
        yield making.tolerating(*tolerated).setting("prefix")
    there = [] if remade else _managed(name, desired, now, known, kept)
    # Where the NAT could not be made yet, neither can they; both are tried again.
    missing = (ErrorKind.INVALID, ErrorKind.ABSENT) if tolerated and remade else ()
    for one in forwards.changes(name, [*desired["forwards"], *kept], there):
        yield one.tolerating(*tolerated, *missing)


def _managed(
    nat: str, desired: Properties, now: Found, known: Properties, kept: Sequence[Properties]
) -> list[PSObject]:
    """The forwards of a NAT network that are the switch's, by what it is and by what it was, or are kept for others."""
    before = known.get("prefix", "") if same_name(known.get("nat_name") or "", nat) else ""
    ours = _ours(nat, (desired["prefix"], before), now.id, now.facts)
    return ours + [one for one in forwards.of(nat, now.facts) if one not in ours and forwards.shown(one) in kept]


def _ours(nat: str, prefixes: Sequence[str], switch: UUID, facts: Facts) -> list[PSObject]:
    """The forwards that lead into one of the prefixes, or into the network that the switch has now.

    The last look may be older than a change whose answer was lost.
    """
    _, now = gateways.shown(switch, facts, {})
    return _forwards(nat, (*prefixes, str(now or "")), switch, facts)


def kept_for_others(desired: Properties, now: Found, known: Properties) -> list[dict[str, Any]]:
    """The forwards of switches that have joined the switch's NAT, where that is about to be made anew.

    Raises ConflictError where they, or the networks of such switches, would have no place any more.
    """
    own = nat_of(now.id, now.facts)
    if own is None or (not desired.get("nat") and _has_prefix(own, desired)):
        return []
    _refuse_leaving_behind(own, desired, now)
    name = own.text("Name")
    # A NAT that was for this switch alone is all its own, whatever has become of it since the last look.
    alone = not (shares(known) or (shares(desired) and not known))
    before = own.text("InternalIPInterfaceAddressPrefix") if alone else known.get("prefix", "")
    ours = _ours(name, (desired["prefix"], before), now.id, now.facts)
    others = [one for one in forwards.of(name, now.facts) if one not in ours]
    for one in others:
        if desired.get("nat") or IPv4Address(one.text("InternalIPAddress")) not in nat_network(desired):
            raise ConflictError(
                f"nat_prefix: the NAT network {name!r} has a forward to {one.text('InternalIPAddress')} that is not "
                "this switch's, and that would be outside it. Remove that forward first, or let the NAT network "
                "hold it."
            )
    return [forwards.shown(one) for one in others]


def _refuse_leaving_behind(own: PSObject, desired: Properties, now: Found) -> None:
    """Raise ConflictError where another switch is behind the NAT, with forwards or without, and would not be."""
    for name, behind in gateways.networks_of_other_switches(now.id, now.facts):
        stays = not desired.get("nat") and behind.subnet_of(nat_network(desired))
        if holds(own, str(behind)) and not stays:
            raise ConflictError(
                f"{'nat' if desired.get('nat') else 'nat_prefix'}: the network {behind} of the switch {name!r} is "
                f"behind the NAT network {own.text('Name')!r}, and would not be any more. Move or remove that switch "
                "first, or let the NAT network hold it."
            )


def leaving(switch: UUID, facts: Facts, known: Properties) -> Iterator[Pipeline]:
    """What removes the switch's forwards from a NAT network that it had joined and that stays."""
    joined = _nat_named(known["nat"], facts) if known.get("nat") else None
    if joined is not None:
        name = joined.text("Name")
        yield from forwards.changes(name, [], _ours(name, (known.get("prefix", ""),), switch, facts))


def _has_prefix(nat: PSObject, desired: Properties) -> bool:
    internal = nat.text("InternalIPInterfaceAddressPrefix")
    return bool(internal) and network(internal) == nat_network(desired)


def removal(switch: UUID, facts: Facts) -> Iterator[Pipeline]:
    """What removes the switch's own NAT, always by key: without one, the cmdlet removes every NAT of the host."""
    made = nat_of(switch, facts)
    if made is not None:
        yield statement("Remove-NetNat", Name=made.text("Name"), Confirm=False).tolerating(ErrorKind.ABSENT)
