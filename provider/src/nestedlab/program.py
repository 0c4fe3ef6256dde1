"""What resources of one program are to each other on one host: names, prefixes, ports, MAC addresses and files.

Pure: a `Program` is what has been seen of it so far. What Windows refuses is an error, what it takes is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import PureWindowsPath

from nestedlab.declare import Resource
from nestedlab.errors import RefusedError
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.names import bare_mac, same_name
from nestedlab.nat_switch.forwards import called, clash
from nestedlab.nat_switch.table import NatSwitch, nat_network, network


@dataclass
class Program:
    """The resources of a program that are on one host, as far as they were seen, by owner."""

    _seen: dict[str, Resource] = field(default_factory=dict)

    def see(self, inputs: Resource) -> list[str]:
        """Add a resource; warnings about it and others. Raises RefusedError if the host cannot have both."""
        others = [other for owner, other in self._seen.items() if owner != inputs.owner]
        self._seen[inputs.owner] = inputs
        warnings: list[str] = []
        for other in others:
            _refuse_one_name(inputs, other)
            if isinstance(inputs, NatSwitch) and isinstance(other, NatSwitch):
                _refuse_one_network(inputs, other)
                _refuse_one_port(inputs, other)
            if isinstance(inputs, NestedHyperVHost) and isinstance(other, NestedHyperVHost):
                warnings += [*_one_mac(inputs, other), *_one_file(inputs, other)]
        return warnings

    @property
    def nat_switches(self) -> frozenset[str]:
        """The casefolded names of the NAT switches."""
        switches = (seen for seen in list(self._seen.values()) if isinstance(seen, NatSwitch))
        return frozenset(switch.name.casefold() for switch in switches if switch.name)


def switches_named_by(inputs: Resource) -> list[str]:
    """The switches that a machine's adapters are to be connected to, as far as they are known."""
    if not isinstance(inputs, NestedHyperVHost):
        return []
    named = [inputs.switch, *(adapter.switch for adapter in inputs.adapters or ())]
    return [name for name in dict.fromkeys(named) if name]


def _refuse_one_name(inputs: Resource, other: Resource) -> None:
    known = inputs.name and other.name and inputs.title == other.title  # a name may not be known yet, in a preview
    if known and same_name(inputs.name, other.name):
        raise RefusedError(
            f"name: {other.owner} is a {inputs.title} of the name {inputs.name!r} too, and the host has both. Names "
            "are the same in any case of letters: give one of them another name."
        )


def _refuse_one_network(inputs: NatSwitch, other: NatSwitch) -> None:
    if not (inputs.prefix and other.prefix):
        return
    if network(inputs.prefix).overlaps(network(other.prefix)):
        raise RefusedError(
            f"prefix: {inputs.prefix} overlaps {other.prefix} of the NAT switch {other.name!r} of this program. "
            "Choose another prefix."
        )
    if "nat" in inputs.unknown | other.unknown:
        return  # one of them joins the other's, perhaps
    if not inputs.nat and not other.nat and nat_network(inputs).overlaps(nat_network(other)):
        raise RefusedError(
            f"nat_prefix: {nat_network(inputs)} overlaps {nat_network(other)}, the network behind the NAT switch "
            f"{other.name!r} of this program. Choose another one, or join the other's NAT network (nat)."
        )


def _refuse_one_port(inputs: NatSwitch, other: NatSwitch) -> None:
    for own, theirs in product(inputs.forwards or (), other.forwards or ()):
        if clash(own, theirs):
            raise RefusedError(
                f"{called(own)}: the NAT switch {other.name!r} of this program forwards this port of the host too. "
                "Choose another external_port, or another external_address of the host."
            )


def _one_mac(inputs: NestedHyperVHost, other: NestedHyperVHost) -> Iterator[str]:
    for mac in sorted(_macs(inputs) & _macs(other)):
        yield (
            f"{other.subject} also has an adapter with the MAC address {mac}: on one network, neither machine can be "
            "reached reliably. Give one of them another MAC address."
        )


def _macs(machine: NestedHyperVHost) -> set[str]:
    return {bare_mac(adapter.mac) for adapter in machine.adapters or () if adapter.mac}


def _one_file(inputs: NestedHyperVHost, other: NestedHyperVHost) -> Iterator[str]:
    for path in _files(inputs, "path") & _files(other, "path"):
        yield f"the disk {path} is also given to {other.subject}: a file can be in one machine only. Give each its own."
    for path in (_files(inputs, "path") & _files(other, "parent")) | (_files(inputs, "parent") & _files(other, "path")):
        yield (
            f"the disk {path} is given to one of {inputs.subject} and {other.subject}, and is the image of the other: "
            "once a machine writes to an image, the disks that were made from it are lost. Use a copy of it."
        )


def _files(machine: NestedHyperVHost, how: str) -> set[PureWindowsPath]:
    disks = [disk for disk in (machine.os_disk, *(machine.data_disks or ())) if disk is not None]
    return {PureWindowsPath(path) for disk in disks if (path := getattr(disk, how))}
