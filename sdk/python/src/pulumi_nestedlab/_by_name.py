"""Machines that name a NatSwitch of the program by a text instead of its output: Pulumi then sees no dependency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime.settings import get_root_resource


@dataclass
class _Program:
    switches: dict[str, str] = field(default_factory=dict)
    """Logical names of NatSwitches by their casefolded name on the host, if the program gives it as text."""
    machines: list[tuple[pulumi.Resource, str, set[str]]] = field(default_factory=list)
    """Machines with their logical names, and the switches that they name by text."""


_programs: WeakKeyDictionary[pulumi.Resource, _Program] = WeakKeyDictionary()


def warn_of_switches_by_name(resource: pulumi.Resource, logical_name: str, properties: Mapping[str, Any]) -> None:
    """Take note of a resource of the program, and warn under each machine that names a NatSwitch of it by text."""
    root = get_root_resource()
    if root is None:
        return
    program = _programs.setdefault(root, _Program())
    if "prefix" in properties and isinstance(properties.get("name"), str):
        program.switches[properties["name"].casefold()] = logical_name
        for machine, machine_name, named in program.machines:
            _warn(machine, machine_name, named & {properties["name"].casefold()}, program)
    elif "osDisk" in properties:
        named = set(_texts(properties))
        program.machines.append((resource, logical_name, named))
        _warn(resource, logical_name, named & program.switches.keys(), program)


def _texts(properties: Mapping[str, Any]) -> Iterable[str]:
    adapters = properties.get("adapters")
    listed = adapters if isinstance(adapters, Sequence) and not isinstance(adapters, str) else ()
    switches = [properties.get("switch"), *(_switch_of(adapter) for adapter in listed)]
    return (switch.casefold() for switch in switches if isinstance(switch, str) and switch)


def _switch_of(adapter: Any) -> Any:
    return adapter.get("switch") if isinstance(adapter, Mapping) else getattr(adapter, "switch", None)


def _warn(machine: pulumi.Resource, logical_name: str, named: Iterable[str], program: _Program) -> None:
    for switch in sorted(named):
        pulumi.log.warn(
            f"{logical_name} names the switch of the NatSwitch {program.switches[switch]!r} as a text, so Pulumi does "
            "not know that it needs that NatSwitch first. Pass its output instead, such as switch=net.name.",
            machine,
        )
