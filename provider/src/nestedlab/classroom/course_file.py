"""Reads a course file with its roster. Each failure has file, line and key, and all are reported at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from nestedlab.classroom.course import FOLDER, Course, Student
from nestedlab.classroom.course_checks import Failure, failures_of, failures_of_roster
from nestedlab.classroom.failures import REFERENCE, failures
from nestedlab.classroom.marked_yaml import Marked, read_marked
from nestedlab.classroom.project import project
from nestedlab.classroom.roster import Roster, read_roster
from nestedlab.classroom.seats import seats_file
from nestedlab.classroom.shared_nat import nat_stack
from nestedlab.errors import ConfigurationError

COURSE_FILE = "course.yaml"
"""The name of a course file, if the command names none."""


@dataclass(frozen=True)
class CourseFile:
    """A course as it was read."""

    path: Path
    """The course file, absolute."""
    course: Course
    students: tuple[Student, ...]
    """The students of the roster, in its order."""

    @property
    def folder(self) -> Path:
        """The folder of the course file, absolute."""
        return self.path.parent

    @property
    def seats(self) -> Path:
        """The file in which seats are recorded."""
        return seats_file(self.path)

    @property
    def work(self) -> Path:
        """The folder for what the class keeps: states and work folders."""
        return self.folder / ".nestedlab" / self.course.name


def load(path: Path) -> CourseFile:
    """Read a course file and its roster. Raises ConfigurationError with every failure."""
    path = path.resolve()
    marked = read_marked(path, lambda where: where[:1] == ("roster",))
    if not isinstance(marked.value, dict):
        raise ConfigurationError(f"{path.name}: the file must have keys such as `name:`. See {REFERENCE}.")
    roster = _roster_file(marked)
    found = [*marked.failures, *(roster.failures if roster else ())]
    try:
        course = Course.model_validate(marked.value, context={FOLDER: path.parent})
    except ValidationError as error:
        raise ConfigurationError("\n".join([*found, *failures(marked, Course, error)])) from None
    placed = list(_placed(marked, course, roster))
    students = [student for _, student in placed]
    checks = (*failures_of(course), *failures_of_roster(course, students), *_program(course))
    found += [*(marked.failure(where, text) for where, text in checks), *_refused(course, placed)]
    if found:
        raise ConfigurationError("\n".join(found))
    return CourseFile(path, course, tuple(students))


def _roster_file(marked: Marked) -> Roster | None:
    """The roster, if the course file names a file for it: read whatever else is wrong, to report all at once."""
    named = marked.value.get("roster")
    if not isinstance(named, str):
        return None
    path = marked.path.parent / named
    try:
        return read_roster(path)
    except OSError as error:
        return Roster(path, failures=[marked.failure(("roster",), f"{named}: {error.strerror or error}")])


def _placed(marked: Marked, course: Course, roster: Roster | None) -> Iterator[tuple[str, Student]]:
    """The students, each with the beginning of a message about them."""
    if roster is not None:
        yield from ((f"{roster.path.name}:{line}: ", student) for line, student in roster.students)
    elif not isinstance(course.roster, Path):
        for place, student in enumerate(course.roster):
            yield marked.failure(("roster", place), ""), student


def _refused(course: Course, placed: Iterable[tuple[str, Student]]) -> Iterator[str]:
    """Ids that clash: on Windows names and folders differ by more than upper and lower case."""
    owned = {nat_stack(name).lower(): name for name, parent in course.parents.items() if parent.takes_one_nat}
    seen: dict[str, tuple[str, str]] = {}
    for place, student in placed:
        key = student.id.lower()
        if key in seen:
            where, there = seen[key]
            spelled = "" if there == student.id else f" ({there!r}): to Windows both are the same name"
            yield f"{place}the id {student.id!r} is already used in {where.rstrip(': ')}{spelled}. Change one of them."
        elif key in owned:
            yield f"{place}the id {student.id!r} is the stack of the NAT on {owned[key]}. Choose another id."
        seen.setdefault(key, (place, student.id))


def _program(course: Course) -> Iterator[Failure]:
    try:
        project(course.program)
    except ConfigurationError as error:
        yield ("program",), str(error)
