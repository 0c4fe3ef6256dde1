"""Gathers what the pages of a class show, from the seats, the states and what was noted of each student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from nestedlab.adapters.stack_topology import changed_at, topology_of
from nestedlab.classroom.course import Course, Parent
from nestedlab.classroom.pages import ClassPage, Drift, Operation, ParentPage, StudentPage
from nestedlab.classroom.records import Record
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.work import Outcome


def student_page(project: str, seat: Seat, outcome: Outcome, record: Record) -> StudentPage:
    """What is known of a student; the outcome is that of a status."""
    state: Mapping[str, Any] = outcome.state or {}
    at = datetime.fromisoformat(record.at) if record.at else None
    return StudentPage(
        seat=seat,
        topology=topology_of(project, seat.id, state) if outcome.state is not None else None,
        changed_at=changed_at(state),
        operation=Operation(record.operation, at, record.error, record.log) if at is not None else None,
        drift=Drift(at, record.drifted) if at is not None and record.drifted is not None else None,
        unread=outcome.error,
    )


def class_page(course: Course, students: Sequence[StudentPage], made_at: datetime) -> ClassPage:
    """The class as a whole."""
    parents = (_parent_page(name, parent, students) for name, parent in course.parents.items())
    return ClassPage(course.name, made_at, tuple(students), tuple(parents))


def _parent_page(name: str, parent: Parent, students: Sequence[StudentPage]) -> ParentPage:
    there = tuple(student for student in students if student.seat.parent == name)
    return ParentPage(name, parent.host, there, max(0, parent.memory_gib - parent.host_memory_gib))
