"""The data on a machine's disks is lost only if the program requests it, whatever somebody has done on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hyperv_sim.state.disks import place
from nestedlab.errors import ConflictError, NotFoundError, RefusedError

if TYPE_CHECKING:
    from tests.provider.conftest import Provider

    from hyperv_sim.state.files import File

GIVEN = r"C:\Images\given.vhdx"
ONE: dict[str, Any] = {"data_disks": [{"size_gib": 5}]}
KEPT: dict[str, Any] = {"data_disks": [{"size_gib": 5, "keep": True}]}


@pytest.fixture(autouse=True)
def _merges_at_once(provider: Provider) -> None:
    provider.parent.host.state.reads_to_merge = 0


def data_disk(provider: Provider) -> File:
    """The file that was made for location 1."""
    entries = provider.parent.host.state.files.entries.values()
    (file,) = [entry for entry in entries if "-data1-" in entry.path and entry.path.endswith(".vhdx")]
    return file


def _moved_by_hand(provider: Provider, to: int) -> None:
    drive = {"VMName": "hv1", "ControllerType": "SCSI", "ControllerNumber": 0}
    path = data_disk(provider).path
    with provider.parent.at_prompt() as run:
        run("Remove-VMHardDiskDrive", **drive, ControllerLocation=1)
        run("Add-VMHardDiskDrive", **drive, ControllerLocation=to, Path=path)


@pytest.mark.parametrize("inputs", [ONE, KEPT], ids=["made", "kept"])
def test_a_disk_that_somebody_has_moved_is_put_back_with_what_is_on_it(
    inputs: dict[str, Any], provider: Provider
) -> None:
    made = provider.create("machine", **inputs)
    file = data_disk(provider)
    _moved_by_hand(provider, to=7)
    seen = provider.seen("machine", made)
    assert [(disk["location"], disk["keep"]) for disk in seen.values["data_disks"]] == [(7, inputs is KEPT)]
    healed = provider.update("machine", made, **inputs, notes="x")
    assert [disk["location"] for disk in healed.values["data_disks"]] == [1]
    assert data_disk(provider) is file


def test_the_file_of_a_made_disk_goes_when_a_given_one_takes_its_place(provider: Provider) -> None:
    made = provider.create("machine", **ONE)
    path = data_disk(provider).path
    provider.parent.host.place(GIVEN)
    given = provider.update("machine", made, data_disks=[{"path": GIVEN}])
    assert provider.parent.host.state.files.find(path) is None
    assert path not in given.values["made_disks"]


def test_nothing_is_taken_out_for_a_file_that_is_not_there(provider: Provider) -> None:
    made = provider.create("machine", **ONE)
    before = provider.parent.snapshot()
    with pytest.raises(NotFoundError, match=r"data_disks\[1\]\.path: D:\\typo\.vhdx is not a virtual disk"):
        provider.update("machine", made, data_disks=[{"path": r"D:\typo.vhdx"}], processors=2)
    assert provider.parent.snapshot() == before
    assert provider.parent.machine("hv1").state.name == "Running"


def test_a_kept_disk_is_not_another_one_in_its_place(provider: Provider) -> None:
    made = provider.create("machine", **KEPT)
    file = data_disk(provider)
    without = provider.update("machine", made)
    assert without.values["kept_disks"] == [file.path]
    with pytest.raises(ConflictError, match="attach it with path"):
        provider.update("machine", without, **ONE)
    given = provider.update("machine", without, data_disks=[{"path": file.path.upper()}])
    assert given.values["data_disks"] == [{"location": 1, "path": file.path.upper(), "fixed": False, "keep": False}]
    provider.delete("machine", given)
    assert data_disk(provider) is file


def test_a_kept_disk_stays_if_a_given_file_takes_its_place(provider: Provider) -> None:
    place(provider.parent.host.state.files, GIVEN, size=2**30)
    made = provider.create("machine", **KEPT)
    file = data_disk(provider)
    now = provider.update("machine", made, data_disks=[{"path": GIVEN}])
    assert now.values["kept_disks"] == [file.path]
    assert data_disk(provider) is file


def test_a_reset_keeps_a_disk_that_is_to_be_kept_and_makes_another_anew(provider: Provider) -> None:
    made = provider.create("machine", baseline="clean")
    for inputs in (KEPT, ONE):
        made = provider.update("machine", made, baseline="clean", **inputs)
        file = data_disk(provider)
        made = provider.update("machine", made, baseline="clean", **inputs, reset=str(inputs))
        assert (data_disk(provider) is file) == (inputs is KEPT)


def test_a_reset_leaves_what_somebodys_checkpoint_holds(provider: Provider) -> None:
    inputs: dict[str, Any] = {**ONE, "baseline": "clean", "running": False}
    made = provider.update("machine", provider.create("machine", baseline="clean", running=False), **inputs)
    provider.parent.by_hand("Checkpoint-VM", Name="hv1", SnapshotName="before exam")
    seen = provider.seen("machine", made)
    assert (seen.values["checkpoints"], seen.values["checkpointed_disks"]) == (["before exam"], [0, 1])
    before = provider.parent.snapshot()
    with pytest.raises(RefusedError, match="'before exam' was not taken by nestedlab"):
        provider.update("machine", made, **inputs, reset="1")
    assert provider.parent.snapshot() == before


def test_a_machine_whose_checkpoint_is_being_merged_can_be_read(provider: Provider) -> None:
    made = provider.create("machine", baseline="clean", **ONE)
    provider.parent.host.state.reads_to_merge = 3
    without = provider.update("machine", made, **ONE)
    assert without.values["data_disks"] == made.values["data_disks"]
    again = provider.seen("machine", without)
    assert again.values["data_disks"] == made.values["data_disks"]


def test_a_drive_on_another_controller_is_told_and_left_alone(provider: Provider) -> None:
    made = provider.create("machine", running=False)
    provider.parent.host.place(GIVEN)
    drive = {"VMName": "hv1", "ControllerType": "SCSI", "ControllerNumber": 1, "ControllerLocation": 0, "Path": GIVEN}
    with provider.parent.at_prompt() as run:
        run("Add-VMScsiController", VMName="hv1")
        run("Add-VMHardDiskDrive", **drive)
    seen = provider.seen("machine", made)
    assert seen.values["other_disks"] == [GIVEN]
    assert provider.update("machine", made, running=False, processors=2).values["other_disks"] == [GIVEN]


@pytest.mark.parametrize("running", [True, False])
def test_a_disk_goes_and_those_that_the_baseline_holds_stay(running: bool, provider: Provider) -> None:
    inputs: dict[str, Any] = {"baseline": "clean", "running": running}
    made = provider.create("machine", **inputs)
    os_disk = str(made.values["os_disk_path"])
    with_disk = provider.update("machine", made, **inputs, **ONE)
    without = provider.update("machine", with_disk, **inputs)
    assert provider.parent.host.state.files.find(os_disk) is not None
    assert without.values["made_disks"] == [os_disk]
    again = provider.update("machine", without, **inputs, name="hv2", **ONE)
    assert provider.parent.host.state.files.find(os_disk) is not None
    provider.delete("machine", again)
    assert provider.parent.host.state.files.find(os_disk) is None


def test_what_a_baseline_holds_stays_where_somebody_has_taken_it_out(provider: Provider) -> None:
    inputs: dict[str, Any] = {"baseline": "clean", "running": False}
    made = provider.create("machine", **inputs, **ONE)
    file = data_disk(provider)
    drive = {"VMName": "hv1", "ControllerType": "SCSI", "ControllerNumber": 0, "ControllerLocation": 1}
    provider.parent.by_hand("Remove-VMHardDiskDrive", **drive)
    seen = provider.seen("machine", made)
    other: dict[str, Any] = {"data_disks": [{"location": 2, "size_gib": 6}]}
    now = provider.update("machine", seen, **inputs, **other)
    assert data_disk(provider) is file
    assert file.path in now.values["made_disks"]
    back = provider.update("machine", now, **inputs, **ONE, reset="1")
    assert [disk["location"] for disk in back.values["data_disks"]] == [1]


def test_a_reset_does_not_take_a_kept_file_for_a_disk_to_make_anew(provider: Provider) -> None:
    inputs: dict[str, Any] = {"baseline": "clean", "running": False}
    made = provider.update("machine", provider.create("machine", **inputs), **inputs, **KEPT)
    file = data_disk(provider)
    without = provider.update("machine", made, **inputs)
    with pytest.raises(ConflictError, match="attach it with path"):
        provider.update("machine", without, **inputs, **ONE, reset="1")
    assert data_disk(provider) is file


def test_a_kept_file_that_was_given_back_by_its_path_stays_when_it_is_taken_out(provider: Provider) -> None:
    made = provider.update("machine", provider.create("machine", **KEPT))
    file = data_disk(provider)
    given = provider.update("machine", made, data_disks=[{"path": file.path}])
    provider.update("machine", given)
    assert data_disk(provider) is file


def test_a_disk_that_was_made_under_another_name_of_the_machine_is_put_back(provider: Provider) -> None:
    made = provider.update("machine", provider.create("machine", **ONE), name="hv2", **ONE)
    file = data_disk(provider)
    drive = {"VMName": "hv2", "ControllerType": "SCSI", "ControllerNumber": 0, "ControllerLocation": 1}
    provider.parent.by_hand("Remove-VMHardDiskDrive", **drive)
    seen = provider.seen("machine", made)
    provider.update("machine", seen, name="hv2", **ONE)
    assert data_disk(provider) is file


def test_a_file_stays_if_windows_does_not_take_its_disk_out(provider: Provider) -> None:
    made = provider.create("machine", running=False, **ONE)
    file = data_disk(provider)
    provider.parent.host.refuse("Remove-VMHardDiskDrive", "InvalidState", "InvalidOperation")
    with pytest.raises(RefusedError, match=r"data_disks\[1\]: could not apply the settings"):
        provider.update("machine", made, running=False)
    assert data_disk(provider) is file
    provider.parent.host.allow("Remove-VMHardDiskDrive")
    provider.update("machine", made, running=False)
    assert provider.parent.host.state.files.find(file.path) is None


def test_a_forced_replacement_leaves_no_file_that_only_the_old_state_knows(provider: Provider) -> None:
    before = provider.parent.snapshot()
    made = provider.create("machine", **ONE)
    drive = {"VMName": "hv1", "ControllerType": "SCSI", "ControllerNumber": 0, "ControllerLocation": 1}
    provider.parent.by_hand("Remove-VMHardDiskDrive", **drive)
    old = provider.seen("machine", made)
    new = provider.create("machine")
    provider.delete("machine", old)
    assert "the machine is kept" in provider.warnings[-1]
    provider.delete("machine", new)
    assert provider.parent.snapshot() == before
