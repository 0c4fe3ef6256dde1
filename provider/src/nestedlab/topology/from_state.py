"""The topology that a stack's state tells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from unicodedata import category

from nestedlab.machine.adapters.table import Adapter as AdapterTable
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.names import same_name
from nestedlab.nat_switch.forwards import ANY_ADDRESS, PortForward
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.orphans import Entry, StackRecord
from nestedlab.plain import loaded
from nestedlab.topology.model import Adapter, Forward, Host, Machine, Nat, Switch, Topology

_DEFAULT_HOST = "parent host"
"""What a host is called of which the state does not have a name."""


def topology(record: StackRecord, addresses: Mapping[str | None, str] | None = None) -> Topology:
    """The topology of what a stack's state has.

    `addresses` are those of the hosts, by their names in the program (`on`); None stands for the default one.
    """
    # A resource that an operation was interrupted at is in the state twice.
    entries = list({entry.id: entry for entry in reversed(record.entries)}.values())
    names = sorted({_on(entry) for entry in entries}, key=lambda on: _natural(on or ""))
    hosts = [_host(on, [entry for entry in entries if _on(entry) == on], addresses or {}) for on in names]
    return Topology(record.project, record.stack, tuple(hosts))


def _on(entry: Entry) -> str | None:
    return _text(entry.values.get("on")) or None


def _host(on: str | None, entries: Sequence[Entry], addresses: Mapping[str | None, str]) -> Host:
    machines = _by_name(_machine(entry) for entry in entries if entry.kind is NestedHyperVHost)
    switches = _by_name(_switch(entry) for entry in entries if entry.kind is NatSwitch)
    calls_itself = next((name for entry in entries if (name := _text(entry.values.get("host")))), "")
    return Host(
        name=calls_itself or on or _DEFAULT_HOST,
        address=_text(addresses.get(on)),
        switches=(*switches, *_others(switches, machines)),
        machines=machines,
    )


def _others(switches: Sequence[Switch], machines: Sequence[Machine]) -> Iterable[Switch]:
    """The switches that machines are on and the stack does not have."""
    others: list[Switch] = []
    for name in (adapter.switch for machine in machines for adapter in machine.adapters if adapter.switch):
        if not any(same_name(name, switch.name) for switch in (*switches, *others)):
            others.append(Switch(name))
    return _by_name(others)


def _switch(entry: Entry) -> Switch:
    values = entry.values
    known = loaded(NatSwitch, values)
    prefix, nat_name = _text(known.prefix), _text(values.get("nat_name")) or _text(known.nat)
    nat = _nat(nat_name, known) if nat_name else None
    return Switch(
        name=_text(known.name),
        resource=_resource(entry),
        prefix=prefix,
        gateway=_text(known.gateway),
        nat=nat,
        forwards=tuple(sorted(map(_forward, known.forwards or ()), key=lambda forward: forward.external_port)),
    )


def _nat(name: str, known: NatSwitch) -> Nat:
    joined = bool(_text(known.nat))
    return Nat(name, _text(known.nat_prefix) or ("" if joined else _text(known.prefix)), joined)


def _forward(known: PortForward) -> Forward:
    external = _text(known.external_address)
    return Forward(
        protocol=_text(known.protocol),
        external_port=_number(known.external_port),
        internal_address=_text(known.internal_address),
        internal_port=_number(known.internal_port) or _number(known.external_port),
        external_address="" if external == ANY_ADDRESS else external,
    )


def _machine(entry: Entry) -> Machine:
    known = loaded(NestedHyperVHost, entry.values)
    # A state of an earlier version knows only whether the machine runs.
    power_state = _text(entry.values.get("power_state")) or ("Running" if known.running else "Off")
    return Machine(
        name=_text(known.name),
        resource=_resource(entry),
        id=str(entry.id),
        power_state=power_state,
        processors=_number(known.processors),
        memory_mib=_number(known.memory_mib),
        baseline=_text(known.baseline),
        adapters=_adapters(known),
    )


def _adapters(known: NestedHyperVHost) -> tuple[Adapter, ...]:
    if known.adapters:
        return tuple(map(_adapter, known.adapters))
    return (Adapter(_text(known.switch), mac_spoofing=known.mac_spoofing is True),)


def _adapter(known: AdapterTable) -> Adapter:
    return Adapter(
        switch=_text(known.switch),
        name=_text(known.name),
        mac=_text(known.mac),
        mac_spoofing=known.mac_spoofing is True,
        vlan=_number(known.vlan),
        trunk=_text(known.trunk),
        native_vlan=_number(known.native_vlan),
    )


def _resource(entry: Entry) -> str:
    """The resource's logical name, with which its owner ends."""
    of_the_stack = _text(entry.values.get("owner")).split("/", 2)[-1]
    return of_the_stack.rpartition("::")[2] or _text(entry.values.get("name"))


def _by_name(things: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(things, key=lambda thing: (_natural(thing.name), thing.name)))


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A key by which hv2 comes before hv10."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _text(value: object) -> str:
    """A text as a state has it. A sealed one, which is no text, is none; what nobody can see is replaced.

    A picture and a page cannot hold every character: no control characters, and no halves of a surrogate pair.
    """
    if not isinstance(value, str):
        return ""
    return "".join("\N{REPLACEMENT CHARACTER}" if _is_unseen(sign) else sign for sign in value)


def _is_unseen(sign: str) -> bool:
    return category(sign)[0] == "C" or category(sign) in ("Zl", "Zp")


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
