"""Performing plans: step by step, each after its delay, and what a plan may catch."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

import pytest

from nestedlab.errors import Cancelled, Interrupted, NestedlabError, NotFoundError, RefusedError
from nestedlab.lifecycle import Plan
from nestedlab.perform import TURN, Cancellation, answer_to, perform
from nestedlab.pipeline import ErrorRecord, Facts, PSObject, Step, statement

READ = Step("read", (statement("Get-Thing"),))
MAKE = Step("make it", (statement("New-Thing"),))
FINE = Facts()


@dataclass
class Host:
    """A runner that answers or raises what it is told to."""

    answers: list[Facts | Exception]
    steps: list[Step] = field(default_factory=list)
    host = "hv01"

    @property
    def ran(self) -> list[str]:
        return [step.purpose for step in self.steps]

    def run(self, step: Step) -> Facts:
        self.steps.append(step)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def at_once(_: float) -> None:
    """Wait for nothing."""


def two_steps() -> Plan[Facts]:
    yield READ
    return (yield MAKE)


def test_a_plan_is_performed_step_by_step() -> None:
    host = Host([FINE, Facts(warnings=("made",))])
    assert perform(two_steps(), host, at_once).warnings == ("made",)
    assert host.ran == ["read", "make it"]


def test_an_error_record_is_raised_as_an_error() -> None:
    gone = ErrorRecord("ObjectNotFound,x", "ObjectNotFound", "There is no such thing.", "New-Thing")
    with pytest.raises(NotFoundError, match=r"^could not make it: There is no such thing\."):
        perform(two_steps(), Host([FINE, Facts(errors=(gone,))]), at_once)


def test_a_mistake_of_ours_is_not_dressed_up() -> None:
    with pytest.raises(ZeroDivisionError):
        perform(two_steps(), Host([ZeroDivisionError()]), at_once)


@pytest.mark.parametrize("error", [TimeoutError("late"), RefusedError("no")])
def test_a_plan_may_catch_what_its_step_raises(error: Exception) -> None:
    def plan() -> Plan[str]:
        try:
            yield MAKE
        except (TimeoutError, RefusedError):
            yield READ
            return "caught"
        return "made"

    host = Host([error, FINE])
    assert perform(plan(), host, at_once) == "caught"
    assert host.ran == ["make it", "read"]


def test_a_plan_without_steps_runs_nothing() -> None:
    def plan() -> Plan[int]:
        return 7
        yield READ

    assert perform(plan(), Host([]), at_once) == 7


LOST = Interrupted("the connection was lost")


def test_a_step_that_only_reads_is_run_again_if_its_answer_was_lost() -> None:
    host = Host([LOST, FINE, FINE])
    perform(two_steps(), host, at_once)
    assert host.ran == ["read", "read", "make it"]


def test_the_second_loss_of_a_read_and_the_first_of_any_other_step_are_errors() -> None:
    for answers, ran in (([LOST, LOST], ["read", "read"]), ([FINE, LOST], ["read", "make it"])):
        host = Host([*answers])
        with pytest.raises(Interrupted):
            perform(two_steps(), host, at_once)
        assert host.ran == ran


def test_a_step_runs_after_its_delay() -> None:
    waited: list[tuple[float, list[str]]] = []
    host = Host([FINE])

    def plan() -> Plan[None]:
        yield Step("read", (), delay=2)

    perform(plan(), host, lambda seconds: waited.append((seconds, list(host.ran))))
    assert waited == [(2, [])]


def test_a_cancelled_operation_ends_before_its_next_step() -> None:
    cancellation = Cancellation()

    def plan() -> Plan[None]:
        yield READ
        cancellation.cancel()
        yield MAKE

    host = Host([FINE, FINE])
    with pytest.raises(Cancelled, match="pulumi up"):
        perform(plan(), host, cancellation.wait)
    assert host.ran == ["read"]


def test_a_cancelled_operation_waits_no_longer() -> None:
    cancellation = Cancellation()
    ended: list[NestedlabError] = []

    def wait() -> None:
        try:
            cancellation.wait(600)
        except Cancelled as error:
            ended.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    cancellation.cancel()
    waiting.join(timeout=60)
    assert len(ended) == 1


CUT_OFF = Facts(whole=False)


def test_a_read_that_was_cut_off_is_asked_one_by_one() -> None:
    read = Step("read", (statement("Get-VM"), statement("Get-VMHost"), statement("Get-VHD")))
    parts = [Facts((PSObject(name, {}),)) for name in ("a", "b", "c")]
    host = Host([CUT_OFF, *parts])
    assert [thing.kind for thing in answer_to(read, host).objects] == ["a", "b", "c"]
    assert [len(step.pipelines) for step in host.steps] == [3, 1, 1, 1]


def test_a_step_that_was_cut_off_has_ended_before_its_error_is_raised() -> None:
    refused = ErrorRecord("CommandNotFoundException", "ObjectNotFound", "no", "Set-VM")
    make = Step("make it", (statement("New-VM"), statement("Set-VM"), statement("New-VHD")))
    host = Host([replace(CUT_OFF, errors=(refused,)), FINE, FINE, FINE])
    with pytest.raises(RefusedError):
        perform(one_step(make), host, at_once)
    assert host.steps == [make, TURN, TURN, TURN]


def test_a_step_that_was_cut_off_by_what_it_tolerates_is_an_answer_lost() -> None:
    make = Step("make it", (statement("New-VM"), statement("Set-VM")))
    host = Host([CUT_OFF, FINE, FINE])
    with pytest.raises(Interrupted, match="has not answered all that was sent to make it"):
        perform(one_step(make), host, at_once)


def one_step(step: Step) -> Plan[None]:
    yield step
