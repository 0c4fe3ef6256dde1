"""What a case of words in, words out cannot say of the network and the disks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hyperv_sim.records import NetObject, Scalar
from hyperv_sim.state.disks import place
from hyperv_sim.state.files import GIB

if TYPE_CHECKING:
    from tests.simulator.conftest import Talk

LAB = (
    "New-VMSwitch lab -SwitchType Internal; "
    "New-NetIPAddress 192.168.50.1 -InterfaceIndex 5 -PrefixLength 24; "
    "New-NetNat lab -InternalIPInterfaceAddressPrefix 192.168.50.0/24; "
    "Add-NetNatStaticMapping lab -Protocol TCP -ExternalIPAddress 0.0.0.0 -ExternalPort 80 "
    "-InternalIPAddress 192.168.50.9; "
    "New-VHD D:\\child.vhdx -ParentPath D:\\Images\\base.vhdx; New-VHD D:\\fixed.vhdx 1GB -Fixed"
)
GONE = (
    "Remove-NetNat lab -Confirm:$false; Remove-NetIPAddress 192.168.50.1 -Confirm:$false; "
    "Remove-VMSwitch lab -Force; Remove-Item -LiteralPath D:\\child.vhdx,D:\\fixed.vhdx"
)


def test_a_lab_that_is_gone_leaves_the_host_as_it_was(talk: type[Talk]) -> None:
    host = talk()
    place(host.host.state.files, r"D:\Images\base.vhdx")
    before = host.host.snapshot()
    assert host(LAB).ids == []
    assert host.host.snapshot() != before
    assert host(GONE).ids == []
    assert host.host.snapshot() == before


@pytest.mark.parametrize(
    "change",
    [
        "New-VMSwitch two -SwitchType Private",
        "Set-VMSwitch lab -Notes x",
        "Set-VMSwitch lab -SwitchType Private",
        "Rename-VMSwitch lab -NewName two",
        "New-NetIPAddress 192.168.9.1 -InterfaceIndex 4 -PrefixLength 24",
        "New-NetNat two -InternalIPInterfaceAddressPrefix 192.168.60.0/24",
        "Set-NetNat lab -IcmpQueryTimeout 31",
        "Remove-NetNatStaticMapping -StaticMappingID 0 -Confirm:$false",
        "New-Item D:\\new -ItemType Directory",
        "Remove-Item -LiteralPath D:\\fixed.vhdx",
        "Resize-VHD D:\\Images\\base.vhdx 50GB",
    ],
)
def test_every_kind_of_change_shows_in_the_snapshot(talk: type[Talk], change: str) -> None:
    host = talk()
    place(host.host.state.files, r"D:\Images\base.vhdx")
    host(LAB)
    if "Private" in change:
        host("Remove-NetNat lab -Confirm:$false")
    before = host.host.snapshot()
    assert host(change).ids == []
    assert host.host.snapshot() != before


def test_looking_changes_nothing(talk: type[Talk]) -> None:
    host = talk()
    place(host.host.state.files, r"D:\Images\base.vhdx")
    host(LAB)
    before = host.host.snapshot()
    assert json.loads(json.dumps(before)) == before
    looks = "Get-VMSwitch; Get-NetAdapter; Get-NetIPAddress; Get-NetRoute; Get-NetNat; Get-NetNatStaticMapping"
    assert host(f"{looks}; Get-VHD D:\\child.vhdx; Get-Item D:\\; Get-ChildItem D:\\; Test-Path D:\\").ids == []
    assert host.host.snapshot() == before


def test_a_new_adapter_can_be_late(talk: type[Talk]) -> None:
    host = talk()
    host.host.state.network.adapter_delay = 2
    host("New-VMSwitch lab -SwitchType Internal")
    address = "New-NetIPAddress 192.168.50.1 -InterfaceIndex 5 -PrefixLength 24"
    assert host("Get-VMNetworkAdapter -ManagementOS").output[0]["SwitchName"] == "lab"
    assert host("Get-NetIPAddress -InterfaceIndex 5").ids == [
        "CmdletizationQuery_NotFound_InterfaceIndex,Get-NetIPAddress"
    ]
    assert host(address).ids == ["CmdletizationQuery_NotFound_InterfaceIndex,New-NetIPAddress"]
    assert [len(host("Get-NetAdapter").output) for _ in range(3)] == [1, 1, 2]
    assert host(address).ids == []


def test_an_address_stays_tentative_as_long_as_the_host_is_told(talk: type[Talk]) -> None:
    host = talk()
    host.host.state.network.tentative_reads = 2
    host("New-NetIPAddress 192.168.9.1 -InterfaceIndex 4 -PrefixLength 24")
    seen = [host("Get-NetIPAddress 192.168.9.1").output[0]["AddressState"] for _ in range(4)]
    assert seen == ["Tentative", "Tentative", "Preferred", "Preferred"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (r"New-VHD D:\Images\base.vhdx 1GB", "0x80070050"),
        (r"New-VHD D:\none\a.vhdx 1GB", "0x80070003"),
        (r"New-VHD Z:\a.vhdx 1GB", "0x80070003"),
        (r"New-VHD D:\a.vhdx 3TB -Fixed", "0x80070070"),
        (r"New-VHD D:\a?.vhdx 1GB", "0x8007007B"),
        (r"Get-VHD D:\none.vhdx", "0x80070002"),
        (r"Get-VHD D:\orphan.vhdx", "0xC03A000D"),
        (r"Get-VHD D:\stale.vhdx", "0xC03A000E"),
    ],
)
def test_the_code_at_the_end_of_the_message_tells_failures_apart(talk: type[Talk], text: str, code: str) -> None:
    host = talk()
    files = host.host.state.files
    for name in ("base", "other", "gone"):
        place(files, rf"D:\Images\{name}.vhdx", 1 * GIB)
    for child, parent in (("stale", "other"), ("orphan", "gone")):
        assert host(rf"New-VHD D:\{child}.vhdx -ParentPath D:\Images\{parent}.vhdx").ids == []
    assert host(r"Resize-VHD D:\Images\other.vhdx 2GB; Remove-Item -LiteralPath D:\Images\gone.vhdx").ids == []
    (error,) = host(text).errors
    assert error.fully_qualified_error_id.startswith("OperationFailed,Microsoft.Vhd.PowerShell.Cmdlets.")
    assert error.message.endswith(f"({code}).")


def test_a_sharing_violation_has_its_own_hresult(talk: type[Talk]) -> None:
    host = talk()
    host("New-VM hv1 -NewVHDPath D:\\a.vhdx -NewVHDSizeBytes 1GB; Start-VM hv1")
    (error,) = host("Remove-Item -LiteralPath D:\\a.vhdx").errors
    assert (error.reason, error.exception.hresult) == ("IOException", -2147024864)


def test_a_busy_disk_says_so(talk: type[Talk]) -> None:
    host = talk()
    place(host.host.state.files, r"D:\Images\base.vhdx").is_busy = True
    assert host("Get-VHD D:\\Images\\base.vhdx").ids == ["ObjectInUse,Microsoft.Vhd.PowerShell.Cmdlets.GetVHD"]


def test_a_read_only_image_is_removed_with_force_only(talk: type[Talk]) -> None:
    host = talk()
    place(host.host.state.files, r"D:\Images\base.vhdx").is_read_only = True
    remove = "Remove-Item -LiteralPath D:\\Images\\base.vhdx"
    assert host(remove).ids == [
        "RemoveFileSystemItemUnAuthorizedAccess,Microsoft.PowerShell.Commands.RemoveItemCommand"
    ]
    assert host(f"{remove} -Force").ids == []


def test_a_nat_can_be_refused_as_without_rights(talk: type[Talk]) -> None:
    host = talk()
    host.host.refuse("New-NetNat", "Windows System Error 5", "PermissionDenied")
    answer = host("New-NetNat lab -InternalIPInterfaceAddressPrefix 192.168.50.0/24")
    assert (answer.ids, answer.errors[0].category) == (["Windows System Error 5,New-NetNat"], "PermissionDenied")


def test_objects_over_cim_carry_numbers_under_their_words(talk: type[Talk]) -> None:
    host = talk()
    (address,) = host("Get-NetIPAddress 10.0.0.10").values
    assert isinstance(address, NetObject)
    assert address.adapted["AddressState"] == Scalar("UInt16", 4)
    assert address.extended["AddressState"] == Scalar("String", "Preferred")
    assert address.type_names[0].endswith("CimInstance#root/StandardCimv2/MSFT_NetIPAddress")


def test_an_error_is_about_the_value_that_was_asked_for(talk: type[Talk]) -> None:
    (error,) = talk()("Get-NetNat nobody").errors
    assert (error.target_name, error.exception.type_names[0]) == (
        "nobody",
        "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
    )


MAPPING = (
    "Add-NetNatStaticMapping lab -Protocol TCP -ExternalIPAddress {0} -ExternalPort {1} -InternalIPAddress 192.168.50.9"
)
ANYWHERE = "0.0.0.0"  # noqa: S104  # what Windows calls it; nothing is bound here
TAKEN = ["Windows System Error 32,Add-NetNatStaticMapping"]


def test_a_port_can_be_excluded_on_the_host(talk: type[Talk]) -> None:
    host = talk()
    nats = host.host.state.network.nats
    nats.taken_ports |= {("TCP", 8080)}
    host("New-NetNat lab -InternalIPInterfaceAddressPrefix 192.168.50.0/24")
    assert host(MAPPING.format(ANYWHERE, 8080)).ids == TAKEN
    assert host(MAPPING.format(ANYWHERE, 8081)).ids == []


def test_a_mapping_can_be_for_one_address_that_the_host_has(talk: type[Talk]) -> None:
    host = talk()
    host.host.state.network.nats.external_addresses = frozenset({"10.0.0.10", "10.0.0.11"})
    host("New-NetNat lab -InternalIPInterfaceAddressPrefix 192.168.50.0/24")
    assert host(MAPPING.format("10.0.0.10", 80)).output[0]["ExternalIPAddress"] == "10.0.0.10"
    assert host(MAPPING.format("10.0.0.11", 80)).ids == []
    assert host(MAPPING.format("10.0.0.10", 80)).ids == TAKEN
    assert host(MAPPING.format(ANYWHERE, 80)).ids == TAKEN
    assert host(MAPPING.format("10.0.0.12", 81)).ids == TAKEN
