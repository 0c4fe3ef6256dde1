"""Reading many resources of a stack in few requests: the first ones that are read bring along what the next ones need.

A refresh reads each resource by itself, and each costs two requests and a session. What was prefetched is used once,
and only within a few seconds, so that no answer is older than a refresh. A missing or doubtful one is read by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias
from uuid import UUID

from nestedlab.errors import NestedlabError
from nestedlab.lifecycle import InputsT, Observed, OutputsT, Plan, Prefetched, ReadsMany
from nestedlab.pipeline import Facts

_LOG = logging.getLogger(__name__)

_SECONDS = 10.0

Perform: TypeAlias = Callable[[Callable[[], Plan[Any]]], Any]
"""Performs a plan, made afresh for each attempt, and answers its result."""


class Prefetch(Generic[InputsT, OutputsT]):
    """What was prefetched of one kind of resource on one host. Safe across threads.

    `lock` is shared by the kinds of a host: the first reads come one after another, so that one session serves them.
    """

    def __init__(
        self,
        lifecycle: ReadsMany[InputsT, OutputsT],
        lock: threading.Lock,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lifecycle = lifecycle
        self._now = now
        self._lock = lock
        self._has_read = False
        self._others: Sequence[UUID] = ()
        self._facts: dict[UUID, Facts] = {}
        self._until = 0.0

    def read(self, state: Observed[InputsT, OutputsT], perform: Perform) -> Observed[InputsT, OutputsT] | None:
        """The resource, from what was prefetched if it can be; None if it has to be read by itself.

        A stack with one resource pays no further request: only a second one has the others read.
        """
        with self._lock:
            try:
                if not self._has_read:
                    return self._first(state, perform)
                if self._others:
                    others, self._others = self._others, ()
                    self._keep(perform(lambda: self._lifecycle.read_many(others)))
            except (NestedlabError, TimeoutError) as error:
                _LOG.info("nothing was prefetched: %s", error)
            facts = self._facts.pop(state.id, None) if self._now() < self._until else None
        return self._lifecycle.observe(facts, state) if facts is not None else None

    def _first(self, state: Observed[InputsT, OutputsT], perform: Perform) -> Observed[InputsT, OutputsT] | None:
        self._has_read = True
        first: Prefetched[InputsT, OutputsT] = perform(lambda: self._lifecycle.read_first(state))
        self._others = first.others
        self._keep(first.facts)
        return first.read

    def _keep(self, facts: Mapping[UUID, Facts]) -> None:
        self._facts.update(facts)
        self._until = self._now() + _SECONDS
