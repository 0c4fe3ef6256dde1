"""Reading many resources of a stack in few requests: the first ones that are read bring along what the next ones need.

A refresh reads each resource by itself, and each costs two requests and a session. What was read ahead is used once,
and only within a few seconds, so that no answer is older than a refresh. A missing or doubtful one is read by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable
from uuid import UUID

from nestedlab.declare import Properties
from nestedlab.errors import NestedlabError
from nestedlab.lifecycle import Around, Found, Plan
from nestedlab.pipeline import Facts

_LOG = logging.getLogger(__name__)

_SECONDS = 10.0

Perform: TypeAlias = Callable[[Callable[[], Plan[Any]]], Any]
"""Performs a plan, made afresh for each attempt, and answers its result."""


@runtime_checkable
class LooksAround(Protocol):
    """A lifecycle that can read several resources of its kind at once."""

    def look_around(self, identity: UUID, known: Properties) -> Plan[Around]:
        """Read one resource, and see which others there are of its stack."""
        ...

    def read_all(self, identities: Sequence[UUID]) -> Plan[Mapping[UUID, Facts]]:
        """What the host shows of each; nothing of one where the answer is doubtful."""
        ...

    def found(self, identity: UUID, facts: Facts, known: Properties) -> Found | None:
        """What the facts say of a resource; None where they do not show it."""
        ...


class ReadAhead:
    """What was read ahead of one kind of resource on one host. Safe across threads.

    `turn` is shared by the kinds of a host: the first reads take turns, so that one session serves them all.
    """

    def __init__(self, lifecycle: LooksAround, turn: threading.Lock, now: Callable[[], float] = time.monotonic) -> None:
        self._lifecycle = lifecycle
        self._now = now
        self._turn = turn
        self._looked = False
        self._others: Sequence[UUID] = ()
        self._facts: dict[UUID, Facts] = {}
        self._until = 0.0

    def read(self, identity: UUID, known: Properties, perform: Perform) -> Found | None:
        """The resource, from what was read ahead if it can be; None where it has to be read by itself.

        A stack with one resource pays no request for looking around: only a second one has the others read.
        """
        with self._turn:
            try:
                if not self._looked:
                    return self._first(identity, known, perform)
                if self._others:
                    others, self._others = self._others, ()
                    self._keep(perform(lambda: self._lifecycle.read_all(others)))
            except (NestedlabError, TimeoutError) as error:
                _LOG.info("nothing was read ahead: %s", error)
            facts = self._facts.pop(identity, None) if self._now() < self._until else None
        return self._lifecycle.found(identity, facts, known) if facts is not None else None

    def _first(self, identity: UUID, known: Properties, perform: Perform) -> Found | None:
        self._looked = True
        around: Around = perform(lambda: self._lifecycle.look_around(identity, known))
        self._others = around.others
        self._keep(around.facts)
        return around.found

    def _keep(self, facts: Mapping[UUID, Facts]) -> None:
        self._facts.update(facts)
        self._until = self._now() + _SECONDS
