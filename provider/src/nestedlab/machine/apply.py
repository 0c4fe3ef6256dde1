"""Applies a machine's changes in one step, and tries again to create disks whose image was held on a busy host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nestedlab.errors import kind_of, raise_for
from nestedlab.lifecycle import Plan
from nestedlab.machine.changes import MachineChanges
from nestedlab.machine.facets import FACETS, decide
from nestedlab.machine.read import observe, reads
from nestedlab.machine.table import ObservedMachine
from nestedlab.pipeline import ErrorKind, Facts, Pipeline, Step
from nestedlab.retry import HELD_IMAGE, Attempt

_OF_A_CREATED_DISK = ("New-VHD", "Resize-VHD", "Add-VMHardDiskDrive")
"""Cmdlets that fail if an image is held: the one that creates the disk, and those that need it."""


def compiled(changes: MachineChanges) -> tuple[Pipeline, ...]:
    """What makes the changes. Raises RefusedError if something cannot be changed as the machine is."""
    return tuple(pipeline for facet in FACETS for pipeline in facet.apply(changes))


def applied(changes: MachineChanges, pipelines: Sequence[Pipeline], known: ObservedMachine) -> Plan[Facts]:
    """Run the pipelines and read the machine. Disks that could not be created, because another process held their
    image, are created in the next attempt.
    """
    facts = Facts()
    for attempt in HELD_IMAGE.attempts():
        purpose = "apply the settings" if pipelines else "read the machine"
        step = Step(purpose, (*pipelines, *reads(changes.state.id)), delay=attempt.delay)
        facts = yield replace(step, pipelines=tuple(_tolerant(pipeline, attempt) for pipeline in step.pipelines))
        if not any(error.cmdlet == "New-VHD" and kind_of(error) in attempt.retried for error in facts.errors):
            raise_for(facts, step)
            break
        there = replace(observe(facts, known), facts=changes.state.facts.renewed(facts))
        pipelines = compiled(decide(changes.inputs, there, after_reset=changes.after_reset))
    return facts


def _tolerant(pipeline: Pipeline, attempt: Attempt) -> Pipeline:
    """The pipeline, tolerating what it reports if an image is held: all that follows from it is tried again."""
    if pipeline.cmdlets[-1].name not in _OF_A_CREATED_DISK or not attempt.retried:
        return pipeline
    return pipeline.tolerating(*attempt.retried, ErrorKind.ABSENT)
