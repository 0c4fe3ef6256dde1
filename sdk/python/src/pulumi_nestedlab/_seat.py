"""The seat of the student whose lab the program makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any, TypeAlias

import pulumi

from nestedlab.classroom.stack_settings import SEAT
from pulumi_nestedlab._settings import object_setting


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
    """The NAT network that the class shares on this parent, for a NatSwitch's `nat`; None if each student has one."""
    columns: Mapping[str, str]
    """The roster's further columns, such as email."""
    in_class: bool
    """Whether this is a seat in a class."""

    def __init__(self, *, prefix: str = "192.168.50.0/24", ports: Sequence[int] = range(33890, 33900)) -> None:
        """What a student has for their own, where several have the same lab.

        Raises pulumi.RunError if the setting `nestedlab:seat` is not a seat.

        :param prefix: The network without a class. In a class the seat's own counts.
        :param ports: The ports without a class. In a class the seat's own count.
        """
        if not _is_prefix(prefix):
            raise pulumi.RunError(f"Seat: prefix must be {_PREFIX}, not {prefix!r}")
        given = object_setting(SEAT)
        alone = {**_ALONE, "prefix": prefix, "ports": ports}
        vars(self).update(alone if given is None else _of_class(given))
        self.in_class = given is not None

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


def _network(prefix: str) -> IPv4Network:
    return IPv4Network(prefix, strict=False)


def _of_class(given: Any) -> dict[str, Any]:
    """The values of a seat as the class writes it: nestedlab.classroom.seat.Seat in JSON."""
    if not isinstance(given, Mapping):
        raise pulumi.RunError(f"{SEAT} must be an object. {_REMEDY}")
    seat = {name: value for name, value in given.items() if value is not None}
    problems = [
        *(f"it has no {name!r}" for name in seat if name not in _FIELDS),
        *(f"{name} is missing" for name in _FIELDS if name not in (*seat, *_OPTIONAL)),
        *(f"{name} must be {words}, not {seat[name]!r}" for name, (_, words) in _wrong(seat)),
    ]
    if not problems and seat["firstPort"] > seat["lastPort"]:
        problems = ["firstPort is above lastPort"]
    if problems:
        raise pulumi.RunError(f"{SEAT}: {'; '.join(problems)}. {_REMEDY}")
    return {
        "number": seat["number"],
        **{name: str(seat[name]) for name in ("id", "name", "parent", "prefix")},
        "ports": range(seat["firstPort"], seat["lastPort"] + 1),
        "nat": str(seat["nat"]) if "nat" in seat else None,
        "columns": {name: str(value) for name, value in seat.get("columns", {}).items()},
    }


def _wrong(seat: Mapping[str, Any]) -> list[tuple[str, _Kind]]:
    return [(name, kind) for name, kind in _FIELDS.items() if name in seat and not kind[0](seat[name])]


def _is_text(value: Any) -> bool:
    # What looks like a number is one after `pulumi config set --path`.
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


def _are_texts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(_is_text, value.values()))


def _is_prefix(value: Any) -> bool:
    try:
        return isinstance(value, str) and "/" in value and _network(value).prefixlen <= _SMALLEST
    except ValueError:
        return False


def _is_port(value: Any) -> bool:
    return _is_number(value) and value <= _LAST_PORT


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


_REMEDY = "`nestedlab class up` sets it"
_SMALLEST = 30  # the length of the smallest network that has addresses for a gateway and a machine
_LAST_PORT = 65535
_PREFIX = "an IPv4 network such as 10.9.1.0/24"
_Kind: TypeAlias = tuple[Callable[[Any], bool], str]
_TEXT: _Kind = (_is_text, "text")
_PORT: _Kind = (_is_port, f"a port from 1 to {_LAST_PORT}")

_FIELDS: Mapping[str, _Kind] = {
    "number": (_is_number, "a whole number from 1 on"),
    "id": _TEXT,
    "name": _TEXT,
    "parent": _TEXT,
    "prefix": (_is_prefix, _PREFIX),
    "firstPort": _PORT,
    "lastPort": _PORT,
    "nat": _TEXT,
    "columns": (_are_texts, "an object of texts"),
}
"""What a seat has in JSON: what each value must be."""
_OPTIONAL = ("nat", "columns")
_ALONE: Mapping[str, Any] = {"number": 1, "id": "student", "name": "Student", "parent": "", "nat": None, "columns": {}}
