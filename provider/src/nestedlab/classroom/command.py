"""The command `nestedlab class`."""

from __future__ import annotations

import click

from nestedlab.classroom.drift_command import drift_command
from nestedlab.classroom.gc_command import gc_command
from nestedlab.classroom.handout_command import handout_command
from nestedlab.classroom.operation_commands import (
    down_command,
    heal_command,
    reset_command,
    start_command,
    stop_command,
    up_command,
)
from nestedlab.classroom.plan_command import plan_command
from nestedlab.classroom.status_command import status_command
from nestedlab.classroom.unlock_command import unlock_command


@click.group("class")
def class_group() -> None:
    """A lab for each student of a roster: one stack of the lab program for each, on the hosts of a course file."""


for command in (
    plan_command,
    up_command,
    status_command,
    drift_command,
    heal_command,
    reset_command,
    stop_command,
    start_command,
    handout_command,
    down_command,
    unlock_command,
    gc_command,
):
    class_group.add_command(command)
