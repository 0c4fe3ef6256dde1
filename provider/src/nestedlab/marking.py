"""How the mark of a machine or switch is written, from its inputs: by a create, a create that takes over, an update."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from nestedlab.declare import Attribute, Resource
from nestedlab.lifecycle import writes
from nestedlab.ownership import Begun, Mark, mark_in, marked, unmarked
from nestedlab.pipeline import Cmdlet, Pipeline, PSObject


def mark_of(inputs: Resource) -> Mark:
    """Whose a machine or switch is to be."""
    return Mark(inputs.owner, inputs.stack_id or "")


def writes_marked(
    target: Cmdlet, changed: Collection[Attribute], inputs: Resource, shown: PSObject | None, identity: UUID
) -> list[Pipeline]:
    """What writes the changed rows of a machine or switch, and the whole mark wherever notes are written.

    One that was just created gets its whole mark now: its id was not known when its notes were first written.
    """
    there = mark_in(shown.text("Notes")) if shown is not None else Mark()
    is_new = bool(there.stack) and not there.thing
    rows = [row for row in inputs.attributes() if row in changed or (is_new and row.name == "owner")]
    return [signed(pipeline, there, identity) for pipeline in writes(target, rows, inputs)]


def signed(pipeline: Pipeline, there: Mark, identity: UUID) -> Pipeline:
    """A pipeline whose last cmdlet may write notes, with the whole mark in them: creation and id are in no row.

    A program that does not know its stack leaves the stack in the mark as it is.
    """
    *before, last = pipeline.cmdlets
    notes = last.parameters.get("Notes")
    wanted = mark_in(notes) if isinstance(notes, str) else Mark()
    whole = replace(wanted, stack=wanted.stack or there.stack, creation=there.creation or 1).on(identity)
    if not wanted.owner or not whole.stack:
        return pipeline
    writes = Cmdlet(last.name, {**last.parameters, "Notes": marked(unmarked(str(notes)), str(whole))})
    return replace(pipeline, cmdlets=(*before, writes))


def taken_over(found: Begun, inputs: Resource, notes: str) -> str:
    """The notes of a machine or switch that a create takes over: their mark counts that create."""
    return marked(notes, str(replace(mark_of(inputs), creation=found.mark.creation + 1).on(found.id)))
