"""Who sits where: a pure function of the course, the roster, and the seats so far."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from nestedlab.classroom.addresses import first_free, first_free_ports
from nestedlab.classroom.capacity import Load, Needs
from nestedlab.classroom.course import Course, Student
from nestedlab.classroom.ports import Ports
from nestedlab.classroom.refusals import DoesNotFit, no_network_left, no_ports_left
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.seat_checks import contradictions, not_for_students, override_of, ports_of
from nestedlab.classroom.shared_nat import nat_room, shared_nat
from nestedlab.classroom.spread import spread
from nestedlab.nat_switch.table import network


@dataclass(frozen=True)
class Seats:
    """The seats of a class."""

    students: tuple[Seat, ...]
    """Those of the roster's students, in its order."""
    leaving: tuple[Seat, ...]
    """Recorded ones whose students are no longer in the roster: theirs until `class down`."""
    new: frozenset[str]
    """The ids of students who had no seat."""
    loads: tuple[Load, ...]
    """What the seats take of each parent, in the course file's order."""

    @property
    def all(self) -> tuple[Seat, ...]:
        """All that are to be recorded."""
        return (*self.students, *self.leaving)

    def of(self, student: str) -> Seat | None:
        """The seat of a student, by id."""
        return next((seat for seat in self.all if seat.id == student), None)


def seated(course: Course, students: Sequence[Student], recorded: Sequence[Seat], needs: Needs) -> Seats:
    """The seats of all students: recorded ones stay, a new student gets what is free first.

    Raises DoesNotFit with the arithmetic.
    """
    refused = list(contradictions(course, students, recorded))
    if refused:
        raise DoesNotFit("\n".join(refused))
    had, present = {seat.id: seat for seat in recorded}, {student.id for student in students}
    new = [student for student in students if student.id not in had]
    leaving = [seat for seat in recorded if seat.id not in present]
    parents, loads = spread(course, new, recorded, [seat.id for seat in leaving], needs)
    seats = had | {seat.id: seat for seat in _seats(course, new, recorded, parents)}
    return Seats(
        students=tuple(_completed(course, seats[student.id], student) for student in students),
        leaving=tuple(_completed(course, seat, None) for seat in leaving),
        new=frozenset(student.id for student in new),
        loads=tuple(loads),
    )


def _seats(
    course: Course, new: Sequence[Student], recorded: Sequence[Seat], parents: Mapping[str, str]
) -> Iterator[Seat]:
    """The seats of students who had none, on the parents that were chosen for them."""
    prefixes = _prefixes(course, new, recorded, parents)
    ports = {name: [ports_of(seat) for seat in recorded if seat.parent == name] for name in course.parents}
    used = {seat.number for seat in recorded}
    numbers = (number for number in itertools.count(1) if number not in used)
    for student in new:
        parent = parents[student.id]
        own = _ports(course, student.id, parent, ports[parent])
        ports[parent].append(own)
        yield Seat(
            number=next(numbers),
            id=student.id,
            name=student.name,
            parent=parent,
            prefix=str(prefixes[student.id]),
            first_port=own.first,
            last_port=own.last,
        )


def _ports(course: Course, student: str, parent: str, taken: Sequence[Ports]) -> Ports:
    own = first_free_ports(course.ports, course.ports_per_student, taken)
    if own is None:
        raise no_ports_left(course, student, parent)
    return own


def _prefixes(
    course: Course, new: Sequence[Student], recorded: Sequence[Seat], parents: Mapping[str, str]
) -> dict[str, IPv4Network]:
    """The network of each new student, by id: that of an override, or what is free first in the pool."""
    chosen = {student.id: network(prefix) for student in new if (prefix := override_of(course, student.id).prefix)}
    taken = [*(network(seat.prefix) for seat in recorded), *chosen.values()]
    without: list[str] = []
    for student in new:
        if student.id in chosen:
            continue
        parent = parents[student.id]
        room = nat_room(course, parent) if course.parents[parent].takes_one_nat else network(course.pool)
        found = first_free(room, course.prefix_length, [*taken, *not_for_students(course, parent)])
        if found is None:
            without.append(student.id)
        else:
            chosen[student.id] = found
            taken.append(found)
    if without:
        raise no_network_left(course, without, len(taken), sorted({parents[student] for student in without}))
    return chosen


def _completed(course: Course, seat: Seat, student: Student | None) -> Seat:
    """A seat with what is not recorded: the roster's columns, and the NAT that all share on the parent."""
    shared = shared_nat(course, seat.parent)
    own = {"name": student.name, "columns": student.columns} if student is not None else {}
    return seat.model_copy(update={**own, "nat": shared.stack if shared is not None else None})
