"""Which students a command is about, and how many at once: options that the commands on stacks share."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from nestedlab.classroom import records, seats
from nestedlab.classroom.cluster_address import ClusterAddress, cluster_options
from nestedlab.classroom.course_file import CourseFile, load
from nestedlab.classroom.options import chosen, course_option, json_option, reported, students_argument
from nestedlab.classroom.seat import Seat
from nestedlab.errors import ConfigurationError


@dataclass(frozen=True)
class Choice:
    """The students and options that a command was given."""

    course: Path
    students: tuple[str, ...]
    failed: bool
    as_json: bool
    parallel: int | None
    cluster: ClusterAddress | None

    @cached_property
    def file(self) -> CourseFile:
        """The course."""
        return load(self.course)

    @property
    def is_whole(self) -> bool:
        """Whether it is about all students."""
        return not self.students and not self.failed

    @cached_property
    def seated(self) -> list[Seat]:
        """The chosen ones of those who have a seat. Raises ConfigurationError if nobody has."""
        recorded = seats.read(self.file.seats)
        if not recorded:
            raise ConfigurationError(
                f"nobody has a seat yet: there is no {self.file.seats.name}. Run `nestedlab class up` first."
            )
        return self.of_seats(recorded)

    def of_seats(self, found: Sequence[Seat]) -> list[Seat]:
        """The chosen ones of these."""
        ids = chosen([seat.id for seat in found], self.students)
        if self.failed:
            ids = [student for student in ids if records.read(self.file.work, student).failed]
        return [seat for seat in found if seat.id in ids]

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before something is lost, and end if the answer is no."""
        if yes:
            return
        if self.as_json or not sys.stdin.isatty():
            raise click.UsageError("This asks first, and nobody can answer here: add --yes.")
        if not click.confirm(question, err=True):
            sys.exit(1)


Command = Callable[..., None]


def choice_options(command: Command) -> Command:
    """STUDENT, --failed, --course, --parallel, --cluster and --json, as `choice`; errors of ours are reported."""

    @functools.wraps(command)
    def run(  # noqa: PLR0913 - an argument for each option
        *,
        students: tuple[str, ...],
        failed: bool,
        course: Path,
        as_json: bool,
        parallel: int | None,
        cluster: ClusterAddress | None,
        **more: Any,
    ) -> None:
        with reported(as_json=as_json):
            command(choice=Choice(course, students, failed, as_json, parallel, cluster), **more)

    return students_argument(_failed_option(_parallel_option(cluster_options(course_option(json_option(run))))))


_failed_option = click.option("--failed", is_flag=True, help="Only students whose last operation failed.")
_parallel_option = click.option(
    "--parallel",
    "-p",
    type=click.IntRange(min=1),
    metavar="N",
    help="Work on at most N students at once. By default as many as cores, memory and the parents' shells allow.",
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
"""--yes: for commands that ask first."""
