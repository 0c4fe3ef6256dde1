"""What a preview reports before any change: about the host, about what a lab lacks, about what a change does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperv_sim.state.world import GIB

if TYPE_CHECKING:
    from lab import Run
    from tests.conftest import Parent
    from tests.pulumi.conftest import LabOn

NET = """
import pulumi_nestedlab as lab

net = lab.NatSwitch("net", prefix="192.168.50.0/24")
"""
MACHINE = 'lab.NestedHyperVHost("{0}", os_disk=lab.Disk(size_gib=40), switch=net.name, memory_mib={1}{2})\n'


def machines(*names: str, memory_mib: int = 4096, more: str = "") -> str:
    return NET + "".join(MACHINE.format(name, memory_mib, more) for name in names)


def warnings(run: Run) -> list[str]:
    """The warnings, each as often as it was shown."""
    return [message.strip().removeprefix("warning: ") for message in run.messages("warning")]


def test_a_host_that_cannot_run_nested_hosts_fails_the_preview(parent: Parent, lab_on: LabOn) -> None:
    parent.host.state.has_hyper_v = False
    before = parent.snapshot()
    failed = lab_on(parent, machines("hv1")).preview(fails=True)
    assert "the parent host cannot run nested hosts: the parent host needs the Hyper-V role" in failed.text
    assert "Traceback" not in failed.text
    assert parent.snapshot() == before


def test_what_a_host_lacks_is_said_once_and_stops_nothing(parent: Parent, lab_on: LabOn) -> None:
    parent.host.state.memory, parent.host.state.migration_enabled = 16 * GIB, True
    lab = lab_on(parent, machines("hv1", "hv2", "hv3", memory_mib=6144))
    migration, memory = sorted(warnings(lab.preview()))
    assert migration.startswith("live migration is enabled on the parent host")
    assert memory.startswith("the stack's machines need at least 18.0 GiB of memory; the parent host has 16.0 GiB")

    lab.write(machines("hv1", memory_mib=6144))
    assert warnings(lab.up()) == [migration]


def test_a_preview_works_without_the_host_and_says_what_it_did_not_check(parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, machines("hv1", "hv2"))
    parent.server.stop()
    preview = lab.preview()
    assert preview.changes == {"create": 5}
    (warned,) = warnings(preview)
    assert "its Windows, processor, memory and disk space are not checked" in warned
    assert "refused the connection" in warned


def test_what_a_change_does_to_a_machine_is_told_before_and_can_be_forbidden(parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, machines("hv1", "hv2", more=", data_disks=[lab.DataDisk(size_gib=10)]"))
    assert warnings(lab.up()) == []
    before = parent.snapshot()

    lab.write(machines("hv1", "hv2", memory_mib=8192))
    reported = warnings(lab.preview())
    off = "the running machine will be shut down and started again to change memory_mib"
    assert sorted(reported) == [*2 * ["the data disk at location 1 will be deleted"], *2 * [off]]

    lab.write(machines("hv1", memory_mib=8192, more=", on_power_off='fail'"))
    forbidden = lab.preview(fails=True)
    assert f"machine 'hv1': {off}, and on_power_off='fail' forbids that" in forbidden.text

    lab.write(machines("hv1", "hv2", more=", path='D:\\\\VMs', data_disks=[lab.DataDisk(size_gib=10)]"))
    assert warnings(lab.preview()) == 2 * [
        "the machine and the disks made for it will be deleted and created again: path cannot be changed"
    ]
    assert parent.snapshot() == before


def test_a_machine_that_somebody_has_saved_counts_as_running_in_preview_and_up_alike(
    parent: Parent, lab_on: LabOn
) -> None:
    lab = lab_on(parent, machines("hv1", more=", on_power_off='fail'"))
    lab.up()
    parent.by_hand("Save-VM", Name="hv1")
    lab.write(machines("hv1", memory_mib=8192, more=", on_power_off='fail'"))
    resumed = "the saved machine will be resumed, shut down and started again to change memory_mib"
    for command in (lab.preview, lab.up):
        failed = command("--refresh", fails=True)
        assert f"machine 'hv1': {resumed}, and on_power_off='fail' forbids that" in failed.text
    assert parent.machine("hv1").state.name == "Saved"


def test_a_nested_host_without_a_network_for_its_machines_is_told(parent: Parent, lab_on: LabOn) -> None:
    alone = 'lab.NestedHyperVHost("alone", os_disk=lab.Disk(size_gib=40))\n'
    spoofing = 'lab.NestedHyperVHost("spoofing", os_disk=lab.Disk(size_gib=40), mac_spoofing=True)\n'
    (warned,) = warnings(lab_on(parent, NET + alone + spoofing).preview())
    assert warned.startswith("machines inside this nested host will have no network")


BY_NAME = """
import pulumi_nestedlab as lab

lab.NestedHyperVHost("early", os_disk=lab.Disk(size_gib=8), adapters=[lab.Adapter(name="lan", switch="NET")])
net = lab.NatSwitch("net", prefix="192.168.50.0/24")
lab.NestedHyperVHost("late", os_disk=lab.Disk(size_gib=8), switch="net")
lab.NestedHyperVHost("right", os_disk=lab.Disk(size_gib=8), switch=net.name)
"""


def test_a_nat_switch_of_the_program_that_is_named_by_a_text_is_told_of(parent: Parent, lab_on: LabOn) -> None:
    warnings = lab_on(parent, BY_NAME).preview().messages("warning")
    told = [text.split()[0] for text in warnings if "Pulumi does not know that it needs that NatSwitch" in text]
    assert sorted(told) == ["early", "late"]
