"""On a parent that takes one NAT network, the class has it, and all students' switches there join it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

from nestedlab.classroom.course import Course
from nestedlab.errors import ConfigurationError
from nestedlab.nat_switch.table import network


@dataclass(frozen=True)
class SharedNat:
    """The class's own NatSwitch on a parent, in a stack of its own. Until it is up, seats have its stack in `nat`."""

    parent: str
    stack: str
    """The stack's name. Windows' name for the NAT network is known once it is up: the NatSwitch's `nat_name`."""
    switch: str
    """The switch's name on the host."""
    prefix: IPv4Network
    """The switch's own network: the first of its NAT network. No student gets it."""
    nat_prefix: IPv4Network
    """The NAT network. All students' networks on this parent are in it."""


def shared_nat(course: Course, parent: str) -> SharedNat | None:
    """What the class has on this parent for all; None if each student has a NAT network of their own there."""
    if not course.parents[parent].takes_one_nat:
        return None
    room = nat_room(course, parent)
    own = next(room.subnets(new_prefix=course.prefix_length))
    stack = nat_stack(parent)
    return SharedNat(parent, stack, f"{course.name}-nat", own, room)


def nat_stack(parent: str) -> str:
    """The name of the stack that has the NAT network of all students on a parent."""
    return f"class-nat-{parent}"


def nat_room(course: Course, parent: str) -> IPv4Network:
    """The widest network of the pool that has nothing reserved in it: a NAT network is one prefix."""
    pool, reserved = network(course.pool), course.parents[parent].networks_reserved
    parts = [pool]
    while parts:
        free = next((part for part in parts if not any(part.overlaps(other) for other in reserved)), None)
        if free is not None:
            return free
        partly = [part for part in parts if not any(part.subnet_of(other) for other in reserved)]
        parts = [half for part in partly if part.prefixlen < course.prefix_length for half in part.subnets()]
    raise ConfigurationError(
        f"{parent} takes one NAT network, and everything in the pool {pool} is reserved there. Choose another pool."
    )
