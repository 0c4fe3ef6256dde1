"""What it takes to make, look at, change and remove a NAT switch: plans, without I/O.

Three objects of Windows make one: the internal switch, the address on the host's adapter to it, the NAT network. They
are made in that order and undone in the reverse one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from nestedlab.declare import Properties, Resource
from nestedlab.errors import RefusedError
from nestedlab.lifecycle import UNDONE, Around, Found, Plan, differences, undone, values, verify, writes
from nestedlab.ownership import marked
from nestedlab.pipeline import Cmdlet, ErrorKind, Facts, Pipeline, Step, cmdlet, statement
from nestedlab.resources import gateways, nat_networks
from nestedlab.nat_switch.conflicts import refuse_conflicts, refuse_taken_ports
from nestedlab.nat_switch.table import NatSwitch, network
from nestedlab.resources.owned import gone, on_this_host, own

# All NAT networks of a host are kept in one file: two writers at a time collide (MSFT_NetNat).
LOCK = "NetNat"


def switch_by_id(switch: UUID) -> Cmdlet:
    """The switch. Switch names are not unique either; only Get-VMSwitch takes a GUID."""
    return cmdlet("Get-VMSwitch", Id=switch)


# Listings, because a host has few of these, and because one that succeeds also proves what is not there.
READS: tuple[Pipeline, ...] = (
    statement("Get-VMSwitch"),
    *gateways.READS,
    *nat_networks.READS,
)

# What the host needs for an adapter to appear and for an address to be usable, in seconds between two looks.
_PATIENCE = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


def found(switch: UUID, facts: Facts, known: Properties) -> Found | None:
    """The NAT switch as the host shows it, known as at the last look or as asked for; None where there is none."""
    own = next((one for one in facts.all("VMSwitch") if one.text("Id") == str(switch)), None)
    if own is None:
        return None
    gateway, around = gateways.shown(switch, facts, known)
    seen = {
        **values(NatSwitch, [own]),
        "gateway": gateway,
        **nat_networks.shown(switch, facts, known),
        "on": known.get("on"),
    }
    if nat_networks.shares(known):
        # Where the NAT is wider than the switch's own network, the address tells that.
        seen["prefix"] = str(around) if around else known.get("prefix", "")
    elif around and known.get("prefix") and around.prefixlen != network(known["prefix"]).prefixlen:
        seen["gateway"] = f"{gateway}/{around.prefixlen}"
    return Found(switch, seen, facts)


@dataclass(frozen=True)
class NatSwitchLifecycle:
    """What it takes to make, look at, change and remove a NAT switch."""

    kind: ClassVar[type[Resource]] = NatSwitch

    def create(self, desired: Properties) -> Plan[Found]:
        """Make the switch, its address and its NAT, or complete what an earlier attempt of the same owner has begun."""
        facts = yield _survey()
        resumed = own("switch", facts.all("VMSwitch"), desired)
        _refuse_conflicts(resumed, facts, desired)
        if resumed is not None:
            return (yield from self.update(resumed, desired))
        refuse_taken_ports(desired, facts, None, ())
        born = yield _birth(desired)
        made = own("switch", born.all("VMSwitch"), desired)
        if made is None:
            raise RefusedError(f"switch {desired['name']!r} was made and is not listed; `pulumi up` tries again")
        try:
            return (yield from self._converge(desired, _sure(found(made, born, desired)), {}))
        except UNDONE as error:
            yield from undone(error, self.delete(made, desired))
            raise

    def read(self, identity: UUID, known: Properties) -> Plan[Found | None]:
        """Look at the switch; None where a second, successful look confirms that it is gone."""
        facts = yield Step("read the NAT switch", READS)
        now = found(identity, facts, known)
        if now is None:
            facts = yield Step("list the switches once more", (*READS, statement("Get-VMHost")))
            now = found(identity, facts, known)
        if now is None:
            on_this_host("switch", identity, known, facts)
        return now

    def look_around(self, identity: UUID, known: Properties) -> Plan[Around]:
        """Read one switch; the same listings show all of them."""
        facts = yield Step("read the NAT switches", READS)
        shown = {UUID(one.text("Id")): facts for one in facts.all("VMSwitch")}
        return Around(found(identity, facts, known), {one: facts for one in shown if one != identity})

    def read_all(self, identities: Sequence[UUID]) -> Plan[Mapping[UUID, Facts]]:
        """What the host shows of each switch."""
        facts = yield Step("read the NAT switches", READS)
        return dict.fromkeys(identities, facts)

    def found(self, identity: UUID, facts: Facts, known: Properties) -> Found | None:
        """What the facts say of a switch."""
        return found(identity, facts, known)

    def update(self, identity: UUID, desired: Properties, known: Properties | None = None) -> Plan[Found]:
        """Bring the switch, its address and its NAT to what is desired; what is connected to the switch stays so."""
        facts = yield _survey()
        now = found(identity, facts, desired)
        if now is None:
            raise gone("switch", identity, desired)
        if {one.name for one in differences(self.kind, desired, now.values)} & {"prefix", "nat_prefix", "nat"}:
            _refuse_conflicts(identity, facts, desired)
        own_nat, own_networks = nat_networks.nat_of(identity, facts), gateways.own_networks(identity, facts)
        refuse_taken_ports(desired, facts, own_nat, own_networks)
        return (yield from self._converge(desired, now, known or {}))

    def delete(self, identity: UUID, known: Properties) -> Plan[None]:
        """Remove the NAT, the address and the switch; a NAT that was joined stays, without the switch's forwards."""
        facts = yield Step("look at the NAT switch", (*READS, statement("Get-VMHost")))
        is_there = any(one.text("Id") == str(identity) for one in facts.all("VMSwitch"))
        if not is_there:
            on_this_host("switch", identity, known, facts)
        removed = [*nat_networks.leaving(identity, facts, known), *nat_networks.removal(identity, facts)]
        removed += gateways.removals(identity, facts)
        if is_there:
            removed.append(switch_by_id(identity) | cmdlet("Remove-VMSwitch", Force=True))
        if removed:
            yield Step("remove the NAT switch", tuple(removed), lock=LOCK)

    def _converge(self, desired: Properties, now: Found, known: Properties) -> Plan[Found]:
        switch = switch_by_id(now.id)
        changed = differences(self.kind, desired, now.values)
        rows = writes(self.kind, switch, changed, desired)
        if rows:
            facts = yield Step("apply the switch's own settings", (*rows, *READS))
            now = _sure(found(now.id, facts, desired))
        now = yield from _adapter_of(desired, now)
        kept = nat_networks.kept_for_others(desired, now, known)
        for delay in (0.0, 0.25, 0.5, 1.0, 2.0):
            tolerated = () if delay == 2.0 else (ErrorKind.BUSY,)
            pipelines = list(nat_networks.changes(desired, now, known, kept, tolerated))
            if not pipelines:
                break
            facts = yield Step("set the gateway and the NAT", (*pipelines, *READS), delay=delay, lock=LOCK)
            now = _sure(found(now.id, facts, desired))
        now = yield from _gateway_of(desired, now)
        return verify(self.kind, f"NAT switch {desired['name']!r}", desired, now)


def _adapter_of(desired: Properties, now: Found) -> Plan[Found]:
    """Wait for the host's adapter to the switch, which can appear some time after the switch (New-VMSwitch)."""
    for delay in _PATIENCE:
        if gateways.host_adapter(now.id, now.facts) is not None:
            break
        facts = yield Step("wait for the host's adapter to the switch", READS, delay=delay)
        now = _sure(found(now.id, facts, desired))
    if gateways.host_adapter(now.id, now.facts) is None:
        raise RefusedError(
            f"switch {desired['name']!r}: the host shows no adapter of its own to the switch. "
            "Look for it in Get-NetAdapter -IncludeHidden; it may be disabled."
        )
    return now


def _gateway_of(desired: Properties, now: Found) -> Plan[Found]:
    """Wait for the gateway to be usable."""
    for delay in _PATIENCE:
        if not gateways.is_settling(now.id, now.facts, desired["gateway"]):
            break
        facts = yield Step("wait for the gateway to be usable", READS, delay=delay)
        now = _sure(found(now.id, facts, desired))
    gateways.refuse_unusable(now.id, now.facts, desired["gateway"])
    return now


def _survey() -> Step:
    around = (
        statement("Get-NetRoute", AddressFamily="IPv4"),
        statement("Get-CimInstance", ClassName="Win32_OperatingSystem"),
    )
    return Step("look for the switch and for what is in its way", (*READS, *around))


def _birth(desired: Properties) -> Step:
    notes = marked(desired["notes"], desired["owner"])
    making = statement("New-VMSwitch", Name=desired["name"], SwitchType="Internal", Notes=notes)
    return Step("make the switch", (making, *READS))


def _refuse_conflicts(switch: UUID | None, facts: Facts, desired: Properties) -> None:
    nat = nat_networks.nat_of(switch, facts) if switch else None
    refuse_conflicts(desired, facts, nat, gateways.host_adapter(switch, facts) if switch else None)


def _sure(now: Found | None) -> Found:
    if now is None:
        raise RefusedError("the switch vanished from the host while it was being set up; `pulumi up` tries again")
    return now
