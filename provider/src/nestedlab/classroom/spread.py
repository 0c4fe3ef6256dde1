"""Students over parents: each new one goes where most is left of what there is least of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nestedlab.classroom.capacity import Kind, Load, Needs, amounts, amounts_of, empty
from nestedlab.classroom.course import Course, Student
from nestedlab.classroom.refusals import no_room, overloaded
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.seat_checks import allowed_parents


def spread(
    course: Course, new: Sequence[Student], recorded: Sequence[Seat], leaving: Sequence[str], needs: Needs
) -> tuple[dict[str, str], list[Load]]:
    """The parent of each new student by id, and what all then take of each parent. Raises DoesNotFit."""
    loads = {name: empty(course, name) for name in course.parents}
    for seat in recorded:
        loads[seat.parent].take(seat.id, amounts_of(course, needs.of(seat.id), seat))
    refused = overloaded(loads.values(), leaving)
    if refused is not None:
        raise refused
    takes = {student.id: amounts(course, needs.of(student.id)) for student in new}
    parents = {student: load for student in _order(course, takes) if (load := _placed(course, student, loads, takes))}
    without = {student: takes[student] for student in takes if student not in parents}
    if without:
        tried = {name for student in without for name in allowed_parents(course, student)}
        total = len(new) + len(recorded)
        raise no_room(without, [load for name, load in loads.items() if name in tried], total, leaving)
    return parents, [*loads.values()]


def _order(course: Course, takes: Mapping[str, Mapping[Kind, int]]) -> list[str]:
    """Those who may be on few parents first, then those who need most: what is left is then for who can be anywhere."""

    def rank(student: str) -> tuple[int, ...]:
        needs = takes[student]
        return len(allowed_parents(course, student)), -needs[Kind.MEMORY], -needs[Kind.DISK], -needs[Kind.PROCESSORS]

    return sorted(takes, key=rank)


def _placed(
    course: Course, student: str, loads: Mapping[str, Load], takes: Mapping[str, Mapping[Kind, int]]
) -> str | None:
    """The parent that the student is counted in on; None if no parent has room."""
    needs = takes[student]
    fitting = [loads[name] for name in allowed_parents(course, student) if loads[name].lacking(needs) is None]
    if not fitting:
        return None
    chosen = min(fitting, key=lambda load: (load.fullness(needs), len(load.students)))
    chosen.take(student, needs)
    return chosen.parent
