"""What is run on a host, in which order, and what is made of its answers: plans against canned answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from nestedlab import errors
from nestedlab.declare import Resource
from nestedlab.errors import NestedlabError
from nestedlab.lifecycle import HalfMade, Observed, ReadsMany, check, differences
from nestedlab.machine.lifecycle import NestedHyperVHostLifecycle
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.lifecycle import NatSwitchLifecycle
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.perform import perform
from nestedlab.pipeline import Cmdlet, ErrorRecord, Facts, Pipeline, PSObject, Step
from nestedlab.plain import loaded, plain

CASES = Path(__file__).resolve().parent.parent / "cases" / "core"
FILES: dict[type[Resource], str] = {NestedHyperVHost: "nested_hyperv_host", NatSwitch: "nat_switch"}
LIFECYCLES: dict[type[Resource], ReadsMany[Any, Any]] = {
    NestedHyperVHost: NestedHyperVHostLifecycle(shutdown_seconds=300),
    NatSwitch: NatSwitchLifecycle(),
}
KINDS: list[type[Resource]] = list(FILES)
NOT_ON_THE_HOST = {"on", "on_power_off", "reset"}
"""Inputs that say where the host is and how to go about a change, and that no look can find different."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@cache
def host_of(kind: type[Resource]) -> dict[str, Any]:
    """What the cases of a resource start from: objects, problems, texts, and what is desired, known and found."""
    host: dict[str, Any] = yaml.safe_load((CASES / "hosts" / f"{FILES[kind]}.yaml").read_text(encoding="utf-8"))
    return host


def cases_of(kind: type[Resource]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((CASES / "plans" / FILES[kind]).glob("*.yaml")):
        yield from yaml.safe_load(path.read_text(encoding="utf-8")).items()


def answer_of(kind: type[Resource], told: list[Any]) -> Facts:
    """An answer as the cases tell it: names of objects, groups and problems, with what differs from the usual."""
    objects: list[PSObject] = []
    problems: list[ErrorRecord] = []
    for one in told:
        [(name, changes)] = one.items() if isinstance(one, dict) else [(one, {})]
        if name in host_of(kind)["problems"]:
            problems.append(ErrorRecord(**{**host_of(kind)["problems"][name], **changes}))
        elif name in host_of(kind)["groups"]:
            members = host_of(kind)["groups"][name]
            assert changes.keys() <= set(members), f"{name} has no {changes.keys() - set(members)}"
            objects += [
                object_of(kind, each, changes.get(each) or {}) for each in members if changes.get(each, {}) is not None
            ]
        else:
            objects.append(object_of(kind, name, changes))
    return Facts(tuple(objects), tuple(problems))


def object_of(kind: type[Resource], name: str, changes: dict[str, Any]) -> PSObject:
    properties = {**host_of(kind)["objects"][name], **changes}
    short_name = properties.pop("kind", name)
    guids = {key: UUID(one) for key, one in properties.items() if isinstance(one, str) and _GUID.fullmatch(one)}
    return PSObject(short_name, {**properties, **guids})


def spelt(kind: type[Resource], text: str) -> str:
    """A text of a case, with what stands for <name> in it."""
    texts = host_of(kind)["texts"]
    while "<" in text:
        text = re.sub(r"<([a-z ]+)>", lambda found: str(texts[found[1]]).strip(), text)
    return text.strip()


def printed(step: Step) -> str:
    """The step and, on a line of its own, what is not usual in how it is run."""
    manner = {"timeout": step.timeout, "delay": step.delay, "lock": step.lock}
    unusual = ", ".join(f"{name} {value}" for name, value in manner.items() if value)
    return f"{step}\n~ {unusual}" if unusual else str(step)


@dataclass
class CannedHost:
    """A runner that answers as the case says."""

    kind: type[Resource]
    answers: list[list[Any] | str]
    steps: list[Step] = field(default_factory=list)
    host = "hv01"

    def run(self, step: Step) -> Facts:
        self.steps.append(step)
        if len(self.steps) > len(self.answers):
            pytest.fail(f"nothing more was to be run, but was:\n{printed(step)}")
        told = self.answers[len(self.steps) - 1]
        if isinstance(told, str):
            raise {"TimeoutError": TimeoutError, **vars(errors)}[told]("as the case says")
        return answer_of(self.kind, told)


def inputs_of(kind: type[Resource], case: dict[str, Any]) -> Any:
    """What the case's inputs come to, with the usual ones for those not given."""
    inputs, failures = check(kind, {**host_of(kind)["desired"], **case.get("desired", {})})
    assert not failures, failures
    return inputs


def state_of(kind: type[Resource], case: dict[str, Any]) -> Observed[Any, Any]:
    """What the case's state records, with the usual values for those not given."""
    values = {**host_of(kind)["found"], **case.get("known", {})}
    return Observed(UUID(host_of(kind)["identity"]), loaded(kind, values), loaded(kind.outputs, values))


@dataclass
class Played:
    """What came of a case."""

    steps: list[Step]
    observed: Observed[Any, Any] | None = None
    error: NestedlabError | None = None


def no_delay(_: float) -> None:
    """Have steps run without the delays before them."""


def play(kind: type[Resource], case: dict[str, Any]) -> Played:
    runner = CannedHost(kind, [step.get("answer", []) for step in case["steps"]])
    lifecycle, inputs, state = LIFECYCLES[kind], inputs_of(kind, case), state_of(kind, case)
    plans: dict[str, Any] = {
        "create": lambda: lifecycle.create(inputs),
        "read": lambda: lifecycle.read(state),
        "update": lambda: lifecycle.update(inputs, state),
        "delete": lambda: lifecycle.delete(state),
    }
    try:
        return Played(runner.steps, perform(plans[case["do"]](), runner, no_delay))
    except HalfMade as half_made:
        return rolled_back(lifecycle, half_made, runner)
    except NestedlabError as error:
        return Played(runner.steps, error=error)


def rolled_back(lifecycle: ReadsMany[Any, Any], half_made: HalfMade, runner: CannedHost) -> Played:
    """What a front does that cannot keep a half-made object."""
    try:
        perform(lifecycle.undo(half_made.made), runner, no_delay)
    except NestedlabError as second:
        return Played(runner.steps, error=type(half_made.error)(f"{half_made} (removing it failed too: {second})"))
    return Played(runner.steps, error=half_made.error)


@pytest.mark.cases("plans/*/*.yaml")
def test_a_plan_runs_these_steps_and_comes_to_this(case: dict[str, Any], kind: type[Resource]) -> None:
    played = play(kind, case)
    assert "\n\n".join(map(printed, played.steps)) == "\n\n".join(spelt(kind, one["says"]) for one in case["steps"])
    if "raises" in case:
        name, *fragments = case["raises"]
        assert type(played.error).__name__ == name, played.error
        assert [one for one in fragments if one not in str(played.error)] == [], str(played.error)
        return
    assert played.error is None, played.error
    if "found" in case:
        assert played.observed is not None
        assert played.observed.id == UUID(host_of(kind)["identity"])
        expected = {**host_of(kind)["found"], **power_state_of(case["found"]), **case["found"]}
        there = {**plain(played.observed.inputs), **plain(played.observed.outputs)}
        assert there == {name: value for name, value in expected.items() if value is not None}
    else:
        assert played.observed is None


def power_state_of(found: dict[str, Any]) -> dict[str, Any]:
    """The power state of a machine that a case says does not run: off, unless the case says so too."""
    return {"power_state": "Off"} if found.get("running") is False else {}


@pytest.mark.parametrize("kind", KINDS)
def test_every_attribute_has_a_case_in_which_it_alone_is_updated(kind: type[Resource]) -> None:
    alone = set()
    for _, case in cases_of(kind):
        if case["do"] == "update" and isinstance(case["steps"][0].get("answer"), list):
            inputs = inputs_of(kind, case)
            changed = differences(inputs, first_read(kind, case, inputs))
            alone |= {row.name for row in changed} if len(changed) == 1 else set()
    assert alone == {row.name for row in kind.attributes()} - NOT_ON_THE_HOST


def first_read(kind: type[Resource], case: dict[str, Any], inputs: Resource) -> Any:
    facts = answer_of(kind, case["steps"][0]["answer"])
    known = Observed(UUID(host_of(kind)["identity"]), inputs, kind.outputs())
    observed = LIFECYCLES[kind].observe(facts, known)
    return observed.inputs if observed is not None else inputs


def pipelines() -> list[tuple[str, Pipeline]]:
    """Every pipeline that any case runs."""
    return [
        (f"{kind.__name__}: {name}", pipeline)
        for kind in KINDS
        for name, case in cases_of(kind)
        for step in play(kind, case).steps
        for pipeline in step.pipelines
    ]


def test_cmdlets_only_never_script_text() -> None:
    for case, pipeline in pipelines():
        for one in pipeline.cmdlets:
            assert re.fullmatch(r"[A-Z][a-z]+-[A-Z][A-Za-z]+", one.name), case
            assert one.name not in {"Invoke-Command", "Invoke-Expression", "ForEach-Object", "Where-Object"}, case
            assert all(
                value is None or isinstance(value, (str, int, bool, UUID)) for value in one.parameters.values()
            ), case


def test_whatever_ends_something_says_which_one() -> None:
    """Remove-NetNat without a key removes every NAT of the host, and so do its like."""
    ends = ("Remove-", "Stop-", "Rename-", "Set-", "Resize-", "Connect-", "Disconnect-", "Disable-", "Restore-")
    checked = {one.name for _, pipeline in pipelines() for one in pipeline.cmdlets if one.name.startswith(ends)}
    assert {"Remove-VM", "Remove-VMSwitch", "Remove-NetNat", "Remove-NetIPAddress", "Remove-Item"} <= checked
    assert {"Remove-VMHardDiskDrive", "Remove-VMNetworkAdapter", "Disable-VMTPM", "Set-VMDvdDrive"} <= checked
    for case, pipeline in pipelines():
        for place, one in enumerate(pipeline.cmdlets):
            if one.name.startswith(ends):
                assert keyed(one, pipeline.cmdlets[:place]), f"{case}: {pipeline}"


def keyed(ending: Cmdlet, before: tuple[Cmdlet, ...]) -> bool:
    """Whether the cmdlet has a key of its own, or gets what was just made or what one GUID names, or a slot of that."""
    keys = {
        "Remove-NetNat": {"Name"},
        "Remove-NetNatStaticMapping": {"NatName", "StaticMappingID"},
        "Remove-NetIPAddress": {"InterfaceIndex", "IPAddress"},
        "Remove-Item": {"LiteralPath"},
        "Resize-VHD": {"Path"},
    }
    if ending.name in keys:
        given = {name: value for name, value in ending.parameters.items() if value != ""}
        return not before and keys[ending.name] <= given.keys()
    if [one.name for one in before] == ["New-VM"]:
        return True
    named = {"Get-VM", "Get-VMSnapshot", "Get-VMSwitch"}
    if not before or before[0].name not in named or before[0].parameters.keys() != {"Id"}:
        return False
    if ending.name in ("Remove-VMNetworkAdapter", "Disable-VMIntegrationService"):
        return ending.parameters.keys() == {"Name"}
    if ending.name == "Set-VMDvdDrive":
        return before[-1].name == "Get-VMDvdDrive"
    slot = {"ControllerNumber", "ControllerLocation"}
    return ending.name != "Remove-VMHardDiskDrive" or before[-1].parameters.keys() == slot
