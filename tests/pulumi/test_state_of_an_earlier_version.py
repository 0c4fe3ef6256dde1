"""A stack that an earlier version recorded, and the host it left: the present code goes on with both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import record
import recorded_host
import yaml
from lab import Lab

from hyperv_sim.host import SimulatedHost

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.pulumi.conftest import LabOn

STATES = Path(__file__).parents[1] / "cases/pulumi/states"

CHANGED_SINCE = {"stackId"}  # decision 0015
"""What a preview may show as changed on each machine and switch of an earlier version's state, with the reason."""

NOT_KNOWN_YET = {"joined": {"nat"}}
"""Inputs that are outputs of what is updated for that: a preview does not know them before."""

SECRETS_NAMED = {"parts": {"__secretInputs"}}
"""Inputs that the program marks as secret, whose names the SDK sends: the provider keeps them out of its log."""

NEW_OUTPUTS = {"powerState"}  # decision 0012
"""The outputs of a machine that came later: the first refresh reads them, and a preview is silent on them."""


@dataclass
class Recorded:
    """A lab with a recorded stack, on the host that was recorded with it."""

    lab: Lab
    parent: Parent
    folder: Path
    before: SimulatedHost
    """The host as it was before the lab."""
    expected: dict[str, Any]

    def program(self, name: str) -> str:
        return (self.folder / name).read_text()

    def assert_only_the_kept_disk_is_left(self) -> None:
        """Once an administrator has removed it, the host is as it was."""
        self.parent.by_hand("Get-VHD", Path=self.expected["kept_disk"])
        self.parent.by_hand("Remove-Item", Path=self.expected["kept_in"], Recurse=True)
        assert self.parent.snapshot() == self.before.snapshot()


@pytest.fixture(params=sorted(program.parent.name for program in STATES.glob("*/__main__.py")))
def recorded(request: pytest.FixtureRequest, parent: Parent, lab_on: LabOn) -> Recorded:
    folder = STATES / request.param
    parent.host.state = recorded_host.rebuilt((folder / record.HOST).read_text()).state
    lab = lab_on(parent, (folder / "__main__.py").read_text())
    lab.environment["PULUMI_CONFIG_PASSPHRASE"] = record.PASSPHRASE
    (lab.folder / record.STACK_CONFIGURATION).write_text((folder / record.STACK_CONFIGURATION).read_text())
    lab.run("stack", "import", "--file", str(folder / record.STACK))
    before = recorded_host.rebuilt((folder / record.HOST_BEFORE).read_text())
    return Recorded(lab, parent, folder, before, yaml.safe_load((folder / "expected.yaml").read_text()))


def test_a_preview_and_a_refresh_find_nothing_but_the_recorded_drift(recorded: Recorded) -> None:
    lab, before = recorded.lab, recorded.parent.snapshot()
    drift = {name: set(properties) for name, properties in recorded.expected["drift"].items()}
    assert lab.outputs()["notes"] == record.SECRET_NOTES
    outputs = {name: shown.get("outputs", {}) for name, shown in lab.resources().items()}
    machines = {name for name, shown in outputs.items() if "vmId" in shown}
    ours = machines | {name for name, shown in outputs.items() if "switchId" in shown}
    preview = lab.preview()
    others = {name: NOT_KNOWN_YET.get(name, set()) | SECRETS_NAMED.get(name, set()) for name in ours}
    expected = {name: CHANGED_SINCE | drift.get(name, set()) | others[name] for name in ours}
    assert preview.diff == expected
    assert {name for name, steps in preview.steps.items() if steps != ["same"]} == ours
    assert drift.keys() <= ours
    refresh = lab.refresh()
    assert refresh.diff == dict.fromkeys(machines, NEW_OUTPUTS)
    assert recorded.parent.snapshot() == before
    assert record.SECRET_NOTES not in str(lab.state())

    assert lab.up("--refresh").drift == {}
    lab.expect_no_changes()


def test_it_is_changed_as_the_program_is_and_destroyed(recorded: Recorded) -> None:
    lab = recorded.lab
    lab.write(recorded.program("changed.py"))
    up = lab.up()
    assert {name: set(steps) for name, steps in up.steps.items() if steps != ["same"]} == {
        name: set(steps) for name, steps in recorded.expected["changed"].items()
    }
    lab.expect_no_changes()
    lab.destroy()
    recorded.assert_only_the_kept_disk_is_left()


def test_it_is_destroyed_as_it_was_recorded(recorded: Recorded) -> None:
    recorded.lab.destroy()
    recorded.assert_only_the_kept_disk_is_left()
