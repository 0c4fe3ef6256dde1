"""The seats file: who has which seat. It is beside the course file, and outlives the roster."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nestedlab.classroom.seat import Seat


def seats_file(course_file: Path) -> Path:
    """Where the seats of a course file are recorded: course.seats.yaml beside course.yaml."""
    return course_file.with_name(f"{course_file.stem}.seats.yaml")


def read(path: Path) -> tuple[Seat, ...]:
    """The recorded seats; none if there is no file. Raises ConfigurationError with file, line and key.

    They have no columns: those are the roster's.
    """
    raise NotImplementedError


def write(path: Path, seats: Iterable[Seat]) -> None:
    """Record the seats, by number. The file is replaced as a whole, so that an interruption leaves the old one."""
    raise NotImplementedError
