"""A class at once on one golden image: every machine is made, and nothing writes to the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperv_sim.state.disks import place

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.pulumi.conftest import LabOn

IMAGE = r"C:\Images\ws2022.vhdx"
STUDENTS = 10
CLASS = f"""
import pulumi_nestedlab as lab

net = lab.NatSwitch("net", prefix="192.168.50.0/24")
for student in range({STUDENTS}):
    lab.NestedHyperVHost(
        f"student{{student}}",
        os_disk=lab.Disk(parent={IMAGE!r}, size_gib=200),
        data_disks=[lab.DataDisk(parent={IMAGE!r})],
        switch=net.name,
        memory_mib=4096,
    )
"""


def test_ten_machines_made_at_once_on_one_image_all_start_and_leave_it_as_it_was(parent: Parent, lab_on: LabOn) -> None:
    with parent.host.state.lock:
        image = place(parent.host.state.files, IMAGE)
    before, written = parent.snapshot(), image.disk and image.disk.written
    lab = lab_on(parent, CLASS)
    assert lab.up("--parallel", str(STUDENTS)).changes == {"create": STUDENTS + 3}
    assert {machine.state.name for machine in parent.host.state.machines.values()} == {"Running"}
    children = [file for file in parent.host.state.files.entries.values() if file.disk and file.disk.parent_path]
    assert len(children) == 2 * STUDENTS
    assert image.disk is not None
    assert image.disk.written == written
    lab.destroy("--parallel", str(STUDENTS))
    assert parent.snapshot() == before
