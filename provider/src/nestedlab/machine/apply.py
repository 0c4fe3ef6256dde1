"""How a machine's changes are applied: in one step, and again what a busy host has kept from being made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nestedlab.errors import kind_of
from nestedlab.lifecycle import Plan
from nestedlab.machine.changes import MachineChanges
from nestedlab.machine.facets import FACETS, decide
from nestedlab.machine.read import observe, reads
from nestedlab.machine.table import ObservedMachine
from nestedlab.pipeline import ErrorKind, Facts, Pipeline, Step
from nestedlab.retry import HELD_IMAGE, Attempt

_ON_A_MADE_DISK = ("Add-VMHardDiskDrive", "Resize-VHD")
"""What fails too where the disk could not be made."""


def compiled(changes: MachineChanges) -> tuple[Pipeline, ...]:
    """What makes the changes. Raises RefusedError if something cannot be changed as the machine is."""
    return tuple(pipeline for facet in FACETS for pipeline in facet.apply(changes))


def applied(changes: MachineChanges, pipelines: Sequence[Pipeline], known: ObservedMachine) -> Plan[Facts]:
    """Run the pipelines, and answer with what the machine then is.

    Disks that could not be made, because another process held their image, are made in the next attempt.
    """
    facts = Facts()
    for attempt in HELD_IMAGE.attempts():
        bearing = tuple(_bearing(pipeline, attempt) for pipeline in pipelines)
        purpose = "apply the settings" if pipelines else "read the machine"
        facts = yield Step(purpose, (*bearing, *reads(changes.state.id)), delay=attempt.delay)
        if not any(error.cmdlet == "New-VHD" and kind_of(error) in attempt.retried for error in facts.errors):
            break
        there = replace(observe(facts, known), facts=changes.state.facts.renewed(facts))
        pipelines = compiled(decide(changes.inputs, there, after_reset=changes.after_reset))
    return facts


def _bearing(pipeline: Pipeline, attempt: Attempt) -> Pipeline:
    """The pipeline, whose errors lead to another attempt if they are of a disk that could not be made."""
    name = pipeline.cmdlets[-1].name
    if name == "New-VHD":
        return pipeline.tolerating(*attempt.retried)
    is_of_it = name in _ON_A_MADE_DISK and attempt.retried
    return pipeline.tolerating(*attempt.retried, ErrorKind.ABSENT) if is_of_it else pipeline
