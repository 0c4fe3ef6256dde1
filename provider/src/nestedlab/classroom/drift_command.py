"""The command `nestedlab class drift`: what somebody has changed by hand, of all students in one report."""

from __future__ import annotations

import click

from nestedlab.classroom.choice import Choice, choice_options
from nestedlab.classroom.results import end_with
from nestedlab.classroom.running import Running
from nestedlab.classroom.work import Operation


@click.command("drift")
@choice_options
def drift_command(*, choice: Choice) -> None:
    """Report what on the hosts is not as the program has set it: student, machine, property, expected, found.

    The hosts are read, and nothing is changed or recorded in a state. `heal` brings it back. What `stop` has shut down
    is no drift. To run it every night, see docs/class.md.

    Exit codes: 0 if nothing has drifted, 1 if a student's lab could not be read, 2 for a wrong option, 3 if something
    has drifted, 130 after Ctrl-C.
    """
    outcomes = Running(choice.file, Operation.DRIFT, choice.parallel, nats=choice.is_whole, cluster=choice.cluster).run(
        choice.seated
    )
    found = any(outcome.drift for outcome in outcomes)
    end_with(choice.file.course.name, Operation.DRIFT, outcomes, as_json=choice.as_json, found=found)
