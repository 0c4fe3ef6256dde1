"""Who sits where: a pure function of the course, the roster, and the seats so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nestedlab.classroom.course import Course, Need, Student
from nestedlab.classroom.seat import Seat
from nestedlab.errors import NestedlabError


class DoesNotFit(NestedlabError):  # noqa: N818 - it is a judgement, not a fault
    """The students do not fit on the parents, or seats contradict each other; the text has the arithmetic."""


@dataclass(frozen=True)
class Seats:
    """The seats of a class."""

    students: tuple[Seat, ...]
    """Those of the roster's students, in its order."""
    leaving: tuple[Seat, ...]
    """Recorded ones whose students are no longer in the roster: theirs until `class down`."""
    new: frozenset[str]
    """The ids of students who had no seat."""

    @property
    def all(self) -> tuple[Seat, ...]:
        """All that are to be recorded."""
        return (*self.students, *self.leaving)

    def of(self, student: str) -> Seat | None:
        """The seat of a student, by id."""
        return next((seat for seat in self.all if seat.id == student), None)


def seated(
    course: Course, students: Sequence[Student], recorded: Sequence[Seat], needs: Mapping[str, Need] | None = None
) -> Seats:
    """The seats of all students: recorded ones stay, a new student gets what is free first.

    `needs` is what each student's lab takes, by id; without it, that is what the course file says.
    Raises DoesNotFit with the arithmetic.
    """
    raise NotImplementedError
