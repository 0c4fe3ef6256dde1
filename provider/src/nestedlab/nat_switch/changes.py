"""What sets up a switch's gateway, NAT and forwards, and what removes them: decided from one view of the networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nestedlab.names import same_name
from nestedlab.nat_switch import forwards, gateway, shared
from nestedlab.nat_switch.forwards import PortForward, StaticMapping
from nestedlab.nat_switch.network import Nat, NatNetworks, nat_networks
from nestedlab.nat_switch.table import NatSwitch, ObservedNatSwitch, nat_network
from nestedlab.ownership import made_name
from nestedlab.pipeline import ErrorKind, Pipeline, statement
from nestedlab.retry import NOT_READY


@dataclass(frozen=True)
class NatChange:
    """What becomes of a switch's NAT and of the forwards in it.

    `state` is what was known of the switch before, and `networks` what the host has now, seen by the inputs.
    """

    inputs: NatSwitch
    state: ObservedNatSwitch
    networks: NatNetworks

    @property
    def keeps_own(self) -> bool:
        """Whether the switch has a NAT of its own that is as it should be."""
        own = self.networks.own
        return own is not None and not self.inputs.nat and own.behind == nat_network(self.inputs)

    @property
    def makes_own(self) -> bool:
        """Whether a NAT of its own is made for the switch, in place of one that is wrong."""
        return not self.inputs.nat and not self.keeps_own

    @property
    def removes_own(self) -> bool:
        """Whether the switch has a NAT of its own that goes, with all forwards in it."""
        return self.networks.own is not None and not self.keeps_own

    @property
    def leaves(self) -> bool:
        """Whether the switch leaves a NAT that it had joined, or was to join."""
        return not same_name(self.state.inputs.nat or "", self.inputs.nat or "")

    @property
    def gives_up(self) -> Nat | None:
        """The NAT network that goes because the switch leaves it. It goes first: Windows Server 2016 takes one."""
        return shared.given_up(self.networks.known_by(self.state.inputs)) if self.leaves else None

    @property
    def nat_name(self) -> str:
        """The name of the NAT network that the switch is to be behind."""
        nat = self.networks.own if self.keeps_own else self.networks.joined
        return nat.name if nat else self.inputs.nat or made_name(self.inputs.name, self.state.id)


def nat_change(inputs: NatSwitch, now: ObservedNatSwitch, state: ObservedNatSwitch) -> NatChange:
    """What becomes of the switch's NAT, from what the host has now and what was known before."""
    return NatChange(inputs, state, nat_networks(now.id, inputs, now.facts))


def forwards_to_keep(change: NatChange) -> tuple[PortForward, ...]:
    """The forwards of others in the switch's own NAT, if that goes: of switches that have joined it."""
    own = change.networks.own
    if own is None or not change.removes_own:
        return ()
    # A NAT that was for this switch alone is all its own, whatever has become of it since the state was recorded.
    before = change.networks.known_by(change.state.inputs).inside(own)
    ours = change.networks.own_forwards(own.name, change.inputs.prefix, before)
    return tuple(mapping.forward for mapping in change.networks.forwards_of(own.name) if mapping not in ours)


def set_up(change: NatChange, kept: Sequence[PortForward], tolerated: Sequence[ErrorKind]) -> Iterator[Pipeline]:
    """What removes the gateway, the NAT and the forwards that are wrong, and makes the right ones.

    In this order: a NAT goes before its gateway, and comes after it. `kept` are forwards of others, made again with the
    NAT. An error that is `tolerated` leads to another attempt.
    """
    inputs, networks = change.inputs, change.networks
    if change.gives_up is not None:
        yield removal(change.gives_up)
    elif change.leaves:
        yield from leave(networks.known_by(change.state.inputs))
    if change.removes_own:
        yield from remove_own(networks)
    not_ready = NOT_READY if tolerated else ()
    for pipeline in gateway.changes(networks.adapter, inputs, change.state.inputs):
        yield pipeline.tolerating(*not_ready)
    if change.makes_own:
        prefix = str(nat_network(inputs))
        making = statement("New-NetNat", Name=change.nat_name, InternalIPInterfaceAddressPrefix=prefix)
        yield making.tolerating(*tolerated).setting("prefix")
    # If the NAT could not be made yet, neither can they; both are tried again.
    missing = (ErrorKind.INVALID, ErrorKind.ABSENT) if tolerated and change.makes_own else ()
    for pipeline in forwards.changes(change.nat_name, [*inputs.forwards, *kept], _managed(change, kept)):
        yield pipeline.tolerating(*tolerated, *missing)


def _managed(change: NatChange, kept: Sequence[PortForward]) -> tuple[StaticMapping, ...]:
    """The forwards of the NAT network that are the switch's, now or before, or are kept for others."""
    if change.makes_own:
        return ()
    nat, state, networks = change.nat_name, change.state, change.networks
    before = (state.inputs.prefix or "") if same_name(state.outputs.nat_name or "", nat) else ""
    ours = networks.own_forwards(nat, change.inputs.prefix, before)
    others = (mapping for mapping in networks.forwards_of(nat) if mapping not in ours)
    return (*ours, *(mapping for mapping in others if mapping.forward in kept))


def leave(networks: NatNetworks) -> Iterator[Pipeline]:
    """What removes the switch's forwards from a NAT network that it has joined and that stays."""
    joined = networks.joined
    if joined is not None:
        ours = networks.own_forwards(joined.name, networks.known.prefix or "")
        yield from forwards.changes(joined.name, [], ours)


def remove_own(networks: NatNetworks) -> Iterator[Pipeline]:
    """What removes the switch's own NAT."""
    if networks.own is not None:
        yield removal(networks.own)


def removal(nat: Nat) -> Pipeline:
    """What removes a NAT network, always by key: without one, the cmdlet removes every NAT of the host."""
    return statement("Remove-NetNat", Name=nat.name, Confirm=False).tolerating(ErrorKind.ABSENT)


def remove(networks: NatNetworks, *, keeps_own: bool = False) -> Iterator[Pipeline]:
    """What removes all that was set up for the switch.

    A NAT that was joined stays, without the switch's forwards, and so does its own if others are behind it.
    """
    yield from leave(networks)
    if networks.own is not None and keeps_own:
        ours = networks.own_forwards(networks.own.name, networks.inside(networks.own))
        yield from forwards.changes(networks.own.name, [], ours)
    else:
        yield from remove_own(networks)
    yield from gateway.removals(networks.adapter)
