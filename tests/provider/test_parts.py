"""A machine of many parts on the simulated host: made, read, drifted by an administrator, healed and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hyperv_sim.state.disks import place
from nestedlab.machine.table import NestedHyperVHost

if TYPE_CHECKING:
    from tests.conftest import NewParent, Parent
    from tests.provider.conftest import NewProvider, Provider

IMAGE = "C:\\Images\\ws.vhdx"
FULL: dict[str, Any] = {
    "os_disk": {"parent": IMAGE, "size_gib": 60},
    "data_disks": [{"size_gib": 10}, {"size_gib": 1, "fixed": True}],
    "adapters": [{"name": "lan", "vlan": 12}, {"name": "wan", "mac": "00-15-5d-01-02-03", "trunk": "10,20-22"}],
    "time_synchronization": False,
    "tpm": True,
    "processor_weight": 200,
}


def _with_image(parent: Parent) -> Any:
    with parent.host.state.lock:
        place(parent.host.state.files, IMAGE, size=40 * 1024**3)
    return parent.snapshot()


@pytest.mark.parametrize("windows", ["2016", "2019", "2022", "2025"])
def test_a_machine_of_many_parts_lives_its_life(new_parent: NewParent, new_provider: NewProvider, windows: str) -> None:
    parent = new_parent(windows=windows)
    provider, before = new_provider(parent), _with_image(parent)
    made = provider.create("machine", **FULL)
    assert len(made.values["adapters"]) == len(made.values["data_disks"]) == 2
    inputs = provider.desired("machine", **FULL)
    assert {name: made.values[name] for name in inputs} == inputs
    start = parent.server.requests.snapshot()
    again = provider.read("machine", made)
    assert (parent.server.requests.snapshot() - start).http <= 2
    assert again is not None
    assert again.values == made.values
    provider.delete("machine", made)
    assert parent.snapshot() == before


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "drifted"),
    [
        ("Set-VM", {"VMName": "hv1", "AutomaticStartAction": "Nothing"}, "automatic_start"),
        ("Set-VM", {"VMName": "hv1", "CheckpointType": "Disabled"}, "checkpoint_type"),
        ("Add-VMNetworkAdapter", {"VMName": "hv1", "Name": "stray"}, "adapters"),
        ("Remove-VMNetworkAdapter", {"VMName": "hv1", "Name": "wan"}, "adapters"),
        ("Set-VMNetworkAdapter", {"VMName": "hv1", "Name": "lan", "DhcpGuard": "On"}, "adapters"),
        ("Set-VMNetworkAdapterVlan", {"VMName": "hv1", "VMNetworkAdapterName": "lan", "Untagged": True}, "adapters"),
        (
            "Remove-VMHardDiskDrive",
            {"VMName": "hv1", "ControllerType": "SCSI", "ControllerNumber": 0, "ControllerLocation": 1},
            "data_disks",
        ),
        ("Enable-VMIntegrationService", {"VMName": "hv1", "Name": "Time Synchronization"}, "time_synchronization"),
    ],
)
def test_what_an_administrator_changes_is_read_under_its_name_and_healed(
    new_parent: NewParent, new_provider: NewProvider, cmdlet: str, parameters: dict[str, Any], drifted: str
) -> None:
    parent = new_parent()
    provider, before = new_provider(parent), _with_image(parent)
    made = provider.create("machine", **FULL)
    parent.by_hand(cmdlet, **parameters)
    seen = provider.seen("machine", made)
    inputs = [row.name for row in NestedHyperVHost.attributes()]
    assert {name for name in inputs if seen.values.get(name) != made.values.get(name)} == {drifted}
    healed = provider.update("machine", made, **FULL)
    assert healed.values == made.values
    provider.delete("machine", healed)
    assert parent.snapshot() == before


def test_an_iso_is_put_in_exchanged_and_taken_out_while_the_machine_runs(provider: Provider) -> None:
    first, second = r"C:\Images\ws2019.iso", r"C:\Images\ws2022.iso"
    for image in (first, second):
        provider.parent.host.place(image)
    thing = provider.create("machine")
    for image in (first, second, ""):
        thing = provider.update("machine", thing, iso=image)
        assert (thing.values["iso"], thing.values["running"]) == (image, True)
    assert provider.parent.machine("hv1").state.name == "Running"


@pytest.mark.parametrize(
    "first", [{"mac": "00-15-5d-01-02-03"}, {"device_naming": True}], ids=["MAC address", "name in the guest"]
)
def test_a_running_machines_one_adapter_becomes_the_first_of_a_list_in_one_update(
    first: dict[str, Any], provider: Provider
) -> None:
    provider.parent.by_hand("New-VMSwitch", Name="usual", SwitchType="Private")
    made = provider.create("machine", switch="usual")
    adapters = {"adapters": [{"name": "lan", "switch": "usual", **first}, {"name": "wan"}]}
    assert provider.diff("machine", made, **adapters).has_changes
    assert provider.warnings[-1] == "the running machine will be shut down and started again to change adapters"
    now = provider.update("machine", made, **adapters)
    assert now.values["adapters"] == provider.desired("machine", **adapters)["adapters"]
    assert now.values["running"] is True
