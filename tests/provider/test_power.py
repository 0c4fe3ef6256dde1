"""What an administrator does to a machine's power by hand: a preview and an update decide alike on what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nestedlab.errors import AccessError, RefusedError

if TYPE_CHECKING:
    from tests.provider.conftest import Provider

RESUMED = "the saved machine will be resumed, shut down and started again to change processors"


@pytest.mark.parametrize("is_refreshed", [True, False])
def test_a_saved_machine_that_must_not_be_powered_off_is_refused_by_preview_and_update_alike(
    is_refreshed: bool, provider: Provider
) -> None:
    machine = provider.create("machine", on_power_off="fail")
    provider.parent.by_hand("Save-VM", Name="hv1")
    before = provider.parent.snapshot()
    state = provider.seen("machine", machine) if is_refreshed else machine
    for operation in (provider.diff, provider.update):
        with pytest.raises(RefusedError, match=r"to change processors, and on_power_off='fail' forbids that"):
            operation("machine", state, processors=2, on_power_off="fail")
    assert provider.parent.snapshot() == before


def test_a_saved_machine_is_resumed_and_shut_down_with_an_announcement(provider: Provider) -> None:
    machine = provider.create("machine")
    provider.parent.by_hand("Save-VM", Name="hv1")
    state = provider.seen("machine", machine)
    assert (state.values["power_state"], state.values["running"]) == ("Saved", False)
    provider.diff("machine", state, processors=2)
    assert provider.warnings == [RESUMED]
    now = provider.update("machine", state, processors=2)
    assert (now.values["processors"], now.values["power_state"]) == (2, "Running")


def test_a_saved_machine_that_the_program_wants_off_is_shut_down_whatever_the_policy(provider: Provider) -> None:
    machine = provider.create("machine", on_power_off="fail")
    provider.parent.by_hand("Save-VM", Name="hv1")
    inputs = {"running": False, "on_power_off": "fail", "processors": 2}
    state = provider.seen("machine", machine)
    provider.diff("machine", state, **inputs)
    assert provider.warnings == ["the saved machine will be resumed and shut down to change processors"]
    now = provider.update("machine", state, **inputs)
    assert (now.values["processors"], now.values["power_state"]) == (2, "Off")


def test_a_saved_state_is_not_thrown_away_for_a_change_that_needs_no_power_off(provider: Provider) -> None:
    machine = provider.create("machine", running=False)
    with provider.parent.at_prompt() as run:
        run("Start-VM", Name="hv1")
        run("Save-VM", Name="hv1")
    now = provider.update("machine", provider.seen("machine", machine), running=False, notes="changed")
    assert (now.values["notes"], now.values["power_state"]) == ("changed", "Saved")


def test_a_machine_that_may_not_open_its_disk_is_told_of_both_causes(provider: Provider) -> None:
    machine = provider.create("machine", running=False)
    disk = provider.parent.host.state.files.find(provider.parent.machine("hv1").drives[0].path)
    assert disk is not None
    disk.is_barred = True
    with pytest.raises(AccessError, match=r"start the machine: .*Hyper-V Administrators.* icacls FILE"):
        provider.update("machine", machine, running=True)
