"""An image that somebody has removed under a machine: the others are refreshed and healed all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperv_sim.state.disks import place

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.pulumi.conftest import LabOn

IMAGE = r"C:\Images\ws2022.vhdx"
PROGRAM = f"""
import pulumi_nestedlab as lab

lab.NestedHyperVHost("hv1", os_disk=lab.Disk(parent={IMAGE!r}), running=False)
for name in ("hv2", "hv3"):
    lab.NestedHyperVHost(name, os_disk=lab.Disk(size_gib=80), running=False)
"""


def test_the_other_machines_are_refreshed_and_healed(parent: Parent, lab_on: LabOn) -> None:
    with parent.host.state.lock:
        image = place(parent.host.state.files, IMAGE)
    lab = lab_on(parent, PROGRAM)
    lab.up()
    disk = lab.resources()["hv1"]["outputs"]["osDiskPath"]
    cannot = f"the OS disk cannot be read: {disk} on the image {IMAGE}. "

    parent.by_hand("Remove-Item", LiteralPath=IMAGE)
    for name in ("hv2", "hv3"):
        parent.by_hand("Set-VM", Name=name, AutomaticStartDelay=7)
    preview = lab.preview("--refresh", "--diff")
    drifted = {"hv1": {"osDisk"}, "hv2": {"automaticStartDelay"}, "hv3": {"automaticStartDelay"}}
    assert (preview.drift, preview.diff) == (drifted, drifted)
    assert [text for text in preview.messages("warning") if cannot in text]
    assert preview.changes["update"] == 3
    assert "unreadable" in preview.text
    assert f"{cannot}The image may have been removed" in preview.text

    failed = lab.up("--refresh", "--continue-on-error", fails=True)
    (error,) = [text for text in failed.messages("error") if cannot in text]
    assert "Put the image back as it was, or replace the machine" in error
    assert "Traceback" not in failed.text
    for name in ("hv2", "hv3"):
        assert parent.machine(name).automatic_start_delay == 0

    with parent.host.state.lock:
        parent.host.state.files.put(image)
    lab.up("--refresh")
    lab.preview("--expect-no-changes")
