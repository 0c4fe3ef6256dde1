"""What it takes to create, read, update and delete a NAT switch: plans, without I/O.

Three objects of Windows make one: the internal switch, the address on the host's adapter to it, the NAT network. They
are made in that order and removed in the reverse one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar
from uuid import UUID

from nestedlab.declare import Resource
from nestedlab.errors import RefusedError
from nestedlab.lifecycle import ROLLED_BACK, HalfMade, Observed, Plan, Prefetched, ReadsMany, verify
from nestedlab.marking import mark_of, taken_over, writes_marked
from nestedlab.names import same_name
from nestedlab.nat_switch import in_use, shared
from nestedlab.nat_switch.changes import forwards_to_keep, nat_change, removal, remove, set_up
from nestedlab.nat_switch.conflicts import refuse_conflicts, refuse_stranding, refuse_taken_ports
from nestedlab.nat_switch.gateway import HostAdapter, bare, host_adapter, is_settled, refuse_unusable
from nestedlab.nat_switch.network import Nat, NatNetworks, nat_networks
from nestedlab.nat_switch.read import READS, listed, observe
from nestedlab.nat_switch.table import NatSwitch, NatSwitchOutputs, ObservedNatSwitch
from nestedlab.ownership import (
    Begun,
    Mark,
    begun,
    gone,
    is_made_for,
    left_alone,
    mark_on,
    marked,
    name_taken,
    namesakes,
    on_this_host,
)
from nestedlab.pipeline import Cmdlet, Facts, Pipeline, PSObject, Step, cmdlet, statement
from nestedlab.retry import BUSY_NAT, HOST_ADAPTER, USABLE_ADDRESS, YIELDING, Retry, poll

# All NAT networks of a host are kept in one file: two writers at a time collide (MSFT_NetNat).
LOCK = "NetNat"


def switch_by_id(switch: UUID) -> Cmdlet:
    """The switch. Switch names are not unique either; only Get-VMSwitch takes a GUID."""
    return cmdlet("Get-VMSwitch", Id=switch)


@dataclass(frozen=True)
class NatSwitchLifecycle(ReadsMany[NatSwitch, NatSwitchOutputs]):
    """What it takes to create, read, update and delete a NAT switch.

    With `adopt` a create takes over what another state has left.
    """

    adopt: bool = False
    kind: ClassVar[type[Resource]] = NatSwitch

    def orphans(self, state: ObservedNatSwitch) -> Plan[str | None]:
        """The NAT network made for a switch that is gone, as after a destroy that failed at its removal."""
        nat = state.outputs.nat_name
        if not nat or not is_made_for(nat, state.id):
            return None
        facts = yield Step("look for the NAT network of the switch", (statement("Get-NetNat"),))
        if not any(same_name(shown.text("Name"), nat) for shown in facts.all("MSFT_NetNat")):
            return None
        return (
            "the switch is gone from the host, and the NAT network that was made for it is still there. Nothing "
            "deletes it any more: if no other switch is behind it, remove it on the host "
            f"(Remove-NetNat -Name '{nat}'), or with `nestedlab orphans` and an earlier state (docs/interrupted.md)."
        )

    def create(self, inputs: NatSwitch, listed: Facts | None = None) -> Plan[ObservedNatSwitch]:  # noqa: ARG002
        """Create the switch, its address and its NAT, or complete what an earlier attempt of the owner has begun."""
        facts = yield _lookup()
        found = begun("switch", facts.all("VMSwitch"), inputs.name, mark_of(inputs), adopt=self.adopt)
        networks = nat_networks(found.id if found else None, inputs, facts)
        refuse_conflicts(inputs, networks, facts)
        if found is not None:
            yield _take_over(inputs, found)
            return (yield from self.update(inputs, Observed(found.id, inputs, NatSwitchOutputs())))
        refuse_taken_ports(inputs, networks)
        mark = replace(mark_of(inputs), creation=1)
        created = yield _create(inputs, mark)
        switch = next((shown for shown in created.all("VMSwitch") if str(mark_on(shown)) == str(mark)), None)
        if switch is None:
            raise RefusedError(
                f"switch {inputs.name!r} was created, and the host does not list it. Run `pulumi up` again."
            )
        new = Observed(UUID(switch.text("Id")), inputs, NatSwitchOutputs())
        taken = yield from _namesake_that_stays(inputs, new.id, created)
        if taken is not None:
            raise HalfMade(name_taken("switch", inputs.name, taken, mark), new)
        try:
            return (yield from self._converge(inputs, _there(inputs, new.id, created), new))
        except ROLLED_BACK as error:
            raise HalfMade(error, new) from error

    def needs(self, inputs: NatSwitch, listed: Facts | None, coming: Facts) -> Plan[None]:  # noqa: ARG002
        """Raise if the name, the prefix or a port is taken, or if the NAT network to join is not there."""
        facts = yield _lookup()
        found = begun("switch", facts.all("VMSwitch"), inputs.name, mark_of(inputs), adopt=self.adopt)
        networks = nat_networks(found.id if found else None, inputs, facts)
        refuse_conflicts(inputs, networks, facts)
        refuse_taken_ports(inputs, networks)

    def read(self, state: ObservedNatSwitch) -> Plan[ObservedNatSwitch | None]:
        """Read the switch; None if a second, successful listing confirms that it is gone."""
        facts = yield Step("read the NAT switch", READS)
        now = observe(facts, state)
        if now is None:
            facts = yield Step("list the switches once more", (*READS, statement("Get-VMHost")))
            now = observe(facts, state)
        if now is None:
            _refuse_another_host(state, facts)
        return now

    def read_first(self, state: ObservedNatSwitch) -> Plan[Prefetched[NatSwitch, NatSwitchOutputs]]:
        """Read one switch; the same listings show all of them."""
        facts = yield Step("read the NAT switches", READS)
        switches = [UUID(switch.text("Id")) for switch in facts.all("VMSwitch")]
        return Prefetched(observe(facts, state), {switch: facts for switch in switches if switch != state.id})

    def read_many(self, identities: Sequence[UUID]) -> Plan[Mapping[UUID, Facts]]:
        """What the host shows of each switch."""
        facts = yield Step("read the NAT switches", READS)
        return dict.fromkeys(identities, facts)

    def observe(self, facts: Facts, state: ObservedNatSwitch) -> ObservedNatSwitch | None:
        """What the facts show of a switch."""
        return observe(facts, state)

    def update(self, inputs: NatSwitch, state: ObservedNatSwitch) -> Plan[ObservedNatSwitch]:
        """Bring the switch, its address and its NAT to the inputs; what is connected to the switch stays so."""
        facts = yield _lookup()
        now = observe(facts, replace(state, inputs=inputs))
        if now is None:
            raise gone("switch", state.id, inputs.name)
        change = nat_change(inputs, now, state)
        if self.changes(inputs, now).names & {"prefix", "nat_prefix", "nat"}:
            refuse_conflicts(inputs, change.networks.without(change.gives_up), facts)
        refuse_taken_ports(inputs, change.networks)
        return (yield from self._converge(inputs, now, state))

    def delete(self, state: ObservedNatSwitch) -> Plan[str | None]:
        """Remove the NAT, the address and the switch.

        The machines on it come first: if Windows refused to remove the switch, its NAT and its address would be gone.

        A NAT network that others are behind stays, without the switch's forwards: its own, or the one that it has
        joined. The last that leaves one removes it, if the switch that it was made for is gone. A switch that has come
        to belong to a later creation, or to another stack, is left alone.
        """
        facts = yield _look()
        there, disconnected = listed(state.id, facts), None
        if there is not None:
            left = left_alone("switch", there, state.inputs.stack_id, state.outputs.creation)
            if left is not None:
                return left
            disconnected = yield from in_use.free(state, facts)
        networks = _networks(state, facts)
        if not shared.may_be_last(networks):
            yield from _remove(state, facts, remove(networks))
            return disconnected
        pipelines = remove(networks, keeps_own=shared.keeps_own(networks))
        facts = (yield from _remove(state, facts, pipelines, READS)) or facts
        networks = nat_networks(state.id, state.inputs, facts)
        yield from _remove_unused(shared.unused(networks))
        return " ".join(filter(None, (disconnected, shared.left(networks)))) or None

    def undo(self, made: ObservedNatSwitch) -> Plan[None]:
        """Remove what a create has made: its own NAT whoever else has addresses in it, and none that was there."""
        facts = yield _look()
        yield from in_use.free(made, facts)
        yield from _remove(made, facts, remove(_networks(made, facts)))

    def _converge(self, inputs: NatSwitch, now: ObservedNatSwitch, state: ObservedNatSwitch) -> Plan[ObservedNatSwitch]:
        """Make the changes. `state` is what was known of the switch before, and `now` what is there."""
        changed, shown = self.changes(inputs, now).changed, listed(now.id, now.facts)
        rows = writes_marked(switch_by_id(now.id), changed, inputs, shown, now.id)
        if rows:
            facts = yield Step("apply the switch's own settings", (*rows, *READS))
            now = _there(inputs, now.id, facts)
        now = yield from _with_adapter(inputs, now)
        now = yield from _set_up(inputs, now, state)
        yield from _remove_unused(_left_behind(inputs, now, state))
        now = yield from _with_usable_gateway(inputs, now)
        return verify(inputs, now)


def _lookup() -> Step:
    in_the_way = (
        statement("Get-NetRoute", AddressFamily="IPv4"),
        statement("Get-CimInstance", ClassName="Win32_OperatingSystem"),
    )
    return Step("read the switches and what may be in the way", (*READS, *in_the_way))


def _look() -> Step:
    return Step("read the NAT switch and the host", (*READS, statement("Get-VMHost"), *in_use.READS))


def _networks(state: ObservedNatSwitch, facts: Facts) -> NatNetworks:
    """What there is to remove. Raises RefusedError if the switch is not gone, but on another host."""
    if listed(state.id, facts) is None:
        _refuse_another_host(state, facts)
    return nat_networks(state.id, state.inputs, facts)


def _remove(
    state: ObservedNatSwitch, facts: Facts, set_up_for_it: Iterable[Pipeline], reads: Sequence[Pipeline] = ()
) -> Plan[Facts | None]:
    """Remove what was set up for the switch, and the switch; what is read after that, or None if all was gone."""
    pipelines = list(set_up_for_it)
    if listed(state.id, facts) is not None:
        pipelines.append(switch_by_id(state.id) | cmdlet("Remove-VMSwitch", Force=True))
    if not pipelines:
        return None
    return (yield Step("remove the NAT switch", (*pipelines, *reads), lock=LOCK))


def _remove_unused(nats: Sequence[Nat]) -> Plan[None]:
    if nats:
        yield Step("remove the NAT network that no switch is behind any more", tuple(map(removal, nats)), lock=LOCK)


def _left_behind(inputs: NatSwitch, now: ObservedNatSwitch, state: ObservedNatSwitch) -> list[Nat]:
    """The NAT network that the switch had joined, if it has left it as the last one."""
    networks = nat_networks(now.id, state.inputs, now.facts)
    joined = networks.joined
    has_left = joined is not None and not same_name(joined.name, inputs.nat or "")
    return [joined] if joined is not None and has_left and shared.is_unused(joined, networks) else []


def _namesake_that_stays(inputs: NatSwitch, switch: UUID, facts: Facts) -> Plan[PSObject | None]:
    """Another switch that was given the name at the same time, if that one is to stay.

    A switch has no time of creation, so the one with the lower id stays. But whoever made the other may have listed the
    switches before this one was there, and does not know of it. So this one stays only if the other goes.
    """

    def others(shown: Facts) -> list[PSObject]:
        return namesakes(shown.all("VMSwitch"), inputs.name, switch)

    if others(facts) and all(str(switch) < other.text("Id") for other in others(facts)):
        listing = Step("wait for another switch of the name to go", (statement("Get-VMSwitch"),))
        facts = yield from poll(listing, lambda shown: not others(shown), YIELDING)
    return next(iter(others(facts)), None)


def _take_over(inputs: NatSwitch, found: Begun) -> Step:
    """What marks a switch that an earlier attempt has begun, before anything else is done to it."""
    writing = switch_by_id(found.id) | cmdlet("Set-VMSwitch", Notes=taken_over(found, inputs, inputs.notes))
    return Step("take over the switch that was begun", (writing,))


def _create(inputs: NatSwitch, mark: Mark) -> Step:
    notes = marked(inputs.notes, str(mark))
    making = statement("New-VMSwitch", Name=inputs.name, SwitchType="Internal", Notes=notes)
    return Step("make the switch", (making, *READS))


def _there(inputs: NatSwitch, switch: UUID, facts: Facts) -> ObservedNatSwitch:
    """The switch as the facts show it, known by its inputs. Raises RefusedError if they do not show it."""
    now = observe(facts, Observed(switch, inputs, NatSwitchOutputs()))
    if now is None:
        raise RefusedError(f"{inputs.subject} vanished from the host while it was being set up. Run `pulumi up` again.")
    return now


def _refuse_another_host(state: ObservedNatSwitch, facts: Facts) -> None:
    """Raise RefusedError if the switch is not gone, but on another host than the one that answers."""
    on_this_host("switch", state.id, state.inputs.name, state.outputs.host, facts)


def _wait(
    inputs: NatSwitch, now: ObservedNatSwitch, read: Step, ready: Callable[[HostAdapter | None], bool], retry: Retry
) -> Plan[ObservedNatSwitch]:
    """Read until the host's adapter to the switch is ready, unless it is; at most as often as `retry` says.

    Raises RefusedError as soon as the switch is gone.
    """
    if ready(host_adapter(now.id, now.facts)):
        return now
    facts = yield from poll(
        read, lambda facts: listed(now.id, facts) is None or ready(host_adapter(now.id, facts)), retry
    )
    return _there(inputs, now.id, facts)


def _with_adapter(inputs: NatSwitch, now: ObservedNatSwitch) -> Plan[ObservedNatSwitch]:
    """The switch once the host's adapter to it is there."""
    read = Step("wait for the host's adapter to the switch", READS)
    now = yield from _wait(inputs, now, read, lambda adapter: adapter is not None, HOST_ADAPTER)
    if host_adapter(now.id, now.facts) is None:
        raise RefusedError(
            f"{inputs.subject}: the host shows no adapter of its own to the switch. "
            "Look for it in Get-NetAdapter -IncludeHidden: it may be disabled."
        )
    return now


def _set_up(inputs: NatSwitch, now: ObservedNatSwitch, state: ObservedNatSwitch) -> Plan[ObservedNatSwitch]:
    """Set the gateway, the NAT and its forwards, until there is nothing left to set."""
    change = nat_change(inputs, now, state)
    kept = forwards_to_keep(change)
    refuse_stranding(change, kept)
    for attempt in BUSY_NAT.attempts():
        pipelines = list(set_up(nat_change(inputs, now, state), kept, attempt.retried))
        if not pipelines:
            break
        step = Step("set the gateway and the NAT", (*pipelines, *READS), delay=attempt.delay, lock=LOCK)
        now = _there(inputs, now.id, (yield step))
    return now


def _with_usable_gateway(inputs: NatSwitch, now: ObservedNatSwitch) -> Plan[ObservedNatSwitch]:
    """The switch once its gateway is usable. Raises ConflictError or RefusedError if it does not become so."""
    gateway = bare(inputs)
    read = Step("wait for the gateway to be usable", READS)
    now = yield from _wait(inputs, now, read, lambda adapter: is_settled(adapter, gateway), USABLE_ADDRESS)
    refuse_unusable(host_adapter(now.id, now.facts), gateway)
    return now
