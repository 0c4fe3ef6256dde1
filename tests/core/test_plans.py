"""What is run on a host, in which order, and what is made of its answers: plans against canned answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from uuid import UUID

import pytest
from tests.case_files import CASES, DRIFT, cases_in, completed
from tests.core.canned import FILES, CannedHost, answer_of, printed, spelt, usual
from tests.core.healing import SECTIONS, healed, healing

from nestedlab.declare import Resource
from nestedlab.errors import NestedlabError
from nestedlab.lifecycle import HalfMade, Observed, ReadsMany, check, differences
from nestedlab.machine.lifecycle import NestedHyperVHostLifecycle
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.lifecycle import NatSwitchLifecycle
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.perform import perform
from nestedlab.pipeline import Cmdlet, Pipeline, Step
from nestedlab.plain import loaded, plain

LIFECYCLES: dict[type[Resource], Any] = {
    NestedHyperVHost: NestedHyperVHostLifecycle(shutdown_seconds=300),
    NatSwitch: NatSwitchLifecycle(),
}
KINDS: list[type[Resource]] = list(FILES)
HEALED = [pytest.param(kind, name, id=f"{SECTIONS[kind]}-{name}") for kind in KINDS for name in healed(kind)]
NOT_ON_THE_HOST = {"on", "on_power_off", "reset"}
"""Inputs that say where the host is and how to go about a change, and that no look can find different."""


def cases_of(kind: type[Resource]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every case of the resource: those that are written, and those that follow from what drifts."""
    for path in sorted((CASES / "core" / "plans" / FILES[kind]).glob("*.yaml")):
        yield from cases_in(path).items()
    yield from ((f"{name} is healed", healing(kind, name)) for name in healed(kind))


def inputs_of(kind: type[Resource], case: dict[str, Any]) -> Any:
    """What the case's inputs come to, with the usual ones for those not given."""
    inputs, failures = check(kind, {**usual(kind).file["desired"], **case.get("desired", {})})
    assert not failures, failures
    return inputs


def state_of(kind: type[Resource], case: dict[str, Any]) -> Observed[Any, Any]:
    """What the case's state records, with the usual values for those not given."""
    values = {**usual(kind).found, **case.get("known", {})}
    return Observed(usual(kind).identity, loaded(kind, values), loaded(kind.outputs, values))


@dataclass
class Played:
    """What came of a case."""

    steps: list[Step]
    observed: Observed[Any, Any] | None = None
    left: str | None = None
    error: NestedlabError | None = None


def no_delay(_: float) -> None:
    """Have steps run without the delays before them."""


def play(kind: type[Resource], case: dict[str, Any]) -> Played:
    runner = CannedHost(kind, [step.get("answer", []) for step in case["steps"]])
    lifecycle, inputs, state = LIFECYCLES[kind], inputs_of(kind, case), state_of(kind, case)
    plans: dict[str, Any] = {
        "create": lambda: lifecycle.create(inputs),
        "adopt": lambda: replace(lifecycle, adopt=True).create(inputs),
        "read": lambda: lifecycle.read(state),
        "update": lambda: lifecycle.update(inputs, state),
    }
    try:
        if case["do"] == "delete":
            return Played(runner.steps, left=perform(lifecycle.delete(state), runner, no_delay))
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
    goes_as_told(kind, case)


@pytest.mark.parametrize(("kind", "name"), HEALED)
def test_an_update_heals_what_one_cmdlet_has_changed_and_changes_nothing_else(kind: type[Resource], name: str) -> None:
    goes_as_told(kind, healing(kind, name))


def goes_as_told(kind: type[Resource], case: dict[str, Any]) -> None:
    played = play(kind, case)
    assert "\n\n".join(map(printed, played.steps)) == "\n\n".join(spelt(kind, step["says"]) for step in case["steps"])
    if "raises" in case:
        name, *fragments = case["raises"]
        assert type(played.error).__name__ == name, played.error
        assert [text for text in fragments if text not in str(played.error)] == [], str(played.error)
        return
    assert played.error is None, played.error
    assert played.left == case.get("left")
    if "found" in case:
        assert played.observed is not None
        assert played.observed.id == usual(kind).identity
        expected = {**usual(kind).found, **power_state_of(case["found"]), **completed(kind, case["found"])}
        there = {**plain(played.observed.inputs), **plain(played.observed.outputs)}
        assert there == {name: value for name, value in expected.items() if value is not None}
    else:
        assert played.observed is None


def power_state_of(found: dict[str, Any]) -> dict[str, Any]:
    """The power state of a machine that a case says does not run: off, unless the case says so too."""
    return {"power_state": "Off"} if found.get("running") is False else {}


@pytest.mark.parametrize("kind", KINDS)
def test_every_attribute_has_a_case_in_which_it_alone_is_updated(kind: type[Resource]) -> None:
    alone: set[str] = set()
    for _, case in cases_of(kind):
        if case["do"] == "update" and isinstance(case["steps"][0].get("answer"), list):
            inputs = inputs_of(kind, case)
            changed = differences(inputs, first_read(kind, case, inputs))
            alone |= {row.name for row in changed} if len(changed) == 1 else set()
    missing = {row.name for row in kind.attributes()} - NOT_ON_THE_HOST - alone
    assert not missing, (
        f"no case updates {', '.join(sorted(missing))} alone. Say in tests/cases/{DRIFT.relative_to(CASES)}, under "
        f"{SECTIONS[kind]}, how an administrator changes it by hand; if that takes more than one Set- cmdlet with one "
        f"value, say what an update does in tests/cases/core/plans/{FILES[kind]}/update.yaml too."
    )


def first_read(kind: type[Resource], case: dict[str, Any], inputs: Resource) -> Any:
    facts = answer_of(kind, case["steps"][0]["answer"])
    known = Observed(usual(kind).identity, inputs, kind.outputs())
    observed = LIFECYCLES[kind].observe(facts, known)
    return observed.inputs if observed is not None else inputs


@cache
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
        for cmdlet in pipeline.cmdlets:
            assert re.fullmatch(r"[A-Z][a-z]+-[A-Z][A-Za-z]+", cmdlet.name), case
            assert cmdlet.name not in {"Invoke-Command", "Invoke-Expression", "ForEach-Object", "Where-Object"}, case
            assert all(
                value is None or isinstance(value, (str, int, bool, UUID)) for value in cmdlet.parameters.values()
            ), case


def test_whatever_ends_something_says_which_one() -> None:
    """Remove-NetNat without a key removes every NAT of the host, and so do its like."""
    ends = ("Remove-", "Stop-", "Rename-", "Set-", "Resize-", "Connect-", "Disconnect-", "Disable-", "Restore-")
    checked = {
        cmdlet.name for _, pipeline in pipelines() for cmdlet in pipeline.cmdlets if cmdlet.name.startswith(ends)
    }
    assert {"Remove-VM", "Remove-VMSwitch", "Remove-NetNat", "Remove-NetIPAddress", "Remove-Item"} <= checked
    assert {"Remove-VMHardDiskDrive", "Remove-VMNetworkAdapter", "Disable-VMTPM", "Set-VMDvdDrive"} <= checked
    for case, pipeline in pipelines():
        for place, cmdlet in enumerate(pipeline.cmdlets):
            if cmdlet.name.startswith(ends):
                assert keyed(cmdlet, pipeline.cmdlets[:place]), f"{case}: {pipeline}"


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
    if [cmdlet.name for cmdlet in before] == ["New-VM"]:
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
