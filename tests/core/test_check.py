"""What a program may ask for, as it arrives on Pulumi's wire, and what it is told where it may not."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime import rpc
from tests.case_files import completed

from nestedlab.adapters.wire import from_wire, path_on_wire
from nestedlab.declare import Resource
from nestedlab.lifecycle import Lifecycle, check
from nestedlab.machine.lifecycle import NestedHyperVHostLifecycle
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.lifecycle import NatSwitchLifecycle
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.plain import loaded, plain

OWNER = "lab/dev/it"
LIFECYCLES: dict[type[Resource], Lifecycle[Any, Any]] = {
    NestedHyperVHost: NestedHyperVHostLifecycle(),
    NatSwitch: NatSwitchLifecycle(),
}


def sent(value: Any) -> Any:
    """What the case has, with the engine's sign for a value that is not known yet in place of UNKNOWN."""
    if isinstance(value, dict):
        return {name: sent(part) for name, part in value.items()}
    if isinstance(value, list):
        return [sent(part) for part in value]
    return rpc.UNKNOWN if value == "UNKNOWN" else value


def checked(kind: type[Resource], case: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    program, unknown = from_wire(kind, {"owner": OWNER, **sent(case["program"])})
    inputs, failures = check(kind, program, unknown)
    if inputs is not None and "before" in case:
        failures = [*failures, *LIFECYCLES[kind].validate_change(inputs, loaded(kind, case["before"]))]
    return plain(inputs) if inputs else {}, {path_on_wire(failure.path): failure.reason for failure in failures}


@pytest.mark.cases("check/*.yaml")
def test_inputs_are_checked(case: dict[str, Any], kind: type[Resource]) -> None:
    inputs, failures = checked(kind, case)
    assert failures.keys() == case.get("failures", {}).keys()
    for path, fragment in case.get("failures", {}).items():
        assert fragment in failures[path]
    if "inputs" in case:
        unsaid = plain(loaded(kind, {"owner": OWNER}))
        assert inputs == {**unsaid, **completed(kind, case["inputs"])}


@pytest.mark.cases("check/*.yaml")
def test_no_complaint_speaks_of_the_library_that_finds_it(case: dict[str, Any], kind: type[Resource]) -> None:
    for reason in checked(kind, case)[1].values():
        assert not any(word in reason for word in ("Input should", "input should", "pattern", "Value error", "extra_"))


def test_half_a_character_is_refused_wherever_it_is() -> None:
    program = {"name": "hv1", "notes": "\ud83d", "data_disks": [{"path": "D:\\\udfff.vhdx"}], "owner": OWNER}
    _, failures = check(NestedHyperVHost, program)
    refused = {failure.path: failure.reason for failure in failures if "cannot be sent to a host" in failure.reason}
    assert refused.keys() == {("notes",), ("data_disks", "0", "path")}
    assert "must not contain '\\ud83d'" in refused[("notes",)]
