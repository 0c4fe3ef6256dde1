"""Reads a course file with its roster. Each failure has file, line and key, and all are reported at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nestedlab.classroom.course import Course, Student
from nestedlab.classroom.seats import seats_file

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
    raise NotImplementedError
