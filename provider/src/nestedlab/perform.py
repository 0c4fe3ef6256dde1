"""Performs plans: runs their steps on a host, waits before them, and hands the answers back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol, TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from nestedlab.errors import Cancelled, Interrupted, NestedlabError, raise_for, tolerated
from nestedlab.lifecycle import Plan
from nestedlab.pipeline import END, Facts, Runner, Step
from nestedlab.retry import LOST_READ

TURN = Step("wait for the rest of a batch", (END,))
"""What is sent to take a turn."""

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


class Runners(Protocol):
    """Where an operation gets a runner from."""

    def borrow(self) -> AbstractContextManager[Runner]:
        """A runner for this worker alone."""
        ...


class Cancellation:
    """Whether the operations of a process are to end; safe across threads."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """End every operation before its next step. What has been created by then is completed by the next `up`."""
        self._cancelled.set()

    def wait(self, seconds: float) -> None:
        """Wait before a step. Raises Cancelled as soon as the operation is cancelled."""
        if self._cancelled.wait(seconds):
            raise Cancelled("the operation was cancelled; run `pulumi up` to complete it")


def perform(plan: Plan[T], runner: Runner, wait: Callable[[float], None]) -> T:
    """Run a plan's steps to its end, each after its delay, which `wait` waits for.

    What a step raises is raised inside the plan, which may catch it. Raises what the plan and `wait` raise.
    """
    answer: Facts | None = None
    error: Exception | None = None
    while True:
        try:
            step = plan.throw(error) if error is not None else plan.send(answer)  # type: ignore[arg-type] # None starts it
        except StopIteration as end:
            result: T = end.value
            return result
        wait(step.delay)
        answer, error = _run(step, runner)


def answer_to(step: Step, runner: Runner) -> Facts:
    """What the host answers; a step that only reads is run again if its answer was lost, or was cut off.

    A terminating error cuts a batch off (an unknown or hidden command or parameter, a value that a role refuses): the
    host tells an end, and runs the rest all the same, unheard. What only reads is then asked one by one. Of what
    changes something the rest has ended when this returns.
    """
    attempts = LOST_READ if step.only_reads else 1
    for attempt in Retrying(
        retry=retry_if_exception_type(Interrupted), stop=stop_after_attempt(attempts), reraise=True
    ):
        with attempt:
            facts = runner.run(step)
            if facts.whole:
                return facts
            return _one_by_one(step, runner) if step.only_reads else _once_all_has_run(facts, step, runner)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _one_by_one(step: Step, runner: Runner) -> Facts:
    """What the host answers to each pipeline by itself, which nothing cuts off."""
    answers = [runner.run(replace(step, pipelines=(pipeline,))) for pipeline in step.pipelines]
    return Facts(
        tuple(thing for answer in answers for thing in answer.objects),
        tuple(error for answer in answers for error in answer.errors),
        tuple(warning for answer in answers for warning in answer.warnings),
    )


def _once_all_has_run(facts: Facts, step: Step, runner: Runner) -> Facts:
    """The facts, once the rest of the batch has run.

    A session runs one thing at a time: what is sent now waits for the statement that is running, and comes before the
    next one, which was queued behind it. After as many turns as there are statements, none is left.
    """
    for _ in step.pipelines:
        runner.run(TURN)
    if all(tolerated(error, step) for error in facts.errors):
        raise Interrupted(f"the host has not answered all that was sent to {step.purpose}")
    return facts


def _run(step: Step, runner: Runner) -> tuple[Facts | None, Exception | None]:
    try:
        facts = answer_to(step, runner)
        raise_for(facts, step)
    except (NestedlabError, TimeoutError) as error:
        _LOG.debug("%s: %s: %s", runner.host, step.purpose, error)
        return None, error
    return facts, None
