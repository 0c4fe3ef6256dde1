"""Performing plans: looking again where an answer was lost, and telling errors once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

import pytest

from nestedlab.declare import Properties, Resource
from nestedlab.errors import AccessError, Interrupted, NestedlabError, NotFoundError, RefusedError
from nestedlab.handler import Handler, perform
from nestedlab.lifecycle import Found, Plan
from nestedlab.pipeline import Facts, ErrorRecord, Step, statement
from nestedlab.nat_switch.table import NatSwitch

# ruff: noqa: ARG002 - a lifecycle's methods have the arguments of the protocol

IT = UUID("2b1c7f3e-0a4d-4c55-9b0e-51f0c4a7d201")
LOOK = Step("look", (statement("Get-Thing"),))
MAKE = Step("make it", (statement("New-Thing"),))


@dataclass
class TwoSteps:
    """A lifecycle that looks and then makes."""

    plans: int = 0
    kind: ClassVar[type[Resource]] = NatSwitch

    def create(self, desired: Properties) -> Plan[Found]:
        self.plans += 1
        yield LOOK
        facts = yield MAKE
        return Found(IT, {"name": desired["name"]}, facts)

    def read(self, identity: UUID, known: Properties) -> Plan[Found | None]:
        self.plans += 1
        yield LOOK
        return None

    def update(self, identity: UUID, desired: Properties, known: Properties | None = None) -> Plan[Found]:
        return (yield from self.create(desired))

    def delete(self, identity: UUID, known: Properties) -> Plan[None]:
        self.plans += 1
        yield MAKE


@dataclass
class Host:
    """A runner, and what hands it out; it answers or raises what it is told to."""

    answers: list[Facts | Exception]
    ran: list[str] = field(default_factory=list)
    host = "hv01"
    borrowed: int = 0

    @contextmanager
    def borrow(self) -> Iterator[Host]:
        self.borrowed += 1
        try:
            yield self
        finally:
            self.borrowed -= 1

    def run(self, step: Step) -> Facts:
        self.ran.append(step.purpose)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


FINE, LOST = Facts(), Interrupted("the connection was lost while trying to make it")


def handled(host: Host) -> Handler:
    return Handler(TwoSteps(), host)


def test_a_plan_is_performed_step_by_step() -> None:
    host = Host([FINE, FINE])
    found = handled(host).create({"name": "net"})
    assert (found.id, found.values, host.ran, host.borrowed) == (IT, {"name": "net"}, ["look", "make it"], 0)


def test_a_lost_answer_is_looked_for_from_the_beginning() -> None:
    host = Host([FINE, LOST, FINE, FINE])
    handled(host).create({"name": "net"})
    assert host.ran == ["look", "make it", "look", "make it"]


def test_the_third_loss_is_told() -> None:
    host = Host([FINE, LOST, FINE, LOST, LOST, FINE])
    with pytest.raises(Interrupted) as told:
        handled(host).create({"name": "net"})
    assert host.ran == ["look", "make it", "look", "make it", "look"]
    assert str(told.value) == "hv01: NAT switch 'net': the connection was lost while trying to make it"


@pytest.mark.parametrize("error", [RefusedError("no"), AccessError("no")])
def test_any_other_error_is_told_at_once_with_host_and_subject_once(error: NestedlabError) -> None:
    host = Host([FINE, error])
    with pytest.raises(type(error)) as told:
        handled(host).update(IT, {"name": "net"})
    assert str(told.value) == "hv01: NAT switch 'net': no"
    assert (host.ran, host.borrowed) == (["look", "make it"], 0)


def test_a_problem_on_the_host_is_told_as_an_error() -> None:
    gone = ErrorRecord("ObjectNotFound,x", "ObjectNotFound", "There is no such thing.", "New-Thing")
    with pytest.raises(NotFoundError, match=r"^hv01: NAT switch 'net': could not make it: There is no such thing\."):
        handled(Host([Facts(errors=(gone,))])).delete(IT, {"name": "net"})


def test_what_is_gone_is_none() -> None:
    assert handled(Host([FINE])).read(IT, {"name": "net"}) is None


def test_a_mistake_of_ours_is_not_dressed_up() -> None:
    with pytest.raises(ZeroDivisionError):
        handled(Host([ZeroDivisionError()])).read(IT, {"name": "net"})


@pytest.mark.parametrize("error", [TimeoutError("late"), RefusedError("no")])
def test_a_plan_may_catch_what_its_step_raises(error: Exception) -> None:
    def plan() -> Plan[str]:
        try:
            yield MAKE
        except (TimeoutError, RefusedError):
            yield LOOK
            return "caught"
        return "made"

    host = Host([error, FINE])
    assert perform(plan(), host) == "caught"
    assert host.ran == ["make it", "look"]


def test_a_plan_without_steps_runs_nothing() -> None:
    def plan() -> Plan[int]:
        return 7
        yield LOOK

    assert perform(plan(), Host([])) == 7


def test_a_step_is_paused_for_before_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[Any] = []
    host = Host([FINE])
    monkeypatch.setattr("nestedlab.handler.time.sleep", lambda seconds: paused.append((seconds, list(host.ran))))

    def plan() -> Plan[None]:
        yield Step("look", (), delay=2)

    perform(plan(), host)
    assert paused == [(2, [])]
