"""What recorded seats, overrides and parents must have to do with each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network
from typing import NamedTuple

from nestedlab.classroom.course import Course, Override, Student
from nestedlab.classroom.ports import Ports
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.shared_nat import nat_room, shared_nat
from nestedlab.nat_switch.table import network

NOTHING = Override()
"""The override of a student who has none."""


def override_of(course: Course, student: str) -> Override:
    """What differs for a student."""
    return course.overrides.get(student, NOTHING)


def ports_of(seat: Seat) -> Ports:
    """The ports of a seat."""
    return Ports(seat.first_port, seat.last_port)


def contradictions(course: Course, students: Sequence[Student], recorded: Sequence[Seat]) -> Iterator[str]:
    """Why what is recorded, and what the course file has on single students, cannot both be."""
    lost = {seat.parent for seat in recorded} - course.parents.keys()
    yield from (_lost(parent, [seat.id for seat in recorded if seat.parent == parent]) for parent in sorted(lost))
    held = [_Held(seat, network(seat.prefix), ports_of(seat)) for seat in recorded]
    for one, other in itertools.combinations(held, 2):
        yield from _clash(one, other)
    for seat in recorded:
        if seat.parent not in lost:
            reason = refused_there(course, seat.parent, network(seat.prefix))
            yield from [f"{seat.id}'s network {seat.prefix} {reason}. {_MOVE.format(seat.id)}"] if reason else []
        yield from _moved(seat, override_of(course, seat.id))
    yield from _of_new(course, students, recorded)


_MEND = "Change one of them in the seats file."
_MOVE = "Seats do not move: run `nestedlab class down {0}` first, or change the course file back."


def _lost(parent: str, students: Sequence[str]) -> str:
    return (
        f"{', '.join(students)} have seats on {parent!r}, which the course file does not have. Add it again, at least "
        f"until `nestedlab class down {' '.join(students)}` has removed their labs; if the host is lost, remove "
        "their seats from the seats file."
    )


class _Held(NamedTuple):
    """A seat and what it holds: parsed once, since each is compared with each."""

    seat: Seat
    network: IPv4Network
    ports: Ports


def _clash(one: _Held, other: _Held) -> Iterator[str]:
    """What two seats have in common that only one can have: somebody has edited the file."""
    ours, theirs = one.seat, other.seat
    both = f"the recorded seats of {ours.id} and {theirs.id}"
    if ours.id == theirs.id:
        yield f"there are two recorded seats of {ours.id}. Remove the one that is wrong from the seats file."
    if ours.number == theirs.number:
        yield f"{both} have the number {ours.number}. {_MEND}"
    if one.network.overlaps(other.network):
        yield f"{both} overlap: {one.network} and {other.network}. {_MEND}"
    if ours.parent == theirs.parent and one.ports.overlaps(other.ports):
        yield f"{both} overlap: ports {one.ports} and {other.ports}. {_MEND}"


def _moved(seat: Seat, override: Override) -> Iterator[str]:
    for what, there, wanted in (
        ("parent", seat.parent, override.parent),
        ("prefix", seat.prefix, override.prefix),
    ):
        if wanted not in (None, there):
            yield f"{seat.id} has a seat with {what} {there}, and an override with {what} {wanted}. " + _MOVE.format(
                seat.id
            )


def _of_new(course: Course, students: Sequence[Student], recorded: Sequence[Seat]) -> Iterator[str]:
    """Overrides of students without a seat: networks that are taken, or that no parent can have."""
    taken = {f"the recorded network of {seat.id}": network(seat.prefix) for seat in recorded}
    had = {seat.id for seat in recorded}
    for student in students:
        prefix = override_of(course, student.id).prefix
        if prefix is None or student.id in had:
            continue
        wanted = network(prefix)
        yield from (
            f"overrides.{student.id}.prefix: {prefix} overlaps {whose}, {other}. Choose another."
            for whose, other in taken.items()
            if other.overlaps(wanted)
        )
        taken[f"the network that {student.id} has by an override"] = wanted
        if not allowed_parents(course, student.id):
            reasons = [f"on {name} it {refused_there(course, name, wanted)}" for name in _parents(course, student.id)]
            yield f"overrides.{student.id}.prefix: {prefix} cannot be used: {'; '.join(reasons)}. Choose another."


def allowed_parents(course: Course, student: str) -> list[str]:
    """The parents that a student may be on, as far as overrides tell."""
    prefix = override_of(course, student).prefix
    return [
        name
        for name in _parents(course, student)
        if prefix is None or refused_there(course, name, network(prefix)) is None
    ]


def _parents(course: Course, student: str) -> list[str]:
    parent = override_of(course, student).parent
    return [*course.parents] if parent is None else [parent]


def refused_there(course: Course, parent: str, wanted: IPv4Network) -> str | None:
    """Why a student on a parent cannot have a network, whoever else is there; None if nothing is against it."""
    other = next((other for other in not_for_students(course, parent) if other.overlaps(wanted)), None)
    if other is not None:
        return f"overlaps {other}, which is reserved on {parent}"
    if course.parents[parent].takes_one_nat and not wanted.subnet_of(nat_room(course, parent)):
        return f"is outside of {nat_room(course, parent)}, the NAT network that all share on {parent}"
    return None


def not_for_students(course: Course, parent: str) -> list[IPv4Network]:
    """The networks that no student on a parent may have: what is reserved, and the shared NAT's own."""
    shared = shared_nat(course, parent)
    return [*course.parents[parent].networks_reserved, *([shared.prefix] if shared is not None else [])]
