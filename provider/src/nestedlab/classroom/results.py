"""What a command reports once it is through: who failed and why, and what else there is to know."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NoReturn

import click

from nestedlab.classroom.tables import show_table
from nestedlab.classroom.work import Operation, Outcome

FAILED, FOUND, INTERRUPTED = 1, 3, 130
"""The exit codes if a student failed, if something was found, and after Ctrl-C."""


def code_of(outcomes: Sequence[Outcome], *, found: bool = False) -> int:
    """The exit code."""
    if any(outcome.interrupted for outcome in outcomes):
        return INTERRUPTED
    if any(not outcome.ok for outcome in outcomes):
        return FAILED
    return FOUND if found else 0


def end_with(
    course: str, operation: Operation, outcomes: Sequence[Outcome], *, as_json: bool, found: bool = False
) -> NoReturn:
    """Report the outcomes, and end with the exit code."""
    if as_json:
        click.echo(json.dumps(plain(course, operation, outcomes), indent=2, ensure_ascii=False, default=str))
    else:
        show(operation, outcomes)
    sys.exit(code_of(outcomes, found=found))


def plain(course: str, operation: Operation, outcomes: Sequence[Outcome]) -> Mapping[str, Any]:
    """The outcomes for other programs."""
    return {
        "course": course,
        "operation": operation.value,
        "students": [
            {
                "student": outcome.student,
                "ok": outcome.ok,
                "error": outcome.error or None,
                "interrupted": outcome.interrupted,
                "seconds": round(outcome.seconds, 1),
                "log": outcome.log or None,
                "changes": dict(outcome.changes),
                "drift": [asdict(drift) for drift in outcome.drift],
                "notes": list(outcome.notes),
            }
            for outcome in outcomes
        ],
    }


def drift_rows(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """All drift, a row a property."""
    return [
        (outcome.student, f"{drift.kind} {drift.resource}", drift.property, *map(shown, (drift.expected, drift.found)))
        for outcome in outcomes
        for drift in outcome.drift
    ]


DRIFT_COLUMNS = ("student", "what", "property", "expected", "found")


def shown(value: object) -> str:
    """A value of a state for people."""
    if value is None:
        return "not set"
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def show(operation: Operation, outcomes: Sequence[Outcome]) -> None:
    """Show the outcomes to people: drift, notes, failures, and a sentence."""
    rows = drift_rows(outcomes)
    if rows:
        show_table(DRIFT_COLUMNS, rows, "Healed" if operation is Operation.HEAL else "Drifted")
        click.echo()
    for outcome in (outcome for outcome in outcomes if outcome.ok):
        for note in outcome.notes:
            click.echo(f"{outcome.student}: {note}")
    for outcome in (outcome for outcome in outcomes if not outcome.ok):  # causes are long: no table
        click.echo(f"{outcome.student} failed: {outcome.error}")
        if outcome.log:
            click.echo(f"  log: {outcome.log}")
    click.echo(" ".join(_sentences(operation, outcomes)))


def _sentences(operation: Operation, outcomes: Sequence[Outcome]) -> Iterator[str]:
    failed, total = sum(not outcome.ok for outcome in outcomes), len(outcomes)
    if not outcomes:
        yield f"{operation.value}: there is nothing to do."
        return
    yield f"{operation.value}: {total - failed} of {total} done" + (f", {failed} failed." if failed else ".")
    if any(outcome.interrupted for outcome in outcomes):
        yield f"Interrupted: run `nestedlab class {operation.value}` again to go on."
    elif failed:
        yield f"Fix the cause, then run `nestedlab class {operation.value} --failed`."
