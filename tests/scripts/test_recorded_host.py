"""A recorded host is the same host again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import recorded_host
import yaml

if TYPE_CHECKING:
    from tests.conftest import NewParent, Parent


@pytest.fixture
def lived_in(new_parent: NewParent) -> Parent:
    """A host with a bit of everything that refers to something else."""
    parent = new_parent(parts={"external_switches": ("LAN",)})
    parent.host.place("D:\\Images\\ws.vhdx")
    with parent.at_prompt() as run:
        run("New-VMSwitch", Name="net", SwitchType="Internal")
        run("New-NetIPAddress", InterfaceAlias="vEthernet (net)", IPAddress="192.168.50.1", PrefixLength=24)
        run("New-NetNat", Name="nat", InternalIPInterfaceAddressPrefix="192.168.50.0/24")
        outside = {"Protocol": "TCP", "ExternalIPAddress": "0.0.0.0", "ExternalPort": 3389}  # noqa: S104 - of the host
        inside = {"InternalIPAddress": "192.168.50.5", "InternalPort": 3389}
        run("Add-NetNatStaticMapping", NatName="nat", **outside, **inside)
        run("New-VHD", Path="D:\\hv1.vhdx", ParentPath="D:\\Images\\ws.vhdx", Differencing=True)
        run("New-VM", Name="hv1", Generation=2, VHDPath="D:\\hv1.vhdx", SwitchName="net")
        run("Set-VMNetworkAdapterVlan", VMName="hv1", Trunk=True, AllowedVlanIdList="10-12", NativeVlanId=10)
        run("Checkpoint-VM", Name="hv1", SnapshotName="clean")
        run("Checkpoint-VM", Name="hv1", SnapshotName="later")
        run("Start-VM", Name="hv1")
    return parent


def test_what_was_written_comes_back_as_it_was(lived_in: Parent) -> None:
    text = recorded_host.written(lived_in.host)
    again = recorded_host.rebuilt(text)
    assert again.snapshot() == lived_in.snapshot()
    assert recorded_host.written(again) == text


def test_it_goes_on_as_the_host_does(lived_in: Parent) -> None:
    lived_in.host.state = recorded_host.rebuilt(recorded_host.written(lived_in.host)).state
    with lived_in.at_prompt() as run:
        run("Stop-VM", Name="hv1", TurnOff=True)
        run("Restore-VMSnapshot", VMName="hv1", Name="clean", Confirm=False)
        run("Remove-NetNat", Name="nat", Confirm=False)
        run("Remove-VMSwitch", Name="net", Force=True)
    machine = lived_in.machine("hv1")
    assert [adapter.switch for adapter in machine.adapters] == [None]
    assert machine.parent_checkpoint is machine.checkpoints[0]


def test_a_new_field_has_its_default_and_a_lost_one_is_named() -> None:
    file = recorded_host.rebuilt("!Host {windows: '2022', cpu: intel, files: !Files {entries: {}}}").state.files
    assert file.drives
    with pytest.raises(yaml.YAMLError, match="Host has no colour any more"):
        recorded_host.rebuilt("!Host {colour: red}")
    with pytest.raises(yaml.YAMLError, match="there is no class 'Colour' any more"):
        recorded_host.rebuilt("!Colour red")
