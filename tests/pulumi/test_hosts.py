"""Several parent hosts in one stack: `on` names a host of nestedlab:hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import NewParent
    from tests.pulumi.conftest import LabOn

PROGRAM = """
import pulumi_nestedlab as lab

net = lab.NatSwitch("net", prefix="192.168.50.0/24", on={on!r})
lab.NestedHyperVHost("hv1", os_disk=lab.Disk(size_gib=40), switch=net.name, on={on!r})
lab.NestedHyperVHost("stays", os_disk=lab.Disk(size_gib=40), mac_spoofing=True)
"""


def test_a_lab_on_two_hosts_moves_between_them_and_outlives_one(new_parent: NewParent, lab_on: LabOn) -> None:
    first, second = new_parent(), new_parent()
    before = (first.snapshot(), second.snapshot())
    lab = lab_on(first, PROGRAM.format(on=None))
    lab.run("config", "set", "--path", "nestedlab:hosts.hv02.address", second.server.url)
    lab.run("config", "set", "--path", "--secret", "nestedlab:hosts.hv02.password", says=second.server.password)
    lab.up()
    assert (sorted(first.machines), second.machines) == (["hv1", "stays"], [])

    lab.write(PROGRAM.format(on="hv02"))
    up = lab.up()
    assert {name for name, steps in up.steps.items() if "replace" in steps} == {"net", "hv1"}
    assert (first.machines, second.machines) == (["stays"], ["hv1"])
    lab.expect_no_changes()
    assert second.server.password not in str(lab.state())

    lab.write(PROGRAM.format(on="hv03"))
    failed = lab.preview(fails=True)
    assert "nestedlab:hosts has no host 'hv03' (there are hv02)" in failed.text
    assert "Traceback" not in failed.text

    # With the second host away, work on the first goes on, and what is on the second stays known.
    second.server.stop()
    lab.write(PROGRAM.format(on="hv02").replace("mac_spoofing=True", "mac_spoofing=True, notes='worked on'"))
    assert lab.up().steps["stays"] == ["update"]
    lab.destroy("--continue-on-error", fails=True)
    assert (first.snapshot(), second.machines) == (before[0], ["hv1"])
    assert {"net", "hv1"} <= lab.resources().keys()
