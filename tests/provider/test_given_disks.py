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
