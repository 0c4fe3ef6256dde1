"""Which network adapters a cmdlet is about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeVar

from hyperv_sim import errors
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.targets import WILDCARDS, machines, switch_named
from hyperv_sim.records import Scalar
from hyperv_sim.state.machines import NO_MAC, Adapter, HostAdapter

A = TypeVar("A", bound=Adapter)


def check_mac(text: str) -> str | None:
    """A MAC address as Hyper-V keeps it, 12 hexadecimal digits, or None if the text is none of one adapter."""
    plain = re.sub(r"[-:]", "", text).upper()
    if not re.fullmatch(r"[0-9A-F]{12}", plain) or plain == NO_MAC:
        return None
    is_of_a_group = int(plain[:2], 16) & 1
    return None if is_of_a_group else plain


def chosen(call: Call, parameter: str = "Name") -> Iterator[Adapter]:
    """The adapters of -VMNetworkAdapter, or of the machines, narrowed by name: all of a name, if there are several.

    `parameter` is the one that holds the name.
    """
    if "VMNetworkAdapter" in call.parameters:
        given = call.parameters["VMNetworkAdapter"]
        for adapter in given if isinstance(given, tuple) else (given,):
            with call.going_on():
                yield _still_there(call, adapter)
        return
    for machine in list(machines(call)):
        with call.going_on():
            yield from of_name(call, machine.adapters, parameter)


def on_host(call: Call, parameter: str = "Name") -> list[HostAdapter]:
    """The host's adapters, narrowed by -SwitchName and -Name."""
    found = call.host.host_adapters
    if "SwitchName" in call.parameters:
        switch = switch_named(call.host, call.parameters["SwitchName"])
        found = [adapter for adapter in found if adapter.switch is switch]
    return of_name(call, found, parameter)


def of_name(call: Call, adapters: list[A], parameter: str) -> list[A]:
    """The adapters of the name, or all. Raises CmdletError if the name names none."""
    if parameter not in call.parameters:
        return list(adapters)
    given = call.parameters[parameter]
    wanted = [name.lower() for name in (given if isinstance(given, tuple) else (given,))]
    if any(mark in name for name in wanted for mark in WILDCARDS):
        raise errors.not_simulated("wildcards in an adapter's name")
    found = [adapter for adapter in adapters if adapter.name.lower() in wanted]
    if not found:
        raise errors.hyper_v(
            "ObjectNotFound",
            f"No network adapter is found with the given criteria: '{wanted[0]}'.",
            target=Scalar("String", wanted[0]),
        )
    return found


def _still_there(call: Call, adapter: Adapter) -> Adapter:
    machine = adapter.machine
    with_machine = machine and machine.id in call.host.machines
    holders: Sequence[Adapter] = machine.adapters if machine and with_machine else call.host.host_adapters
    if adapter not in holders:
        raise errors.hyper_v("ObjectNotFound", f"The network adapter '{adapter.name}' does not exist any more.")
    return adapter
