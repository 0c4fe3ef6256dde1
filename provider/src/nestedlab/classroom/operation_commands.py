"""The commands that change the students' labs: up, heal, reset, stop, start and down of `nestedlab class`."""

from __future__ import annotations

from pathlib import Path

import click

from nestedlab.classroom import saved_plan, seats
from nestedlab.classroom.choice import Choice, choice_options, yes_option
from nestedlab.classroom.planning import plan as planned
from nestedlab.classroom.results import end_with
from nestedlab.classroom.running import Running
from nestedlab.classroom.work import Operation


@click.command("up")
@click.option(
    "--plan",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Do what `plan --save` has saved there, and nothing else.",
)
@choice_options
def up_command(*, choice: Choice, plan: Path | None) -> None:
    """Make each student's lab as the program says.

    Seats are recorded first. A student who has a lab gets what has changed in the program or the course file. One
    student's failure does not stop the others. After Ctrl-C, run it again: it goes on where it stopped.

    Exit codes: 0 if all was done, 1 if something failed, 2 for a wrong option, 3 if the students do not fit,
    130 after Ctrl-C.
    """
    found = planned(choice.file).seats
    chosen = choice.of_seats(found.students)
    if plan is not None:
        chosen = saved_plan.of_plan(plan, chosen, named=bool(choice.students))
    running = Running(
        choice.file, Operation.UP, choice.parallel, plan.resolve() if plan else None, cluster=choice.cluster
    )
    seats.write(choice.file.seats, found.all)
    end_with(choice.file.course.name, Operation.UP, running.run(chosen), as_json=choice.as_json)


@click.command("heal")
@choice_options
def heal_command(*, choice: Choice) -> None:
    """Bring back what somebody has changed by hand, and only that.

    The hosts are read as `drift` does; then an update of the resources that differ, and of no others, makes them as the
    program said at the last `up`. What has changed in the program since waits for the next `up`.

    Exit codes: 0 if all was done, 1 if something failed, 2 for a wrong option, 130 after Ctrl-C.
    """
    _run(choice, Operation.HEAL)


@click.command("reset")
@click.option("--all", "everybody", is_flag=True, help="Reset all students.")
@yes_option
@choice_options
def reset_command(*, choice: Choice, everybody: bool, yes: bool) -> None:
    """Take students' machines back to their baselines. What was done on their disks since is lost.

    A machine without a `baseline`, or with a `reset` of its own in the program, stays as it is, and is named.

    Exit codes: 0 if all was done, 1 if something failed, 2 for a wrong option, 130 after Ctrl-C.
    """
    if choice.is_whole != everybody:
        raise click.UsageError("Name the students to reset, or add --all.")
    if everybody:
        choice.confirm(f"Reset the labs of all {len(choice.seated)} students?", yes=yes)
    _run(choice, Operation.RESET)


@click.command("stop")
@choice_options
def stop_command(*, choice: Choice) -> None:
    """Shut students' machines down, until `start`. That they are off is no drift, and `up` leaves them off.

    Exit codes: 0 if all was done, 1 if something failed, 2 for a wrong option, 130 after Ctrl-C.
    """
    _run(choice, Operation.STOP)


@click.command("start")
@choice_options
def start_command(*, choice: Choice) -> None:
    """Start the machines that `stop` has shut down, as far as the program has them running.

    Exit codes: 0 if all was done, 1 if something failed, 2 for a wrong option, 130 after Ctrl-C.
    """
    _run(choice, Operation.START)


@click.command("down")
@yes_option
@choice_options
def down_command(*, choice: Choice, yes: bool) -> None:
    """Remove students' labs with all that is on their disks, their stacks, and their seats.

    Without STUDENT these are all who have a seat, also those who left the roster. A NAT network that students share
    goes with the last of them.

    Exit codes: 0 if all was done, 1 if something failed, 2 for a wrong option, 130 after Ctrl-C.
    """
    # Also without seats: a shared NAT may be left, if it failed to go with the last student.
    chosen = choice.of_seats(seats.read(choice.file.seats))
    if chosen:
        names = " ".join(seat.id for seat in chosen)
        choice.confirm(f"Remove the labs of {names}, with all that is on their disks?", yes=yes)
    outcomes = Running(choice.file, Operation.DOWN, choice.parallel, cluster=choice.cluster).run(chosen)
    end_with(choice.file.course.name, Operation.DOWN, outcomes, as_json=choice.as_json)


def _run(choice: Choice, operation: Operation) -> None:
    running = Running(choice.file, operation, choice.parallel, nats=choice.is_whole, cluster=choice.cluster)
    end_with(choice.file.course.name, operation, running.run(choice.seated), as_json=choice.as_json)
