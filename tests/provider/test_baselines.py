"""A baseline: taken once, kept, restored, removed; and disks that have the files of checkpoints in front of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hyperv_sim.state.disks import place
from nestedlab.errors import NestedlabError, NotFoundError, RefusedError, RevertedError
from nestedlab.lifecycle import check
from nestedlab.machine.table import NestedHyperVHost

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.provider.conftest import NewProvider, Provider, Thing

    from hyperv_sim.state.machines import Checkpoint
    from nestedlab.perform import Cancellation

IMAGE, GIVEN = r"C:\Images\ws.vhdx", r"C:\Images\given.vhdx"
DISKS: list[dict[str, Any]] = [{"size_gib": 5}, {"parent": IMAGE}, {"size_gib": 1, "fixed": True}, {"path": GIVEN}]
"""A data disk of each kind."""


@pytest.fixture(autouse=True)
def _images(parent: Parent) -> None:
    for path in (IMAGE, GIVEN):
        place(parent.host.state.files, path, size=2**30)


def test_it_is_taken_of_a_machine_that_is_off_and_set_up_and_kept_over_updates(provider: Provider) -> None:
    before = provider.parent.snapshot()
    made = provider.create("machine", baseline="clean", processors=2, notes="mine", data_disks=DISKS)
    taken = _only(provider.parent)
    assert made.values["baseline_id"] == str(taken.id)
    assert (taken.state.name, taken.settings.processor.count) == ("Off", 2)
    assert str(taken.settings.notes).startswith("mine")
    assert len(taken.settings.drives) == 1 + len(DISKS)
    assert made.values["running"] is True

    changed = provider.update("machine", made, baseline="clean", processors=3, data_disks=DISKS, iso="")
    assert (changed.values["baseline"], changed.values["baseline_id"]) == ("clean", str(taken.id))
    assert _only(provider.parent) is taken
    provider.delete("machine", changed)
    assert _without_writes(provider.parent.snapshot()) == _without_writes(before)


def test_it_costs_two_requests(provider: Provider) -> None:
    requests = provider.parent.server.requests
    provider.delete("machine", provider.create("machine"))  # the session is open
    requests.reset()
    plain = provider.create("machine")
    costs = requests.reset().http
    provider.delete("machine", plain)
    requests.reset()
    made = provider.create("machine", baseline="clean")
    assert requests.reset().http == costs + 2
    provider.read("machine", made)
    assert requests.reset().http <= 2


def test_one_is_added_to_a_running_machine(provider: Provider) -> None:
    made = provider.create("machine")
    now = provider.update("machine", made, baseline="clean")
    assert (now.values["baseline"], now.values["running"]) == ("clean", True)
    assert _only(provider.parent).state.name == "Off"


def test_none_is_taken_of_a_machine_whose_setting_was_reverted(provider: Provider) -> None:
    parent = provider.parent
    made = provider.create("machine")
    parent.host.revert_silently("VMProcessor", "Count")
    with pytest.raises(RevertedError, match="processors"):
        provider.update("machine", made, baseline="clean", processors=2)
    assert parent.machine("hv1").checkpoints == []


def test_disks_with_checkpoints_before_them_have_not_drifted(provider: Provider) -> None:
    made = provider.create("machine", running=False, baseline="clean", data_disks=DISKS)
    assert provider.seen("machine", made).values == made.values
    with provider.parent.at_prompt() as run:
        run("Checkpoint-VM", Name="hv1", SnapshotName="by hand")
        run("Checkpoint-VM", Name="hv1", SnapshotName="once more")
    state = {**made.values, "checkpoints": ["by hand", "once more"]}
    assert provider.seen("machine", made).values == state
    same = provider.update("machine", made, running=False, baseline="clean", data_disks=DISKS)
    assert same.values == state


def test_an_administrators_checkpoint_is_none_of_a_machine_without_a_baseline(provider: Provider) -> None:
    before = _without_writes(provider.parent.snapshot())
    made = provider.create("machine", running=False, data_disks=DISKS)
    provider.parent.by_hand("Checkpoint-VM", Name="hv1", SnapshotName="by hand")
    held = list(range(1 + len(DISKS)))
    state = {**made.values, "checkpoints": ["by hand"], "checkpointed_disks": held}
    assert provider.seen("machine", made).values == state
    provider.update("machine", made, running=False, notes="changed", data_disks=DISKS)
    assert _names(provider.parent) == ["by hand"]
    provider.delete("machine", made)
    assert _without_writes(provider.parent.snapshot()) == before


def test_one_that_is_lost_is_told_and_replaces_the_machine(provider: Provider) -> None:
    made = provider.create("machine", running=False, baseline="clean")
    provider.parent.host.state.reads_to_merge = 0
    with provider.parent.at_prompt() as run:
        run("Remove-VMSnapshot", VMName="hv1", Confirm=False)
        # A new checkpoint of the same name is not the baseline: it is of another moment.
        run("Checkpoint-VM", Name="hv1", SnapshotName="clean")
    state = provider.seen("machine", made)
    assert state.values == {**made.values, "baseline": "", "baseline_id": "", "checkpoints": ["clean"]}
    diff = provider.diff("machine", state, running=False, baseline="clean")
    assert [row.name for row in diff.replaces] == ["baseline"]
    with pytest.raises(RefusedError, match="baseline"):
        provider.update("machine", made, running=False, baseline="clean", notes="changed")


@pytest.mark.parametrize("running", [True, False])
def test_another_name_is_another_moment_and_the_one_before_goes(running: bool, provider: Provider) -> None:
    parent = provider.parent
    before = _without_writes(parent.snapshot())
    made = provider.create("machine", running=running, baseline="clean", data_disks=DISKS)
    if running:
        parent.by_hand("Stop-VM", Name="hv1", TurnOff=True)
    parent.by_hand("Checkpoint-VM", Name="hv1", SnapshotName="by hand")
    now = provider.update("machine", made, running=running, baseline="second", data_disks=DISKS)
    assert now.values["baseline"] == "second"
    assert now.values["baseline_id"] != made.values["baseline_id"]
    assert provider.seen("machine", now).values == now.values
    assert _names(parent) == ["by hand", "second"]
    provider.delete("machine", now)
    assert _without_writes(parent.snapshot()) == before


def test_given_up_it_goes_and_its_disks_can_change_again(provider: Provider) -> None:
    made = provider.create("machine", baseline="clean", data_disks=DISKS)
    now = provider.update("machine", made, data_disks=DISKS)
    assert (now.values.get("baseline"), now.values["baseline_id"], now.values["running"]) == (None, "", True)
    assert _names(provider.parent) == []
    grown = provider.update("machine", now, os_disk={"size_gib": 81}, data_disks=DISKS[:1])
    assert provider.seen("machine", grown).values == grown.values


@pytest.mark.parametrize(
    "inputs", [{"os_disk": {"size_gib": 81}}, {"data_disks": DISKS[:1]}, {"data_disks": [{"size_gib": 6}, *DISKS[1:]]}]
)
def test_a_disk_that_it_holds_is_not_changed_and_nothing_is_shut_down(inputs: Any, provider: Provider) -> None:
    made = provider.create("machine", baseline="clean", data_disks=DISKS)
    before = provider.parent.snapshot()
    with pytest.raises(RefusedError, match="a checkpoint uses this disk"):
        provider.update("machine", made, **{"baseline": "clean", "data_disks": DISKS, "processors": 2, **inputs})
    assert provider.parent.snapshot() == before
    assert provider.parent.machine("hv1").state.name == "Running"


def test_checkpoints_switched_off_rule_it_out() -> None:
    inputs = {"name": "hv1", "os_disk": {"size_gib": 80}, "owner": "a/b/c", "checkpoint_type": "Disabled"}
    assert check(NestedHyperVHost, inputs)[1] == []
    (failed,) = check(NestedHyperVHost, {**inputs, "baseline": "clean"})[1]
    assert failed.path == ("checkpoint_type",)
    assert "no baseline" in failed.reason


SINCE = {
    "baseline": "clean",
    "processors": 2,
    "notes": "since",
    "data_disks": [*DISKS, {"location": 9, "size_gib": 3}],
    "adapters": [{"name": "lan", "vlan": 12}, {"name": "wan", "mac": "00-15-5d-01-02-03"}],
}
"""The inputs after the baseline was taken."""


@pytest.fixture
def since(provider: Provider) -> Thing:
    """A machine with a baseline that was changed since, and worked in."""
    made = provider.create("machine", baseline="clean", data_disks=DISKS)
    now = provider.update("machine", made, **SINCE)
    _work(provider.parent)
    return now


def test_a_reset_goes_back_and_settings_are_as_the_program_says(since: Thing, provider: Provider) -> None:
    parent = provider.parent
    now = provider.update("machine", since, **SINCE, reset="1")
    assert now.values == {**since.values, "reset": "1"}
    assert provider.seen("machine", now).values == now.values
    machine = parent.machine("hv1")
    assert not _worked_in(parent)
    assert (machine.state.name, machine.processor.count) == ("Running", 2)
    assert _only(parent).settings.processor.count == 4

    _work(parent)
    before = parent.snapshot()
    parent.server.requests.reset()
    assert provider.update("machine", now, **SINCE, reset="1").values == now.values
    assert parent.snapshot() == before
    assert parent.server.requests.reset().http <= 2
    provider.update("machine", now, **SINCE, reset="2")
    assert not _worked_in(parent)


def test_a_first_baseline_and_a_reset_at_once_go_back_to_nothing(provider: Provider) -> None:
    made = provider.create("machine")
    now = provider.update("machine", made, baseline="clean", reset="1")
    assert (now.values["baseline"], now.values["reset"]) == ("clean", "1")
    assert _names(provider.parent) == ["clean"]


def test_one_that_was_renamed_by_hand_gets_its_name_back(provider: Provider) -> None:
    made = provider.create("machine", baseline="clean")
    taken = _only(provider.parent)
    name = taken.name
    provider.parent.by_hand("Rename-VMSnapshot", VMName="hv1", Name=name, NewName="by hand")
    state = provider.seen("machine", made)
    assert state.values == {**made.values, "baseline": "by hand"}
    assert provider.update("machine", state, baseline="clean").values == made.values
    assert _only(provider.parent) is taken
    assert taken.name == name


def test_a_reset_without_its_baseline_turns_nothing_off(since: Thing, provider: Provider) -> None:
    parent = provider.parent
    parent.by_hand("Remove-VMSnapshot", VMName="hv1", Confirm=False)
    with pytest.raises((NotFoundError, RefusedError), match="baseline"):
        provider.update("machine", since, **SINCE, reset="1")
    assert parent.machine("hv1").state.name == "Running"


@pytest.mark.parametrize("changing", ["reset", "baseline"])
def test_interrupted_anywhere_it_comes_to_its_end(changing: str, since: Thing, provider: Provider) -> None:
    parent, now = provider.parent, since
    for number in range(1, 40):
        inputs = {**SINCE, changing: f"number {number}"}
        _work(parent)
        plan = parent.server.arm(f"drop-answer any#{number}")
        try:
            now = provider.update("machine", now, **inputs)
        except NestedlabError:
            now = provider.update("machine", now, **inputs)
        finally:
            parent.server.arm()
        assert provider.seen("machine", now).values == now.values, number
        assert (now.values["baseline"], now.values["running"]) == (inputs["baseline"], True), number
        assert _names(parent) == [inputs["baseline"]], number
        assert not _worked_in(parent), number  # after a new baseline: the work is in a file below
        if not plan.fired:
            return
    raise AssertionError("an update still met a fault at request 39")


def test_one_that_takes_long_to_merge_is_waited_for(
    parent: Parent, new_provider: NewProvider, no_delay: Cancellation
) -> None:
    provider = new_provider(parent, no_delay)
    before = _without_writes(parent.snapshot())
    made = provider.create("machine", baseline="clean", data_disks=DISKS)
    parent.host.state.reads_to_merge = 5
    provider.delete("machine", made)
    assert _without_writes(parent.snapshot()) == before


def test_another_name_for_it_does_not_wait_for_the_merge_to_start_again(provider: Provider) -> None:
    parent = provider.parent
    made = provider.create("machine", baseline="clean", data_disks=DISKS)
    parent.host.state.reads_to_merge = 60
    now = provider.update("machine", made, baseline="second", data_disks=DISKS)
    assert (now.values["baseline"], now.values["running"]) == ("second", True)
    assert provider.seen("machine", now).values == now.values


def test_an_administrators_of_the_same_name_is_never_ours(provider: Provider) -> None:
    made = provider.create("machine", running=False)
    provider.parent.by_hand("Checkpoint-VM", Name="hv1", SnapshotName="clean")
    stranger = _only(provider.parent)
    now = provider.update("machine", made, running=False, baseline="clean")
    assert now.values["baseline_id"] != str(stranger.id)
    provider.update("machine", now, running=False)
    assert _only(provider.parent) is stranger


def _only(parent: Parent) -> Checkpoint:
    (checkpoint,) = parent.machine("hv1").checkpoints
    return checkpoint


def _names(parent: Parent) -> list[str]:
    """The names of the machine's checkpoints; names of baselines without the machine's id."""
    machine = parent.machine("hv1")
    return sorted(checkpoint.name.removesuffix(f"-{machine.id.hex[:12]}") for checkpoint in machine.checkpoints)


def _work(parent: Parent) -> None:
    """Make the guest write to each of its disks."""
    for disk in _disks(parent):
        disk.written = "work"


def _worked_in(parent: Parent) -> bool:
    return any(disk.written == "work" for disk in _disks(parent))


def _disks(parent: Parent) -> list[Any]:
    files = parent.host.state.files
    return [getattr(files.find(drive.path), "disk", None) for drive in parent.machine("hv1").drives]


def _without_writes(snapshot: Any) -> Any:
    """The host without what a machine has written to a disk that it was given."""
    for file in snapshot["files"]["entries"].values():
        file["disk"] = file["disk"] and {**file["disk"], "written": ""}
    return snapshot
