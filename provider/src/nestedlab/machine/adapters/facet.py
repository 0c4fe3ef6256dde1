"""What is done with a machine's network adapters: one that `switch` describes, or a list by name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from nestedlab.declare import Attribute, Change
from nestedlab.errors import ConflictError, NotFoundError
from nestedlab.lifecycle import differences, writes
from nestedlab.machine.adapters.read import (
    adapters_in,
    adapters_there,
    as_new,
    described_by_switch,
    new_adapter,
    observe,
    reads,
    shows_adapters,
    strayed,
    taken_over,
)
from nestedlab.machine.adapters.table import Adapter
from nestedlab.machine.changes import MachineChanges
from nestedlab.machine.facet import Facet
from nestedlab.machine.identity import machine_by_id
from nestedlab.machine.table import NestedHyperVHost, ObservedMachine
from nestedlab.names import bare_mac, is_pattern, same_name
from nestedlab.parts import doubled, reconcile
from nestedlab.pipeline import Cmdlet, ErrorKind, Facts, Pipeline, cmdlet, statement


class Adapters(Facet):
    """The machine's network adapters."""

    attributes = frozenset({"adapters", "switch", "mac_spoofing"})

    def reads(self, machine: UUID) -> tuple[Pipeline, ...]:
        """What shows the machine's adapters and their VLANs."""
        return reads(machine)

    def reads_started(self, machine: UUID) -> tuple[Pipeline, ...]:
        """The adapters: a dynamic MAC address is given to one when its machine first starts."""
        return reads(machine)

    def observe(self, facts: Facts, known: ObservedMachine) -> Mapping[str, Any]:
        """The adapters, once all of the machine is shown."""
        is_shown = facts.first("VMNetworkAdapter") is not None or shows_adapters(facts)
        return observe(facts, known.inputs) if is_shown else {}

    def lookup(self, inputs: NestedHyperVHost, now: ObservedMachine | None) -> Iterator[Pipeline]:
        """What shows the switches that no adapter is connected to yet."""
        for name in _new_switches(inputs, now):
            yield statement("Get-VMSwitch", Name=name).tolerating(ErrorKind.ABSENT)

    def validate(self, facts: Facts, inputs: NestedHyperVHost, now: ObservedMachine | None) -> None:
        """Raise if a switch is not there, or if its name is not unique."""
        for name in _new_switches(inputs, now):
            switches = [switch for switch in facts.all("VMSwitch") if same_name(name, switch.text("Name"))]
            if not switches:
                raise NotFoundError(
                    f"switch: there is no switch named {name!r} on the host. "
                    "Name one that exists, or pass the name of a NatSwitch of this program (switch=net.name)."
                )
            if len({switch.text("Id") for switch in switches}) > 1:
                raise ConflictError(f"switch: several switches on the host are named {name!r}. Rename all but one.")

    def needs_off(self, inputs: NestedHyperVHost, state: ObservedMachine) -> Collection[str]:
        """A list whose first adapter is to be the one that is there, and to differ in what needs the machine off.

        The row does not see it: the one that `switch` describes is none of `adapters`.
        """
        wanted = inputs.adapters or ()  # None in a preview whose state does not know them
        pairs = reconcile(wanted, taken_over(wanted, adapters_there(state))).different
        changes = {row.change(pair.there, pair.wanted) for pair in pairs for row in pair.rows}
        return {"adapters"} if Change.OFF in changes else ()

    def apply(self, changes: MachineChanges) -> Iterator[Pipeline]:
        """What makes the adapters what is asked for, each by itself. Raises ConflictError if two share a name."""
        if not changes.rows_of(self.attributes):
            return
        machine, there = machine_by_id(changes.state.id), adapters_in(changes.state.facts)
        _refuse_ambiguous(there)
        if not changes.inputs.adapters:
            yield from _only_one(machine, changes, there)
            yield from writes(machine, changes.rows_of(self.attributes), changes.inputs)
            return
        first = changes.inputs.adapters[0].name
        is_new = not shows_adapters(changes.state.facts)
        named = [new_adapter(first)] if is_new else taken_over(changes.inputs.adapters, there)
        if named != there:
            # The one that New-VM has made, named in the language of Windows, or the one that `switch` described.
            yield machine | Cmdlet("Get-VMNetworkAdapter") | cmdlet("Rename-VMNetworkAdapter", NewName=first)
        compared = reconcile(changes.inputs.adapters, named)
        for adapter in compared.extra:
            yield _for(adapter, machine | cmdlet("Remove-VMNetworkAdapter", Name=adapter.name))
        for adapter in compared.missing:
            yield from _add(machine, adapter)
        for pair in compared.different:
            yield from _settings(machine, pair.wanted, pair.rows)


def others_reads(inputs: NestedHyperVHost) -> tuple[Pipeline, ...]:
    """What shows the MAC addresses of all machines, if the machine is to have one of its own choice."""
    return (statement("Get-VMNetworkAdapter", All=True),) if _static_macs(inputs) else ()


def refuse_taken_macs(inputs: NestedHyperVHost, facts: Facts) -> None:
    """Raise ConflictError if another machine already has one of the MAC addresses. Windows accepts duplicates."""
    wanted = _static_macs(inputs)
    for adapter in facts.all("VMNetworkAdapter"):
        owner = adapter.text("VMName")
        if owner and not same_name(owner, inputs.name) and bare_mac(adapter.text("MacAddress")) in wanted:
            raise ConflictError(
                f"adapters: the MAC address {bare_mac(adapter.text('MacAddress'))} is that of an adapter of machine "
                f"{owner!r}. Choose another one, or leave mac out for a dynamic one."
            )


def _static_macs(inputs: NestedHyperVHost) -> set[str]:
    return {bare_mac(adapter.mac) for adapter in inputs.adapters if adapter.mac}


def _new_switches(inputs: NestedHyperVHost, now: ObservedMachine | None) -> list[str]:
    named = [inputs.switch, *(adapter.switch for adapter in inputs.adapters)]
    there = [adapter.switch for adapter in adapters_in(now.facts)] if now else []
    return list(dict.fromkeys(name for name in named if name and not any(same_name(name, other) for other in there)))


def _refuse_ambiguous(there: list[Adapter]) -> None:
    pattern = next((adapter.name for adapter in there if is_pattern(adapter.name)), None)
    if pattern is not None:
        raise ConflictError(
            f"adapters: the machine has an adapter named {pattern!r}, which Windows takes for a pattern, so that none "
            "can be changed alone. Rename or remove it on the host."
        )
    double = doubled(there)
    if double is not None:
        raise ConflictError(
            f"adapters: the machine has two adapters named {double.name!r}, so that neither can be changed alone. "
            "Rename or remove one on the host."
        )


def remembered(inputs: NestedHyperVHost, state: ObservedMachine) -> str | None:
    """The switch by which the one adapter that `switch` describes is known: the one that it was connected to."""
    both_describe_one = not inputs.adapters and not state.inputs.adapters
    return state.inputs.switch if both_describe_one and state.inputs.switch is not None else inputs.switch


def _add(machine: Cmdlet, adapter: Adapter) -> Iterator[Pipeline]:
    """What adds an adapter to a machine that may run: then these two can be set only as it is added."""
    naming = "On" if adapter.device_naming else None
    mac = bare_mac(adapter.mac) or None
    adding = cmdlet("Add-VMNetworkAdapter", Name=adapter.name, StaticMacAddress=mac, DeviceNaming=naming)
    yield _for(adapter, machine | adding)
    added = new_adapter(adapter.name).model_copy(update={"mac": adapter.mac, "device_naming": adapter.device_naming})
    yield from _settings(machine, adapter, differences(adapter, added))


def _only_one(machine: Cmdlet, changes: MachineChanges, there: list[Adapter]) -> Iterator[Pipeline]:
    """What removes the adapters besides the one that `switch` describes, or adds it; its rows are the machine's."""
    if not shows_adapters(changes.state.facts):
        return
    if not there:
        yield machine | cmdlet("Add-VMNetworkAdapter")
        return
    described = described_by_switch(there, changes.state.inputs)
    yield from _settings(machine, as_new(described), strayed(described))
    for adapter in there:
        if adapter is not described:
            yield _for(adapter, machine | cmdlet("Remove-VMNetworkAdapter", Name=adapter.name))


def _settings(machine: Cmdlet, adapter: Adapter, changed: Sequence[Attribute]) -> Iterator[Pipeline]:
    """What gives one adapter its settings."""
    target = machine | cmdlet("Get-VMNetworkAdapter", Name=adapter.name)
    names = {row.name for row in changed}
    yield from (_for(adapter, pipeline) for pipeline in writes(target, changed, adapter))
    if "mac" in names:
        mac = bare_mac(adapter.mac)
        yield _for(
            adapter,
            target | Cmdlet("Set-VMNetworkAdapter", {"StaticMacAddress": mac} if mac else {"DynamicMacAddress": True}),
        )
    if names & {"vlan", "trunk", "native_vlan"}:
        yield _for(adapter, target | _vlan(adapter))


def _vlan(adapter: Adapter) -> Cmdlet:
    if adapter.trunk:
        return cmdlet(
            "Set-VMNetworkAdapterVlan",
            Trunk=True,
            AllowedVlanIdList=adapter.trunk,
            NativeVlanId=adapter.native_vlan,
        )
    if adapter.vlan:
        return cmdlet("Set-VMNetworkAdapterVlan", Access=True, VlanId=adapter.vlan)
    return cmdlet("Set-VMNetworkAdapterVlan", Untagged=True)


def _for(adapter: Adapter, pipeline: Pipeline) -> Pipeline:
    return pipeline.setting(f"adapters[{adapter.name}]")
