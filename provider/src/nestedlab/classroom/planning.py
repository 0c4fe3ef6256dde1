"""The plan of a class: its seats, as they are and as they are to be. Nothing is written, and no host is asked."""

from __future__ import annotations

from dataclasses import dataclass

from nestedlab.classroom import seats as seats_file
from nestedlab.classroom.capacity import Needs
from nestedlab.classroom.course_file import CourseFile
from nestedlab.classroom.needs import needs
from nestedlab.classroom.placement import Seats, seated


@dataclass(frozen=True)
class Plan:
    """Who sits where, and what each lab takes."""

    file: CourseFile
    seats: Seats
    needs: Needs


def plan(file: CourseFile) -> Plan:
    """The plan of a class. To record it: `seats.write(file.seats, plan.seats.all)`.

    Raises ConfigurationError if what a lab takes cannot be found, DoesNotFit if the students cannot be seated.
    """
    found = needs(file.course)
    return Plan(file, seated(file.course, file.students, seats_file.read(file.seats), found), found)
