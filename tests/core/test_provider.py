"""The provider on plain values: lost answers, what errors are about, half-made objects; against a canned host."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from nestedlab.errors import (
    AccessError,
    Cancelled,
    ConfigurationError,
    Interrupted,
    NestedlabError,
    RefusedError,
    UnreachableError,
)
from nestedlab.lifecycle import HalfMade
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.perform import Cancellation
from nestedlab.pipeline import Facts, PSObject, Step
from nestedlab.provider import Provider

IT = "2b1c7f3e-0a4d-4c55-9b0e-51f0c4a7d201"
NET = {"name": "net", "prefix": "192.168.50.0/24", "owner": "lab/dev/net"}
MACHINE = {"name": "hv1", "os_disk": {"size_gib": 80}, "owner": "lab/dev/hv1"}
FINE, LOST = Facts(), Interrupted("the connection was lost while trying to make it")


@dataclass
class Host:
    """Sessions with a host, and the runner of each; it answers or raises what it is told to."""

    answers: list[Facts | Exception] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    borrowed: int = 0
    host = "hv01"

    @property
    def ran(self) -> list[str]:
        return [step.purpose for step in self.steps]

    @contextmanager
    def borrow(self) -> Iterator[Host]:
        self.borrowed += 1
        try:
            yield self
        finally:
            self.borrowed -= 1

    def lock(self, _: str) -> threading.Lock:
        return threading.Lock()

    def run(self, step: Step) -> Facts:
        self.steps.append(step)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def provider_of(host: Host, warnings: list[Any] | None = None, cancellation: Cancellation | None = None) -> Provider:
    def report(*warning: Any) -> None:
        if warnings is not None:
            warnings.append(warning)

    return Provider({"nestedlab:address": "hv01"}, {}, lambda _: host, report, cancellation)


def checked(kind: Any, values: dict[str, Any]) -> dict[str, Any]:
    host = Host([UnreachableError("hv01 does not answer")])
    inputs = provider_of(host).check(kind, values)
    assert inputs.failures == ()
    return inputs.inputs


def test_a_machine_on_another_host_than_its_nat_switch_is_told_of() -> None:
    warnings: list[Any] = []
    hosts = {"nestedlab:address": "hv01", "nestedlab:hosts": {"hv02": {"address": "hv02"}}}
    silent = UnreachableError("no answer")

    def report(_kind: Any, owner: str, text: str) -> None:
        warnings.append((owner, text))

    provider = Provider(hosts, {}, lambda _: Host([silent] * 9), report)
    provider.check(NatSwitch, {**NET, "on": "hv02"})
    provider.check(NestedHyperVHost, {**MACHINE, "switch": "NET"})
    provider.check(NestedHyperVHost, {**MACHINE, "name": "hv2", "owner": "lab/dev/hv2", "switch": "net", "on": "hv02"})
    told = [(owner, text) for owner, text in warnings if "Give both the same `on`" in text]
    assert [owner for owner, _ in told] == ["lab/dev/hv1"]
    assert "the NatSwitch 'NET' of this program is on the host hv02" in told[0][1]


def test_what_is_gone_is_none_only_after_a_second_listing() -> None:
    host = Host([FINE, FINE, FINE])
    assert provider_of(host).read(NatSwitch, IT, checked(NatSwitch, NET)) is None
    assert host.ran[-2:] == ["read the NAT switch", "list the switches once more"]
    assert host.borrowed == 0


def test_an_operation_whose_answer_was_lost_begins_again_with_reading() -> None:
    host = Host([FINE, LOST, RefusedError("no")])
    with pytest.raises(RefusedError):
        provider_of(host).create(NatSwitch, checked(NatSwitch, NET))
    first, _, again = host.ran
    assert first == again


def test_the_third_loss_is_an_error() -> None:
    host = Host([FINE, LOST, FINE, LOST, FINE, LOST])
    with pytest.raises(Interrupted) as raised:
        provider_of(host).create(NatSwitch, checked(NatSwitch, NET))
    assert len(host.ran) == 6
    assert str(raised.value) == "hv01: NAT switch 'net': the connection was lost while trying to make it"


@pytest.mark.parametrize(
    ("owner", "asked"),
    [("lab/dev/other", "Get-VM -Name 'hv1'"), (MACHINE["owner"], "Get-VM")],
    ids=["none was begun", "one was begun, perhaps by another name"],
)
def test_a_create_lists_the_machines_again_only_if_one_of_them_was_begun_for_it(owner: Any, asked: str) -> None:
    there = PSObject("VirtualMachine", {"Id": IT, "Name": "x", "Notes": f"[nestedlab owner={owner}]"})
    host = Host([Facts((there,)), RefusedError("no")])
    provider = provider_of(host)
    inputs = provider.check(NestedHyperVHost, MACHINE).inputs
    with pytest.raises(RefusedError):
        provider.create(NestedHyperVHost, inputs)
    assert str(host.steps[-1].pipelines[0]) == asked


@pytest.mark.parametrize("error", [RefusedError("no"), AccessError("no")])
def test_any_other_error_is_raised_at_once_with_host_and_resource_once(error: NestedlabError) -> None:
    host = Host([error])
    with pytest.raises(type(error)) as raised:
        provider_of(host).create(NatSwitch, checked(NatSwitch, NET))
    assert str(raised.value) == "hv01: NAT switch 'net': no"
    assert (len(host.ran), host.borrowed) == (1, 0)


def new_machine(identity: str = IT) -> Facts:
    vm = PSObject("VirtualMachine", {"Id": identity, "Name": "hv1", "State": "Off", "Generation": 2})
    return Facts((vm,))


def test_a_half_made_object_is_an_error_with_its_identity_and_the_front_decides() -> None:
    host = Host([FINE, new_machine(), RefusedError("no")])
    provider = provider_of(host)
    with pytest.raises(HalfMade) as raised:
        provider.create(NestedHyperVHost, checked(NestedHyperVHost, MACHINE))
    assert str(raised.value.made.id) == IT
    assert str(raised.value) == "hv01: machine 'hv1': no"
    asked = len(host.ran)

    host.answers = [new_machine(), FINE, FINE]
    with pytest.raises(RefusedError) as undone:
        provider.undo(NestedHyperVHost, raised.value)
    assert str(undone.value) == "hv01: machine 'hv1': no"
    assert "remove the machine" in host.ran[asked:]


def test_an_undo_that_fails_too_says_what_is_left() -> None:
    host = Host([FINE, new_machine(), RefusedError("no")])
    provider = provider_of(host)
    with pytest.raises(HalfMade) as raised:
        provider.create(NestedHyperVHost, checked(NestedHyperVHost, MACHINE))
    host.answers = [AccessError("not allowed")]
    with pytest.raises(RefusedError) as undone:
        provider.undo(NestedHyperVHost, raised.value)
    assert str(undone.value).startswith("hv01: machine 'hv1': no What was made so far is still on the host")
    assert "not allowed" in str(undone.value)


def test_a_check_without_an_address_says_how_to_set_it() -> None:
    provider = Provider({}, {}, lambda _: Host(), lambda *_: None)
    with pytest.raises(ConfigurationError, match="pulumi config set nestedlab:address"):
        provider.check(NestedHyperVHost, MACHINE)


def test_a_warning_names_the_kind_and_the_owner() -> None:
    warnings: list[Any] = []
    host = Host([UnreachableError("hv01 does not answer")])
    provider_of(host, warnings).check(NestedHyperVHost, MACHINE)
    assert [(kind, owner) for kind, owner, _ in warnings] == [(NestedHyperVHost, "lab/dev/hv1")] * len(warnings)
    assert "hv01 does not answer" in warnings[0][2]


def test_a_cancelled_provider_runs_nothing_more() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    host = Host([FINE])
    with pytest.raises(Cancelled):
        provider_of(host, cancellation=cancellation).create(NatSwitch, checked(NatSwitch, NET))
    assert host.ran == []


SAVED = {**MACHINE, "running": True, "on_power_off": "fail"}


@pytest.mark.parametrize(
    ("power_state", "inputs", "forbidden", "text"),
    [
        ("Saved", {"processors": 2}, True, "the saved machine will be resumed, shut down and started again"),
        ("Saved", {"processors": 2, "on_power_off": "restart"}, False, "the saved machine will be resumed, shut down"),
        ("Saved", {"processors": 2, "running": False}, False, "the saved machine will be resumed and shut down"),
        ("Paused", {"processors": 2}, True, "the paused machine will be resumed, shut down and started again"),
        ("Running", {"processors": 2}, True, "the running machine will be shut down and started again"),
        ("Off", {"processors": 2}, False, ""),
        ("Saved", {"notes": "x"}, False, ""),
    ],
)
def test_a_preview_and_an_update_judge_a_power_state_alike(
    power_state: str, inputs: dict[str, Any], forbidden: bool, text: str
) -> None:
    """A machine that somebody has saved counts as a running one; its saved state is not thrown away unasked."""
    warnings: list[Any] = []
    provider = provider_of(Host(), warnings)
    state = {**checked(NestedHyperVHost, SAVED), "power_state": power_state, "running": power_state == "Running"}
    asked = checked(NestedHyperVHost, {**SAVED, **inputs})
    if forbidden:
        with pytest.raises(RefusedError, match=text):
            provider.diff(NestedHyperVHost, IT, state, asked)
    else:
        provider.diff(NestedHyperVHost, IT, state, asked)
        assert [warning[2][: len(text)] for warning in warnings] == ([text] if text else [])
