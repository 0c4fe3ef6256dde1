"""Options and arguments that the commands of a class share, and what becomes of a failure."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from nestedlab.classroom.course_file import COURSE_FILE
from nestedlab.classroom.failures import nearest
from nestedlab.classroom.refusals import DoesNotFit
from nestedlab.errors import ConfigurationError, NestedlabError

DOES_NOT_FIT = 3
"""The exit code if the students cannot be seated."""

Command = TypeVar("Command", bound=Callable[..., Any])


def course_option(command: Command) -> Command:
    """--course: the course file."""
    return click.option(
        "--course",
        "-c",
        default=COURSE_FILE,
        show_default=True,
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The course file.",
    )(command)


def json_option(command: Command) -> Command:
    """--json: for other programs."""
    return click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout.")(command)


def students_argument(command: Command) -> Command:
    """Ids of students; none stands for all."""
    return click.argument("students", nargs=-1, metavar="[STUDENT...]")(command)


def chosen(ids: Iterable[str], students: Sequence[str]) -> list[str]:
    """Those of the ids that were named, or all. Raises ConfigurationError for a name that is none of them."""
    known = [*ids]
    unknown = [student for student in students if student not in known]
    if unknown:
        hints = (f"unknown student {student!r}; {nearest(student, known, 'see the roster')}" for student in unknown)
        raise ConfigurationError("\n".join(hints))
    return [student for student in known if not students or student in students]


@contextmanager
def reported(*, as_json: bool) -> Iterator[None]:
    """Report an error of ours, each line of it as an error, and end with its exit code."""
    try:
        yield
    except NestedlabError as error:
        lines = str(error).splitlines()
        if as_json:
            click.echo(json.dumps({"errors": lines}, indent=2))
        else:
            click.echo("\n".join(["Error:" + ("\n" if len(lines) > 1 else " ") + lines[0], *lines[1:]]), err=True)
        sys.exit(DOES_NOT_FIT if isinstance(error, DoesNotFit) else 1)
