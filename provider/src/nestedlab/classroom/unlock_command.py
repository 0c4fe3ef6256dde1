"""The command `nestedlab class unlock`: releases the locks of commands that have died."""

from __future__ import annotations

import click

from nestedlab.classroom import locks, records
from nestedlab.classroom.choice import Choice, choice_options, yes_option
from nestedlab.classroom.locks import Lock
from nestedlab.classroom.results import end_with
from nestedlab.classroom.running import Running
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.work import Operation, Outcome
from nestedlab.classroom.works import Works


@click.command("unlock")
@yes_option
@choice_options
def unlock_command(*, choice: Choice, yes: bool) -> None:
    """Release the locks of commands that have died.

    Who has locked a stack, and since when, is shown first; of a backend that is not files, as the last operation was
    told. A lock whose process still runs on this machine stays. Be sure that nothing works on the others any more: two
    commands on one stack at once lose track of what they make.

    Exit codes: 0 if all was done, 1 if something failed or a lock is still held, 2 for a wrong option,
    130 after Ctrl-C.
    """
    works = Works.of(choice.file)
    found = {seat.id: _locks(works, seat) for seat in choice.seated}
    locked = [seat for seat in choice.seated if found[seat.id]]
    for seat in locked:
        for lock in found[seat.id]:
            click.echo(f"{seat.id}: {lock}" + (", which still runs" if lock.is_held else ""), err=True)
    held = [seat for seat in locked if any(lock.is_held for lock in found[seat.id])]
    dead = [seat for seat in locked if seat not in held]
    if dead:
        names = " ".join(seat.id for seat in dead)
        choice.confirm(f"Unlock {names}? Be sure that nothing works on them.", yes=yes)
    refused = [Outcome(seat.id, Operation.UNLOCK, error=_held(found[seat.id])) for seat in held]
    done = Running(choice.file, Operation.UNLOCK, choice.parallel, nats=False, cluster=choice.cluster).run(dead)
    end_with(choice.file.course.name, Operation.UNLOCK, [*done, *refused], as_json=choice.as_json)


def _locks(works: Works, seat: Seat) -> list[Lock]:
    """The locks on a student's stack."""
    if locks.folder_of(works.backend) is not None:
        return list(locks.of_files(works.backend, works.lab.name, seat.id))
    return list(locks.said(records.read(works.file.work, seat.id).error))


def _held(found: list[Lock]) -> str:
    process = next(lock.pid for lock in found if lock.is_held)
    return (
        f"process {process} of this machine works on it. Wait until it has ended, or interrupt it as Ctrl-C does: "
        f"`kill -INT {process}`."
    )
