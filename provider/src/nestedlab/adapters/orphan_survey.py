"""Asks hosts for what is a stack's and in no state of it, and removes it: for one stack, or for those of a class."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from nestedlab.connection import Connection
from nestedlab.errors import NestedlabError
from nestedlab.orphans import Orphan, Orphans, StackRecord, survey
from nestedlab.perform import perform
from nestedlab.pipeline import Facts
from nestedlab.provider import Provider
from nestedlab.psrp.sessions import sessions_with

FOUND = 3
"""The exit code if something of the stack is left on a host."""


@dataclass
class Result:
    """What of a stack was found, removed, and could not be."""

    stack: str
    own: list[Orphan] = field(default_factory=list)
    doubtful: list[Orphan] = field(default_factory=list)
    loose_disks: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    removed: list[Orphan] = field(default_factory=list)
    hosts: dict[UUID, str] = field(default_factory=dict)
    """The host of each object, by its id."""

    @property
    def left(self) -> list[Orphan]:
        """The stack's own that are still there."""
        return [orphan for orphan in self.own if orphan not in self.removed]

    @property
    def code(self) -> int:
        """The exit code."""
        if self.errors:
            return 1
        return FOUND if self.left or self.doubtful else 0

    def add(self, host: str, found: Orphans) -> None:
        """Take what a host has; an object is counted once, if two names lead to one host."""
        seen = {(orphan.what, orphan.entry.id, orphan.name) for orphan in (*self.own, *self.doubtful)}
        for orphans, known in ((found.own, self.own), (found.doubtful, self.doubtful)):
            known += [orphan for orphan in orphans if (orphan.what, orphan.entry.id, orphan.name) not in seen]
            self.hosts = {**{orphan.entry.id: host for orphan in orphans}, **self.hosts}
        self.loose_disks += [(host, path) for path in found.loose_disks]
        self.notes += [f"{host}: {note}" for note in found.notes]


def asked(records: Sequence[StackRecord], to: Connection) -> Facts | str:
    """What a host has that may be the stacks'; why that is not known, in words, if it is away."""
    try:
        with sessions_with(to).borrow() as runner:
            return perform(survey(*records), runner, time.sleep)
    except (NestedlabError, TimeoutError) as error:
        return f"{to.host}: {error}"


def remove(result: Result, configuration: Mapping[str, Any], has: Callable[[UUID], bool]) -> None:
    """Remove what is the stack's, unless its state `has` got it meanwhile. Machines first: switches are for them."""
    provider = Provider(configuration, os.environ, sessions_with, lambda _kind, _owner, text: result.notes.append(text))
    for orphan in sorted(
        result.own, key=lambda orphan: orphan.what not in ("machine", "disks of a machine that is gone")
    ):
        entry = orphan.entry
        if has(entry.id):
            result.notes.append(f"{orphan.what} {orphan.name!r} is in the stack's state by now, and stays.")
            continue
        before = len(result.notes)
        try:
            provider.delete(entry.kind, str(entry.id), entry.values)
        except (NestedlabError, TimeoutError) as error:
            result.errors.append(str(error))
        else:
            result.removed += [orphan] if len(result.notes) == before else []
