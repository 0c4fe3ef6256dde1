"""What checkpoints do to disks: chains of differences, what comes back, and merging in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hyperv_sim.state.files import VirtualDisk

if TYPE_CHECKING:
    from tests.simulator.conftest import Talk

MACHINE = r"New-VM hv1 -Generation 2 -NewVHDPath D:\os.vhdx -NewVHDSizeBytes 1GB"
YES = "-Confirm:$false"


def paths(host: Talk) -> list[str]:
    """The files of the machine's disks, in the slots' order."""
    return [drive["Path"] for drive in host("Get-VMHardDiskDrive hv1").output]


def on_drive_d(host: Talk) -> list[str]:
    """All files on drive D, without the ids in their names."""
    files = host.host.state.files.entries.values()
    return sorted(file.path.split("_")[0] for file in files if file.path.startswith("D:") and not file.is_folder)


def disk(host: Talk, path: str) -> VirtualDisk:
    """What a virtual disk's file holds."""
    file = host.host.state.files.find(path)
    assert file
    assert file.disk
    return file.disk


def merge(host: Talk) -> None:
    """Look at the host until nothing is merged any more."""
    while [machine for machine in host("Get-VM").output if machine["Status"] == "Merging disks"]:
        pass


def test_a_machine_with_a_checkpoint_writes_to_differences(talk: type[Talk]) -> None:
    host = talk()
    host(f"{MACHINE}; Checkpoint-VM hv1 one")
    (path,) = paths(host)
    assert path.startswith("D:\\os_")
    assert path.endswith(".avhdx")
    (shown,) = host(f"Get-VHD {path}").output
    assert (shown["ParentPath"], shown["VhdType"], shown["Size"]) == (r"D:\os.vhdx", "Differencing", 2**30)
    before = host("Get-VMSnapshot hv1 | Select-Object -ExpandProperty HardDrives").output
    assert [drive["Path"] for drive in before] == [r"D:\os.vhdx"]


def test_a_second_checkpoints_differences_are_named_after_the_disk_too(talk: type[Talk]) -> None:
    host = talk()
    host(f"{MACHINE}; Checkpoint-VM hv1 one; Checkpoint-VM hv1 two")
    (path,) = paths(host)
    assert path.count("_") == 1
    assert on_drive_d(host) == ["D:\\os", "D:\\os", "D:\\os.vhdx"]


def test_what_was_written_since_is_gone_after_restoring(talk: type[Talk]) -> None:
    host = talk()
    host(f"{MACHINE}; Start-VM hv1; Stop-VM hv1")
    base = disk(host, r"D:\os.vhdx").written
    host("Checkpoint-VM hv1 one; Start-VM hv1; Stop-VM hv1")
    (since,) = paths(host)
    assert disk(host, since).written != base
    assert host(f"Restore-VMSnapshot one hv1 {YES}").ids == []
    (now,) = paths(host)
    assert now != since
    assert host.host.state.files.find(since) is None
    assert disk(host, now).written == base
    assert host("Start-VM hv1").ids == []


def test_a_disk_added_since_is_detached_and_its_file_stays(talk: type[Talk]) -> None:
    host = talk()
    host(rf"{MACHINE}; Checkpoint-VM hv1 one; New-VHD D:\data.vhdx 1GB; Add-VMHardDiskDrive hv1 -Path D:\data.vhdx")
    assert len(paths(host)) == 2
    host(f"Restore-VMSnapshot one hv1 {YES}")
    assert len(paths(host)) == 1
    assert host(r"Test-Path D:\data.vhdx").output == [True]


def test_a_disk_detached_since_comes_back(talk: type[Talk]) -> None:
    host = talk()
    host(f"{MACHINE}; Checkpoint-VM hv1 one; Remove-VMHardDiskDrive hv1 SCSI 0 0")
    assert paths(host) == []
    host(f"Restore-VMSnapshot one hv1 {YES}")
    assert len(paths(host)) == 1


def test_a_removed_checkpoint_is_merged_some_looks_later(talk: type[Talk]) -> None:
    host = talk()
    host(f"{MACHINE}; Checkpoint-VM hv1 one; Start-VM hv1; Stop-VM hv1")
    (since,) = paths(host)
    written = disk(host, since).written
    assert host(f"Remove-VMSnapshot hv1 one {YES}").ids == []
    assert paths(host) == [since]
    statuses = [host("Get-VM").output[0] for _ in range(3)]
    assert [status["Status"] for status in statuses] == ["Merging disks", "Merging disks", "Operating normally"]
    assert [status["SecondaryOperationalStatus"] for status in statuses] == ["MergingDisks", "MergingDisks", None]
    assert paths(host) == [r"D:\os.vhdx"]
    assert disk(host, r"D:\os.vhdx").written == written
    assert on_drive_d(host) == ["D:\\os.vhdx"]
    assert host("Start-VM hv1").ids == []


@pytest.mark.parametrize(
    "command",
    [
        "Start-VM hv1",
        "Checkpoint-VM hv1 two",
        "Remove-VM hv1 -Force",
        r"Get-VHD D:\os.vhdx",
        r"Resize-VHD D:\os.vhdx 2GB",
    ],
)
def test_nothing_is_done_to_disks_that_are_being_merged(talk: type[Talk], command: str) -> None:
    host = talk()
    host(f"{MACHINE}; Checkpoint-VM hv1 one; Remove-VMSnapshot hv1 one {YES}")
    (identifier,) = host(command).ids
    assert identifier.split(",")[0] in {"InvalidState", "ObjectInUse"}
    merge(host)
    assert host(command).ids == []


def test_the_disks_of_a_removed_machine_are_merged_too(talk: type[Talk]) -> None:
    host = talk()
    before = host.host.snapshot()
    host(f"{MACHINE}; Checkpoint-VM hv1 one; Checkpoint-VM hv1 two")
    assert host("Remove-VM hv1 -Force").ids == []
    tries = [host(r"Remove-Item -LiteralPath D:\os.vhdx").ids for _ in range(3)]
    assert [len(ids) for ids in tries] == [1, 1, 0]
    assert host.host.snapshot() == before


def test_a_middle_checkpoint_is_merged_into_its_own_disk(talk: type[Talk]) -> None:
    host = talk()
    host(f"{MACHINE}; Checkpoint-VM hv1 one; Start-VM hv1; Stop-VM hv1; Checkpoint-VM hv1 two; Checkpoint-VM hv1 three")
    kept = host("Get-VMSnapshot hv1 -Name three | Select-Object -ExpandProperty HardDrives").output[0]["Path"]
    written = disk(host, kept).written
    host(f"Remove-VMSnapshot hv1 two {YES}")
    merge(host)
    (now,) = host("Get-VMSnapshot hv1 -Name three | Select-Object -ExpandProperty HardDrives").output
    assert disk(host, now["Path"]).written == written
    assert len(on_drive_d(host)) == 3
    assert host("Start-VM hv1; Stop-VM hv1").ids == []
    for name in ("three", "one"):
        assert host(f"Restore-VMSnapshot {name} hv1 {YES}; Start-VM hv1; Stop-VM hv1").ids == []


def test_a_branch_that_is_left_behind_stays_until_its_checkpoint_goes(talk: type[Talk]) -> None:
    host = talk()
    host(f"{MACHINE}; Checkpoint-VM hv1 one; Checkpoint-VM hv1 two; Restore-VMSnapshot one hv1 {YES}")
    assert len(on_drive_d(host)) == 3
    host(f"Remove-VMSnapshot hv1 one {YES}")
    merge(host)
    assert len(on_drive_d(host)) == 3
    assert host("Start-VM hv1; Stop-VM hv1").ids == []
    host(f"Remove-VMSnapshot hv1 two {YES}")
    merge(host)
    assert host("Start-VM hv1; Stop-VM hv1").ids == []
    assert on_drive_d(host) == ["D:\\os.vhdx"]


def test_a_golden_image_is_never_merged_with_what_was_made_on_it(talk: type[Talk]) -> None:
    host = talk()
    host(r"New-VHD D:\base.vhdx 1GB; New-VHD D:\os.vhdx -ParentPath D:\base.vhdx")
    host(rf"New-VM hv1 -Generation 2 -VHDPath D:\os.vhdx; Checkpoint-VM hv1 one; Remove-VMSnapshot hv1 one {YES}")
    merge(host)
    assert on_drive_d(host) == [r"D:\base.vhdx", r"D:\os.vhdx"]
    assert host(r"Get-VHD D:\os.vhdx").output[0]["ParentPath"] == r"D:\base.vhdx"


def test_a_checkpoint_whose_disk_is_gone_cannot_be_restored(talk: type[Talk]) -> None:
    host = talk()
    host(rf"{MACHINE}; Checkpoint-VM hv1 one; Remove-Item -LiteralPath D:\os.vhdx")
    before = host.host.snapshot()
    assert host(f"Restore-VMSnapshot one hv1 {YES}").ids == [
        "OperationFailed,Microsoft.HyperV.PowerShell.Commands.RestoreVMSnapshot"
    ]
    assert host.host.snapshot() == before


def test_a_host_can_merge_at_once(talk: type[Talk]) -> None:
    host = talk(reads_to_merge=0)
    host(f"{MACHINE}; Checkpoint-VM hv1 one; Remove-VMSnapshot hv1 one {YES}")
    assert paths(host) == [r"D:\os.vhdx"]


def test_differences_are_not_a_disk_like_others(talk: type[Talk]) -> None:
    host = talk()
    host(f"{MACHINE}; Checkpoint-VM hv1 one; New-VM hv2 -Generation 2")
    (path,) = paths(host)
    for command in (f"Resize-VHD {path} 2GB", f"Add-VMHardDiskDrive hv2 -Path {path}"):
        answer = host(command)
        assert answer.failed
        assert answer.failed.fully_qualified_error_id.startswith("NotSimulated")


ACTS = ("run", "checkpoint", "restore", "remove", "remove with children", "look")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # a class
@given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 20)), max_size=14))
def test_whatever_is_done_disks_stay_whole_and_nothing_is_left_over(
    talk: type[Talk], acts: list[tuple[str, int]]
) -> None:
    """Every checkpoint brings its own contents back, and once all are gone the machine has its one disk again."""
    host = talk()
    host(MACHINE)
    contents: dict[str, Any] = {}
    for turn, (act, number) in enumerate(acts):
        names = [checkpoint["Name"] for checkpoint in host("Get-VMSnapshot hv1").output]
        chosen = names[number % len(names)] if names else None
        if act == "look":
            merge(host)
        elif act == "run":
            merge(host)
            assert host("Start-VM hv1; Stop-VM hv1").ids == []
        elif act == "checkpoint":
            merge(host)
            contents[f"c{turn}"] = disk(host, paths(host)[0]).written
            assert host(f"Checkpoint-VM hv1 c{turn}").ids == []
        elif chosen and act == "restore":
            merge(host)
            assert host(f"Restore-VMSnapshot {chosen} hv1 {YES}").ids == []
            assert disk(host, paths(host)[0]).written == contents[chosen]
        elif chosen:
            children = "-IncludeAllChildSnapshots " if act == "remove with children" else ""
            assert host(f"Remove-VMSnapshot hv1 {chosen} {children}{YES}").ids == []
    host(f"Get-VMSnapshot hv1 | Remove-VMSnapshot {YES}")
    merge(host)
    assert paths(host) == [r"D:\os.vhdx"]
    assert on_drive_d(host) == [r"D:\os.vhdx"]
    assert host("Start-VM hv1").ids == []
