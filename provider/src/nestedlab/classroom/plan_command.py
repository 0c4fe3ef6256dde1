"""The command `nestedlab class plan`: who would sit where, and what it takes of each parent."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from nestedlab.classroom.capacity import Kind, Load
from nestedlab.classroom.cluster_address import ClusterAddress, cluster_options
from nestedlab.classroom.course import Need
from nestedlab.classroom.course_file import load
from nestedlab.classroom.options import chosen, course_option, json_option, reported, students_argument
from nestedlab.classroom.planning import Plan, plan
from nestedlab.classroom.results import code_of, plain, show
from nestedlab.classroom.running import Running
from nestedlab.classroom.saved_plan import write_seats
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.tables import show_table
from nestedlab.classroom.work import Operation, Outcome


@click.command("plan")
@students_argument
@course_option
@json_option
@click.option(
    "--save",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Have Pulumi plan each lab, which asks the hosts, and save that for `up --plan`.",
)
@cluster_options
def plan_command(
    *, students: tuple[str, ...], course: Path, as_json: bool, save: Path | None, cluster: ClusterAddress | None
) -> None:
    """Show who sits where: parent, network and ports of each student, and what all take of each parent.

    Nothing is made or written, and no host is needed: `up` records the seats. What one lab takes is `seat` in the
    course file, or it is found by running the program without a host. Students with a seat keep it; a new one gets
    what is free first. STUDENT limits what is shown, not what is judged.

    With --save the folder gets these seats and Pulumi's plan of each lab. `up --plan` then does that, and fails for a
    student whose lab would need anything else. A stack without anything in it is made for each new student.

    Exit codes: 0 if all students fit, 1 if the course file, the roster, the seats file or the program cannot be used,
    or Pulumi cannot plan a lab, 2 for a wrong option, 3 if the students do not fit, 130 after Ctrl-C.
    """
    with reported(as_json=as_json):
        found = plan(load(course))
        ids = chosen([seat.id for seat in found.seats.all], students)
        seats = [seat for seat in found.seats.all if seat.id in ids]
        outcomes = _saved(found, seats, save.resolve(), cluster) if save is not None else []
        if as_json:
            saved = (
                {} if save is None else {"saved": plain(found.file.course.name, Operation.PLAN, outcomes)["students"]}
            )
            click.echo(json.dumps({**_plain(found, seats), **saved}, indent=2, ensure_ascii=False))
        else:
            _show(found, seats)
            if save is not None:
                show(Operation.PLAN, outcomes)
        sys.exit(code_of(outcomes))


def _saved(found: Plan, seats: Sequence[Seat], folder: Path, cluster: ClusterAddress | None) -> list[Outcome]:
    """Have Pulumi plan the labs of those who are in the roster, and save the plans."""
    staying = [seat for seat in seats if seat not in found.seats.leaving]
    write_seats(folder, staying)
    return Running(found.file, Operation.PLAN, plan=folder, cluster=cluster).run(staying)


def _change(found: Plan, seat: Seat) -> str:
    if seat in found.seats.leaving:
        return "leaving"
    return "new" if seat.id in found.seats.new else ""


def _show(found: Plan, seats: Sequence[Seat]) -> None:
    rows = [
        (
            str(seat.number),
            seat.id,
            seat.name if seat.name != seat.id else "",
            seat.parent,
            seat.prefix,
            f"{seat.first_port}-{seat.last_port}",
            seat.nat or "",
            _change(found, seat),
        )
        for seat in seats
    ]
    if rows:
        show_table(("no", "student", "name", "parent", "network", "ports", "joins the NAT of", "change"), rows)
        click.echo()
    show_table(("parent", "students", *(kind.value for kind in Kind)), [_row(load) for load in found.seats.loads])
    click.echo()
    click.echo("\n".join(_sentences(found)))


def _row(load: Load) -> Sequence[str]:
    return (load.parent, str(len(load.students)), *(_used(load, kind) for kind in Kind))


def _used(load: Load, kind: Kind) -> str:
    limit = load.limits.get(kind)
    if limit is None:
        return kind.shown(load.used[kind]) if load.used[kind] else ""
    return f"{kind.shown(load.used[kind])} of {kind.shown(limit.amount)}"


def _sentences(found: Plan) -> Iterator[str]:
    """What the tables do not say."""
    source = "the course file" if found.file.course.seat is not None else "the program"
    yield f"A student's lab takes {_need(found.needs.common)}, by {source}."
    for student, need in found.needs.own.items():
        yield f"That of {student} takes {_need(need)}."
    yield from (f"Note: {note}" for note in found.needs.notes)
    new, leaving = len(found.seats.new), found.seats.leaving
    yield f"{len(found.seats.students)} students, {new} of them new."
    if leaving:
        names = " ".join(seat.id for seat in leaving)
        yield f"{len(leaving)} left the roster and keep their seats until `nestedlab class down {names}`."


def _need(need: Need) -> str:
    amounts = (
        f"{need.memory_gib:g} GiB of memory",
        f"up to {need.disk_gib:g} GiB of disk" if need.disk_gib else "",
        f"{need.processors} processors" if need.processors else "",
    )
    return ", ".join(filter(None, amounts))


def _plain(found: Plan, seats: Sequence[Seat]) -> dict[str, Any]:
    return {
        "course": found.file.course.name,
        "seats": [
            {**seat.model_dump(mode="json", by_alias=True), "change": _change(found, seat) or None} for seat in seats
        ],
        "parents": [_plain_load(load) for load in found.seats.loads],
        "need": _plain_need(found.needs.common),
        "ownNeeds": {student: _plain_need(need) for student, need in found.needs.own.items()},
        "notes": list(found.needs.notes),
    }


def _plain_need(need: Need) -> dict[str, Any]:
    return need.model_dump(by_alias=True)


def _plain_load(load: Load) -> dict[str, Any]:
    limits = {kind: limit.amount for kind, limit in load.limits.items()}
    return {
        "parent": load.parent,
        "students": load.students,
        "used": {kind.key: kind.plain(load.used[kind]) for kind in Kind},
        "limits": {kind.key: kind.plain(amount) for kind, amount in limits.items()},
    }
