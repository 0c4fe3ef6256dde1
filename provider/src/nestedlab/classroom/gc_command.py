"""The command `nestedlab class gc`: what the class has on its parents and no state knows."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import click

from nestedlab.adapters.orphan_report import plain, show, show_list, show_rest
from nestedlab.adapters.orphan_survey import Result, asked, remove
from nestedlab.adapters.stack import recorded
from nestedlab.classroom import locks
from nestedlab.classroom.choice import Choice, choice_options, yes_option
from nestedlab.classroom.nat_lab import project_name
from nestedlab.classroom.results import FAILED, FOUND, INTERRUPTED
from nestedlab.classroom.running import Running
from nestedlab.classroom.settings import host_settings
from nestedlab.classroom.work import Operation
from nestedlab.classroom.works import Works
from nestedlab.connection import connection
from nestedlab.errors import ConfigurationError
from nestedlab.orphans import StackRecord, judge


@dataclass
class Garbage:
    """What was found on all parents."""

    results: dict[tuple[str, str], Result] = field(default_factory=dict)
    """By parent and stack."""
    loose_disks: list[tuple[str, str]] = field(default_factory=list)
    """Host and path of disks of machines that are gone, of whomever."""
    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def shown(self) -> list[Result]:
        """The results that have something to show."""
        return [found for found in self.results.values() if found.own or found.doubtful or found.errors or found.notes]

    @property
    def code(self) -> int:
        """The exit code."""
        if self.errors or any(result.errors for result in self.results.values()):
            return FAILED
        return FOUND if any(result.left or result.doubtful for result in self.results.values()) else 0


@click.command("gc")
@click.option("--remove", "removes", is_flag=True, help="Remove what is a student's stack's, after asking.")
@yes_option
@choice_options
def gc_command(*, choice: Choice, removes: bool, yes: bool) -> None:
    """List what students' stacks have left on the parents and no state knows, and remove it with --remove.

    This is `nestedlab orphans` over all parents and all students, of the roster and with a seat. Run it while no other
    command works on the class: what an `up` is creating looks the same. A stack that is locked is left out. What
    carries a student's name and an identity that no state knows is listed and never removed: `nestedlab orphans` in the
    student's work folder does, with --identity.

    Exit codes: 0 if nothing was left, 1 after an error, 2 for a wrong option, 3 if something was found (and, with
    --remove, is still there), 130 after Ctrl-C.
    """
    garbage = Garbage()
    known = _known(choice, garbage)
    configurations = {parent: _configuration(choice, parent) for parent in choice.file.course.parents}
    for parent, configuration in configurations.items():
        _survey(garbage, parent, configuration, known)
    own = [(parent, result) for (parent, _), result in garbage.results.items() if result.own]
    if removes and own:
        for _, result in own if not yes else ():
            show_list(result, result.own, f"Will be removed, of {result.stack}")
        choice.confirm("Remove them, with all that is on their disks?", yes=yes)
        for parent, result in own:
            remove(result, configurations[parent], known[result.stack].has)
    _report(choice, garbage, removes=removes)
    sys.exit(garbage.code)


def _known(choice: Choice, garbage: Garbage) -> dict[str, StackRecord]:
    """What the states of the chosen students have, by stack; empty records for students without one."""
    running = Running(choice.file, Operation.STATUS, choice.parallel, cluster=choice.cluster)
    works = Works.of(choice.file)
    outcomes = running.run(choice.seated)
    if any(outcome.interrupted for outcome in outcomes):
        sys.exit(INTERRUPTED)
    students = {seat.id for seat in choice.seated}
    found: dict[str, StackRecord] = {}
    for outcome in outcomes:
        stack = outcome.student
        project = works.lab.name if stack in students else project_name(choice.file.course.name)
        if any(locks.of_files(works.backend, project, stack)):
            garbage.notes.append(f"{stack} is locked, so it is left out: what works on it may be creating something.")
        elif outcome.error:
            garbage.errors.append(f"{stack}: {outcome.error}")
        else:
            record = recorded(StackRecord(project, stack), outcome.state or {})
            found[record.name] = record
    if choice.is_whole:  # who has no seat by now may have had one
        others = [StackRecord(works.lab.name, student.id) for student in choice.file.students]
        found = {**{record.name: record for record in others if record.stack not in students}, **found}
    return found


def _configuration(choice: Choice, parent: str) -> Mapping[str, Any]:
    """The settings that lead to a parent, secrets in clear."""
    found = {}
    for key, setting in host_settings(choice.file.course.parents[parent]).items():
        value = os.environ.get(setting.variable) if setting.variable is not None else setting.value
        if value is None:
            raise ConfigurationError(f"the password of {parent} is in {setting.variable}, which is not set. Set it.")
        found[key] = value
    return found


def _survey(garbage: Garbage, parent: str, configuration: Mapping[str, Any], known: Mapping[str, StackRecord]) -> None:
    """Take what a parent has of each stack."""
    to = connection(configuration, os.environ)
    facts = asked(list(known.values()), to)
    if isinstance(facts, str):
        garbage.errors.append(f"{parent}: {facts}")
        return
    loose: list[set[str]] = []
    notes: dict[str, None] = {}
    for name, record in known.items():
        found = judge(record, facts, None)
        loose.append(set(found.loose_disks))
        notes.update(dict.fromkeys(found.notes))
        result = garbage.results[parent, name] = Result(name)
        result.own += found.own
        result.doubtful += found.doubtful
        result.hosts |= dict.fromkeys(_ids(result), to.host)
    # A file that one stack's state has is loose to the others.
    garbage.loose_disks += [(parent, path) for path in sorted(set.intersection(*loose) if loose else ())]
    garbage.notes += [f"{parent}: {note}" for note in notes]


def _ids(result: Result) -> list[UUID]:
    return [orphan.entry.id for orphan in (*result.own, *result.doubtful)]


def _report(choice: Choice, garbage: Garbage, *, removes: bool) -> None:
    if choice.as_json:
        click.echo(json.dumps(_plain(choice, garbage), indent=2, ensure_ascii=False))
        return
    for result in garbage.shown:
        click.echo(f"{result.stack}:")
        show(result, remove=removes)
    show_rest("this class", garbage.loose_disks, garbage.notes, garbage.errors)
    if garbage.code == 0:
        click.echo("Nothing of the class is left on its parents that no state knows.")


def _plain(choice: Choice, garbage: Garbage) -> dict[str, Any]:
    return {
        "course": choice.file.course.name,
        "stacks": [
            {"parent": parent, **plain(result)} for (parent, _), result in garbage.results.items() if _ids(result)
        ],
        "looseDisks": [{"parent": parent, "path": path} for parent, path in garbage.loose_disks],
        "notes": garbage.notes,
        "errors": [*garbage.errors, *_errors(garbage.results.values())],
    }


def _errors(results: Iterable[Result]) -> list[str]:
    return [error for result in results for error in result.errors]
