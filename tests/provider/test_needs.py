"""What a create needs is looked for in the preview, and before a replacement deletes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nestedlab.errors import ConflictError, NestedlabError, NotFoundError, RefusedError

if TYPE_CHECKING:
    from tests.conftest import NewParent
    from tests.provider.conftest import NewProvider, Provider

NO_SWITCH = {"switch": "misspelt"}
NO_IMAGE = {"os_disk": {"parent": r"D:\Images\misspelt.vhdx"}}


def obstacles(provider: Provider) -> list[str]:
    return [text for text in provider.warnings if text.startswith("as the host is now, this cannot be created")]


@pytest.mark.parametrize(
    ("kind", "inputs", "told"),
    [
        ("machine", NO_SWITCH, "there is no switch named 'misspelt'"),
        ("machine", NO_IMAGE, "misspelt.vhdx is not a virtual disk on the host"),
        ("machine", {"iso": r"C:\Images\misspelt.iso"}, r"iso: C:\Images\misspelt.iso is not on the host"),
        ("machine", {"iso": r"Q:\Images\ws2022.iso"}, r"iso: Q:\Images\ws2022.iso is not on the host"),
        ("machine", {"adapters": [{"name": "lan", "mac": "00-15-5D-0A-0B-0C"}]}, "the MAC address 00155D0A0B0C is"),
        ("machine", {"name": "Taken"}, "the host already has a machine named 'Taken'"),
        ("switch", {"name": "TAKEN"}, "the host already has a switch named 'TAKEN'"),
        ("switch", {"nat": "misspelt"}, "there is no NAT network named 'misspelt'"),
        ("switch", {"prefix": "172.17.5.0/24"}, "172.17.5.0/24 overlaps 172.17.0.0/16"),
    ],
)
def test_a_preview_tells_what_stands_in_the_way_of_a_create(
    kind: str, inputs: dict[str, Any], told: str, provider: Provider
) -> None:
    with provider.parent.at_prompt() as run:
        run("New-VM", Name="taken", Generation=2, NoVHD=True)
        run("Set-VMNetworkAdapter", VMName="taken", StaticMacAddress="00155D0A0B0C")
        run("New-VMSwitch", Name="taken", SwitchType="Private")
        run("New-NetNat", Name="other", InternalIPInterfaceAddressPrefix="172.17.0.0/16")
    before = provider.parent.snapshot()
    assert provider.validated(kind, **inputs) == []
    (warning,) = obstacles(provider)
    assert told in warning
    assert provider.parent.snapshot() == before


@pytest.mark.parametrize(
    ("settings", "parts", "says"),
    [
        ({}, {"has_hyper_v": False}, "the parent host needs the Hyper-V role"),
        (
            {"windows": "2019", "cpu": "amd"},
            {},
            "a parent with an AMD processor needs Windows Server 2022 or later",
        ),
        ({}, {"has_virtualization": False}, "VT-x or AMD-V is disabled in the parent host's firmware"),
        ({}, {"has_dep": False}, "Data Execution Prevention is disabled on the parent host"),
        ({}, {"has_slat": False}, "the parent host's processor has no second-level address translation"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_a_host_that_rules_nested_hosts_out_is_told_in_the_preview(
    settings: dict[str, str], parts: dict[str, bool], says: str, new_parent: NewParent, new_provider: NewProvider
) -> None:
    parent = new_parent(**settings)
    for name, value in parts.items():
        setattr(parent.host.state, name, value)
    before = parent.snapshot()
    with pytest.raises(RefusedError, match=f"the parent host cannot run nested hosts: {says}"):
        new_provider(parent).validated("machine")
    assert parent.snapshot() == before


def test_what_is_fine_and_what_the_program_makes_is_not_told_of(provider: Provider) -> None:
    provider.validated("switch")
    provider.validated("machine", switch="LAB-net")
    assert obstacles(provider) == []


def test_the_image_of_a_class_is_looked_for_once(provider: Provider) -> None:
    for number in range(8):
        provider.validated("machine", name=f"hv{number}", owner=f"lab/dev/hv{number}", **NO_IMAGE)
        if number == 0:
            before = provider.parent.server.requests.snapshot()
    assert len(obstacles(provider)) == 8
    assert (provider.parent.server.requests.snapshot() - before).http == 0


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"processors": 65}, "processors: the machine is to have 65, and the parent host has 64"),
        ({"path": "Q:\\Lab"}, "path: the parent host has no drive Q:; it has C:, D:"),
    ],
)
def test_what_a_machine_asks_for_beyond_the_host_is_told(inputs: dict[str, Any], told: str, provider: Provider) -> None:
    provider.validated("machine", **inputs)
    assert [text for text in provider.warnings if told in text] != []


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"memory_mib": 4 * 2**20}, r"would fail: .* GiB of memory"),
        ({"os_disk": {"size_gib": 60000, "fixed": True}}, r"would fail: .* take 60000 GiB when they are made; D: of"),
    ],
)
def test_a_replacement_that_the_host_has_no_room_for_is_refused(
    inputs: dict[str, Any], told: str, provider: Provider
) -> None:
    made = provider.create("machine")
    elsewhere = {"path": "D:\\Elsewhere", **inputs}
    provider.validated("machine", made.values, **elsewhere)
    before = provider.parent.snapshot()
    with pytest.raises(RefusedError, match=told):
        provider.diff("machine", made, **elsewhere)
    assert provider.parent.snapshot() == before


def test_a_replacement_may_use_the_space_of_the_disks_that_go(provider: Provider) -> None:
    room = provider.parent.host.state.files.free("D:\\") // 2**30
    disk = {"size_gib": room - 1, "fixed": True}
    made = provider.create("machine", path="D:\\Lab", os_disk=disk)
    diff = provider.diff("machine", made, path="D:\\Elsewhere", os_disk=disk)
    assert [row.name for row in diff.replaces] == ["path"]


def test_what_was_made_meanwhile_is_seen(provider: Provider) -> None:
    wide: dict[str, Any] = {
        "name": "first",
        "owner": "lab/dev/first",
        "prefix": "10.5.0.0/24",
        "nat_prefix": "10.5.0.0/16",
    }
    provider.validated("switch", **wide)
    first = provider.create("switch", **wide)
    provider.validated("switch", prefix="10.5.1.0/24", nat=first.values["nat_name"])
    assert obstacles(provider) == []


@pytest.mark.parametrize(
    ("inputs", "error"),
    [(NO_IMAGE, NotFoundError), ({**NO_IMAGE, "path": "E:\\Lab"}, NotFoundError), ({**NO_SWITCH}, NotFoundError)],
)
def test_a_replacement_that_would_fail_is_refused_before_anything_is_deleted(
    inputs: dict[str, Any], error: type[NestedlabError], provider: Provider
) -> None:
    made = provider.create("machine")
    before = provider.parent.snapshot()
    replaced = {"path": "D:\\Elsewhere", **inputs}
    with pytest.raises(error, match="has to be replaced, and that would fail"):
        provider.diff("machine", made, **replaced)
    assert provider.parent.snapshot() == before


def test_a_replacement_that_keeps_its_given_disk_and_name_is_fine(provider: Provider) -> None:
    provider.parent.by_hand("New-VHD", Path=r"D:\os.vhdx", SizeBytes=10 * 2**30, Dynamic=True)
    made = provider.create("machine", os_disk={"path": r"D:\os.vhdx"})
    diff = provider.diff("machine", made, os_disk={"path": r"D:\os.vhdx"}, path="D:\\Elsewhere")
    assert [row.name for row in diff.replaces] == ["path"]


def test_a_stranger_of_the_name_stands_in_the_way_of_a_replacement_elsewhere(provider: Provider) -> None:
    made = provider.create("machine")
    provider.parent.by_hand("New-VM", Name="HV2", Generation=2, NoVHD=True)
    provider.validated("machine", made.values, name="hv2", path="D:\\Elsewhere")
    with pytest.raises(ConflictError, match="already has a machine named 'hv2'"):
        provider.diff("machine", made, name="hv2", path="D:\\Elsewhere")


def test_a_machine_behind_the_nat_switch_of_another_stack_is_not_warned_of(provider: Provider) -> None:
    provider.create("switch", name="theirs", owner="lab/prod/theirs", stack_id="0ddba11")
    provider.validated("machine", switch="Theirs")
    assert [text for text in provider.warnings if "will have no network" in text] == []
