"""The seat of the student whose lab the program makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

import pulumi

from nestedlab.classroom.stack_settings import SEAT
from pulumi_nestedlab._settings import object_setting


@dataclass(frozen=True, init=False)
class Seat:
    """What a student has for their own, where several have the same lab: an address range, ports, and who they are.

    In a class (`nestedlab class`) each student's stack is told its seat. Otherwise a seat has the values given here, so
    the same program runs by itself.
    """

    number: int
    """Counts the students of the class from 1."""
    id: str
    """The student's id in the roster, and the name of the stack."""
    name: str
    """The student's name, for people."""
    parent: str
    """The parent host, by its name in the course file; empty without a class."""
    prefix: str
    """An IPv4 network of the student's own, such as 10.9.1.0/24."""
    ports: Sequence[int]
    """The ports of the parent host that are the student's."""
    nat: str | None
    """The NAT network that the class shares on this parent, for a NatSwitch's `nat`; None if each has one of their own."""
    columns: Mapping[str, str] = field(hash=False)
    """The roster's further columns, such as email."""
    in_class: bool
    """Whether this is a seat in a class."""

    def __init__(self, *, prefix: str = "192.168.50.0/24", ports: Sequence[int] = range(33890, 33900)) -> None:
        """What a student has for their own, where several have the same lab.

        Raises pulumi.RunError if the setting `nestedlab:seat` is not a seat.

        :param prefix: The network without a class. In a class the seat's own counts.
        :param ports: The ports without a class. In a class the seat's own count.
        """
        given = object_setting(SEAT)
        values = {
            "number": 1,
            "id": "student",
            "name": "Student",
            "parent": "",
            "prefix": _own(prefix),
            "ports": ports,
            "nat": None,
            "columns": {},
        }
        if given is not None:
            values |= _of_class(given)
        for name, value in {**values, "in_class": given is not None}.items():
            object.__setattr__(self, name, value)

    def address(self, host: int) -> str:
        """Return the address of a host of the prefix by its number: 10 is 10.9.1.10 of 10.9.1.0/24.

        The first is the gateway of a NatSwitch. Raises pulumi.RunError if the prefix has no such host.
        """
        network = _network(self.prefix)
        if not 1 <= host <= network.num_addresses - 2:
            raise pulumi.RunError(f"there is no host {host} in {network}: it has 1 to {network.num_addresses - 2}")
        return str(network[host])

    def port(self, index: int) -> int:
        """Return one of the ports, counted from 0. Raises pulumi.RunError if there are not so many."""
        if not 0 <= index < len(self.ports):
            raise pulumi.RunError(f"there is no port {index}: the seat has {len(self.ports)}, counted from 0")
        return self.ports[index]


def _own(prefix: str) -> str:
    try:
        return _prefix(prefix)
    except ValueError as error:
        raise pulumi.RunError(f"Seat: prefix {error}, not {prefix!r}") from None


def _of_class(given: Any) -> dict[str, Any]:
    """The values of a seat as the class writes it: nestedlab.classroom.seat.Seat in JSON."""
    if not isinstance(given, Mapping):
        raise pulumi.RunError(f"{SEAT} must be an object; `nestedlab class up` sets it")
    present = {name: value for name, value in given.items() if value is not None}
    problems = [f"it has no {name!r}" for name in present if name not in _READERS]
    seat: dict[str, Any] = {}
    for name, read in _READERS.items():
        try:
            seat |= {name: read(present[name])} if name in present else {name: _OPTIONAL[name]}
        except KeyError:
            problems.append(f"{name} is missing")
        except ValueError as error:
            problems.append(f"{name} {error}, not {present[name]!r}")
    if not problems and seat["firstPort"] > seat["lastPort"]:
        problems.append("firstPort is above lastPort")
    if problems:
        raise pulumi.RunError(f"{SEAT}: {'; '.join(problems)}. `nestedlab class up` sets it")
    first, last = seat.pop("firstPort"), seat.pop("lastPort")
    return {**seat, "ports": range(first, last + 1)}


def _network(prefix: str) -> IPv4Network:
    return IPv4Network(prefix, strict=False)


def _prefix(value: Any) -> str:
    try:
        network = _network(value) if isinstance(value, str) and "/" in value else None
    except ValueError:
        network = None
    if network is None or network.prefixlen > 30:
        raise ValueError("must be an IPv4 network such as 10.9.1.0/24")
    return str(value)


def _text(value: Any) -> str:
    # What looks like a number is one after `pulumi config set --path`.
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("must be text")
    return str(value)


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError("must be an object")
    return {name: _text(text) for name, text in value.items()}


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return value

    return read


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "number": _whole(1, 99999),
    "id": _text,
    "name": _text,
    "parent": _text,
    "prefix": _prefix,
    "firstPort": _whole(1, 65535),
    "lastPort": _whole(1, 65535),
    "nat": _text,
    "columns": _texts,
}
_OPTIONAL: Mapping[str, Any] = {"nat": None, "columns": {}}
