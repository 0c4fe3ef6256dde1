"""The command `nestedlab class handout`: pages for the students, and one for the trainer."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import click

from nestedlab.classroom import records, results
from nestedlab.classroom.choice import Choice, choice_options
from nestedlab.classroom.course_file import CourseFile
from nestedlab.classroom.gather import class_page, student_page
from nestedlab.classroom.pages import ClassPage, StudentPage
from nestedlab.classroom.project import project
from nestedlab.classroom.render import dashboard_html, student_html, student_markdown, templates
from nestedlab.classroom.running import Running
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.work import Operation, Outcome
from nestedlab.errors import NestedlabError

_DASHBOARD = "dashboard.html"
_STUDENTS = "students"
"""The folder of the hand-outs, which the dashboard links to."""


@click.command("handout")
@choice_options
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="The folder to write to. Default: `handout`, beside the course file.",
)
def handout_command(*, choice: Choice, output: Path | None) -> None:
    """Write a page for each student, and a dashboard of the class for the trainer.

    students/ID.html and students/ID.md tell a student where to connect, which addresses there are, and what the lab
    looks like. dashboard.html, which is for the trainer and is written if all students are chosen, has the state of
    each lab, its drift, addresses and last change. Each file needs nothing else, and can be printed.

    The pages show what the stacks' states have, and what the last commands of the class have noted; no host is asked.

    Exit codes: 0 if the pages are written, 1 if the state of a student's lab could not be read (its page says so) or
    the pages could not be written, 2 for a wrong option, 130 after Ctrl-C.
    """
    templates()  # fails now, rather than when all states have been read
    folder = output or choice.file.folder / "handout"
    outcomes = Running(choice.file, Operation.STATUS, choice.parallel, nats=False, cluster=choice.cluster).run(
        choice.seated
    )
    page = class_page(choice.file.course, _students(choice.file, choice.seated, outcomes), datetime.now().astimezone())
    written = _write(folder, page, whole=choice.is_whole)
    if choice.as_json:
        click.echo(json.dumps(_plain(page, folder, written), indent=2, ensure_ascii=False))
    else:
        for student in page.students:
            if student.unread:
                click.echo(f"{student.seat.id}: the state could not be read: {student.unread}", err=True)
        count = len(page.students)
        click.echo(f"{folder}: hand-outs for {count} {'student' if count == 1 else 'students'}.")
        if _DASHBOARD in written:
            click.echo(f"{folder / _DASHBOARD}: the class, for the trainer.")
    sys.exit(results.code_of(outcomes))


def _students(file: CourseFile, seats: Sequence[Seat], outcomes: Sequence[Outcome]) -> list[StudentPage]:
    names = {student.id: student.name for student in file.students}
    named = [seat.model_copy(update={"name": names.get(seat.id, seat.name)}) for seat in seats]
    lab = project(file.course.program).name
    ended = {outcome.student: outcome for outcome in outcomes}
    return [student_page(lab, seat, ended[seat.id], records.read(file.work, seat.id)) for seat in named]


def _write(folder: Path, page: ClassPage, *, whole: bool) -> list[str]:
    """Write the files, and return their names."""
    texts = {name: text for student in page.students for name, text in _pages(student, page).items()}
    if whole:
        texts[_DASHBOARD] = dashboard_html(page, linked=True)
    try:
        (folder / _STUDENTS).mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise NestedlabError(f"the pages cannot be written: {error}. Name another folder with --output.") from error
    return list(texts)


def _pages(student: StudentPage, page: ClassPage) -> Mapping[str, str]:
    name = f"{_STUDENTS}/{student.seat.id}"
    return {
        f"{name}.html": student_html(student, page.name, page.made_at),
        f"{name}.md": student_markdown(student, page.name, page.made_at),
    }


def _plain(page: ClassPage, folder: Path, written: Sequence[str]) -> Mapping[str, object]:
    return {
        "course": page.name,
        "folder": str(folder),
        "dashboard": str(folder / _DASHBOARD) if _DASHBOARD in written else None,
        "students": [
            {
                "student": student.seat.id,
                "lab": student.condition.value,
                "error": student.unread or None,
                "files": [str(folder / name) for name in written if Path(name).stem == student.seat.id],
            }
            for student in page.students
        ],
    }
