"""What it takes to make, look at, change and remove a NAT switch: plans, without I/O.

Three objects of Windows make one: the internal switch, the address on the host's adapter to it, the NAT network. They
are made in that order and undone in the reverse one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any, ClassVar
from uuid import UUID

from nestedlab.declare import Properties, Resource
from nestedlab.errors import AccessError, ConflictError, NotFoundError, RefusedError, RevertedError
from nestedlab.lifecycle import Found, Plan, differences, undone, values, verify, writes
from nestedlab.ownership import is_made_for, made_name, marked, owner_of
from nestedlab.pipeline import Cmdlet, Condition, Facts, Pipeline, PSObject, Step, cmdlet, statement
from nestedlab.resources import forwards
from nestedlab.resources.names import same_name
from nestedlab.resources.nat_conflicts import refuse_conflicts
from nestedlab.resources.nat_switch import NatSwitch, nat_network, network

_UNDONE = (AccessError, ConflictError, NotFoundError, RefusedError, RevertedError)

# All NAT networks of a host are kept in one file: two writers at a time collide (MSFT_NetNat).
TURN = "NetNat"


def switch_by_id(switch: UUID) -> Cmdlet:
    """The switch. Switch names are not unique either; only Get-VMSwitch takes a GUID."""
    return cmdlet("Get-VMSwitch", Id=switch)


# Listings, because a host has few of these, and because one that succeeds also proves what is not there.
READS: tuple[Pipeline, ...] = (
    statement("Get-VMSwitch"),
    statement("Get-VMNetworkAdapter", ManagementOS=True),
    statement("Get-NetAdapter"),
    statement("Get-NetIPAddress", AddressFamily="IPv4"),
    statement("Get-NetNat"),
    *forwards.READS,
)


def host_adapter(switch: UUID, facts: Facts) -> PSObject | None:
    """The host's adapter to the switch, by the switch's GUID and then by MAC address: its alias may be anything."""
    port = next((one for one in facts.all("VMNetworkAdapter") if one.text("SwitchId") == str(switch)), None)
    if port is None:
        return None
    mac = port.text("MacAddress").upper()
    return next((one for one in facts.all("MSFT_NetAdapter") if _bare(one.text("MacAddress")) == mac), None)


def _bare(mac: str) -> str:
    return mac.replace("-", "").replace(":", "").upper()


def nat_of(switch: UUID, facts: Facts) -> PSObject | None:
    """The NAT network that was made for the switch."""
    return next((one for one in facts.all("MSFT_NetNat") if is_made_for(one.text("Name"), switch)), None)


def found(switch: UUID, facts: Facts, known: Properties) -> Found | None:
    """The NAT switch as the host shows it, known as at the last look or as asked for; None where there is none.

    Of several addresses on the adapter the one that is asked for counts, else the first.
    """
    own = next((one for one in facts.all("VMSwitch") if one.text("Id") == str(switch)), None)
    if own is None:
        return None
    addresses = {one.text("IPAddress"): one for one in _addresses(switch, facts)}
    gateway = known["gateway"] if known.get("gateway") in addresses else next(iter(addresses), "")
    seen = {**values(NatSwitch, [own]), "gateway": gateway, **_nat_found(switch, facts, known), "on": known.get("on")}
    if known.get("nat") or known.get("nat_prefix"):
        # Where the NAT is wider than the switch's own network, the address tells that.
        length = addresses[gateway].number("PrefixLength") if gateway else 0
        seen["prefix"] = str(network(f"{gateway}/{length}")) if gateway else ""
    return Found(switch, seen, facts)


def _nat_found(switch: UUID, facts: Facts, known: Properties) -> dict[str, Any]:
    """What the host shows of the NAT network that the switch has or joins, and of its forwards."""
    nat = nat_of(switch, facts) if not known.get("nat") else _nat_named(known["nat"], facts)
    if nat is None:
        nothing = {"nat": ""} if known.get("nat") else {"prefix": "", "nat_prefix": ""}
        return {**nothing, "nat_name": "", "forwards": []}
    name, internal = nat.text("Name"), nat.text("InternalIPInterfaceAddressPrefix")
    mapped = [forwards.shown(one) for one in forwards.mappings(name, _inside(nat, known), facts)]
    joined = {"nat": name} if known.get("nat") else {"prefix": internal, "nat_prefix": internal}
    return {**joined, "nat_name": name, "forwards": mapped}


def _nat_named(name: str, facts: Facts) -> PSObject | None:
    return next((one for one in facts.all("MSFT_NetNat") if same_name(name, one.text("Name"))), None)


def _inside(nat: PSObject, known: Properties) -> IPv4Network:
    """Where forwards of the switch lead: on a shared NAT into its own network alone."""
    shared = known.get("nat") or known.get("nat_prefix")
    return network(known["prefix"] if shared else nat.text("InternalIPInterfaceAddressPrefix"))


def _addresses(switch: UUID, facts: Facts) -> list[PSObject]:
    """The addresses that were set by hand on the host's adapter; an unused adapter gives itself a 169.254 one."""
    adapter = host_adapter(switch, facts)
    if adapter is None:
        return []
    index = adapter.number("InterfaceIndex")
    own = {
        one.text("IPAddress"): one
        for one in facts.all("MSFT_NetIPAddress")
        if one.number("InterfaceIndex") == index and one["PrefixOrigin"] == "Manual"
    }
    return list(own.values())


@dataclass(frozen=True)
class NatSwitchLifecycle:
    """What it takes to make, look at, change and remove a NAT switch."""

    kind: ClassVar[type[Resource]] = NatSwitch

    def create(self, desired: Properties) -> Plan[Found]:
        """Make the switch, its address and its NAT, or complete what an earlier attempt of the same owner has begun."""
        facts = yield _survey()
        resumed = _own(facts, desired)
        _refuse_conflicts(resumed, facts, desired)
        if resumed is not None:
            return (yield from self.update(resumed, desired))
        born = yield _birth(desired)
        own = _own(born, desired)
        if own is None:
            raise RefusedError(f"switch {desired['name']!r} was made and is not listed; `pulumi up` tries again")
        try:
            return (yield from self._converge(desired, _sure(found(own, born, desired))))
        except _UNDONE as error:
            yield from undone(error, self.delete(own, desired))
            raise

    def read(self, identity: UUID, known: Properties) -> Plan[Found | None]:
        """Look at the switch; None where a second, successful look confirms that it is gone."""
        facts = yield Step("read the NAT switch", READS)
        now = found(identity, facts, known)
        if now is None:
            facts = yield Step("list the switches once more", READS)
            now = found(identity, facts, known)
        return now

    def update(self, identity: UUID, desired: Properties) -> Plan[Found]:
        """Bring the switch, its address and its NAT to what is desired; what is connected to the switch stays so."""
        facts = yield _survey()
        now = found(identity, facts, desired)
        if now is None:
            raise NotFoundError(
                f"switch {desired['name']!r} ({identity}) is no longer on the host. "
                "Run `pulumi refresh`, so that the next `pulumi up` makes it again."
            )
        if {one.name for one in differences(self.kind, desired, now.values)} & {"prefix", "nat_prefix", "nat"}:
            _refuse_conflicts(identity, facts, desired)
        return (yield from self._converge(desired, now))

    def delete(self, identity: UUID, known: Properties) -> Plan[None]:
        """Remove the NAT, the address and the switch; a NAT that was joined stays, without the switch's forwards."""
        facts = yield Step("read the NAT switch", READS)
        joined = _nat_named(known["nat"], facts) if known.get("nat") else None
        removed = list(_removals(identity, facts, address=True, nat=True))
        if joined is not None:
            there = forwards.mappings(joined.text("Name"), network(known["prefix"]), facts)
            removed = [*forwards.changes(joined.text("Name"), [], there), *removed]
        if any(one.text("Id") == str(identity) for one in facts.all("VMSwitch")):
            removed.append(switch_by_id(identity) | cmdlet("Remove-VMSwitch", Force=True))
        if removed:
            yield Step("remove the NAT switch", tuple(removed), turn=TURN)

    def _converge(self, desired: Properties, now: Found) -> Plan[Found]:
        switch = switch_by_id(now.id)
        changed = differences(self.kind, desired, now.values)
        rows = writes(self.kind, switch, changed, desired)
        if rows:
            facts = yield Step("apply the switch's own settings", (*rows, *READS))
            now = _sure(found(now.id, facts, desired))
        for pause in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0):
            if host_adapter(now.id, now.facts) is not None:
                break
            # The adapter can appear some time after the switch (New-VMSwitch).
            facts = yield Step("wait for the host's adapter to the switch", READS, pause=pause)
            now = _sure(found(now.id, facts, desired))
        if host_adapter(now.id, now.facts) is None:
            raise RefusedError(
                f"switch {desired['name']!r}: the host shows no adapter of its own to the switch. "
                "Look for it in Get-NetAdapter -IncludeHidden; it may be disabled."
            )
        for pause in (0.0, 0.25, 0.5, 1.0, 2.0):
            tolerated = () if pause == 2.0 else (Condition.BUSY,)
            pipelines = list(_network_changes(desired, now, tolerated))
            if not pipelines:
                break
            facts = yield Step("set the gateway and the NAT", (*pipelines, *READS), pause=pause, turn=TURN)
            now = _sure(found(now.id, facts, desired))
        return verify(self.kind, f"NAT switch {desired['name']!r}", desired, now)


def _network_changes(desired: Properties, now: Found, tolerated: tuple[Condition, ...]) -> Iterator[Pipeline]:
    """What takes away the gateway, the NAT and the forwards that are wrong, and makes the right ones."""
    changed = {one.name for one in differences(NatSwitch, desired, now.values)}
    prefix = network(desired["prefix"])
    lengths = {one.text("IPAddress"): one.number("PrefixLength") for one in _addresses(now.id, now.facts)}
    address = "gateway" in changed or lengths[desired["gateway"]] != prefix.prefixlen
    own = nat_of(now.id, now.facts)
    right = own is not None and _has_prefix(own, desired)
    yield from _removals(now.id, now.facts, address=address, nat=bool(desired.get("nat")) or not right)
    if address:
        adapter = host_adapter(now.id, now.facts)
        index = adapter.number("InterfaceIndex") if adapter else None
        # No -DefaultGateway: the host is the gateway here and has its own elsewhere (New-NetIPAddress).
        yield statement(
            "New-NetIPAddress", InterfaceIndex=index, IPAddress=desired["gateway"], PrefixLength=prefix.prefixlen
        ).on_behalf_of("gateway")
    if desired.get("nat"):
        there = forwards.mappings(desired["nat"], prefix, now.facts)
        yield from forwards.changes(desired["nat"], desired["forwards"], there)
        return
    name = own.text("Name") if own is not None and right else made_name(desired["name"], now.id)
    if not right:
        making = statement("New-NetNat", Name=name, InternalIPInterfaceAddressPrefix=str(nat_network(desired)))
        yield making.tolerating(*tolerated).on_behalf_of("prefix")
    there = forwards.mappings(name, prefix, now.facts) if right else []
    # Where the NAT could not be made yet, neither can they; both are tried again.
    missing = (Condition.INVALID,) if tolerated and not right else ()
    yield from (one.tolerating(*missing) for one in forwards.changes(name, desired["forwards"], there))


def _has_prefix(nat: PSObject, desired: Properties) -> bool:
    internal = nat.text("InternalIPInterfaceAddressPrefix")
    return bool(internal) and network(internal) == nat_network(desired)


def _removals(switch: UUID, facts: Facts, *, address: bool, nat: bool) -> Iterator[Pipeline]:
    """What removes a switch's NAT and addresses, always by key: without one, these cmdlets remove all there are."""
    made = nat_of(switch, facts)
    if nat and made is not None:
        yield statement("Remove-NetNat", Name=made.text("Name"), Confirm=False).tolerating(Condition.ABSENT)
    for one in _addresses(switch, facts) if address else ():
        yield statement(
            "Remove-NetIPAddress",
            InterfaceIndex=one.number("InterfaceIndex"),
            IPAddress=one.text("IPAddress"),
            Confirm=False,
        ).tolerating(Condition.ABSENT)


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


def _own(facts: Facts, desired: Properties) -> UUID | None:
    """The switch that an earlier attempt of the same owner has made, if any; a stranger's is a conflict."""
    switches = {one.text("Id"): one for one in facts.all("VMSwitch")}
    own = [one for one, shown in switches.items() if owner_of(shown.text("Notes")) == desired["owner"]]
    if len(own) > 1:
        raise ConflictError(f"two switches are marked as this one, {' and '.join(own)}: remove the one not wanted")
    if own:
        return UUID(own[0])
    for one, shown in switches.items():
        if same_name(shown.text("Name"), desired["name"]):
            owner = owner_of(shown.text("Notes"))
            whose = f"it belongs to {owner}" if owner else "it was not made by nestedlab"
            raise ConflictError(
                f"a switch named {desired['name']!r} is on the host already ({one}) and {whose}. "
                "It is left alone: give this one another name, or remove that one."
            )
    return None


def _refuse_conflicts(own: UUID | None, facts: Facts, desired: Properties) -> None:
    nat = nat_of(own, facts) if own else None
    refuse_conflicts(desired, facts, nat, host_adapter(own, facts) if own else None)


def _sure(now: Found | None) -> Found:
    if now is None:
        raise RefusedError("the switch vanished from the host while it was being set up; `pulumi up` tries again")
    return now
