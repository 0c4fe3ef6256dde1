"""The command `nestedlab class`."""

from __future__ import annotations

import click

from nestedlab.classroom.plan_command import plan_command


@click.group("class")
def class_group() -> None:
    """A lab for each student of a roster: one stack of the lab program for each, on the hosts of a course file."""


class_group.add_command(plan_command)
