"""Disks that a machine was given move from slot to slot in one update."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hyperv_sim.state.disks import place

if TYPE_CHECKING:
    from tests.provider.conftest import Provider

ONE, TWO = r"C:\Images\one.vhdx", r"C:\Images\two.vhdx"


@pytest.mark.parametrize(
    "after",
    [
        [{"path": ONE, "location": 2}],
        [{"path": TWO}, {"path": ONE}],
        [{"path": TWO}],
    ],
    ids=["moved", "swapped", "moved into the place of another"],
)
def test_a_given_disk_goes_to_another_slot(after: list[dict[str, Any]], provider: Provider) -> None:
    files = provider.parent.host.state.files
    for path in (ONE, TWO):
        place(files, path)
    made = provider.create("machine", data_disks=[{"path": ONE}, {"path": TWO}])
    now = provider.update("machine", made, data_disks=after)
    assert now.values["data_disks"] == provider.desired("machine", data_disks=after)["data_disks"]
    assert now.values["running"] is True
    assert files.find(ONE)
    assert files.find(TWO)


@pytest.mark.parametrize("looks", [0, 3])
def test_a_given_disk_is_whole_when_its_machine_has_gone(looks: int, provider: Provider) -> None:
    provider.parent.host.state.reads_to_merge = looks
    files = provider.parent.host.state.files
    given = place(files, ONE)
    before = provider.parent.snapshot()
    made = provider.create("machine", os_disk={"path": ONE}, baseline="clean", running=False)
    provider.parent.by_hand("Checkpoint-VM", Name="hv1", SnapshotName="by hand")
    provider.delete("machine", made)
    assert not given.is_busy
    assert provider.parent.snapshot() == before
