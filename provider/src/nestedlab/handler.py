"""Performs plans: runs their steps on a host, hands the answers back, and looks again where an answer was lost."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from nestedlab.declare import Properties
from nestedlab.errors import Interrupted, NestedlabError, raise_for
from nestedlab.lifecycle import Found, Lifecycle, Plan
from nestedlab.pipeline import Facts, Runner, Step
from nestedlab.prefetch import ReadAhead

_LOG = logging.getLogger(__name__)

_ATTEMPTS = 3

T = TypeVar("T")


class Runners(Protocol):
    """Where a handler gets a runner from, for one operation."""

    def borrow(self) -> AbstractContextManager[Runner]:
        """A runner for this worker alone."""
        ...


@dataclass(frozen=True)
class Handler:
    """Create, read, update and delete of one resource on one host."""

    lifecycle: Lifecycle
    runners: Runners
    ahead: ReadAhead | None = None
    """What reads many resources at once, if that is wanted."""

    def create(self, desired: Properties) -> Found:
        """Make it, or complete what an earlier attempt has begun. Raises NestedlabError."""
        return self._perform(lambda: self.lifecycle.create(desired), desired)

    def read(self, identity: UUID, known: Properties) -> Found | None:
        """Look at it; None where it is certainly gone. Raises NestedlabError."""
        if self.ahead is not None:
            found = self.ahead.read(identity, known, lambda plan: self._perform(plan, known))
            if found is not None:
                return found
        return self._perform(lambda: self.lifecycle.read(identity, known), known)

    def update(self, identity: UUID, desired: Properties, known: Properties | None = None) -> Found:
        """Bring it, known as at the last look, to what is desired. Raises NestedlabError."""
        return self._perform(lambda: self.lifecycle.update(identity, desired, known), desired)

    def delete(self, identity: UUID, known: Properties) -> None:
        """Remove it. Raises NestedlabError."""
        self._perform(lambda: self.lifecycle.delete(identity, known), known)

    def _perform(self, plan: Callable[[], Plan[T]], about: Properties) -> T:
        """Perform a fresh plan on one runner; where an answer was lost, look again: every plan begins with a look."""
        subject = f"{self.lifecycle.kind.title} {about.get('name', '')!r}"
        with self.runners.borrow() as runner:
            try:
                for attempt in Retrying(
                    retry=retry_if_exception_type(Interrupted), stop=stop_after_attempt(_ATTEMPTS), reraise=True
                ):
                    with attempt:
                        return perform(plan(), runner)
            except NestedlabError as error:
                said = str(error) if str(error).startswith(subject) else f"{subject}: {error}"
                raise type(error)(f"{runner.host}: {said}") from error
        raise AssertionError("unreachable: the last attempt returns or raises")


def perform(plan: Plan[T], runner: Runner) -> T:
    """Run a plan's steps to its end. What a step raises is raised inside the plan, which may catch it."""
    answer: Facts | None = None
    error: Exception | None = None
    while True:
        try:
            step = plan.throw(error) if error is not None else plan.send(answer)  # type: ignore[arg-type] # None starts it
        except StopIteration as end:
            result: T = end.value
            return result
        answer, error = _run(step, runner)


def _run(step: Step, runner: Runner) -> tuple[Facts | None, Exception | None]:
    time.sleep(step.delay)
    try:
        facts = runner.run(step)
        raise_for(facts, step)
    except (NestedlabError, TimeoutError) as error:
        _LOG.debug("%s: %s: %s", runner.host, step.purpose, error)
        return None, error
    return facts, None
