"""The command `nestedlab class status`: how each student's lab is, by state and records. No host is asked."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from nestedlab.classroom import locks, records
from nestedlab.classroom.choice import Choice, choice_options
from nestedlab.classroom.locks import Lock
from nestedlab.classroom.machines import Machine, machines
from nestedlab.classroom.records import Record
from nestedlab.classroom.results import FAILED, FOUND, INTERRUPTED
from nestedlab.classroom.running import Running
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.tables import show_table
from nestedlab.classroom.work import Operation, Outcome
from nestedlab.classroom.works import Works


@dataclass(frozen=True)
class Status:
    """How one student's lab is."""

    seat: Seat
    record: Record
    machines: tuple[Machine, ...]
    exists: bool
    """Whether there is a stack."""
    locks: tuple[Lock, ...]
    error: str
    """Why the state could not be read; "" if it could."""
    interrupted: bool

    @property
    def word(self) -> str:
        """How it is, in a word."""
        if self.locks:
            return "in work" if any(lock.is_held for lock in self.locks) else "locked"
        if self.record.failed or self.error:
            return "failed"
        if not self.exists:
            return "not up"
        return "stopped" if self.record.stopped else "up"

    @property
    def cause(self) -> str:
        """What is wrong, if something is."""
        if self.locks:
            return "; ".join(map(str, self.locks))
        if self.error or self.record.error:
            return self.error or self.record.error
        return f"{self.record.drifted} properties drifted" if self.record.drifted else ""


@click.command("status")
@choice_options
def status_command(*, choice: Choice) -> None:
    """Show how each student's lab is: seat, machines and their power, the last operation, and why it failed.

    All of it is from the stacks' states and what the commands have noted; no host is asked. What is on the hosts now is
    shown by `drift`.

    Exit codes: 0 if all is well, 1 if a state could not be read, 2 for a wrong option, 3 if a student's last operation
    failed or their stack is locked, 130 after Ctrl-C.
    """
    found = statuses(choice)
    if choice.as_json:
        rows = [_plain(status) for status in found]
        click.echo(json.dumps({"course": choice.file.course.name, "students": rows}, indent=2, ensure_ascii=False))
    else:
        _show(found)
    sys.exit(_code(found))


def statuses(choice: Choice) -> list[Status]:
    """How the labs of the chosen students are."""
    outcomes = Running(choice.file, Operation.STATUS, choice.parallel, nats=False, cluster=choice.cluster).run(
        choice.seated
    )
    works = Works.of(choice.file)
    return [_status(works, seat, outcome) for seat, outcome in zip(choice.seated, outcomes, strict=True)]


def _status(works: Works, seat: Seat, outcome: Outcome) -> Status:
    return Status(
        seat,
        records.read(works.file.work, seat.id),
        tuple(machines(outcome.state or {})),
        bool((outcome.state or {}).get("resources")),
        tuple(locks.of_files(works.backend, works.lab.name, seat.id)),
        outcome.error,
        outcome.interrupted,
    )


def _code(found: Sequence[Status]) -> int:
    if any(status.interrupted for status in found):
        return INTERRUPTED
    if any(status.error for status in found):
        return FAILED
    return FOUND if any(status.word in ("failed", "locked") for status in found) else 0


def _show(found: Sequence[Status]) -> None:
    columns = ("no", "student", "parent", "network", "state", "machines", "last", "when (UTC)", "cause")
    show_table(columns, [_row(status) for status in found])
    counts = Counter(status.word for status in found)
    click.echo(f"{len(found)} students: " + ", ".join(f"{count} {word}" for word, count in counts.items()) + ".")
    for remedy in _remedies(found):
        click.echo(remedy)


def _row(status: Status) -> tuple[str, ...]:
    seat, record = status.seat, status.record
    power = ", ".join(f"{machine.name} {machine.power or 'unknown'}" for machine in status.machines)
    when = record.at.removesuffix("+00:00").replace("T", " ")
    head = (str(seat.number), seat.id, seat.parent, seat.prefix, status.word)
    return (*head, power, record.operation, when, status.cause)


def _remedies(found: Sequence[Status]) -> Iterator[str]:
    for status in found:
        if status.word == "failed" and status.record.log:
            yield f"{status.seat.id}: the log is {status.record.log}"
    locked = [status.seat.id for status in found if status.word == "locked"]
    if locked:
        yield f"If what has locked them has died, run `nestedlab class unlock {' '.join(locked)}`."


def _plain(status: Status) -> Mapping[str, Any]:
    seat, record = status.seat, status.record
    return {
        **seat.model_dump(mode="json", by_alias=True, exclude={"columns", "nat"}),
        "state": status.word,
        "machines": [
            {"resource": machine.resource, "name": machine.name, "power": machine.power or None}
            for machine in status.machines
        ],
        "lastOperation": record.operation or None,
        "at": record.at or None,
        "seconds": record.seconds,
        "stopped": record.stopped,
        "drifted": record.drifted,
        "cause": status.cause or None,
        "log": record.log or None,
    }
